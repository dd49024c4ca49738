"""What a customer typed → a value, as their language writes it. Pure; a refusal is a value.

Nothing is guessed: what has two readings in the customer's language takes the language's own.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from babel.core import Locale, UnknownLocaleError
from babel.dates import get_date_format
from babel.numbers import get_decimal_symbol, get_group_symbol

from engine.core.records import record
from engine.core.values import Money, Value, money

LONGEST_TEXT = 4096
"""Characters that Telegram lets a message have."""
LONGEST_NUMBER = 30
LONGEST_AMOUNT = 40
"""Of money: a whole ETH has 18 decimal places."""
LONGEST_EMAIL = 254
"""RFC 5321, 4.5.3.1.3."""


@record
class Read:
    """What the text means."""

    value: Value


@record
class Unreadable:
    """Why it means nothing here: a key of the engine's wording and its values."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


Reading = Read | Unreadable


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def read_text(text: str) -> Reading:
    """Trimmed text of 1 to 4096 characters."""
    trimmed = text.strip()
    if not trimmed:
        return Unreadable(key="answer.empty")
    if len(trimmed) > LONGEST_TEXT:
        return Unreadable(key="answer.too_long", values={"max": LONGEST_TEXT})
    return Read(value=trimmed)


_SPACE_OR_APOSTROPHE = "[\\s\u00a0\u202f'’]"


@lru_cache(maxsize=64)
def _number_forms(language: str) -> tuple[re.Pattern[str], re.Pattern[str], str]:
    """(whole groups of three, one separator or none, the decimal symbol) of a language."""
    locale = _locale(language)
    decimal, group = get_decimal_symbol(locale), get_group_symbol(locale)
    between = f"(?:{_SPACE_OR_APOSTROPHE}|{re.escape(group)})" if group in ".," else _SPACE_OR_APOSTROPHE
    grouped = rf"([+-]?\d{{1,3}}(?:{between}\d{{3}})+)(?:{re.escape(decimal)}(\d+))?\Z"
    return re.compile(grouped, re.ASCII), re.compile(r"([+-]?\d+)(?:([.,])(\d+))?\Z", re.ASCII), decimal


def _normal(text: str, language: str, longest: int = LONGEST_NUMBER) -> str | None:
    """Digits with a point, from a number as `language` writes it; None when it is none.

    A foreign separator is taken for a decimal one, since "1,5" has no other reading where the comma groups
    thousands; but not before three digits, where it may have been meant to group.
    """
    if len(text) > longest:
        return None
    if text.isascii() and text.isdecimal():
        return text  # most numbers are typed like that, and mean the same everywhere
    grouped, simple, decimal = _number_forms(language)
    compact = text.strip().replace("−", "-")
    if match := grouped.match(compact):
        whole, fraction = match.groups()
        digits = re.sub(r"[^\d+-]", "", whole, flags=re.ASCII)
        return f"{digits}.{fraction}" if fraction else digits
    match = simple.match(compact)
    if match is None:
        return None
    whole, separator, fraction = match.groups()
    if separator is None:
        return whole
    return None if separator != decimal and len(fraction) == 3 else f"{whole}.{fraction}"


def read_number(text: str, language: str, *, decimal: bool) -> Reading:
    """A number as the language writes it: an int, or a Decimal when `decimal`."""
    normal = _normal(text, language)
    if normal is None:
        return Unreadable(key="answer.not_a_number")
    if decimal:
        return Read(value=Decimal(normal))
    if normal.isdecimal():
        return Read(value=int(normal))
    whole = int(Decimal(normal))
    return Read(value=whole) if whole == Decimal(normal) else Unreadable(key="answer.not_whole")


def read_money(text: str, language: str, currency: str) -> Reading:
    """An amount with or without the currency's code or symbol."""
    bare = re.sub(rf"(?i){re.escape(currency)}|[€$£¥₽₴₿]", "", text)
    normal = _normal(bare, language, LONGEST_AMOUNT)
    if normal is None:
        return Unreadable(key="answer.not_money", values={"currency": currency})
    try:
        amount: Money = money(Decimal(normal), currency)
    except ValueError:
        return Unreadable(key="answer.too_fine", values={"currency": currency})
    return Read(value=amount)


_EMAIL = re.compile(
    r"(?P<local>[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*)@"
    r"(?P<domain>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63}|(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+xn--[a-z0-9-]{2,59})\Z"
)


def read_email(text: str) -> Reading:
    """An e-mail address; its domain in lower case."""
    trimmed = text.strip()
    match = _EMAIL.match(trimmed) if len(trimmed) <= LONGEST_EMAIL else None
    if match is None or len(match["local"]) > 64:
        return Unreadable(key="answer.not_an_email")
    return Read(value=f"{match['local']}@{match['domain'].lower()}")


def read_phone(text: str, region: str | None) -> Reading:
    """A telephone number in E.164. `region`: the country of numbers without +."""
    if len(text) > 40:
        return Unreadable(key="answer.not_a_phone")
    compact = text.strip()
    if compact.startswith("00"):
        compact = "+" + compact[2:]
    try:
        number = phonenumbers.parse(compact, region)
    except phonenumbers.NumberParseException:
        return Unreadable(key="answer.not_a_phone" if region else "answer.phone_without_country")
    # With its country a number of a possible length will do: ranges open faster than the tables know. Without, the
    # tables have to say that the country has such a number.
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    if not possible or not (compact.startswith("+") or phonenumbers.is_valid_number(number)):
        return Unreadable(key="answer.not_a_phone")
    return Read(value=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=64)
def _day_order(language: str) -> str:
    """`dmy`, `mdy` or `ymd`: the order of numbers in a date of the language."""
    pattern = get_date_format("short", _locale(language)).pattern.lower()
    return "".join(sorted("dmy", key=pattern.find))


_THREE_NUMBERS = re.compile(r"(\d{1,4})[./\-\s]+(\d{1,2})[./\-\s]+(\d{1,4})\.?\Z", re.ASCII)


def read_day(text: str, language: str, today: date, words: Mapping[str, int]) -> Reading:
    """A date: ISO, the language's own order of numbers, or a word such as “tomorrow” (`words`: days from today)."""
    trimmed = text.strip().casefold()
    if trimmed in words:
        return Read(value=today + timedelta(days=words[trimmed]))
    match = _THREE_NUMBERS.match(trimmed)
    if match is None:
        return Unreadable(key="answer.not_a_date", values={"example": example_day(language, today)})
    first, second, third = match.groups()
    order = "ymd" if len(first) == 4 else _day_order(language)
    parts = dict(zip(order, (first, second, third), strict=True))
    year = int(parts["y"]) + (2000 if len(parts["y"]) <= 2 else 0)
    try:
        return Read(value=date(year, int(parts["m"]), int(parts["d"])))
    except ValueError:
        return Unreadable(key="answer.no_such_date")


def example_day(language: str, day: date) -> str:
    """A date as a customer of that language may type it: `31.12.2026`."""
    separator = {"d": ".", "m": "/", "y": "-"}[_day_order(language)[0]]
    numbers = {"d": f"{day.day:02}", "m": f"{day.month:02}", "y": f"{day.year}"}
    return separator.join(numbers[letter] for letter in _day_order(language))
