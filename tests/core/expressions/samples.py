"""What the tests of expressions share: one customer, one environment, short ways to read and run."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from engine.core.expressions import (
    Fault,
    Formats,
    Parsed,
    Scope,
    compile_expression,
    compile_template,
    infer,
    parse_expression,
    parse_template,
)
from engine.core.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    FILE,
    INTEGER,
    MONEY,
    TEXT,
    ListType,
    RecordType,
    TextType,
    ValueType,
    optional,
)
from engine.core.values import Money

NOW = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
CONTACT = RecordType(name="contact", fields={"name": TEXT, "email": TEXT, "phone": optional(TEXT)})
ITEM = RecordType(name="item", fields={"name": TEXT, "price": MONEY, "count": INTEGER})
TYPES: Mapping[str, ValueType] = {
    "contact": CONTACT,
    "reply": optional(CONTACT),
    "files": ListType(item=FILE),
    "items": ListType(item=ITEM),
    "maybe_items": optional(ListType(item=ITEM)),
    "score": INTEGER,
    "ratio": DECIMAL,
    "paid": BOOLEAN,
    "price": MONEY,
    "day": DATE,
    "now": DATETIME,
    "pause": DURATION,
    "email": TEXT,
    "nickname": optional(TEXT),
    "material": TextType(choices=frozenset({"pla", "petg"})),
    "json": ANY,
}
DATA: Mapping[str, object] = {
    "contact": {"name": "Ann", "email": "ann@example.org"},
    "files": ({"name": "a.stl", "size": 2048}, {"name": "b.stl", "size": 10}),
    "items": (
        {"name": "cup", "price": Money(minor=250, asset="EUR"), "count": 2},
        {"name": "box", "price": Money(minor=1000, asset="EUR"), "count": 1},
    ),
    "people": ({"name": "Ann"}, {"name": "Bo"}),
    "score": 4,
    "ratio": Decimal("0.5"),
    "paid": True,
    "price": Money(minor=1250, asset="EUR"),
    "day": date(2026, 3, 5),
    "pause": timedelta(minutes=90),
    "email": "ann@example.org",
    "material": "pla",
}


def formats(language: str = "en", *, zone: str = "UTC") -> Formats:
    return Formats(language=language, currency="EUR", time_zone=zone, now=NOW)


def scope(data: Mapping[str, object] | None = None, *, language: str = "en", budget: int = 10_000) -> Scope:
    return Scope(DATA if data is None else data, {"now": NOW}, formats(language), budget)


def expression(source: str) -> Parsed:
    parsed = parse_expression(source)
    assert isinstance(parsed, Parsed), parsed
    return parsed


def template(source: str) -> Parsed:
    parsed = parse_template(source)
    assert isinstance(parsed, Parsed), parsed
    return parsed


def value(source: str, data: Mapping[str, object] | None = None, *, language: str = "en") -> object:
    return compile_expression(expression(source))(scope(data, language=language))


def text(source: str, data: Mapping[str, object] | None = None, *, language: str = "en") -> str:
    return compile_template(template(source))(scope(data, language=language))


def faults(source: str, *, of_text: bool = False) -> tuple[Fault, ...]:
    parsed = template(source) if of_text else expression(source)
    return infer(parsed, TYPES).faults


def type_of(source: str) -> ValueType:
    inferred = infer(expression(source), TYPES)
    assert inferred.faults == ()
    return inferred.type
