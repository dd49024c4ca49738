"""The messages on the terminal: their numbers, their buttons, and how each looks as lines.

No I/O here: `engine.channels.terminal` prints what this gives.
"""

from dataclasses import dataclass, field

from engine.channels.terminal_text import Style, plain, safe
from engine.core.effects import Accepts, Notice, Press, Say, Show

INDENT = "   "


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it stands now: an edit replaces it under the same number."""

    number: int
    conversation: str
    show: Show

    @property
    def buttons(self) -> tuple[Press, ...]:
        return tuple(press for row in self.show.rows for press in row)

    def callback(self, press: Press) -> str:
        """The callback data that Telegram would send for this button."""
        return f"{self.conversation}.{self.show.visit}.{self.show.draw}.{press.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoButton:
    """There is no such button; `message` says what there is."""

    message: str


@dataclass(slots=True, kw_only=True)
class Screen:
    """What has been printed in this session."""

    messages: list[Message] = field(default_factory=list)
    conversation: str | None = None
    """The conversation whose step was shown last (never the desk's offers)."""

    def put(self, conversation: str, show: Show) -> tuple[Message, bool]:
        """Keep a shown message; True with it when it replaced the same visit's in place."""
        if show.visit:
            self.conversation = conversation
        old = self._same(conversation, show) if show.edit else None
        number = old.number if old else len(self.messages) + 1
        message = Message(number=number, conversation=conversation, show=show)
        if old is None:
            self.messages.append(message)
        else:
            self.messages[number - 1] = message
        return message, old is not None

    def _same(self, conversation: str, show: Show) -> Message | None:
        for message in reversed(self.messages):
            if (message.conversation, message.show.over or message.show.visit) == (
                conversation,
                show.over or show.visit,
            ):
                return message
        return None

    @property
    def last(self) -> Message | None:
        """The newest message with buttons."""
        return next((message for message in reversed(self.messages) if message.buttons), None)

    @property
    def buttons_only(self) -> bool:
        """Whether the newest message that can be answered has buttons and takes no typed text."""
        newest = next((one for one in reversed(self.messages) if one.buttons or one.show.accepts), None)
        return newest is not None and bool(newest.buttons) and Accepts.TEXT not in newest.show.accepts

    def button(self, number: int, message: int | None = None) -> tuple[Message, Press] | NoButton:
        """Button `number` (from 1) of a message, or of the last that has any."""
        found = self._message(message)
        if isinstance(found, NoButton):
            return found
        count = len(found.buttons)
        if 1 <= number <= count:
            return found, found.buttons[number - 1]
        if not count:
            return NoButton(message=f"Message {found.number} has no buttons.")
        choice = {1: "only button 1", 2: "the buttons 1 and 2"}.get(count, f"the buttons 1 to {count}")
        return NoButton(message=f"There is no button {number}: message {found.number} has {choice}.")

    def _message(self, number: int | None) -> Message | NoButton:
        if number is not None and not 1 <= number <= len(self.messages):
            return NoButton(message=f"There is no message {number} on this screen yet.")
        found = self.messages[number - 1] if number is not None else self.last
        return found or NoButton(message="There is nothing to press: no message has buttons yet.")


def draw(message: Message, style: Style, *, replaced: bool = False) -> str:
    """A message as lines: number, text, picture, numbered buttons row by row, what else it takes."""
    head = f"#{message.number}"
    lines = [*_picture(message.show), *plain(message.show.text, style).strip("\n").split("\n")]
    first = f"{style.dim(head)} {style.dim('(updated) ') if replaced else ''}{lines[0]}"
    drawn = [first, *(INDENT + text if text else "" for text in lines[1:])]
    drawn += _rows(message.show, style)
    if hint := _hint(message.show):
        drawn.append(INDENT + style.dim(hint))
    return "\n".join(drawn)


def _picture(show: Show) -> list[str]:
    match show.photo:
        case None:
            return []
        case ("qr", content):
            return [f"[picture: QR of {safe(content)}]"]
        case (_, content):
            return [f"[picture: {safe(content)}]"]


def _rows(show: Show, style: Style) -> list[str]:
    lines, number = [], 0
    for row in show.rows:
        labels = []
        for press in row:
            number += 1
            text = " ".join(safe(press.text).split())
            target = f" ({safe(press.url)})" if press.url else ""
            labels.append(f"{style.bold(f'[{number}]')} {text}{target}")
        lines.append(INDENT + "  ".join(labels))
    return lines


def _hint(show: Show) -> str:
    ways = {
        Accepts.FILE: "/file PATH",
        Accepts.PHOTO: "/photo PATH",
        Accepts.CONTACT: "/contact",
        Accepts.LOCATION: "/location LAT LON",
    }
    shown = [way for kind, way in ways.items() if kind in show.accepts]
    return f"({' or '.join(shown)})" if shown else ""


def say(effect: Say, style: Style) -> str:
    """A message without buttons, marked with `·`."""
    lines = plain(effect.text, style).strip("\n").split("\n")
    return "\n".join([f"{style.dim('·')}  {lines[0]}", *(INDENT + text if text else "" for text in lines[1:])])


def notice(effect: Notice, style: Style) -> str:
    """The short answer to a press: `*  text`, an alert `!  text`; nothing for an empty one."""
    text = " ".join(safe(effect.text).split())
    if not text:
        return ""
    return f"{style.bold('!') if effect.alert else style.dim('*')}  {text}"
