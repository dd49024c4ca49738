"""What the filters do. Every function takes the scope, the subject and its parameters in the table's order.

Raises only EvaluationError, or what the compiler turns into it. Python's format strings and regexes stay inside.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date as day
from datetime import datetime as moment
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cmp_to_key
from html import escape
from typing import Final

from engine.core.expressions.formats import STYLES, Style
from engine.core.expressions.operators import (
    Markup,
    add,
    attribute,
    exact,
    is_nothing,
    kind_of,
    less,
    number,
    plain,
)
from engine.core.expressions.scope import EvaluationError, Scope, check_length, walk
from engine.core.values import UNSET, Money

URL: Final = re.compile(r"(?:https?://[^\s\"'<>]+|tg://[^\s\"'<>]+)\Z", re.IGNORECASE)


def _text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    raise EvaluationError(f"A text was expected, not {kind_of(value)}.")


def _places(value: object) -> int:
    digits = number(value)
    if not isinstance(digits, int) or not 0 <= digits <= 20:
        raise EvaluationError("Decimal places are a whole number from 0 to 20.")
    return digits


def _style(value: object) -> Style:
    if value not in STYLES:
        raise EvaluationError(f"A style is one of {', '.join(STYLES)}.")
    return value


def _followed(value: object, path: object) -> object:
    """The attribute `path` (dotted) of an item; the item itself without one."""
    if path is None:
        return value
    for name in _text(path).split("."):
        value = attribute(value, name)
    return value


# --- for people ---------------------------------------------------------------------------------------------


def money(scope: Scope, value: object, asset: object) -> str:
    amount = value if isinstance(value, Money) else number(value)
    return scope.formats.money(amount, None if asset is None else _text(asset))


def bare_amount(scope: Scope, value: object) -> str:
    return scope.formats.amount(value if isinstance(value, Money) else number(value))


def number_filter(scope: Scope, value: object, digits: object) -> str:
    return scope.formats.number(number(value), None if digits is None else _places(digits))


def percent(scope: Scope, value: object, digits: object) -> str:
    return scope.formats.percent(number(value), _places(digits))


def _moment(value: object) -> moment:
    if isinstance(value, moment) and value.tzinfo is not None:
        return value
    raise EvaluationError(f"A moment was expected, not {kind_of(value)}.")


def date(scope: Scope, value: object, style: object) -> str:
    if isinstance(value, moment) or not isinstance(value, day):
        value = _moment(value)
    return scope.formats.date(value, _style(style))


def time(scope: Scope, value: object, style: object) -> str:
    return scope.formats.time(_moment(value), _style(style))


def datetime(scope: Scope, value: object, style: object) -> str:
    return scope.formats.datetime(_moment(value), _style(style))


def _length(value: object) -> object:
    """The sum of an empty list of durations is a plain 0."""
    return timedelta(0) if type(value) is int and value == 0 else value


def countdown(scope: Scope, value: object) -> str:
    value = _length(value)
    return scope.formats.countdown(value if isinstance(value, timedelta) else _moment(value))


def duration(scope: Scope, value: object) -> str:
    value = _length(value)
    if not isinstance(value, timedelta):
        raise EvaluationError(f"A duration was expected, not {kind_of(value)}.")
    return scope.formats.duration(value)


def size(scope: Scope, value: object) -> str:
    return scope.formats.size(int(number(value)))


def phone(scope: Scope, value: object) -> str:
    return scope.formats.phone(_text(value))


def plural(scope: Scope, value: object, *forms: object) -> str:
    """Two forms are one and other; three are one, few and many; four are one, few, many and other."""
    words = [_text(form) for form in forms if form is not None]
    names = {2: ("one", "other"), 3: ("one", "few", "many"), 4: ("one", "few", "many", "other")}[len(words)]
    return dict(zip(names, words, strict=True)).get(scope.formats.plural(number(value)), words[-1])


def link(_scope: Scope, value: object, url: object) -> str:
    """Without a proper address the text stays a plain text: the customer is never sent to a strange place."""
    address = _text(url)
    if not URL.match(address):
        return plain(value)
    return Markup(f'<a href="{escape(address)}">{escape(plain(value), quote=False)}</a>')


# --- texts --------------------------------------------------------------------------------------------------


def upper(_scope: Scope, value: object) -> str:
    return _text(value).upper()


def lower(_scope: Scope, value: object) -> str:
    return _text(value).lower()


def title(_scope: Scope, value: object) -> str:
    """First letters large; unlike Python's own, `it's` stays `It's`."""
    return " ".join(word[:1].upper() + word[1:] for word in _text(value).split(" "))


def capitalize(_scope: Scope, value: object) -> str:
    text = _text(value)
    return text[:1].upper() + text[1:]


def trim(_scope: Scope, value: object) -> str:
    return _text(value).strip()


