"""The messages on a customer's phone and their buttons: which one a label means, and the other way round. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A message as it was drawn once. `buttons`: label and callback data of each that is no link."""

    surface: str
    buttons: tuple[tuple[str, str], ...]

    def having(self, label: str, *, part: bool = False) -> list[str]:
        """Callback data of the buttons with this label; `part`: with a label that has this in it."""
        return [data for text, data in self.buttons if (label in text if part else text == label)]


class Phone:
    """What one chat has received. The player and the recorder both have one, so that they mean the same button."""

    def __init__(self) -> None:
        self._messages: list[Drawing | None] = []
        """As they stand now, oldest first; None for a text that is never changed."""
        self._replaced: list[Drawing] = []

    def text(self) -> None:
        """A message without a place of its own."""
        self._messages.append(None)

    def draw(self, drawing: Drawing, *, edit: bool) -> int | None:
        """A message, new or (`edit`) in the place of the same surface's: then which message that is, counted from the
        newest. None: it is a new one."""
        place = self._place(drawing.surface) if edit else None
        if place is None:
            self._messages.append(drawing)
            return None
        old = self._messages[place]
        assert old is not None
        self._replaced.append(old)
        self._messages[place] = drawing
        return len(self._messages) - place

    def _place(self, surface: str) -> int | None:
        places = range(len(self._messages) - 1, -1, -1)
        return next((at for at in places if (one := self._messages[at]) and one.surface == surface), None)

    def _drawings(self) -> Iterator[Drawing]:
        """The newest first; what was replaced comes last, since somebody may press before they see the new one."""
        yield from (one for one in reversed(self._messages) if one is not None)
        yield from reversed(self._replaced)

    def button(self, label: str, message: int, number: int, *, part: bool = False) -> str | None:
        """Callback data of button `number` with this label in the `message`-th drawing that has it; None: no such."""
        having = [found for drawing in self._drawings() if (found := drawing.having(label, part=part))]
        if message > len(having) or number > len(having[message - 1]):
            return None
        return having[message - 1][number - 1]

    def named(self, data: str) -> tuple[str, int, int] | None:
        """The inverse: label, message and number of the button with this callback data; None: it was never drawn."""
        label = next((text for drawing in self._drawings() for text, known in drawing.buttons if known == data), None)
        if label is None:
            return None
        having = [found for drawing in self._drawings() if (found := drawing.having(label))]
        message = next(at for at, found in enumerate(having, start=1) if data in found)
        return label, message, having[message - 1].index(data) + 1

    @property
    def labels(self) -> Sequence[str]:
        """What can be pressed in the newest message that has buttons."""
        newest = next((one for one in reversed(self._messages) if one is not None and one.buttons), None)
        return [] if newest is None else [text for text, _ in newest.buttons]
