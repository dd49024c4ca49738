"""Which of Telegram's messages shows which surface, so that it is edited in place; known again after a restart."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from engine.channels.telegram.keeping import Keeping
from engine.runtime.journal import Entry, Journal
from engine.runtime.ports import Outgoing

KIND: Final = "sent"
"""Kind of these entries of the journal."""
_KNOWN: Final = 4096
"""Messages that are remembered without asking the journal."""


class Sent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that was sent."""

    message: int
    """Telegram's id of it in this chat."""
    kind: Literal["text", "photo"] = "text"
    """`photo`: a picture or document, with the text as its caption."""
    picture: str = ""
    """Key of the picture it shows."""


class Surfaces:
    """Messages by (chat, surface), the newest one of each."""

    def __init__(self, journal: Journal, keeping: Keeping, bot: Callable[[], int]) -> None:
        """`bot`: whose messages they are. Another one has others under the same ids, also on the same database."""
        self._journal = journal
        self._keeping = keeping
        self._bot = bot
        self._known: OrderedDict[tuple[str, str], Sent] = OrderedDict()

    async def find(self, chat: str, surface: str) -> Sent | None:
        """The message that shows this surface; None: none does. Raises what the journal raises."""
        known = self._known.get((chat, surface))
        if known is not None or not surface:
            return known
        entry = await self._journal.of_surface(chat, self._name(surface))
        if entry is None or entry.kind != KIND:
            return None
        try:
            return msgspec.json.decode(entry.payload, type=Sent)
        except msgspec.MsgspecError:
            return None

    async def keep(self, outgoing: Outgoing, sent: Sent) -> None:
        """This row is shown by that message from now on. Raises what the journal raises."""
        if not outgoing.surface or self._known.get((outgoing.chat, outgoing.surface)) == sent:
            return
        payload = msgspec.json.encode(sent)
        entry, new = await self._keeping.append(
            Entry(
                chat=outgoing.chat,
                at=outgoing.created_at,
                kind=KIND,
                key=f"telegram:sent:{self._bot()}:{outgoing.id}",
                conversation=outgoing.surface.rpartition(".")[0],
                surface=self._name(outgoing.surface),
                payload=payload,
            )
        )
        if not new and entry.payload != payload:
            await self._journal.amend(entry.id, payload)
        self._remember(outgoing, sent)

    async def redrawn(self, outgoing: Outgoing, sent: Sent) -> None:
        """The same message shows something else now, such as another picture. Raises what the journal raises."""
        if self._known.get((outgoing.chat, outgoing.surface)) == sent:
            return
        entry = await self._journal.of_surface(outgoing.chat, self._name(outgoing.surface))
        payload = msgspec.json.encode(sent)
        if entry is not None and entry.payload != payload:
            await self._journal.amend(entry.id, payload)
        self._remember(outgoing, sent)

    def _name(self, surface: str) -> str:
        return f"{self._bot()}/{surface}"

    def _remember(self, outgoing: Outgoing, sent: Sent) -> None:
        place = (outgoing.chat, outgoing.surface)
        self._known[place] = sent
        self._known.move_to_end(place)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
