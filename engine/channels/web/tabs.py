"""Open tabs of the page and the hub that finds them. No protocol here: what is sent is somebody else's message."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from engine.runtime.journal import Person

WAITING: Final = 2000
"""Messages that may wait for one tab; a tab that takes none for so long is cut off, and reads the journal anew."""
_REMEMBERED: Final = 64
CHANNEL: Final = "web:"

Message = Mapping[str, object]
_encoder = msgspec.json.Encoder()


def chat_of(person: str) -> str:
    """The chat of a person id."""
    return CHANNEL + person


class Tab:
    """One WebSocket. `send` never waits for the network: a writer of the socket empties the queue."""

    def __init__(self, person: Person) -> None:
        self.person = person
        """Who the tab speaks for, as they are now."""
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._asked: dict[str, bool] = {}
        self._held: list[str] | None = None
        self._closed = False

    @property
    def chat(self) -> str:
        """`web:` and the person's id."""
        return chat_of(self.person.id)

    @property
    def closed(self) -> bool:
        """Nothing more is sent to it."""
        return self._closed

    async def send(self, message: Message) -> None:
        """Queue a message for the page. One for a closed tab is dropped."""
        self.tell(message)

    def tell(self, message: Message) -> None:
        """`send` for those who cannot wait."""
        self._put(_encoder.encode(message).decode())

    def push(self, frame: str) -> None:
        """Queue a message that is for several tabs and encoded already."""
        if self._held is None:
            self._put(frame)
        elif len(self._held) < WAITING:
            self._held.append(frame)

    def hold(self) -> None:
        """Keep what is for several tabs until `release`: the tab has to be welcomed first."""
        self._held = []

    def release(self) -> None:
        """Queue what was kept back."""
        held, self._held = self._held or [], None
        for frame in held:
            self._put(frame)

    def _put(self, frame: str) -> None:
        if self._closed:
            return
        if self._queue.qsize() >= WAITING:
            self.close()
            return
        self._queue.put_nowait(frame)

    def close(self) -> None:
        """Send what is queued and then end; `frame` gives None after that."""
        if not self._closed:
            self._closed = True
            self._queue.put_nowait(None)

    async def frame(self) -> str | None:
        """The next encoded message for the socket; None: the tab is to be closed."""
        return await self._queue.get()

    def note(self, key: str) -> None:
        """This tab has sent the input with this id: the answer to it is for this tab."""
        self._asked.setdefault(key, False)
        if len(self._asked) > _REMEMBERED:
            del self._asked[next(iter(self._asked))]

    def asked(self, key: str) -> bool:
        """Whether the input with this id came from this tab, as far as is remembered."""
        return key in self._asked

    def answer(self, key: str) -> bool:
        """The input with this id is answered now. False: it was before, or it did not come from this tab."""
        if self._asked.get(key, True):
            return False
        self._asked[key] = True
        return True


class Tabs:
    """All open tabs of all people."""

    def __init__(self) -> None:
        self._tabs: dict[str, list[Tab]] = {}

    def __iter__(self) -> Iterator[Tab]:
        return iter([tab for tabs in self._tabs.values() for tab in tabs])

    def __len__(self) -> int:
        return sum(len(tabs) for tabs in self._tabs.values())

    def add(self, tab: Tab) -> None:
        """The tab takes part from now on."""
        self._tabs.setdefault(tab.chat, []).append(tab)

    def remove(self, tab: Tab) -> None:
        """The tab is gone; one that is not known is fine."""
        tabs = self._tabs.get(tab.chat, [])
        if tab in tabs:
            tabs.remove(tab)
        if not tabs:
            self._tabs.pop(tab.chat, None)

    def of(self, chat: str) -> tuple[Tab, ...]:
        """The open tabs of one chat."""
        return tuple(self._tabs.get(chat, ()))

    def here(self, person: str) -> bool:
        """Whether any tab speaks for this person."""
        return chat_of(person) in self._tabs

    def know(self, person: Person) -> None:
        """The person has changed: their tabs know it."""
        for tab in self.of(chat_of(person.id)):
            tab.person = person

    async def broadcast(self, chat: str | None, message: Message) -> None:
        """Send to every tab of a chat; None: to all tabs."""
        tabs = tuple(self) if chat is None else self.of(chat)
        if not tabs:
            return
        frame = _encoder.encode(message).decode()
        for tab in tabs:
            tab.push(frame)
