"""Expected and real, compared: texts, buttons, values. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from engine.core.values import Money, Unset, Value
from engine.loading.durations import parse_money
from engine.loading.transcripts import Bot, Notices, Wanted
from engine.loading.transcripts_values import duration, moment


def says(wanted: Wanted, given: Wanted) -> bool:
    """Whether the bot's text (always exact) is what is wanted."""
    text = given.exact or ""
    if wanted.exact is not None:
        return text == wanted.exact
    at = 0
    for part in wanted.parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def shows(wanted: Bot, given: Bot) -> bool:
    """Whether a message is as expected: what the transcript leaves unsaid does not count."""
    if wanted.edit is not given.edit or not says(wanted.text, given.text):
        return False
    if wanted.picture is not None and wanted.picture != given.picture:
        return False
    if wanted.edit and wanted.message != given.message:
        return False
    return wanted.buttons is None or _buttons(wanted) == _buttons(given, like=wanted)


def _buttons(message: Bot, like: Bot | None = None) -> list[list[tuple[str, str | None]]]:
    """Labels, and addresses where `like` says one at that place."""
    rows = message.buttons or ()
    other = (like or message).buttons or ()
    return [
        [
            (button.text, button.url if r < len(other) and c < len(other[r]) and other[r][c].url is not None else None)
            for c, button in enumerate(row)
        ]
        for r, row in enumerate(rows)
    ]


def notes(wanted: Notices, given: Notices) -> bool:
    """Whether a notice is as expected."""
    return wanted.alert is given.alert and says(wanted.text, given.text)


def look_up(places: Iterable[Mapping[str, Value]], path: str) -> Value:
    """What stands under `contact.name`, in the first of the places that has its first name; None: nothing."""
    first, *rest = path.split(".")
    for place in places:
        if first in place:
            return _inside(place[first], rest)
    return None


def _inside(value: Value, names: list[str]) -> Value:
    for name in names:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list | tuple) and name.isascii() and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return None if isinstance(value, Unset) else value


def same(wanted: Value, given: Value) -> bool:
    """Whether a value is the one that is written: `12.50 EUR` for money, `2026-11-21` for a date; of a record only the
    fields that are written count."""
    if isinstance(given, Unset):
        given = None
    match wanted, given:
        case bool(), _:
            return wanted is given
        case int() | Decimal(), int() | Decimal():
            return not isinstance(given, bool) and wanted == given
        case Mapping(), Mapping():
            return all(same(value, given.get(name)) for name, value in wanted.items())
        case list() | tuple(), list() | tuple():
            return len(wanted) == len(given) and all(map(same, wanted, given))
        case str(), _:
            return wanted == given if isinstance(given, str) else _reads(wanted, given)
        case _:
            return type(wanted) is type(given) and wanted == given


def _reads(text: str, given: Value) -> bool:
    """Whether a text is how this value is written."""
    try:
        match given:
            case Money():
                return parse_money(text) == given
            case datetime():
                return moment(text) == given
            case date():
                return date.fromisoformat(text) == given
            case timedelta():
                return duration(text) == given
            case _:
                return False
    except ValueError:
        return False
