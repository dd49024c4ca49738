"""The Telegram channel: brings the outbox to the customers. What comes in is `receiving`'s work."""

import asyncio
import logging
from collections import Counter
from html import escape
from pathlib import Path
from typing import Final, Protocol, assert_never

from engine.channels.telegram.answers import Answers
from engine.channels.telegram.asking import Asker, Gone, Refused, Strange
from engine.channels.telegram.faults import name_of
from engine.channels.telegram.keeping import Keeping
from engine.channels.telegram.line import Line
from engine.channels.telegram.messages import Message, Messages, Place
from engine.channels.telegram.pace import Pace
from engine.channels.telegram.pictures import Pictures
from engine.channels.telegram.sharing import Sharing
from engine.channels.telegram.surfaces import Sent, Surfaces
from engine.channels.telegram.texts import LONGEST_NOTICE, plain, render
from engine.core.effects import Notice, Say, Show
from engine.core.redrawing import surface as drawn_in
from engine.runtime.chats import Loaded
from engine.runtime.files import FileStore
from engine.runtime.journal import Journal
from engine.runtime.outbox import Visible, decode, pressed
from engine.runtime.ports import Chat, Clock, Elsewhere, Outgoing

CHANNEL: Final = "telegram:"
"""What the ids of this channel's chats begin with; then Telegram's id of the customer."""
_PRESS: Final = "cb"
_ATTEMPTS: Final = 3
"""After so many of them a message over which the library itself stumbles is left out: others wait behind it."""

log = logging.getLogger("stepgram.telegram")


class Bot(Protocol):
    """The running engine, as far as the channel asks it; `engine.runtime.runtime.Runtime` is one."""

    async def chat(self, chat: str) -> Loaded:
        """How a chat stands."""
        ...

    def words(self, chat: Chat, key: str, **values: object) -> str:
        """A text of the engine's own in the customer's language."""
        ...


