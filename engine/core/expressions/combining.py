"""The table of which types go together under an operator, and what comes out. Types only; no trees, no values."""

from decimal import Decimal

from engine.core.types import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    MONEY,
    NOTHING,
    TEXT,
    AnyType,
    DateTimeType,
    DateType,
    DecimalType,
    DurationType,
    IntegerType,
    ListType,
    MoneyType,
    NothingType,
    OptionalType,
    RecordType,
    TextType,
    ValueType,
    describe,
    fits,
    optional,
)


def of_constant(value: object) -> ValueType:
    """The type of a value written in the source; a text is a choice of one."""
    match value:
        case None:
            return NOTHING
        case bool():
            return BOOLEAN
        case int():
            return INTEGER
        case Decimal():
            return DECIMAL
        case _:
            return TextType(choices=frozenset({str(value)}))


def widened(kind: ValueType) -> ValueType:
    """Without the choices of texts, which matter only for comparing."""
    return TEXT if isinstance(kind, TextType) else kind


def bare(kind: ValueType) -> ValueType:
    """Without “or nothing”."""
    return kind.inner if isinstance(kind, OptionalType) else kind


def together(left: ValueType, right: ValueType) -> ValueType | None:  # noqa: C901 - a table
    """The type of a value that is of one type or the other; None when they have nothing in common."""
    match left, right:
        case (AnyType(), _):
            return left
        case (_, AnyType()):
            return right
        case NothingType(), _:
            return optional(right)
        case _, NothingType():
            return optional(left)
        case (OptionalType(), _) | (_, OptionalType()):
            inner = together(bare(left), bare(right))
            return None if inner is None else optional(inner)
        case TextType(choices=one), TextType(choices=other):
            return TEXT if one is None or other is None else TextType(choices=one | other)
        case ((IntegerType() | DecimalType()), (IntegerType() | DecimalType())):
            return INTEGER if left == right == INTEGER else DECIMAL
        case ListType(item=one_item), ListType(item=other_item):
            item = together(one_item, other_item)
            return None if item is None else ListType(item=item)
        case RecordType(), RecordType():
            if fits(left, right):
                return right
            return left if fits(right, left) else None
        case _:
            return left if left == right else None


def arithmetic(operator: str, left: ValueType, right: ValueType) -> ValueType | None:  # noqa: C901 - a table
    """The type of `left operator right`; None when they do not go together."""
    if isinstance(left, AnyType) or isinstance(right, AnyType):
        return left if isinstance(left, AnyType) else right
    match left, operator, right:
        case (IntegerType(), "+" | "-" | "*" | "//" | "%", IntegerType()):
            return INTEGER
        case ((IntegerType() | DecimalType()), _, (IntegerType() | DecimalType())):
            return DECIMAL
        case (MoneyType(), "+" | "-", MoneyType()) | (MoneyType(), "*", IntegerType()):
            return MONEY
        case (IntegerType(), "*", MoneyType()):
            return MONEY
        case ((DateType() | DateTimeType() | DurationType()), "+" | "-", DurationType()):
            return left
        case (DurationType(), "+", (DateType() | DateTimeType())):
            return right
        case (DurationType(), "*", IntegerType()) | (IntegerType(), "*", DurationType()):
            return DURATION
        case ListType(item=one), "+", ListType(item=other):
            item = together(one, other)
            return None if item is None else ListType(item=item)
        case (DateType(), "-", DateType()) | (DateTimeType(), "-", DateTimeType()):
            return DURATION
        case _:
            return None


def meant(operator: str, left: ValueType, right: ValueType) -> str | None:
    """What the author of a sum that does not add up most likely wants; None: nobody knows."""
    if operator == "+" and isinstance(left, TextType) and isinstance(right, TextType):
        return "“~” to put texts together"
    if operator == "+" and isinstance(left, ListType) and not isinstance(right, ListType):
        return "a list on both sides: “+ [item]” adds one item"
    return None


def negative(kind: ValueType) -> ValueType | None:
    """The type of `-x`, or None."""
    return kind if isinstance(kind, IntegerType | DecimalType | MoneyType | DurationType | AnyType) else None


def alike(left: ValueType, right: ValueType) -> bool:
    """Whether a comparison for equality can ever hold."""
    match left, right:
        case (AnyType(), _) | (_, AnyType()):
            return True
        case TextType(choices=one), TextType(choices=other):
            return one is None or other is None or bool(one & other)
        case ((IntegerType() | DecimalType()), (IntegerType() | DecimalType())):
            return True
        case ListType(item=one_item), ListType(item=other_item):
            return alike(one_item, other_item)
        case RecordType(), RecordType():
            return True
        case _:
            return type(left) is type(right)


def ordered(left: ValueType, right: ValueType) -> bool:
    """Whether one can be larger than the other. Choices do not matter: any two texts have an order."""
    orders = IntegerType | DecimalType | TextType | MoneyType | DateType | DateTimeType | DurationType | AnyType
    return isinstance(left, orders) and isinstance(right, orders) and alike(widened(left), widened(right))


def accepted(kind: ValueType, wanted: tuple[ValueType, ...]) -> bool:
    """Whether a value of this type is one of the wanted ones."""
    return any(fits(kind, one) for one in wanted)


PRINTABLE = (TEXT, DECIMAL, BOOLEAN, MONEY, DATE, DATETIME, DURATION)
"""What can stand in `{{ … }}` by itself."""


def plainly(kind: ValueType) -> str:
    """A type for a message, a text without its choices."""
    return describe(widened(kind))


def in_words(kind: ValueType) -> str:
    """The same at the start of a sentence."""
    words = plainly(kind)
    return words[:1].upper() + words[1:]
