"""The browser chat as a channel: what the engine delivers is kept in the journal, then shown in the open tabs."""

from typing import Final

from engine.channels.web.entries import Shown, encoded, of_effect, payload_of
from engine.channels.web.feed import Feed
from engine.channels.web.tabs import CHANNEL
from engine.core.effects import Notice, Show
from engine.runtime.journal import Entry
from engine.runtime.outbox import decode
from engine.runtime.ports import Elsewhere, Outgoing

_SURFACES: Final = 4096
"""Messages on show whose newest drawing is remembered."""
_LOOK_BACK: Final = 200


class WebChannel:
    """Implements `engine.runtime.ports.Channel` for all chats `web:…`."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._drawn: dict[str, int] = {}

    async def deliver(self, outgoing: Outgoing) -> None:
        """Keep it and show it; one that was delivered before changes nothing.

        Raises Elsewhere for a chat of another channel, and what the journal raises.
        """
        if not outgoing.chat.startswith(CHANNEL):
            raise Elsewhere("this message is for a customer of another channel")
        delivery = decode(outgoing)
        reply = _input_id(outgoing.chat, delivery.reply_to)
        effect = delivery.effect
        payload = of_effect(effect, surface=outgoing.surface, sequence=outgoing.sequence, reply=reply)
        if isinstance(effect, Show) and effect.edit and await self._edited(outgoing, encoded(payload)):
            await self._keep_drawing(outgoing, "redrawn", encoded(payload))
            return
        written, new = await self._feed.append(
            Entry(
                chat=outgoing.chat,
                at=outgoing.created_at,
                kind=outgoing.kind,
                key=_key(outgoing),
                conversation=outgoing.surface.rpartition(".")[0],
                surface=outgoing.surface,
                payload=encoded(payload),
            )
        )
        if new and outgoing.surface:
            self._remember(outgoing.surface, outgoing.sequence)
        if isinstance(effect, Notice):
            if new:
                await self._answer(outgoing.chat, reply, effect)
        elif not new:  # it was written just before the process died, and nobody may have seen it
            await self._feed.show(written)
        if isinstance(effect, Show):
            await self._keep_drawing(outgoing, "drawn", encoded(payload))

    async def _edited(self, outgoing: Outgoing, payload: bytes) -> bool:
        """Redraw in place. False: the message is not there, so that it has to be sent as a new one."""
        drawn = await self._newest(outgoing)
        if drawn is not None and drawn >= outgoing.sequence:
            return True
        entry = await self._feed.journal.edit(outgoing.chat, outgoing.surface, payload, outgoing.created_at)
        if entry is None:
            return False
        self._remember(outgoing.surface, outgoing.sequence)
        await self._feed.show(entry)
        return True

    async def _keep_drawing(self, outgoing: Outgoing, kind: str, payload: bytes) -> None:
        """Every drawing as it was, for transcripts: of a message that is edited the journal has only the newest.

        After it was shown, so that nobody waits for it.
        """
        await self._feed.journal.append(
            Entry(
                chat=outgoing.chat,
                at=outgoing.created_at,
                kind=kind,
                key=f"{_key(outgoing)}:drawn",
                conversation=outgoing.surface.rpartition(".")[0],
                payload=payload,
            )
        )

    async def _newest(self, outgoing: Outgoing) -> int | None:
        """The number of the newest drawing of this message, also of one before the last start."""
        known = self._drawn.get(outgoing.surface)
        if known is not None:
            return known
        for entry in reversed(await self._feed.journal.entries(outgoing.chat, limit=_LOOK_BACK)):
            if entry.surface == outgoing.surface:
                shown = payload_of(entry)
                return shown.sequence if isinstance(shown, Shown) else None
        return None

    def _remember(self, surface: str, sequence: int) -> None:
        self._drawn.pop(surface, None)
        self._drawn[surface] = sequence
        if len(self._drawn) > _SURFACES:
            del self._drawn[next(iter(self._drawn))]

    async def _answer(self, chat: str, reply: str | None, notice: Notice) -> None:
        """Tell the tab that pressed; all of the chat when that one is gone or was never known."""
        message = {"type": "notice", "id": reply, "text": notice.text, "alert": notice.alert}
        asking = [tab for tab in self._feed.tabs.of(chat) if reply is not None and tab.asked(reply)]
        for tab in asking or self._feed.tabs.of(chat):
            tab.answer(reply or "")
            await tab.send(message)


def _input_id(chat: str, update: str | None) -> str | None:
    """The page's id of the input that an update was made of."""
    if update is None or not update.startswith(f"{chat}:"):
        return None
    return update.removeprefix(f"{chat}:")


def _key(outgoing: Outgoing) -> str:
    """An apology that never stood in the outbox has no number of its own."""
    if outgoing.sequence > 0:
        return outgoing.id
    return f"{outgoing.id}@{outgoing.created_at.isoformat()}"
