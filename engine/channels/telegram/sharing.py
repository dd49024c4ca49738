"""The reply keyboard for a telephone number or a place: a message of its own, gone when nobody asks any more."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from engine.channels.telegram import keyboards
from engine.channels.telegram.messages import Messages, Place
from engine.core.effects import Accepts
from engine.runtime.journal import Entry, Journal
from engine.runtime.ports import Outgoing

KIND: Final = "keyboard"
"""Kind of these entries of the journal."""
SURFACE: Final = "telegram keyboard"
"""No surface of a conversation: those have a point before the visit's number."""
BELOW: Final = "👇"
AWAY: Final = "👌"
"""What the two messages say; the second one is deleted at once."""
_KNOWN: Final = 10_000

Label = Callable[[str, str], Awaitable[str]]
"""A chat, and `contact` or `location` → the label of that key in the customer's language."""


class Keyboard(msgspec.Struct, frozen=True, omit_defaults=True):
    """The keyboard that a chat has."""

    message: int = 0
    """The message that brought it; 0: there is none."""
    surface: str = ""
    """The question it belongs to."""
    shares: tuple[str, ...] = ()


class Sharing:
    """One keyboard per chat at most, known again after a restart."""

    def __init__(self, messages: Messages, journal: Journal, bot: Callable[[], int]) -> None:
        """`bot`: whose keyboards they are."""
        self._bot = bot
        self._messages = messages
        self._journal = journal
        self._known: OrderedDict[str, Keyboard] = OrderedDict()

    async def shown(self, place: Place, outgoing: Outgoing, accepts: frozenset[Accepts], label: Label) -> None:
        """A question was shown: bring the keyboard it takes, or take away the one it does not.

        A question that is only redrawn keeps its keyboard. Raises as `Messages` and the journal do.
        """
        wanted = tuple(str(kind) for kind in (Accepts.CONTACT, Accepts.LOCATION) if kind in accepts)
        current = await self.current(place.chat)
        if current.message and current.surface == outgoing.surface and current.shares == wanted:
            return
        if not wanted:
            await self.away(place, outgoing)
            return
        labels = {kind: await label(place.chat, kind) for kind in wanted}
        number = await self._messages.special(_under(place, "keyboard"), BELOW, keyboards.sharing(**labels))
        await self._keep(outgoing, Keyboard(message=number, surface=outgoing.surface, shares=wanted))
        if current.message and current.message != number:
            await self._messages.delete(place.chat, place.customer, current.message)

    async def away(self, place: Place, outgoing: Outgoing) -> None:
        """Take the keyboard away, if there is one. Raises as `shown`."""
        current = await self.current(place.chat)
        if not current.message:
            return
        number = await self._messages.special(_under(place, "away"), AWAY, keyboards.no_keyboard())
        await self._messages.delete(place.chat, place.customer, current.message, number)
        await self._keep(outgoing, Keyboard())

    async def current(self, chat: str) -> Keyboard:
        """The keyboard that the chat has now. Raises what the journal raises."""
        known = self._known.get(chat)
        if known is None:
            entry = await self._journal.of_surface(chat, self._surface)
            known = _read(entry)
            self._remember(chat, known)
        return known

    async def _keep(self, outgoing: Outgoing, keyboard: Keyboard) -> None:
        payload = msgspec.json.encode(keyboard)
        entry, new = await self._journal.append(
            Entry(
                chat=outgoing.chat,
                at=outgoing.created_at,
                kind=KIND,
                key=f"telegram:keyboard:{self._bot()}:{outgoing.id}",
                surface=self._surface,
                payload=payload,
            )
        )
        if not new and entry.payload != payload:
            await self._journal.amend(entry.id, payload)
        self._remember(outgoing.chat, keyboard)

    @property
    def _surface(self) -> str:
        return f"{SURFACE} {self._bot()}"

    def _remember(self, chat: str, keyboard: Keyboard) -> None:
        self._known[chat] = keyboard
        self._known.move_to_end(chat)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)


def _read(entry: Entry | None) -> Keyboard:
    if entry is None:
        return Keyboard()
    try:
        return msgspec.json.decode(entry.payload, type=Keyboard)
    except msgspec.MsgspecError:
        return Keyboard()


def _under(place: Place, part: str) -> Place:
    return Place(chat=place.chat, customer=place.customer, key=f"{place.key}/{part}")
