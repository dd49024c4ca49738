"""An example for every type, as the JSON that `workshop_values.given` reads back: what a form shows at first. Pure."""

from datetime import datetime
from typing import Any, assert_never

from engine.core.types import (
    AnyType,
    BooleanType,
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
)
from engine.core.values import minor_digits


def sample(kind: ValueType, *, at: datetime, currency: str, name: str = "example") -> Any:  # noqa: C901, PLR0912 - one line per type
    """JSON for a value of `kind`. `at`: the moment that dates are made of; `name`: what texts say."""
    match kind:
        case TextType(choices=None):
            return name.replace("_", " ")
        case TextType(choices=choices):
            return min(choices or {""})
        case IntegerType():
            return 1
        case DecimalType():
            return "1.5"
        case BooleanType():
            return True
        case MoneyType():
            return {"amount": "12" if minor_digits(currency) < 2 else "12.50", "asset": currency}
        case DateType():
            return at.date().isoformat()
        case DateTimeType():
            return at.replace(microsecond=0).isoformat()
        case DurationType():
            return 1800
        case ListType(item=item):
            return [sample(item, at=at, currency=currency, name=name)]
        case RecordType(fields=fields):
            return {field: sample(inner, at=at, currency=currency, name=field) for field, inner in fields.items()}
        case OptionalType(inner=inner):
            return sample(inner, at=at, currency=currency, name=name)
        case AnyType():
            return name.replace("_", " ")
        case NothingType():
            return None
        case _:
            assert_never(kind)
