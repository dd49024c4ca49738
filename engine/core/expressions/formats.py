"""Numbers, money, dates and lengths of time as the customer's language writes them, by Babel.

Pure: the moment that counts as now comes in. No other module formats for people.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, format_percent, is_currency
from babel.units import format_unit

from engine.core.values import Money, major, minor_digits

Style = Literal["short", "medium", "long", "full"]
STYLES: Final = ("short", "medium", "long", "full")
CRYPTO: Final = frozenset({"BTC", "LTC", "ETH", "SOL", "USDT", "USDC"})
_SIZES: Final = ("B", "KB", "MB", "GB", "TB")
_SYMBOLS: Final = {"day": "d", "hour": "h", "minute": "min", "second": "s"}
Number: TypeAlias = int | Decimal
# The class below has methods named date and datetime.
Day: TypeAlias = date
Moment: TypeAlias = datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """How values are written for one customer.

    `language` is a tag such as `pl` or `pt-BR` (unknown: English), `currency` the asset of amounts that carry
    none, `time_zone` an IANA name (unknown: UTC), `now` an aware moment that countdowns count to. `worded` is the
    language of the text that is being written, where it is not the customer's: plural forms are chosen by it.
    """

    language: str
    currency: str
    time_zone: str
    now: Moment
    worded: str | None = None

    @property
    def locale(self) -> Locale:
        return locale_of(self.language)

    @property
    def zone(self) -> tzinfo:
        return zone_of(self.time_zone)

    @property
    def today(self) -> Day:
        """The calendar day where the bot lives."""
        return self.now.astimezone(self.zone).date()

    def number(self, value: Number, digits: int | None = None) -> str:
        """`1234.5` → `1,234.5`; with `digits` decimal places, else as many as the number has."""
        return _number(self.language, value, digits)

    def percent(self, value: Number, digits: int = 0) -> str:
        """`0.15` → `15%`."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
        localized = str(self.locale.percent_formats[None].pattern)
        spaced = "\u00a0%" if "\u00a0%" in localized else "%"
        return str(format_percent(value, format=pattern.replace("%", spaced), locale=self.locale))

    def money(self, value: Money | Number, asset: str | None = None) -> str:
        """`€12.50`, `0.00123 BTC`. A plain number is an amount in `asset`, or in the bot's currency."""
        if isinstance(value, Money):
            return _money(self.language, major(value), value.asset)
        return _money(self.language, Decimal(value), asset or self.currency)

    def amount(self, value: Money | Number) -> str:
        """The bare amount as machines read it, in any language: `0.00125`. Exact, with the zeros at the end cut;
        money of a country keeps its decimal places: `12.50`."""
        if not isinstance(value, Money):
            return plain_number(Decimal(value))
        text = plain_number(major(value))
        if value.asset in CRYPTO or not is_currency(value.asset):
            return text
        whole, _, part = text.partition(".")
        digits = minor_digits(value.asset)
        return f"{whole}.{part.ljust(digits, '0')}" if digits else text

    def date(self, value: Day, style: Style = "medium") -> str:
        """The day; of a moment, the day in the customer's time zone."""
        day = value.astimezone(self.zone).date() if isinstance(value, Moment) else value
        return str(format_date(day, format=style, locale=self.locale))

    def time(self, value: Moment, style: Style = "short") -> str:
        """The time of day in the customer's time zone."""
        return str(format_time(value.astimezone(self.zone).timetz(), format=style, locale=self.locale))

    def datetime(self, value: Moment, style: Style = "medium") -> str:
        """Day and time in the customer's time zone."""
        return str(format_datetime(value.astimezone(self.zone), format=style, locale=self.locale))

    def countdown(self, value: Moment | timedelta) -> str:
        """The time left in whole minutes, rounded up: `29 min`, `1 h 05 min`; `0 min` when it is over."""
        left = value - self.now if isinstance(value, Moment) else value
        minutes = max(0, -(-left // timedelta(minutes=1)))
        return self._spelled(minutes * 60, ("day", "hour", "minute")) or self._unit(0, "minute")

    def duration(self, value: timedelta) -> str:
        """A length of time in at most two units: `45 s`, `1 h 30 min`, `2 d`."""
        seconds = int(abs(value) // timedelta(seconds=1))
        spelled = self._spelled(seconds, ("day", "hour", "minute", "second")) or self._unit(0, "second")
        return f"-{spelled}" if value < timedelta(0) else spelled

    def size(self, value: int) -> str:
        """Bytes as `512 KB` or `1.5 MB`, 1024 to the next unit."""
        amount, unit = Decimal(value), 0
        while abs(amount) >= 1024 and unit < len(_SIZES) - 1:
            amount, unit = amount / 1024, unit + 1
        return f"{self.number(round(amount, 1).normalize())} {_SIZES[unit]}"

    def phone(self, value: str) -> str:
        """`+48601234567` → `+48 601 234 567`; what is not a number with country code stays as it is."""
        import phonenumbers

        try:
            number = phonenumbers.parse(value, None)
        except phonenumbers.NumberParseException:
            return value
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))

    def plural(self, count: Number) -> str:
        """The CLDR plural category of a count in the text's language: zero, one, two, few, many or other."""
        return str((self.locale if self.worded is None else locale_of(self.worded)).plural_form(count))

    def _spelled(self, seconds: int, units: tuple[str, ...]) -> str:
        steps = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
        amounts = []
        for unit in units:
            amount, seconds = divmod(seconds, steps[unit])
            amounts.append((amount, unit))
        while amounts and amounts[0][0] == 0:
            amounts.pop(0)
        first, second = amounts[:1], [pair for pair in amounts[1:2] if pair[0]]
        parts = [self._unit(*pair) for pair in first]
        return " ".join(parts + [self._unit(*pair, padded=True) for pair in second])

    def _unit(self, amount: int, unit: str, *, padded: bool = False) -> str:
        if not _has_latin_symbols(self.language):
            return str(format_unit(amount, f"duration-{unit}", length="short", locale=self.locale))
        return f"{amount:02d} {_SYMBOLS[unit]}" if padded else f"{amount} {_SYMBOLS[unit]}"


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """Babel's locale of a language tag; English when there is none."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        main = language.replace("_", "-").split("-")[0]
        return locale_of(main) if main and main != language else Locale("en")


@lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name; UTC when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def moment_of(day: Day, minutes: int, zone: tzinfo) -> Moment:
    """The moment (UTC) of a wall-clock time, `minutes` after midnight of `day`.

    Of two equal times it is the first. A time that the clock leaves out is moved on by what is left out.
    """
    local = Moment(day.year, day.month, day.day) + timedelta(minutes=minutes)
    return local.replace(tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=256)
def _has_latin_symbols(language: str) -> bool:
    """Whether `min`, `h` and `d` are what readers of the language expect."""
    return "min" in str(format_unit(1, "duration-minute", length="short", locale=locale_of(language)))


def plain_number(value: Decimal) -> str:
    """Every digit, no exponent, no zeros at the end, at any length: `1E-18` is `0.000000000000000001`."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


@lru_cache(maxsize=4096)
def _number(language: str, value: Number, digits: int | None) -> str:
    places = digits
    if places is None:
        places = 0 if isinstance(value, int) else max(0, -int(Decimal(value).normalize().as_tuple().exponent))
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return _localized(language, value, pattern)


def _localized(language: str, value: Number, pattern: str) -> str:
    locale = locale_of(language)
    grouping = str(locale.decimal_formats[None].pattern)
    if "#,##,##0" in grouping:
        pattern = pattern.replace("#,##0", "#,##,##0")
    return str(format_decimal(value, format=pattern, locale=locale, decimal_quantization=True))


@lru_cache(maxsize=4096)
def _money(language: str, amount: Decimal, asset: str) -> str:
    """Crypto is exact, with the zeros at the end cut; money of a country looks as its readers know it."""
    if asset in CRYPTO or not is_currency(asset):
        return f"{_crypto(language, amount, minor_digits(asset) if asset in CRYPTO else None)}\u00a0{asset}"
    return str(format_currency(amount, asset, locale=locale_of(language), decimal_quantization=True))


def _crypto(language: str, amount: Decimal, most: int | None) -> str:
    """Every digit of the amount, however many: rounding one away would be another amount. `most`: decimal places."""
    with localcontext(prec=200):
        exact = amount if most is None else round(amount, most)
        places = len(plain_number(exact).partition(".")[2])
        return _localized(language, exact, "#,##0" + ("." + "0" * places if places else ""))
