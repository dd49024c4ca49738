"""Types as `data:` and `arguments:` write them, and the type of a value that is written without one."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final

from engine.core.model import Declared
from engine.core.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    FILE,
    INTEGER,
    LOCATION,
    MONEY,
    TEXT,
    DecimalType,
    IntegerType,
    ListType,
    OptionalType,
    RecordType,
    ValueType,
    describe,
    fits,
    optional,
)
from engine.loading.documents import Mapping_, Node, Pair, Scalar_, Sequence_
from engine.loading.durations import parse_duration, parse_money
from engine.loading.findings import Findings, listed, nearest
from engine.loading.parser_arguments import literal

TYPE_NAMES: Final[dict[str, ValueType]] = {
    "text": TEXT, "integer": INTEGER, "decimal": DECIMAL, "boolean": BOOLEAN, "money": MONEY, "date": DATE,
    "time": DATETIME, "duration": DURATION, "file": FILE, "location": LOCATION, "any": ANY,
}  # fmt: skip


def declared_type(node: Node, name: str, findings: Findings) -> ValueType:
    """`text`, `list of file`, `integer?`, `{street: text, zip: text?}`, `[text]`. A wrong word is noted."""
    match node:
        case Mapping_(pairs=pairs):
            fields = {pair.key.text: declared_type(pair.value, pair.key.text, findings) for pair in pairs}
            return RecordType(name=name, fields=fields)
        case Sequence_(items=items):
            return ListType(item=declared_type(items[0], name, findings))
        case Scalar_(text=text):
            found = _named(text.strip())
            if found is None:
                _unknown(node, findings)
            return found or ANY


def _named(text: str) -> ValueType | None:
    if text.endswith("?"):
        inner = _named(text[:-1].strip())
        return None if inner is None else optional(inner)
    if text.startswith("list of "):
        item = _named(text.removeprefix("list of ").strip())
        return None if item is None else ListType(item=item)
    return TYPE_NAMES.get(text)


def _unknown(node: Scalar_, findings: Findings) -> None:
    word = node.text.removeprefix("list of ").rstrip("?")
    findings.error(
        "F0210",
        node.content,
        f"There is no type “{node.text}”.",
        expected=listed(TYPE_NAMES, most=11) + ", `list of text`, `text?`, or {field: type}",
        suggestion=nearest(word, TYPE_NAMES),
    )


def type_of(node: Node, name: str) -> ValueType | None:
    """The type of a constant; None where it says nothing (`null`)."""
    match node:
        case Scalar_(value=None):
            return None
        case Scalar_(value=bool()):
            return BOOLEAN
        case Scalar_(value=int()):
            return INTEGER
        case Scalar_(value=Decimal()):
            return DECIMAL
        case Scalar_():
            return TEXT
        case Sequence_(items=items):
            return ListType(item=_joined([type_of(item, name) for item in items]))
        case Mapping_(pairs=pairs):
            fields = {pair.key.text: type_of(pair.value, pair.key.text) or ANY for pair in pairs}
            return RecordType(name=name, fields=fields)


def _joined(kinds: list[ValueType | None]) -> ValueType:
    """One type that all items of a list fit into."""
    known = [kind for kind in kinds if kind is not None]
    if not known:
        return ANY
    result = known[0]
    for kind in known[1:]:
        result = _both(result, kind)
    return optional(result) if len(known) < len(kinds) else result


def _both(one: ValueType, other: ValueType) -> ValueType:
    match one, other:
        case _ if one == other:
            return one
        case (IntegerType() | DecimalType(), IntegerType() | DecimalType()):
            return DECIMAL
        case RecordType(name=name, fields=left), RecordType(fields=right):
            names = [*left, *(key for key in right if key not in left)]
            return RecordType(name=name, fields={key: _field(left.get(key), right.get(key)) for key in names})
        case OptionalType(inner=inner), _:
            return optional(_both(inner, other))
        case _, OptionalType(inner=inner):
            return optional(_both(one, inner))
        case ListType(item=left_item), ListType(item=right_item):
            return ListType(item=_both(left_item, right_item))
        case _:
            return ANY


def _field(left: ValueType | None, right: ValueType | None) -> ValueType:
    if left is None or right is None:
        return optional(left or right or ANY)
    return _both(left, right)


def declaration(pair: Pair, findings: Findings) -> Declared | None:
    """One name of `data:`: its initial value, or `{type: …, initial: …}`."""
    name, span, node = pair.key.text, pair.key.content, pair.value
    initial: Node | None = node
    kind: ValueType | None
    if typed(node):
        assert isinstance(node, Mapping_)
        written = node.get("type")
        assert written is not None
        kind, initial = declared_type(written, name, findings), node.get("initial")
        if initial is not None and not initial_fits(initial, kind):
            _misfit(initial, kind, findings)
    else:
        kind = type_of(node, name)
    if kind is None:
        findings.error("F0212", node.span, f"Nothing says what “{name}” will hold.", expected="{type: text}")
        return None
    return Declared(name=name, span=span, type=kind, initial=None if initial is None else literal(initial))


def typed(node: Node) -> bool:
    """Whether a declaration is `{type: …}` and not a record that happens to be an initial value."""
    return (
        isinstance(node, Mapping_)
        and node.get("type") is not None
        and all(pair.key.text in ("type", "initial", "value") for pair in node)
    )


def _misfit(node: Node, kind: ValueType, findings: Findings) -> None:
    findings.error(
        "F0211", node.span, "This value is not of the type that is declared for it.", expected=describe(kind)
    )


def initial_fits(node: Node, kind: ValueType) -> bool:
    """Whether a constant may stand for a value of `kind`. An empty list fits any list."""
    if isinstance(node, Sequence_) and isinstance(kind, ListType):
        return all(initial_fits(item, kind.item) for item in node.items)
    found = type_of(node, "")
    return isinstance(kind, OptionalType) if found is None else fits(found, kind)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "duration": parse_duration,
    "money": parse_money,
    "date": _date,
}


def setting(pair: Pair, findings: Findings) -> tuple[object, ValueType] | None:
    """A setting of bot.yaml: a constant, or `{type: duration, value: 30m}` (also money, date)."""
    node = pair.value
    if not typed(node):
        kind = type_of(node, pair.key.text)
        return None if kind is None else (_value(node), kind)
    assert isinstance(node, Mapping_)
    written, value = node.get("type"), node.get("value")
    assert written is not None
    kind = declared_type(written, pair.key.text, findings)
    if value is None:
        findings.error("F0212", node.span, f"The setting “{pair.key.text}” has no value.", expected="value: …")
        return None
    reader = _READERS.get(written.text) if isinstance(written, Scalar_) else None
    if reader is None:
        if not initial_fits(value, kind):
            _misfit(value, kind, findings)
        return _value(value), kind
    read = reader(value.text) if isinstance(value, Scalar_) else None
    if read is None:
        _misfit(value, kind, findings)
    return read, kind


def _value(
    node: Node,
) -> object:
    """A constant as the value the language works with: lists as tuples."""
    match node:
        case Scalar_(value=value):
            return value
        case Sequence_(items=items):
            return tuple(_value(item) for item in items)
        case Mapping_(pairs=pairs):
            return {pair.key.text: _value(pair.value) for pair in pairs}