def truncate(_scope: Scope, value: object, length: object, end: object) -> str:
    text, most, tail = _text(value), int(number(length)), _text(end)
    return text if len(text) <= most else text[: max(0, most - len(tail))].rstrip() + tail


def replace(_scope: Scope, value: object, old: object, new: object) -> str:
    text, before, after = _text(value), _text(old), _text(new)
    if not before:
        return text
    check_length(len(text) + text.count(before) * len(after))
    return text.replace(before, after)


def text(_scope: Scope, value: object) -> str:
    return plain(value)


# --- numbers ------------------------------------------------------------------------------------------------


def round_filter(_scope: Scope, value: object, digits: object) -> int | Decimal:
    """Half goes up, as people round."""
    places = _places(digits)
    rounded = Decimal(number(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return rounded if places else int(rounded)


def absolute(_scope: Scope, value: object) -> object:
    if isinstance(value, Money):
        return Money(minor=abs(value.minor), asset=value.asset)
    return abs(value) if isinstance(value, timedelta) else abs(number(value))


# --- lists --------------------------------------------------------------------------------------------------


def count(_scope: Scope, value: object) -> int:
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    if is_nothing(value):
        return 0
    raise EvaluationError(f"A list or a text was expected, not {kind_of(value)}.")


def first(_scope: Scope, value: object) -> object:
    return _end(value, 0)


def last(_scope: Scope, value: object) -> object:
    return _end(value, -1)


def _end(value: object, index: int) -> object:
    if isinstance(value, str | list | tuple):
        return value[index] if value else UNSET
    if is_nothing(value):
        return UNSET
    raise EvaluationError(f"A list was expected, not {kind_of(value)}.")


def join(scope: Scope, value: object, separator: object, path: object) -> str:
    between = _text(separator)
    texts = [plain(_followed(one, path)) for one in walk(scope, value)]
    check_length(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def bullet_list(scope: Scope, value: object) -> str:
    texts = ["- " + plain(one) for one in walk(scope, value)]
    check_length(sum(map(len, texts)) + len(texts))
    return "\n".join(texts)


def total(scope: Scope, value: object, path: object) -> object:
    """An empty list adds up to the number 0; operators and filters take it for no money and for no time."""
    items = [_followed(one, path) for one in walk(scope, value)]
    result: object = items[0] if items else 0
    for one in items[1:]:
        result = add(result, one)
    return result


def smallest(scope: Scope, value: object, path: object) -> object:
    return _best(scope, value, path, less)


def largest(scope: Scope, value: object, path: object) -> object:
    return _best(scope, value, path, lambda left, right: less(right, left))


def _best(scope: Scope, value: object, path: object, better: Callable[[object, object], bool]) -> object:
    items: Sequence[object] = walk(scope, value)
    if not items:
        return UNSET
    best = items[0]
    for one in items[1:]:
        if better(_followed(one, path), _followed(best, path)):
            best = one
    return best


def sort(scope: Scope, value: object, path: object, reverse: object) -> tuple[object, ...]:
    def compare(left: object, right: object) -> int:
        a, b = _followed(left, path), _followed(right, path)
        return -1 if less(a, b) else int(less(b, a))

    return tuple(sorted(walk(scope, value), key=cmp_to_key(compare), reverse=bool(reverse)))


def map_filter(scope: Scope, value: object, path: object) -> tuple[object, ...]:
    return tuple(_followed(one, path) for one in walk(scope, value))


def unique(scope: Scope, value: object, path: object) -> tuple[object, ...]:
    seen: dict[Hashable, object] = {}
    for one in walk(scope, value):
        seen.setdefault(_frozen(_followed(one, path)), one)
    return tuple(seen.values())


def _frozen(value: object) -> Hashable:
    """A key that is equal exactly for equal values."""
    value = exact(value)
    if isinstance(value, Mapping):
        return ("record", frozenset((key, _frozen(one)) for key, one in value.items()))
    if isinstance(value, list | tuple):
        return ("list", tuple(map(_frozen, value)))
    if isinstance(value, bool):
        return ("bool", value)
    return ("nothing",) if is_nothing(value) else value


def default(_scope: Scope, value: object, fallback: object) -> object:
    return fallback if is_nothing(value) else value


# --- tests --------------------------------------------------------------------------------------------------


def is_set(value: object) -> bool:
    return not is_nothing(value)


def is_none(value: object) -> bool:
    return is_nothing(value)


def is_even(value: object) -> bool:
    return not is_nothing(value) and number(value) % 2 == 0


def is_odd(value: object) -> bool:
    return not is_nothing(value) and number(value) % 2 == 1


def is_empty(value: object) -> bool:
    if isinstance(value, str | list | tuple | Mapping):
        return not value
    if is_nothing(value):
        return True
    raise EvaluationError(f"{kind_of(value).capitalize()} is never empty.")
