"""The power cut before and after every single write and delivery of an order: nothing lost, nothing twice.

In one process: what stands in SQLite, at the backend and on the phone stays, everything else is gone.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from engine.core.events import FileReceived, TextReceived
from engine.runtime.ports import Envelope
from engine.runtime.routing import CallbackPressed, Command
from storage.sqlite_store import SqliteStore
from tests.backend import Backend
from tests.journeys.order import DOCUMENT
from tests.journeys.power import Power, PoweredChannel, PoweredStore
from tests.journeys.shop import START, Customer, Shop

LONG = bool(os.environ.get("STEPGRAM_LONG"))
Input = Callable[[Customer], object]


def says(text: str) -> Input:
    return lambda _: TextReceived(at=START, text=text)


def presses(label: str) -> Input:
    return lambda anna: CallbackPressed(data=anna.button(label))


def sends(name: str) -> Input:
    ref = name[0] * 24
    return lambda _: FileReceived(
        at=START, file={"name": name, "size": 3000, "mime": "model/stl", "ref": ref, "kind": "document"}
    )


INPUTS: tuple[Input, ...] = (
    lambda _: Command(name="order"),
    presses("FDM printing"),
    says("Zoë O'Neill"),
    says("zoe@example.com"),
    says("+49 30 901820"),
    sends("cube.stl"),
    sends("plate <1>.3mf"),
    presses("That's all"),
    presses("PETG"),
    presses("Standard"),
    presses("30 %"),
    lambda _: Command(name="my_orders"),
    presses("✅ Done"),
    presses("▶️ Continue"),
    presses("Blue"),
    presses("Delivery"),
    says("Am Hafen 1, 20457 Hamburg"),
    presses("✅ Order"),
)


class House:
    """A shop in a house where the power fails once."""

    def __init__(self, folder: Path, catalog: Catalog, backend: Backend, power: Power) -> None:
        self.shop = Shop(folder, catalog, backend=backend)
        self.power = power
        self.anna = self.shop.customer()
        self.cuts = 0
        self._tasks: set[asyncio.Task[object]] = set()

    async def opens(self) -> None:
        self._tasks = asyncio.all_tasks()
        store = SqliteStore(self.shop.folder / "shop.sqlite3", synchronous="NORMAL")
        self.store = store
        powered = PoweredStore(store, self.power)
        self.shop.app = self.shop.built(powered, PoweredChannel(self.shop.phones, self.power))
        await self.shop.app.start()

    async def lives(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it, and again from the start when the power fails meanwhile."""
        while True:
            task = asyncio.ensure_future(work())
            dark = asyncio.ensure_future(self.power.gone.wait())
            done, _ = await asyncio.wait({task, dark}, return_when=asyncio.FIRST_COMPLETED)
            dark.cancel()
            if task in done:
                task.result()
                return
            await self._falls_dark()

    async def _falls_dark(self) -> None:
        """Everything of the bot is gone, and after a while it is started anew."""
        self.cuts += 1
        here = asyncio.current_task()
        mine = [task for task in asyncio.all_tasks() - self._tasks if task is not here and not _backends(task)]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        await self.store.close()
        self.power = Power()
        await self.opens()

    async def orders(self) -> None:
        """The whole order, every input under an id of its own, sent again until it has been taken."""
        for number, given in enumerate(INPUTS):
            envelope: list[Envelope] = []

            async def sent(number: int = number, given: Input = given, envelope: list[Envelope] = envelope) -> None:
                if not envelope:  # what the customer did, they do once; the channel brings it again
                    what = given(self.anna)
                    envelope.append(Envelope(chat=self.anna.chat, update=f"u{number}", what=what, name="Anna"))
                assert await self.shop.app.handle(envelope[0])
                await self.shop.app.run_due()

            await self.lives(sent)

    async def closes(self) -> None:
        await self.lives(self.shop.app.run_due)
        await self.shop.app.stop()


def _backends(task: "asyncio.Task[object]") -> bool:
    """Whether the task belongs to the backend, which has power of its own."""
    return "aiohttp/web" in str(getattr(task.get_coro(), "cr_code", ""))


async def story(folder: Path, catalog: Catalog, power: Power) -> tuple[House, Backend]:
    folder.mkdir(parents=True)
    async with Backend() as backend:
        house = House(folder, catalog, backend, power)
        for name in ("c", "p"):
            place = folder / "files" / (name * 2)
            place.mkdir(parents=True)
            (place / (name * 24)).write_bytes(name.encode() * 3000)
        await house.opens()
        await house.orders()
        await house.closes()
        return house, backend


def texts(house: House) -> list[str]:
    return [effect.text for effect in house.anna.feed.everything]


async def check(folder: Path, catalog: Catalog, whole: list[str], at: int, *, after: bool) -> int:
    """How many times the power failed: none when this time so many writes were not needed."""
    house, backend = await story(folder, catalog, Power(at, after=after))
    where = f"cut {'after' if after else 'before'} write {at}"
    assert backend.orders == [DOCUMENT], where
    assert [file.name for file in backend.uploads] == ["cube.stl", "plate <1>.3mf"], where
    assert texts(house) == whole, where
    return house.cuts


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_the_power_fails_once(tmp_path: Path, catalog: Catalog, after: bool) -> None:
    whole, backend = await story(tmp_path / "whole", catalog, Power())
    assert backend.orders == [DOCUMENT]
    assert "NL-00001" in texts(whole)[-1]
    step = 1 if LONG else 6
    moments = range(1 + after * (step // 2), whole.power.count + 1, step)
    cuts = [await check(tmp_path / f"cut{at}", catalog, texts(whole), at, after=after) for at in moments]
    assert sum(cuts) >= 0.9 * len(moments)
