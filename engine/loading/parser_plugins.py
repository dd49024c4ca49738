"""`plugins:` of bot.yaml: for each plugin the class of settings that it declares. Never repeats a value: it may be a
secret that stands in the wrong place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, assert_never

from engine.actions.catalog import Catalog
from engine.actions.setting_kinds import Choice, Kind, Many, Maybe, Named, OneOf, Record, fields_of
from engine.core.values import Money
from engine.diagnostics import Span
from engine.loading.documents import Mapping_, Node, Pair, Scalar_, Sequence_
from engine.loading.durations import parse_duration, parse_money
from engine.loading.findings import Findings, listed, nearest

VARIABLE: Final = re.compile("[A-Z][A-Z0-9_]{1,99}")
_WORDS: Final[Mapping[type[Any], str]] = {
    str: "a text",
    int: "a whole number",
    Decimal: "a number such as 0.5",
    bool: "true or false",
    timedelta: "a duration such as 30s, 5m, 24h or 1h30m",
    Money: "an amount such as 5.00 EUR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """What is being read: its name, and where its key stands."""

    name: str
    span: Span


class _Bad:
    """Something was wrong, and has been said."""


_BAD: Final = _Bad()


def plugin_settings(node: Node | None, catalog: Catalog, findings: Findings) -> dict[str, object]:
    """The settings of every plugin that has some, by namespace: what the file leaves unsaid has its default."""
    given: dict[str, Pair] = {}
    for pair in node if isinstance(node, Mapping_) else ():
        name = pair.key.text
        if name in catalog.settings:
            given[name] = pair
        else:
            findings.error("F0907", pair.key.content, f"There is no plugin “{name}” with settings.",
                           expected=listed(catalog.settings) or "no plugin here has settings",
                           suggestion=nearest(name, catalog.settings))  # fmt: skip
    found: dict[str, object] = {}
    for name, declared in catalog.settings.items():
        written = given.get(name)
        value = declared.kind() if written is None else _record(declared.kind, written.value, _of(written), findings)
        if not isinstance(value, _Bad):
            found[name] = value
    return found


def wanted(kind: Kind) -> str:
    """What a finding says was expected."""
    match kind:
        case OneOf(variable=True):
            return "the name of an environment variable, such as ETH_NODE"
        case OneOf(kind=simple):
            return _WORDS[simple]
        case Choice(choices=choices):
            return ", ".join(str(choice) for choice in choices)
        case Record():
            return "keys and values"
        case Many(item=item):
            return f"a list of {wanted(item).removeprefix('a ').removeprefix('an ')}"
        case Named():
            return "names, each with its value"
        case Maybe(inner=inner):
            return wanted(inner)
        case _:
            assert_never(kind)


def _read(node: Node, kind: Kind, at: _At, findings: Findings) -> object:
    """The value of one setting; `_BAD` after a finding."""
    match kind:
        case Maybe(inner=inner):
            empty = isinstance(node, Scalar_) and node.value is None
            return None if empty else _read(node, inner, at, findings)
        case Record(kind=record) if isinstance(node, Mapping_):
            return _record(record, node, at, findings)
        case Many(item=item, as_tuple=as_tuple) if isinstance(node, Sequence_):
            read = [_read(each, item, _At(name=at.name, span=_place(each)), findings) for each in node.items]
            return _BAD if any(map(_is_bad, read)) else tuple(read) if as_tuple else read
        case Named(item=item) if isinstance(node, Mapping_):
            named = {pair.key.text: _read(pair.value, item, _of(pair), findings) for pair in node}
            return _BAD if any(map(_is_bad, named.values())) else named
        case OneOf() | Choice() if isinstance(node, Scalar_):
            return _scalar(node, kind, at, findings)
        case _:
            return _misfit(node, kind, at, findings)


def _is_bad(value: object) -> bool:
    return isinstance(value, _Bad)


def _record(kind: type[Any], node: Node, at: _At, findings: Findings) -> object:
    if isinstance(node, Scalar_) and node.value is None:
        node = Mapping_(pairs=(), span=node.span)
    if not isinstance(node, Mapping_):
        return _misfit(node, Record(kind=kind), at, findings)
    known, values, good = fields_of(kind), {}, True
    for pair in node:
        setting = known.get(pair.key.text)
        if setting is None:
            given = {other.key.text for other in node}
            findings.error("F0908", pair.key.content, f"“{at.name}” has no setting “{pair.key.text}”.",
                           expected=listed(known, most=20),
                           suggestion=nearest(pair.key.text, known.keys() - given))  # fmt: skip
            good = False
            continue
        value = _read(pair.value, setting.kind, _of(pair), findings)
        good = good and not _is_bad(value)
        values[setting.field] = value
    for setting in known.values():
        if setting.required and setting.field not in values:
            findings.error(
                "F0202", at.span, f"“{at.name}” needs the key “{setting.name}”.", expected=f"{setting.name}: …"
            )
            good = False
    return _made(kind, values, at, findings) if good else _BAD


def _made(kind: type[Any], values: Mapping[str, object], at: _At, findings: Findings) -> object:
    """The instance, when its own `check` finds nothing wrong with it."""
    try:
        made = kind(**values)
        check = getattr(made, "check", None)
        said = check() if callable(check) else None
    except (TypeError, ValueError) as error:
        said = " ".join(str(error).split()) or "they do not fit"
    if said is None:
        return made
    findings.error("F0910", at.span, f"The settings of “{at.name}” do not go together: {said.rstrip('.')}.")
    return _BAD


def _scalar(node: Scalar_, kind: OneOf | Choice, at: _At, findings: Findings) -> object:
    match kind:
        case Choice(choices=choices, kind=enum):
            chosen = next((choice for choice in choices if choice in (node.value, node.text)), None)
            if chosen is None:
                texts = [str(choice) for choice in choices]
                return _misfit(node, kind, at, findings, nearest(node.text, texts))
            return chosen if enum is None else enum(str(chosen))
        case OneOf():
            read = _simple(node, kind)
            return _misfit(node, kind, at, findings) if read is None else read
        case _:
            assert_never(kind)


def _simple(node: Scalar_, kind: OneOf) -> object:
    """What the scalar means as a value of this kind; None: it is none."""
    value, simple = node.value, kind.kind
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if simple is str:
        text = node.text if isinstance(value, str) or number else None
        return None if kind.variable and text and not VARIABLE.fullmatch(text) else text
    if simple is int:
        return value if isinstance(value, int) and number else None
    if simple is Decimal:
        return Decimal(value) if number and isinstance(value, int | Decimal) and Decimal(value).is_finite() else None
    if simple is bool:
        return value if isinstance(value, bool) else None
    return parse_duration(node.text) if simple is timedelta else parse_money(node.text)


def _of(pair: Pair) -> _At:
    return _At(name=pair.key.text, span=pair.key.content)


def _place(node: Node) -> Span:
    """Where a value is found wrong as a whole: at its beginning, when it goes over several lines."""
    span = node.content if isinstance(node, Scalar_) and node.text else node.span
    return span if span.line == span.end_line else span.within(0, 1)


def _misfit(node: Node, kind: Kind, at: _At, findings: Findings, suggestion: str | None = None) -> object:
    empty = isinstance(node, Scalar_) and node.value is None
    place = at.span if empty or node.span.line != node.span.end_line else _place(node)
    findings.error("F0909", place, f"“{at.name}” {'has no value' if empty else 'cannot be this'}.",
                   expected=wanted(kind), suggestion=suggestion)  # fmt: skip
    return _BAD
