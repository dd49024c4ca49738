"""A bot under load, as a process: `python -m tests.cli.load FOLDER` lets customers begin and go on until it is killed.
It prints a line for each hundred events. For tests only."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from engine.app import App, build
from engine.core.events import FileReceived, TextReceived
from engine.runtime.clock import SystemClock
from engine.runtime.ports import Envelope, Outgoing
from engine.runtime.routing import Command
from engine.settings import Settings

FLOW = """\
flow: shop
title: Shop
entry: {commands: [shop]}
steps:
  model:
    ask: file
    text: Please send your model.
  name:
    ask: text
    text: What is your name?
  paid:
    text: Waiting for your money, {{ name }}.
    wait:
      money.came: thanks
      after: {time: 24h, to: thanks}
  thanks:
    text: Thank you, {{ name }}!
    end: completed
"""


class Nobody:
    """A channel whose customers are reached two times out of three."""

    def __init__(self) -> None:
        self._count = 0

    async def deliver(self, _: Outgoing) -> None:
        self._count += 1
        await asyncio.sleep(0)
        if self._count % 3 == 0:
            raise ConnectionError


async def piece(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


async def customer(app: App, number: int) -> None:
    """One that gets as far as their number says, and some that end and begin again."""
    chat, count = f"web:{number}", 0

    async def send(what: object) -> None:
        nonlocal count
        count += 1
        await app.handle(Envelope(chat=chat, update=f"{chat}.{count}", what=what, name=f"Customer {number}"))

    while True:
        now = SystemClock().now()
        await send(Command(name="shop"))
        if number % 5 == 0:
            return
        stored = await app.files.put(piece(f"model of {number}"))
        file = {"ref": stored.ref, "name": "m.stl", "size": stored.size, "mime": "model/stl"}
        await send(FileReceived(at=now, file=file))
        if number % 5 == 1:
            return
        await send(TextReceived(at=now, text=f"Anna {number}"))
        if number % 5 == 2:
            return
        waiting = await app.store.conversations(chat)
        await app.runtime.tell(waiting[0].id, "money.came", {})
        if number % 5 == 3 and count > 12:
            return


async def main(folder: Path) -> None:
    settings = Settings(
        flows=folder / "flows", database=folder / "data" / "a.db", files=folder / "data" / "files", synchronous="NORMAL"
    )
    app = build(settings, channel=Nobody(), environment={})
    await app.start()
    number = 0
    busy: set[asyncio.Task[None]] = set()
    while True:
        if len(busy) < 20:
            number += 1
            busy.add(asyncio.create_task(customer(app, number)))
            continue
        done, busy = await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED, timeout=0.5)
        for task in done:
            task.result()
        print(number, flush=True)
        if number % 20 == 0:
            busy.pop().cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
