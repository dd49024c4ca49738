"""What operators do with values at run time. Nothing is ever coerced: text that looks like a number is text.

Raises only EvaluationError, or TypeError and ArithmeticError that the compiler turns into it.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Final

from engine.core.expressions.scope import EvaluationError, Scope, check_length
from engine.core.values import UNSET, Money, Unset, major

LARGEST: Final = 10**30
_CONTEXT: Final = Context(prec=40, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])


class Markup(str):
    """Text that is Telegram HTML already and is not escaped again. Only the filter `link` makes it."""

    __slots__ = ()


def is_nothing(value: object) -> bool:
    """Whether a value is none or was never set."""
    return value is None or isinstance(value, Unset)


def exact(value: object) -> object:
    """`value`, a float (of somebody's JSON) made into the Decimal that it is written as."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def number(value: object) -> int | Decimal:
    """`value` when it is a number of a reasonable size. Raises EvaluationError."""
    value = exact(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise EvaluationError(f"A number was expected, not {kind_of(value)}.")
    if isinstance(value, Decimal) and not value.is_finite():
        raise EvaluationError("This is not a number that can be counted with.")
    if not -LARGEST < value < LARGEST:
        raise EvaluationError("This number is too large.")
    return value


def kind_of(value: object) -> str:
    """What a value is, in words for a message."""
    match value:
        case None | Unset():
            return "nothing"
        case str():
            return "text"
        case bool():
            return "true or false"
        case int() | float() | Decimal():
            return "a number"
        case Money():
            return "money"
        case date() | timedelta():
            return "a time"
        case list() | tuple():
            return "a list"
        case _:
            return "a record"


# --- arithmetic ---------------------------------------------------------------------------------------------


def arithmetic(operator: str) -> Callable[[object, object], object]:
    """The function of one of `+ - * / // %`."""
    return {"+": add, "-": subtract, "*": multiply, "/": divide, "//": floor_divide, "%": remainder}[operator]


def _like(value: object, other: object) -> object:
    """The 0 that an empty list adds up to has no kind of its own: beside money it is money, beside time time."""
    if type(value) is not int or value != 0:
        return value
    if isinstance(other, Money):
        return Money(minor=0, asset=other.asset)
    return timedelta(0) if isinstance(other, date | timedelta) else value


def add(left: object, right: object) -> object:
    left, right = _like(left, right), _like(right, left)
    match left, right:
        case Money(), Money():
            return _same_asset(left, right, left.minor + right.minor)
        case date(), timedelta():
            return left + right
        case timedelta(), date():
            return right + left
        case timedelta(), timedelta():
            return left + right
        case _:
            return _calculated("+", left, right)


def add_or_join(scope: Scope | None, left: object, right: object) -> object:
    """`left + right`, also of two lists, whose items are paid for. No scope: a constant, worked out only once."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if scope is not None:
            scope.spend(len(left) + len(right))
        return (*left, *right)
    return add(left, right)


def subtract(left: object, right: object) -> object:
    left, right = _like(left, right), _like(right, left)
    match left, right:
        case Money(), Money():
            return _same_asset(left, right, left.minor - right.minor)
        case date(), timedelta():
            return left - right
        case datetime(), datetime():
            return left - right
        case date(), date() if not isinstance(left, datetime) and not isinstance(right, datetime):
            return left - right
        case timedelta(), timedelta():
            return left - right
        case _:
            return _calculated("-", left, right)


def multiply(left: object, right: object) -> object:
    match left, right:
        case (Money() as amount, int() as times) | (int() as times, Money() as amount):
            number(times)
            return Money(minor=_small(amount.minor * times), asset=amount.asset)
        case (timedelta() as length, int() as times) | (int() as times, timedelta() as length):
            number(times)
            return length * times
        case _:
            return _calculated("*", left, right)


def divide(left: object, right: object) -> object:
    return _calculated("/", left, right)


def floor_divide(left: object, right: object) -> object:
    return _calculated("//", left, right)


def remainder(left: object, right: object) -> object:
    return _calculated("%", left, right)


def negate(value: object) -> object:
    if isinstance(value, Money):
        return Money(minor=-value.minor, asset=value.asset)
    return -value if isinstance(value, timedelta) else -number(value)


def _calculated(operator: str, left: object, right: object) -> int | Decimal:
    first, second = number(left), number(right)
    if operator in {"/", "//", "%"} and second == 0:
        raise EvaluationError("A number cannot be divided by zero.")
    if isinstance(first, int) and isinstance(second, int) and operator != "/":
        return number(_whole(operator, first, second))
    return number(_decimal(operator, Decimal(first), Decimal(second)))


def _whole(operator: str, left: int, right: int) -> int:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "//":
            return left // right
        case _:
            return left % right


def _decimal(operator: str, left: Decimal, right: Decimal) -> Decimal:
    match operator:
        case "+":
            return _CONTEXT.add(left, right)
        case "-":
            return _CONTEXT.subtract(left, right)
        case "*":
            return _CONTEXT.multiply(left, right)
        case "/":
            return _CONTEXT.divide(left, right)
        case "//":
            return floor(_CONTEXT.divide(left, right))
        case _:
            return _CONTEXT.subtract(left, _CONTEXT.multiply(right, floor(_CONTEXT.divide(left, right))))


def floor(value: Decimal) -> Decimal:
    """The largest whole number that is not above `value`, as with whole numbers."""
    return value.to_integral_value(rounding="ROUND_FLOOR")


def _same_asset(left: Money, right: Money, minor: int) -> Money:
    if left.asset != right.asset:
        raise EvaluationError(f"{left.asset} and {right.asset} cannot be put together.")
    return Money(minor=_small(minor), asset=left.asset)


def _small(minor: int) -> int:
    # Minor units of ETH are 10^18 to the whole, so money may be that much longer than a number.
    if not -LARGEST * LARGEST < minor < LARGEST * LARGEST:
        raise EvaluationError("This amount is too large.")
    return minor


# --- comparison ---------------------------------------------------------------------------------------------


def comparison(operator: str) -> Callable[[object, object], bool]:
    """The function of one of `== != < <= > >= in`, `not in`."""
    return {
        "==": equal,
        "!=": lambda left, right: not equal(left, right),
        "<": lambda left, right: _ordered(left, right, _less),
        "<=": lambda left, right: _ordered(left, right, lambda a, b: not _less(b, a)),
        ">": lambda left, right: _ordered(left, right, lambda a, b: _less(b, a)),
        ">=": lambda left, right: _ordered(left, right, lambda a, b: not _less(a, b)),
        "in": contains,
        "not in": lambda left, right: not contains(left, right),
    }[operator]


def equal(left: object, right: object) -> bool:
    """Equality without coercion: `true` is not `1`, `"48"` is not `48`; nothing equals only nothing."""
    if is_nothing(left) or is_nothing(right):
        return is_nothing(left) and is_nothing(right)
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(equal, left, right))
    return exact(_like(left, right)) == exact(_like(right, left))


def contains(item: object, container: object) -> bool:
    """`item in container`: part of a text, item of a list, field of a record."""
    if is_nothing(container) or is_nothing(item):
        return False
    if isinstance(container, str):
        return isinstance(item, str) and item in container
    if isinstance(container, Mapping):
        return isinstance(item, str) and item in container
    if isinstance(container, list | tuple):
        return any(equal(item, one) for one in container)
    raise EvaluationError(f"Nothing can be “in” {kind_of(container)}.")


def _ordered(left: object, right: object, decide: Callable[[object, object], bool]) -> bool:
    if is_nothing(left) or is_nothing(right):
        return False
    return decide(left, right)


def _less(left: object, right: object) -> bool:
    left, right = exact(_like(left, right)), exact(_like(right, left))
    match left, right:
        case (bool(), _) | (_, bool()):
            pass
        case (int() | Decimal(), int() | Decimal()):
            return number(left) < number(right)
        case (str(), str()):
            return left < right
        case (Money(), Money()) if left.asset == right.asset:
            return left.minor < right.minor
        case (datetime(), datetime()):
            return left < right
        case (timedelta(), timedelta()):
            return left < right
        case (date(), date()) if not isinstance(left, datetime) and not isinstance(right, datetime):
            return left < right
        case _:
            pass
    raise EvaluationError(f"It cannot be said which is larger, {kind_of(left)} or {kind_of(right)}.")


def less(left: object, right: object) -> bool:
    """Whether `left` comes before `right`; nothing comes first. Raises EvaluationError for unlike values."""
    if is_nothing(left) or is_nothing(right):
        return is_nothing(left) and not is_nothing(right)
    return _less(left, right)


# --- parts and text -----------------------------------------------------------------------------------------


def attribute(value: object, name: str) -> object:
    """A field of a record; UNSET when there is none. Never an attribute of a Python object."""
    if isinstance(value, Mapping):
        return value.get(name, UNSET)
    if is_nothing(value):
        return UNSET
    raise EvaluationError(f"There is no “{name}” in {kind_of(value)}.")


def item(value: object, index: object) -> object:
    """An item of a list or a field of a record; UNSET when there is none."""
    if is_nothing(value):
        return UNSET
    if isinstance(index, str):
        return attribute(value, index)
    if isinstance(value, list | tuple) and isinstance(index, int) and not isinstance(index, bool):
        return value[index] if -len(value) <= index < len(value) else UNSET
    raise EvaluationError(f"{kind_of(value).capitalize()} has no item {kind_of(index)}.")


def part(value: object, first: object, last: object) -> object:
    """`value[first:last]` of a text or a list."""
    bounds = slice(_bound(first), _bound(last))
    if isinstance(value, str):
        return str(value)[bounds]
    if isinstance(value, list | tuple):
        return tuple(value[bounds])
    if is_nothing(value):
        return ()
    raise EvaluationError(f"{kind_of(value).capitalize()} has no parts.")


def _bound(bound: object) -> int | None:
    if bound is None or (isinstance(bound, int) and not isinstance(bound, bool)):
        return bound
    raise EvaluationError("A slice is written with whole numbers.")


def plain(value: object) -> str:
    """A value as canonical text, the same in every language: for `~`, the filter `text` and the wire."""
    value = exact(value)
    match value:
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case None | Unset():
            return ""
        case int() | Decimal():
            return f"{number(value):f}" if isinstance(value, Decimal) else str(number(value))
        case Money():
            return f"{major(value):f} {value.asset}"
        case date():
            return value.isoformat()
        case timedelta():
            return str(int(value.total_seconds()))
        case _:
            return joined_plain(value)


def joined_plain(value: object) -> str:
    """The text of a list or record, made only of texts that are checked for length."""
    if isinstance(value, Mapping):
        parts = [f"{key}: {plain(one)}" for key, one in value.items()]
    elif isinstance(value, list | tuple):
        parts = [plain(one) for one in value]
    else:
        raise EvaluationError("This cannot be written as text.")
    check_length(sum(map(len, parts)) + 2 * len(parts))
    return ", ".join(parts)