class TelegramChannel:
    """Implements `engine.runtime.ports.Channel` for all chats `telegram:…`.

    The engine is built with its channel, so `bot` is set after that, before anything is delivered.
    One call of `deliver` per chat at a time, as the runtime does it; chats do not wait for each other.
    """

    def __init__(
        self,
        *,
        line: Line,
        journal: Journal,
        files: FileStore,
        flows: Path,
        clock: Clock,
        pace: Pace | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        """`flows` is the folder that pictures of flows stand in. `keeping`: the one that the receiver writes with."""
        self.bot: Bot | None = None
        self._line = line
        self._pace = pace or Pace(clock)
        asker = Asker(clock)
        self._messages = Messages(line, asker)
        self._answers = Answers(line, asker)
        self._surfaces = Surfaces(journal, keeping or Keeping(journal), lambda: line.bot_id)
        self._sharing = Sharing(self._messages, journal, lambda: line.bot_id)
        self._pictures = Pictures(files=files, flows=flows)
        self._gone: set[str] = set()
        self._stumbled: Counter[str] = Counter()
        self._closing: set[asyncio.Task[None]] = set()

    async def deliver(self, outgoing: Outgoing) -> None:
        """Bring one thing to the customer, once, however often it is called with the same row.

        What cannot reach its customer, or Telegram never takes, counts as delivered; the log says so. Raises Elsewhere
        for a chat of another channel, and anything else to be tried again. Waits for the line, and as Telegram wishes.
        """
        if not outgoing.chat.startswith(CHANNEL):
            raise Elsewhere("this message is for a customer of another channel")
        delivery = decode(outgoing)
        reply, place = delivery.reply_to, self._place(outgoing)
        if place is None:
            log.error("message %s is for nobody: “%s” is no customer of Telegram", outgoing.id, outgoing.chat)
            return
        if outgoing.chat in self._gone and reply is None:
            return
        await self._line.ready()
        try:
            await self._bring(place, outgoing, delivery.effect, reply)
        except Gone as gone:
            self._gone.add(outgoing.chat)
            log.info("%s cannot be written to (%s): left out until they write again", outgoing.chat, gone)
        except Refused as refused:
            log.error("message %s is left out: Telegram refuses it (%s)", outgoing.id, refused)
        except Strange as strange:
            self._stumbled[outgoing.id] += 1
            if self._stumbled[outgoing.id] < _ATTEMPTS:
                raise
            del self._stumbled[outgoing.id]
            log.exception("message %s is left out: %s", outgoing.id, strange)
        else:
            self._gone.discard(outgoing.chat)

    async def _bring(self, place: Place, outgoing: Outgoing, effect: Visible, reply: str | None) -> None:
        if not isinstance(effect, Notice):
            self._close(reply)
        match effect:
            case Show() as show:
                await self._show(place, outgoing, show, reply)
            case Say(text=text):
                await self._say(place, outgoing, text, reply)
            case Notice() as notice:
                await self._notice(place, notice, reply)
            case never:
                assert_never(never)

    async def acknowledge(self, query_id: int) -> None:
        """Answer a press with nothing, unless it was answered. Raises what another attempt may mend."""
        try:
            await self._answers.answer("a press", query_id)
        except (Gone, Strange) as error:
            log.info("the press %d cannot be answered: %s", query_id, error)

    def _close(self, reply: str | None) -> None:
        """A notice of a press comes before everything else that answers it: with a message there is none to wait for,
        and the button stops spinning while the message is on its way."""
        query = _query(reply)
        if query is None or self._answers.knows(query):
            return
        task = asyncio.create_task(self._closed(query), name=f"press {query}")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _closed(self, query: int) -> None:
        try:
            await self.acknowledge(query)
        except Exception as error:  # the receiver sees to it once more
            log.info("the press %d is not answered yet: %s", query, name_of(error))

    def heard(self, chat: str) -> None:
        """The customer of this chat has done something: they can be written to, and are not kept waiting."""
        self._gone.discard(chat)
        self._pace.heard(chat)

    # --- what is shown ----------------------------------------------------------------------------------

    async def _show(self, place: Place, outgoing: Outgoing, show: Show, reply: str | None) -> None:
        message = Message(
            text=render(show.text),
            rows=show.rows,
            surface=pressed(outgoing.surface, show),
            draw=show.draw,
            picture=None if show.photo is None else await self._pictures.find(show.photo),
        )
        if show.photo is not None and message.picture is None:
            log.warning("the picture of message %s is not there: its text goes alone", outgoing.id)
        await self._pace.turn(place.chat, reply)
        old = await self._surfaces.find(place.chat, outgoing.surface) if show.edit else None
        if old is None or not await self._edited(place, outgoing, old, message):
            await self._surfaces.keep(outgoing, await self._messages.send(place, message))
            if old is not None:
                await self._messages.delete(place.chat, place.customer, old.message)
        await self._sharing.shown(place, outgoing, show.accepts, self._label)

    async def _edited(self, place: Place, outgoing: Outgoing, old: Sent, message: Message) -> bool:
        new = await self._messages.edit(place, old, message)
        if new is None:
            return False
        if new != old:
            await self._surfaces.redrawn(outgoing, new)
        return True

    async def _say(self, place: Place, outgoing: Outgoing, html: str, reply: str | None) -> None:
        await self._pace.turn(place.chat, reply)
        await self._messages.send(place, Message(text=render(html)))
        keyboard = await self._sharing.current(place.chat)
        if keyboard.message and not await self._is_asked(place.chat, keyboard.surface):
            await self._sharing.away(place, outgoing)

    async def _notice(self, place: Place, notice: Notice, reply: str | None) -> None:
        text = plain(notice.text, LONGEST_NOTICE)
        query = _query(reply)
        if query is not None and await self._answers.answer(
            place.chat, query, text=text, alert=notice.alert, row=place.key
        ):
            return
        if text:  # nobody pressed, or the press could not wait for it
            await self._pace.turn(place.chat, reply)
            await self._messages.send(place, Message(text=render(escape(text, quote=False))))

    async def _is_asked(self, chat: str, surface: str) -> bool:
        """Whether this surface's question still is the one in front."""
        assert self.bot is not None, "a channel is given its engine before it delivers"
        loaded = await self.bot.chat(chat)
        front = next((item for item in loaded.open if item.id == loaded.chat.front), None)
        return front is not None and f"{front.id}.{drawn_in(front.top.visit)}" == surface

    async def _label(self, chat: str, kind: str) -> str:
        assert self.bot is not None, "a channel is given its engine before it delivers"
        loaded = await self.bot.chat(chat)
        return plain(self.bot.words(loaded.chat, f"share.{kind}"), LONGEST_NOTICE)

    def _place(self, outgoing: Outgoing) -> Place | None:
        number = outgoing.chat.removeprefix(CHANNEL)
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 2**63):
            return None
        # An apology that never stood in the outbox has no number of its own.
        identity = outgoing.id if outgoing.sequence > 0 else f"{outgoing.id}@{outgoing.created_at.isoformat()}"
        return Place(chat=outgoing.chat, customer=int(number), key=f"{self._line.bot_id}/{identity}")


def _query(reply: str | None) -> int | None:
    """The press that an update is: `telegram:<bot>:cb:<query id>`; None: it is no press."""
    parts = (reply or "").split(":")
    if len(parts) != 4 or parts[0] != CHANNEL[:-1] or parts[2] != _PRESS:
        return None
    try:
        return int(parts[3])
    except ValueError:
        return None
