"""Several workers on one PostgreSQL database: who handles what, in order, and what becomes of it when one is gone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine.app import App
from engine.core.events import TextReceived
from engine.runtime.clock import SystemClock
from engine.runtime.outbox import decode
from engine.runtime.ports import Elsewhere, Envelope, Outgoing
from engine.runtime.routing import Command
from engine.runtime.sharing import bucket_of
from tests.runtime.flows import ORDER, SLOW
from tests.runtime.harness import Screen, assemble

CHATS = tuple(f"desk:{number}" for number in range(24))
FLOWS = {"order": ORDER, "slow": SLOW}


class Nowhere:
    """The channel of a worker without doors."""

    async def deliver(self, outgoing: Outgoing) -> None:
        raise Elsewhere("no channel here")


class Fleet:
    """Workers of one test. The first one has the customers' channel."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self.screen = Screen()
        self.apps: list[App] = []
        self._counts: dict[str, int] = {}

    async def worker(self) -> App:
        from storage.postgres_store import PostgresStore

        number = len(self.apps)
        bot = assemble(
            self._folder,
            FLOWS,
            store=PostgresStore(self._url, worker=f"w{number}"),
            screen=self.screen if number == 0 else Nowhere(),  # type: ignore[arg-type]
            clock=SystemClock(),  # type: ignore[arg-type]
            seed=number + 1,
        )
        await bot.app.start()
        self.apps.append(bot.app)
        return bot.app

    def buckets(self, app: App) -> frozenset[int]:
        fleet = app.runtime._fleet
        assert fleet is not None
        return fleet.buckets

    async def shared_out(self) -> None:
        """Every bucket is at exactly one of them, and nobody has all."""
        async with asyncio.timeout(15):
            while True:
                held = [self.buckets(app) for app in self.apps]
                if sum(map(len, held)) == len(frozenset().union(*held)) == 256 and all(
                    len(one) <= -(-256 // len(self.apps)) for one in held
                ):
                    return
                await asyncio.sleep(0.05)

    async def says(self, chat: str, what: object, *, app: App | None = None, update: str = "") -> bool:
        number = self._counts[chat] = self._counts.get(chat, 0) + 1
        envelope = Envelope(chat=chat, update=update or f"{chat}#{number}", what=what, name="Anna")
        return await (app or self.apps[0]).handle(envelope)

    async def types(self, chat: str, text: str) -> bool:
        return await self.says(chat, TextReceived(at=SystemClock().now(), text=text))

    async def until(self, condition: Callable[[], bool], seconds: float = 15) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)


@pytest.fixture
async def fleet(tmp_path: Path, database_url: str) -> AsyncIterator[Fleet]:
    made = Fleet(tmp_path, database_url)
    yield made
    for app in reversed(made.apps):
        await app.stop()


async def test_customers_of_one_door_are_served_by_all_in_order(fleet: Fleet) -> None:
    first, second = await fleet.worker(), await fleet.worker()
    await fleet.shared_out()
    for chat in CHATS:
        assert await fleet.says(chat, Command(name="order"))
        assert await fleet.types(chat, f"Anna {chat}")
        assert await fleet.types(chat, "blue")
    await fleet.until(lambda: all(len(fleet.screen.texts(chat)) >= 3 for chat in CHATS))
    for chat in CHATS:
        assert fleet.screen.texts(chat) == ["Name?", "Colour?", f"Bye Anna {chat}, blue"]
    theirs = [chat for chat in CHATS if bucket_of(chat) in fleet.buckets(second)]
    assert theirs
    assert len(theirs) < len(CHATS)
    assert len({row.id for row in fleet.screen.rows}) == len(fleet.screen.rows)
    for app in (first, second):
        await app.run_due()
    assert await first.store.undelivered() == ()


