"""The fixed table of filters and tests: signature, types, one line of help and an example each.

Read by the type checker, the compiler and the guide. What the filters do is in `filter_functions`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from engine.core.expressions import filter_functions as does
from engine.core.expressions.filter_days import DAYS
from engine.core.expressions.filter_specs import FilterParameter, FilterSpec, TestSpec, Use
from engine.core.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    MONEY,
    TEXT,
    ListType,
    TextType,
    ValueType,
    optional,
)

LIST: Final = ListType(item=ANY)
STYLE: Final = TextType(choices=frozenset({"short", "medium", "long", "full"}))
PLAIN: Final[tuple[ValueType, ...]] = (TEXT, DECIMAL, BOOLEAN, MONEY, DATE, DATETIME, DURATION)
"""Everything that can stand in a text by itself."""
ORDERED: Final[tuple[ValueType, ...]] = (TEXT, DECIMAL, MONEY, DATE, DATETIME, DURATION)


def _always(kind: ValueType) -> Callable[[Use], ValueType]:
    return lambda _use: kind


def _same(use: Use) -> ValueType:
    return use.subject


def _one_item(use: Use) -> ValueType:
    return optional(use.subject.item if isinstance(use.subject, ListType) else use.subject)


def _rounded(use: Use) -> ValueType:
    return DECIMAL if "digits" in use.arguments else INTEGER


def _defaulted(use: Use) -> ValueType:
    # The type checker joins the subject with this one and reports a mismatch.
    return use.arguments["value"]


_ATTRIBUTE: Final = FilterParameter(name="attribute", type=TEXT, attribute=True)
_FIELD: Final = FilterParameter(name="attribute", type=TEXT, attribute=True, required=True)
_DIGITS: Final = FilterParameter(name="digits", type=INTEGER)
_DIGITS_0: Final = FilterParameter(name="digits", type=INTEGER, default=0)
_SHORT: Final = FilterParameter(name="style", type=STYLE, default="short")
_MEDIUM: Final = FilterParameter(name="style", type=STYLE, default="medium")


def _form(name: str, *, required: bool = False) -> FilterParameter:
    return FilterParameter(name=name, type=TEXT, required=required)


def _text_filter(name: str, function: Callable[..., object], doc: str, example: tuple[str, str]) -> FilterSpec:
    return FilterSpec(name=name, function=function, accepts=(TEXT,), result=_always(TEXT), doc=doc, example=example)


def _end_filter(name: str, function: Callable[..., object], doc: str, example: tuple[str, str]) -> FilterSpec:
    return FilterSpec(name=name, function=function, accepts=(LIST,), result=_one_item, doc=doc, example=example)


def _best_filter(name: str, function: Callable[..., object], doc: str, example: tuple[str, str]) -> FilterSpec:
    return FilterSpec(
        name=name,
        function=function,
        accepts=(LIST,),
        elements=ORDERED,
        parameters=(_ATTRIBUTE,),
        result=_one_item,
        doc=doc,
        example=example,
    )


_FOR_PEOPLE: Final = (
    FilterSpec(
        name="money",
        function=does.money,
        accepts=(MONEY, DECIMAL),
        parameters=(FilterParameter(name="asset", type=TEXT),),
        result=_always(TEXT),
        doc="An amount with its currency. A plain number is an amount in the bot's currency, or in `asset`.",
        example=("12.5 | money", "€12.50"),
    ),
    FilterSpec(
        name="amount",
        function=does.bare_amount,
        accepts=(MONEY, DECIMAL),
        result=_always(TEXT),
        doc="The bare amount as machines read it, the same in every language; for `<code>`, to be copied.",
        example=("1234.50 | amount", "1234.5"),
    ),
    FilterSpec(
        name="number",
        function=does.number_filter,
        accepts=(DECIMAL,),
        parameters=(_DIGITS,),
        result=_always(TEXT),
        doc="A number as the customer's language writes it, with `digits` decimal places.",
        example=("1234.5 | number(2)", "1,234.50"),
    ),
    FilterSpec(
        name="percent",
        function=does.percent,
        accepts=(DECIMAL,),
        parameters=(_DIGITS_0,),
        result=_always(TEXT),
        doc="A part of one as a percentage.",
        example=("0.15 | percent", "15%"),
    ),
    FilterSpec(
        name="date",
        function=does.date,
        accepts=(DATE, DATETIME),
        parameters=(_MEDIUM,),
        result=_always(TEXT),
        doc="The day, `short`, `medium`, `long` or `full`.",
        example=("now | date('long')", "March 5, 2026"),
    ),
    FilterSpec(
        name="time",
        function=does.time,
        accepts=(DATETIME,),
        parameters=(_SHORT,),
        result=_always(TEXT),
        doc="The time of day in the bot's time zone.",
        example=("now | time", "2:30\u202fPM"),
    ),
    FilterSpec(
        name="datetime",
        function=does.datetime,
        accepts=(DATETIME,),
        parameters=(_MEDIUM,),
        result=_always(TEXT),
        doc="Day and time in the bot's time zone.",
        example=("now | datetime('short')", "3/5/26, 2:30\u202fPM"),
    ),
    FilterSpec(
        name="countdown",
        function=does.countdown,
        accepts=(DATETIME, DURATION),
        result=_always(TEXT),
        doc="The time left until a moment, in whole minutes; `0 min` when it is over.",
        example=("now | countdown", "0 min"),
    ),
    FilterSpec(
        name="duration",
        function=does.duration,
        accepts=(DURATION,),
        result=_always(TEXT),
        doc="A length of time.",
        example=("(now - now) | duration", "0 s"),
    ),
    FilterSpec(
        name="size",
        function=does.size,
        accepts=(INTEGER,),
        result=_always(TEXT),
        doc="A number of bytes.",
        example=("1572864 | size", "1.5 MB"),
    ),
    _text_filter(
        "phone",
        does.phone,
        "A telephone number in groups, as it is read aloud.",
        ("'+48601234567' | phone", "+48 601 234 567"),
    ),
    FilterSpec(
        name="plural",
        function=does.plural,
        accepts=(DECIMAL,),
        parameters=(
            _form("first", required=True),
            _form("second", required=True),
            _form("third"),
            _form("fourth"),
        ),
        result=_always(TEXT),
        doc="The word for a count. Two forms: one, other; three: one, few, many; four: one, few, many, other.",
        example=("2 | plural('file', 'files')", "files"),
    ),
    FilterSpec(
        name="link",
        function=does.link,
        accepts=PLAIN,
        parameters=(_form("url", required=True),),
        result=_always(TEXT),
        doc="A link on the text; the address starts with https://, http:// or tg://.",
        example=("'shop' | link('https://example.org')", '<a href="https://example.org">shop</a>'),
    ),
)
_TEXTS: Final = (
    _text_filter("upper", does.upper, "All letters large.", ("'pla' | upper", "PLA")),
    _text_filter("lower", does.lower, "All letters small.", ("'PLA' | lower", "pla")),
    _text_filter("title", does.title, "The first letter of every word large.", ("'new order' | title", "New Order")),
    _text_filter("capitalize", does.capitalize, "The first letter large.", ("'new order' | capitalize", "New order")),
    _text_filter("trim", does.trim, "No spaces at the start and the end.", ("'  a  ' | trim", "a")),
    FilterSpec(
        name="truncate",
        function=does.truncate,
        accepts=(TEXT,),
        parameters=(
            FilterParameter(name="length", type=INTEGER, required=True),
            FilterParameter(name="end", type=TEXT, default="…"),
        ),
        result=_always(TEXT),
        doc="At most `length` characters, `end` included when something was cut off.",
        example=("'a long story' | truncate(7)", "a long…"),
    ),
    FilterSpec(
        name="replace",
        function=does.replace,
        accepts=(TEXT,),
        parameters=(_form("old", required=True), _form("new", required=True)),
        result=_always(TEXT),
        doc="Every `old` in the text becomes `new`.",
        example=("'a-b' | replace('-', ' ')", "a b"),
    ),
    FilterSpec(
        name="text",
        function=does.text,
        accepts=PLAIN,
        result=_always(TEXT),
        doc="A value as text in the form that machines read: `1250.5`, `2026-03-05`.",
        example=("1250.5 | text", "1250.5"),
    ),
)
_NUMBERS: Final = (
    FilterSpec(
        name="round",
        function=does.round_filter,
        accepts=(DECIMAL,),
        parameters=(_DIGITS_0,),
        result=_rounded,
        doc="Rounded to `digits` decimal places, half goes up.",
        example=("2.5 | round", "3"),
    ),
    FilterSpec(
        name="abs",
        function=does.absolute,
        accepts=(DECIMAL, MONEY, DURATION),
        result=_same,
        doc="Without the minus.",
        example=("-3 | abs", "3"),
    ),
)
_COUNT: Final = FilterSpec(
    name="count",
    function=does.count,
    accepts=(LIST, TEXT),
    result=_always(INTEGER),
    doc="How many items a list has, or characters a text.",
    example=("['a', 'b'] | count", "2"),
)
_LISTS: Final = (
    _COUNT,
    FilterSpec(
        name="length",
        function=does.count,
        accepts=_COUNT.accepts,
        result=_COUNT.result,
        doc="The same as `count`.",
        example=("'four' | length", "4"),
    ),
    FilterSpec(
        name="join",
        function=does.join,
        accepts=(LIST,),
        elements=PLAIN,
        parameters=(FilterParameter(name="separator", type=TEXT, default=", "), _ATTRIBUTE),
        result=_always(TEXT),
        doc="The items, or one attribute of each, with `separator` between them.",
        example=("['a', 'b'] | join(' + ')", "a + b"),
    ),
    FilterSpec(
        name="list",
        function=does.bullet_list,
        accepts=(LIST,),
        elements=PLAIN,
        result=_always(TEXT),
        doc="Every item on a line of its own, with a dash.",
        example=("['a', 'b'] | list", "- a\n- b"),
    ),
    _end_filter("first", does.first, "The first item, if there is one.", ("['a', 'b'] | first | default('-')", "a")),
    _end_filter("last", does.last, "The last item, if there is one.", ("['a', 'b'] | last | default('-')", "b")),
    FilterSpec(
        name="sum",
        function=does.total,
        accepts=(LIST,),
        elements=(DECIMAL, MONEY, DURATION),
        parameters=(_ATTRIBUTE,),
        result=lambda use: use.element,
        doc="All items, or one attribute of each, added up.",
        example=("[1, 2, 3] | sum", "6"),
    ),
    _best_filter("min", does.smallest, "The smallest item, if there is one.", ("[3, 1, 2] | min | default(0)", "1")),
    _best_filter("max", does.largest, "The largest item, if there is one.", ("[3, 1, 2] | max | default(0)", "3")),
    FilterSpec(
        name="sort",
        function=does.sort,
        accepts=(LIST,),
        elements=ORDERED,
        parameters=(_ATTRIBUTE, FilterParameter(name="reverse", type=BOOLEAN, default=False)),
        result=_same,
        doc="The items in order, by one attribute if named; `reverse=true` for the largest first.",
        example=("[3, 1, 2] | sort | join", "1, 2, 3"),
    ),
    FilterSpec(
        name="map",
        function=does.map_filter,
        accepts=(LIST,),
        parameters=(_FIELD,),
        result=lambda use: ListType(item=use.element),
        doc="One attribute of every item.",
        example=("people | map('name') | join", "Ann, Bo"),
    ),
    FilterSpec(
        name="unique",
        function=does.unique,
        accepts=(LIST,),
        parameters=(_ATTRIBUTE,),
        result=_same,
        doc="Every item once; with an attribute, one item for each value of it.",
        example=("['a', 'b', 'a'] | unique | join", "a, b"),
    ),
    FilterSpec(
        name="default",
        function=does.default,
        accepts=(ANY,),
        parameters=(FilterParameter(name="value", type=ANY, required=True),),
        result=_defaulted,
        doc="The value, or another one when it is not set.",
        example=("nickname | default('friend')", "friend"),
        takes_nothing=True,
    ),
)

FILTERS: Final[Mapping[str, FilterSpec]] = {
    one.name: one for group in (_FOR_PEOPLE, _TEXTS, _NUMBERS, DAYS, _LISTS) for one in group
}
"""Every filter there is, by name."""

_SET: Final = TestSpec(
    name="set",
    function=does.is_set,
    accepts=None,
    doc="Whether a name has a value.",
    example=("nickname is set", "false"),
)
TESTS: Final[Mapping[str, TestSpec]] = {
    one.name: one
    for one in (
        _SET,
        TestSpec(
            name="defined",
            function=does.is_set,
            accepts=None,
            doc="The same as `set`.",
            example=("nickname is defined", "false"),
        ),
        TestSpec(
            name="none",
            function=does.is_none,
            accepts=None,
            doc="Whether a name has no value.",
            example=("nickname is none", "true"),
        ),
        TestSpec(
            name="even", function=does.is_even, accepts=(INTEGER,), doc="0, 2, 4, …", example=("4 is even", "true")
        ),
        TestSpec(name="odd", function=does.is_odd, accepts=(INTEGER,), doc="1, 3, 5, …", example=("4 is odd", "false")),
        TestSpec(
            name="empty",
            function=does.is_empty,
            accepts=(LIST, TEXT),
            doc="Whether a list or a text has nothing in it, or is not set.",
            example=("[] is empty", "true"),
        ),
    )
}
"""Every test there is, by name; besides, `is in` is the same as `in`."""
