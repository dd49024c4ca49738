"""What a line typed in the terminal means. Pure: a line and what the screen accepts in, a value out."""

import re
import shlex
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Text for the bot."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTyped:
    """`/order`, `/start order_7`: `name` without the slash, `payload` what follows."""

    name: str
    payload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """Button `button` (from 1) of message `message`; None: of the last one that has buttons."""

    button: int
    message: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesSent:
    """Files of this computer, as documents or as photos."""

    paths: tuple[str, ...]
    photo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSent:
    """The customer's own number; None: the one of the session."""

    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationSent:
    """Degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """`seconds` pass at once (virtual clock only)."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quit:
    """The customer leaves; the conversation stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """An empty line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A line that cannot be carried out; `message` says what to write instead."""

    message: str


Input = Typed | CommandTyped | Pressed | FilesSent | ContactSent | LocationSent | Waited | Quit | Nothing | Wrong

_PRESS: Final = re.compile(r"#(?:(\d{1,9})\.)?(\d{1,9})\Z")
_NUMBER: Final = re.compile(r"\d{1,3}\Z", re.ASCII)
_COMMAND: Final = re.compile(r"/(/?)([A-Za-z0-9_]{1,64})(?:@\w+)?(?:\s+(.*))?\Z", re.DOTALL)
_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z", re.ASCII)
_PRESS_HELP: Final = "write #2 for button 2 of the last message, #3.2 for button 2 of message 3"


def parse(text: str, *, buttons_only: bool) -> Input:
    """The meaning of one line.

    `buttons_only` True: the question on show takes no typed text, so a bare number presses a button.
    A leading backslash before `#`, `/` or a digit makes the line plain text; `//name` sends `/name` to the
    bot even where the terminal has a command of that name itself.
    """
    stripped = text.strip()
    if not stripped:
        return Nothing()
    if stripped[0] == "\\" and len(stripped) > 1 and (stripped[1] in "#/" or stripped[1].isdigit()):
        return Typed(text=stripped[1:])
    if stripped[0] == "/":
        return _command(stripped)
    if stripped[0] == "#" and "\n" not in stripped:
        return _press(stripped)
    if buttons_only and _NUMBER.match(stripped):
        return Pressed(button=int(stripped))
    return Typed(text=text)


def _press(text: str) -> Input:
    match = _PRESS.match(text)
    if match is None:
        return Wrong(message=f"“{text}” is no button: {_PRESS_HELP}. For a text that begins with #, write \\#…")
    message, button = match.groups()
    return Pressed(button=int(button), message=int(message) if message else None)


def _command(text: str) -> Input:
    match = _COMMAND.match(text)
    if match is None:
        return Wrong(message=f"“{text}” is no command. For a text that begins with a slash, write \\/…")
    literal, name, rest = match.group(1), match.group(2), (match.group(3) or "").strip()
    if literal:
        return CommandTyped(name=name, payload=rest)
    match name:
        case "file" | "photo":
            return _files(name, rest)
        case "contact":
            return ContactSent(phone=rest or None)
        case "location":
            return _location(rest)
        case "wait":
            return _wait(rest)
        case "quit":
            return Quit()
        case _:
            return CommandTyped(name=name, payload=rest)


def _files(name: str, rest: str) -> Input:
    try:
        paths = shlex.split(rest)
    except ValueError:
        return Wrong(message=f'A quotation mark is open: /{name} "my model.stl"')
    if not paths:
        return Wrong(message=f"Which file? Write /{name} PATH, or several paths with spaces between them.")
    return FilesSent(paths=tuple(paths), photo=name == "photo")


def _location(rest: str) -> Input:
    wrong = Wrong(message="Write /location LATITUDE LONGITUDE in degrees, such as /location 52.23 21.01")
    parts = rest.replace(",", " ").split()
    if len(parts) != 2:
        return wrong
    try:
        latitude, longitude = float(parts[0]), float(parts[1])
    except ValueError:
        return wrong
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return Wrong(message="Latitude goes from -90 to 90 and longitude from -180 to 180.")
    return LocationSent(latitude=latitude, longitude=longitude)


def _wait(rest: str) -> Input:
    seconds = seconds_of(rest.replace(" ", ""))
    if seconds is None:
        return Wrong(message="How long? Write /wait 31m (also 30s, 24h, 7d, 1h30m, at most 3660d).")
    return Waited(seconds=seconds)


def seconds_of(text: str) -> float | None:
    """`31m`, `1h30m` in seconds; None when it is no duration, is zero or longer than ten years."""
    match = _DURATION.match(text)
    if match is None or not text or len(text) > 20:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return float(total) if 0 < total <= 3660 * 86400 else None


def goes_on(text: str) -> bool:
    """Whether a raw line ends with a single backslash: the next line belongs to it."""
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def join(lines: list[str]) -> str:
    """Raw lines, each but the last ending in a backslash, as one text; `\\\\` at an end is `\\`."""
    parts = [part[:-1] if goes_on(part) else part for part in lines]
    return "\n".join(part[:-1] if part.endswith("\\\\") else part for part in parts)


def is_comment(text: str) -> bool:
    """A script's line that is for readers only: `# …`, a lone `#`."""
    return text.startswith("# ") or text.rstrip() == "#"