async def test_a_burst_for_a_chat_of_another_worker_keeps_its_order(fleet: Fleet) -> None:
    await fleet.worker()
    second = await fleet.worker()
    await fleet.shared_out()
    chat = next(chat for chat in CHATS if bucket_of(chat) in fleet.buckets(second))
    await asyncio.gather(
        fleet.says(chat, Command(name="order")), *(fleet.types(chat, f"{number}") for number in range(30))
    )
    await fleet.until(lambda: len(fleet.screen.texts(chat)) >= 31)
    # the first text is the name, every other one is no colour
    shown = [decode(row).effect for row in fleet.screen.rows]
    assert shown[0].text == "Name?"
    assert shown[1].text == "Colour?"


async def test_the_same_update_by_letter_and_again_is_handled_once(fleet: Fleet) -> None:
    await fleet.worker()
    second = await fleet.worker()
    await fleet.shared_out()
    chat = next(chat for chat in CHATS if bucket_of(chat) in fleet.buckets(second))
    for _ in range(3):
        await fleet.says(chat, Command(name="order"), update="u1")
    await fleet.until(lambda: len(fleet.screen.texts(chat)) >= 1)
    await fleet.says(chat, Command(name="order"), update="u1", app=second)
    await asyncio.sleep(0.3)
    assert fleet.screen.texts(chat) == ["Name?"]


async def test_a_worker_that_ends_leaves_nothing_behind(fleet: Fleet) -> None:
    first, second = await fleet.worker(), await fleet.worker()
    await fleet.shared_out()
    for chat in CHATS:
        await fleet.says(chat, Command(name="order"))
    await fleet.until(lambda: all(fleet.screen.texts(chat) for chat in CHATS))
    fleet.apps.remove(second)
    await second.stop()
    await fleet.until(lambda: len(fleet.buckets(first)) == 256, 5)
    for chat in CHATS:
        await fleet.types(chat, "Anna")
    await fleet.until(lambda: all(fleet.screen.texts(chat) == ["Name?", "Colour?"] for chat in CHATS))


async def test_what_a_dead_worker_had_is_taken_over(fleet: Fleet) -> None:
    first, second = await fleet.worker(), await fleet.worker()
    await fleet.shared_out()
    dead = second.runtime._fleet
    assert dead is not None
    assert dead._beating is not None
    dead._beating.cancel()  # it beats no more, as if its machine had gone; but it goes on handling what it has
    dead._stopped = True
    chat = next(chat for chat in CHATS if bucket_of(chat) in fleet.buckets(second))
    await fleet.says(chat, Command(name="order"))
    await fleet.until(lambda: fleet.screen.texts(chat) == ["Name?"], 12)
    assert len(fleet.buckets(first)) == 256
    # a zombie's commit is refused: what it plays is not written, and the update goes to the one that has the chat
    late = Envelope(chat=chat, update="zombie", what=TextReceived(at=SystemClock().now(), text="Zoe"), name="Anna")
    assert await second.runtime._dispatcher.post(late)
    await fleet.until(lambda: fleet.screen.texts(chat) == ["Name?", "Colour?"])


async def test_workers_that_come_and_go_lose_and_double_nothing(fleet: Fleet) -> None:
    await fleet.worker()
    for chat in CHATS:
        await fleet.says(chat, Command(name="order"))

    async def talk(chat: str) -> None:
        for number in range(20):
            await fleet.types(chat, "Anna" if number == 0 else "purple")
            await asyncio.sleep(0.05)
        await fleet.types(chat, "red")

    talking = [asyncio.create_task(talk(chat)) for chat in CHATS]
    for _ in range(3):
        other = await fleet.worker()
        await asyncio.sleep(0.4)
        fleet.apps.remove(other)
        await other.stop()
    await asyncio.gather(*talking)
    await fleet.until(lambda: all("Bye Anna, red" in fleet.screen.texts(chat) for chat in CHATS), 20)
    for chat in CHATS:
        texts = fleet.screen.texts(chat)
        assert texts[:2] == ["Name?", "Colour?"]
        assert texts.count("Bye Anna, red") == 1
        assert len(texts) == 22, texts
    assert len({row.id for row in fleet.screen.rows}) == len(fleet.screen.rows)
