"""What the page keeps in memory: of somebody who is away, of an open tab, of a long journal. And the way into one."""

import asyncio
import gc
import socket
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from engine.channels.web.entries import Said, encoded
from engine.runtime.journal import Entry, Journal
from tests.benchmarks.figures import Figure, Size, middle
from tests.benchmarks.page_work import client, serving, settings_of, tab

ENTRIES: Final = 1_000
_WARM: Final = 20
"""People who come and go before anything is weighed: they fill what is filled once in a process."""
_CHUNK: Final = 65536


class Thin:
    """A tab on a bare socket, so that its own side of the wire weighs next to nothing."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setblocking(False)

    async def join(self, address: str) -> None:
        """Connect and say hello as somebody new; returns when the chat is there."""
        loop = asyncio.get_running_loop()
        host, _, port = address.removeprefix("http://").partition(":")
        await loop.sock_connect(self._socket, (host, int(port)))
        await loop.sock_sendall(
            self._socket,
            f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {address}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode(),
        )
        await self._until(b"\r\n\r\n")
        hello = msgspec.json.encode({"type": "hello", "person": "new", "known": 0})
        # a final text frame under 126 bytes, masked with zeros
        await loop.sock_sendall(self._socket, bytes((0x81, 0x80 | len(hello), 0, 0, 0, 0)) + hello)
        await self._until(b'"type":"entries"')

    async def _until(self, part: bytes) -> None:
        seen = b""
        while part not in seen:
            read = await asyncio.get_running_loop().sock_recv(self._socket, _CHUNK)
            assert read, "the server has hung up"
            seen += read

    def close(self) -> None:
        self._socket.close()


async def _weight() -> int:
    """Bytes that Python has allocated once everything is at rest."""
    await asyncio.sleep(0.3)  # who is there is told to all tabs a moment later
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def _come(address: str, people: int) -> list[Thin]:
    tabs = [Thin() for _ in range(people)]
    for one in tabs:
        await one.join(address)
    return tabs


async def _go(tabs: list[Thin]) -> None:
    for one in tabs:
        one.close()
    tabs.clear()


async def figures(place: Path, size: Size) -> list[Figure]:
    """Bytes per open tab, per person who is away, per entry of a journal that an open tab has; the way into it."""
    people = size.idle // 4
    async with serving(settings_of(place)) as (page, address):
        tracemalloc.start()
        try:
            await _go(await _come(address, _WARM))
            before = await _weight()
            tabs = await _come(address, people)
            there = await _weight()
            await _go(tabs)
            gone = await _weight()
            entry = await _per_entry(page.app.store.journal)
        finally:
            tracemalloc.stop()
    away = max(0.0, (gone - before) / people)
    return [
        Figure(name="memory: an open tab", value=max(0.0, (there - gone) / people), unit="B"),
        Figure(name="memory: somebody who is away", value=away, unit="B", goal=4096, absolute=True),
        Figure(name="memory: an entry of the journal", value=entry, unit="B"),
        await _way_in(place / "way", size),
    ]


async def _per_entry(journal: Journal) -> float:
    await _fill(journal, "web:first", ENTRIES)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    await _fill(journal, "web:second", ENTRIES)
    gc.collect()
    return max(0.0, (tracemalloc.get_traced_memory()[0] - before) / ENTRIES)


async def _fill(journal: Journal, chat: str, entries: int) -> None:
    now = datetime.now(UTC)
    said = encoded(Said(html="<b>A message</b> of usual length, which says this and that to the customer."))
    await journal.append_all(
        [Entry(chat=chat, at=now, kind="say", key=f"{chat}:{number}", payload=said) for number in range(entries)]
    )


async def _way_in(place: Path, size: Size) -> Figure:
    """Milliseconds from hello to the entries in a chat with a long journal, and in an empty one."""
    long, short = list[float](), list[float]()
    async with serving(settings_of(place)) as (page, address), client() as session:
        ids = []
        for _ in range(2):
            async with tab(session, address) as person:
                ids.append((await person.hello())["person"]["id"])
        await _fill(page.app.store.journal, f"web:{ids[0]}", ENTRIES)
        for _ in range(size.rounds * 4):
            for taken, identity in zip((long, short), ids, strict=True):
                async with tab(session, address) as person:
                    begun = time.perf_counter()
                    await person.hello(identity)
                    taken.append((time.perf_counter() - begun) * 1e3)
    name = f"page: hello to the chat, {ENTRIES:,} entries / empty"
    return Figure(name=name, value=middle(long), unit="ms", floor=middle(short))
