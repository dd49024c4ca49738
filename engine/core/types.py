"""The types of the language, known at load time: of answers, of data, of action arguments and results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class TextType:
    """Text. `choices`, when given, are the only values it can have (an option's value, a Literal)."""

    choices: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerType:
    """A whole number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecimalType:
    """An exact decimal number; an integer fits where a decimal is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanType:
    """True or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyType:
    """An amount with its asset (`engine.core.values.Money`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateType:
    """A calendar day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTimeType:
    """A moment, always with a time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationType:
    """A length of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListType:
    """A list; all items are of one type."""

    item: "ValueType"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordType:
    """Named fields. At run time a dict. `name` is for messages only and does not count in comparisons."""

    name: str = field(compare=False)
    fields: Mapping[str, "ValueType"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalType:
    """The inner type, or nothing (`None`, or never set)."""

    inner: "ValueType"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyType:
    """Not known before run time, such as the JSON that an HTTP API answers. Fits anywhere; anything fits it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingType:
    """The type of `none`."""


ValueType = (
    TextType | IntegerType | DecimalType | BooleanType | MoneyType | DateType | DateTimeType | DurationType
    | ListType | RecordType | OptionalType | AnyType | NothingType
)  # fmt: skip

TEXT, INTEGER, DECIMAL, BOOLEAN = TextType(), IntegerType(), DecimalType(), BooleanType()
MONEY, DATE, DATETIME, DURATION = MoneyType(), DateType(), DateTimeType(), DurationType()
ANY, NOTHING = AnyType(), NothingType()

FILE = RecordType(
    name="file",
    fields={
        "name": TEXT,
        "size": INTEGER,
        "mime": TEXT,
        "ref": TEXT,
        "kind": TextType(choices=frozenset({"document", "photo"})),
    },
)
"""A received file: its name as the customer's device gave it (never a path), bytes, mime type, `ref` = the key
under which the runtime's file store keeps it."""

LOCATION = RecordType(name="location", fields={"latitude": DECIMAL, "longitude": DECIMAL})
"""A point on earth, degrees."""

CUSTOMER = RecordType(
    name="customer",
    fields={
        "id": TEXT,
        "name": TEXT,
        "username": OptionalType(inner=TEXT),
        "language": TEXT,
        "roles": ListType(item=TEXT),
    },
)
CHAT = RecordType(name="chat", fields={"id": TEXT, "channel": TEXT})


def optional(inner: ValueType) -> ValueType:
    """`inner` or nothing; optional of optional is optional, nothing stays nothing."""
    return inner if isinstance(inner, OptionalType | AnyType | NothingType) else OptionalType(inner=inner)


_MANY_CHOICES: Final = 100
"""So many are not listed: one stands for all."""


def describe(kind: ValueType) -> str:  # noqa: C901, PLR0912 - one line per type, nothing else
    """A type in a product owner's words: `a list of file`, `text or nothing`, `one of “a”, “b”`."""
    match kind:
        case TextType(choices=None):
            return "text"
        case TextType(choices=choices):
            names = sorted(choices or ())
            if len(names) > _MANY_CHOICES:
                return f"text such as “{names[len(names) // 2]}”"
            shown = ", ".join(f"“{name}”" for name in names[:6])
            return f"one of {shown}" + (" …" if len(names) > 6 else "")
        case IntegerType():
            return "a whole number"
        case DecimalType():
            return "a number"
        case BooleanType():
            return "true or false"
        case MoneyType():
            return "money"
        case DateType():
            return "a date"
        case DateTimeType():
            return "a time"
        case DurationType():
            return "a duration"
        case ListType(item=item):
            return f"a list of {describe(item)}"
        case RecordType(name=name):
            return f"a record “{name}”"
        case OptionalType(inner=inner):
            return f"{describe(inner)} or nothing"
        case NothingType():
            return "nothing"
        case AnyType():
            return "anything"


def fits(given: ValueType, wanted: ValueType) -> bool:
    """Whether a value of type `given` may be used where `wanted` is expected, without conversion.

    Never coerces: text that looks like a number is text. An integer is a decimal. A record fits when it has
    every non-optional field of the wanted one, each fitting.
    """
    match given, wanted:
        case (AnyType(), _) | (_, AnyType()):
            return True
        case OptionalType(inner=inner), OptionalType(inner=target):
            return fits(inner, target)
        case NothingType(), OptionalType() | NothingType():
            return True
        case OptionalType(), _:
            return False
        case _, OptionalType(inner=target):
            return fits(given, target)
        case TextType(choices=have), TextType(choices=want):
            return want is None or (have is not None and have <= want)
        case IntegerType(), DecimalType():
            return True
        case ListType(item=item), ListType(item=target):
            return fits(item, target)
        case RecordType(fields=have_fields), RecordType(fields=want_fields):
            return all(
                fits(have_fields[name], kind) if name in have_fields else isinstance(kind, OptionalType)
                for name, kind in want_fields.items()
            )
        case _:
            return type(given) is type(wanted)
