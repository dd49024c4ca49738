"""The `actions:` of a transcript: what each action and source gave, checked against its signature."""

from collections.abc import Mapping

from engine.actions.catalog import ActionSignature, Catalog, SourceSignature
from engine.actions.values import mismatch
from engine.core.types import RecordType, ValueType
from engine.core.values import Value
from engine.loading.documents import Mapping_, Node, Sequence_, plain
from engine.loading.findings import Findings, listed, nearest
from engine.loading.transcripts import FAILURES, Fails, Given, Gives, Lists
from engine.loading.transcripts_fields import Fields, count, facts, flag, one_of, text, word, wrong
from engine.loading.transcripts_values import Unfit, typed

_KINDS = ("outcome", "rows", "fails")


def actions(node: Node, found: Findings, catalog: Catalog) -> Mapping[str, tuple[Given, ...]]:
    """Name → what it gives, in order."""
    if not isinstance(node, Mapping_):
        wrong(node, found, "Here actions and what they give are needed.", "print3d.create_order: [{outcome: created}]")
        return {}
    read: dict[str, tuple[Given, ...]] = {}
    for pair in node:
        name = pair.key.text
        signature = catalog.actions.get(name) or catalog.sources.get(name)
        if signature is None:
            known = [*catalog.actions, *catalog.sources]
            found.error("F0952", pair.key.span, f"There is no action or source “{name}”.", expected=listed(known),
                        suggestion=nearest(name, known))  # fmt: skip
            continue
        items = pair.value.items if isinstance(pair.value, Sequence_) else (pair.value,)
        if not items:
            wrong(pair.value, found, "This list is empty.", "what the action gives; or no such key", "F0207")
        each = [_given(item, found, signature) for item in items]
        read[name] = tuple(item for item in each if item is not None)
    return read


def _given(node: Node, found: Findings, signature: ActionSignature | SourceSignature) -> Given | None:
    source = isinstance(signature, SourceSignature)
    usual = "rows" if source else "outcome"
    if not isinstance(node, Mapping_):
        wrong(node, found, "Here keys and values are needed.", f"{{{usual}: …}} or {{fails: timeout}}")
        return None
    kinds = [name for name in _KINDS if node.get(name) is not None]
    if len(kinds) != 1:
        found.error("F0951", node.span, f"“{signature.name}” gives one thing at a time.",
                    expected=f"{usual}: or fails:")  # fmt: skip
        return None
    match kinds[0], signature:
        case "fails", _:
            return _fails(Fields(node, found))
        case "outcome", ActionSignature():
            return _gives(Fields(node, found), signature)
        case "rows", SourceSignature():
            return _lists(Fields(node, found), signature)
        case kind, _:
            what = "a source, which gives rows" if source else "an action, which gives an outcome"
            pair = node.pair(kind)
            assert pair is not None
            found.error("F0953", pair.key.span, f"“{signature.name}” is {what}.", expected=f"{usual}:")
            return None


def _fails(fields: Fields) -> Given | None:
    kind = fields.take("fails", one_of(FAILURES))
    reason = fields.take("reason", text)
    final = fields.take("final", flag)
    given = fields.take("given", facts)
    fields.done()
    if kind is None:
        return None
    return Fails(kind=kind, reason=reason or "", final=final is True, given=given or (), span=fields.span)


def _gives(fields: Fields, signature: ActionSignature) -> Given | None:
    outcome = fields.take("outcome", word)
    node = fields.node.get("with")
    given = fields.take("given", facts)
    fields.done("with")
    if outcome is None:
        return None
    record = signature.outcomes.get(outcome)
    if record is None:
        pair = fields.node.pair("outcome")
        assert pair is not None
        fields.found.error("F0953", pair.value.span, f"“{signature.name}” has no outcome “{outcome}”.",
                           expected=listed(signature.outcomes),
                           suggestion=nearest(outcome, signature.outcomes))  # fmt: skip
        return None
    value = _record(node, fields, record)
    return None if value is None else Gives(outcome=outcome, value=value, given=given or (), span=fields.span)


def _record(node: Node | None, fields: Fields, record: RecordType) -> Mapping[str, Value] | None:
    """The outcome's fields; what is not said is nothing, where that may be."""
    if node is not None and not isinstance(node, Mapping_):
        wrong(node, fields.found, "Here the outcome's fields are needed.", "{field: value}")
        return None
    for pair in node or ():
        if record.fields and pair.key.text not in record.fields:
            fields.found.error("F0954", pair.key.span, f"This outcome has no field “{pair.key.text}”.",
                               expected=listed(record.fields),
                               suggestion=nearest(pair.key.text, record.fields))  # fmt: skip
            return None
    value = _typed(node, fields, record, {} if node is None else plain(node))
    return value if isinstance(value, Mapping) else None


def _lists(fields: Fields, signature: SourceSignature) -> Given | None:
    node = fields.node.get("rows")
    total = fields.take("total", count(0, 1_000_000_000))
    given = fields.take("given", facts)
    fields.done("rows")
    if not isinstance(node, Sequence_):
        wrong(fields.node if node is None else node, fields.found, "Here a list of rows is needed.", "rows: [{…}, {…}]")
        return None
    rows = [_typed(item, fields, signature.row, plain(item)) for item in node.items]
    if any(row is None for row in rows):
        return None
    if total is not None and total < len(rows):
        wrong(node, fields.found, f"Here are {len(rows)} rows, but total: says {total}.", "total: of all rows", "F0207")
        return None
    return Lists(rows=tuple(rows), total=total, given=given or (), span=fields.span)


def _typed(node: Node | None, fields: Fields, kind: ValueType, raw: object) -> Value:
    """The value as its type has it; None, and a finding, when it does not fit."""
    span = fields.span if node is None else node.span
    try:
        value = typed(raw, kind)
    except Unfit as trouble:
        fields.found.error("F0954", span, f"This cannot be read: {trouble}.", expected="a plain value")
        return None
    reason = mismatch(value, kind, "This")
    if reason is not None:
        fields.found.error("F0954", span, f"{reason}.", expected="12.50 EUR, 2026-11-21, 1h30m, a text or a number")
        return None
    return value
