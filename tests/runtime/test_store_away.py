"""The store fails for a while: updates wait for it, in order; nothing is dropped without a word, nothing half done."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

import engine.runtime.dispatcher
from engine.actions import Context, action
from engine.core.events import TextReceived
from engine.runtime.ports import Commit, Envelope
from engine.runtime.routing import Command
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from tests.runtime.flows import ORDER
from tests.runtime.harness import Bot, assemble, offering

TAKE = """
flow: take
title: Take
entry: {commands: [take]}
steps:
  take:
    do: stock.take
    transitions: {taken: done, failed: broken}
  done: {text: Taken., end: completed}
  broken: {text: Broken., end: failed}
"""


class Failing(MemoryStore):
    """Fails at as many commits and statements as it is told."""

    commits = 0
    statements = 0

    async def commit(self, commits: Sequence[Commit]) -> None:
        if self.commits:
            self.commits -= 1
            raise StoreUnavailable("The disk is full.")
        await super().commit(commits)

    def transaction(self) -> Any:
        return self._failing()

    @asynccontextmanager
    async def _failing(self) -> Any:
        async with super().transaction() as transaction:
            execute = transaction.execute

            async def failing(sql: str, parameters: Sequence[object] = ()) -> int:
                if self.statements:
                    self.statements -= 1
                    raise StoreUnavailable("The disk is full.")
                return await execute(sql, parameters)

            transaction.execute = failing  # type: ignore[method-assign]
            yield transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    count: int


@pytest.fixture
async def bot(tmp_path, monkeypatch):
    calls: list[int] = []

    @action(transactional=True)
    async def take(context: Context) -> Taken:
        """Takes one."""
        calls.append(1)
        assert context.transaction is not None
        await context.transaction.execute("DELETE FROM print_files WHERE id = ?", (1,))
        return Taken(count=len(calls))

    monkeypatch.setattr(engine.runtime.dispatcher, "AGAIN", 0.02)
    made = assemble(tmp_path, {"order": ORDER, "take": TAKE}, store=Failing(), offers=offering("stock", take))
    made.app.runtime._executor._pauses = (0.01, 0.01)
    await made.app.start()
    yield made
    await made.app.stop()


async def test_updates_wait_for_the_store_in_order(bot: Bot) -> None:
    bot.app.store.commits = 2
    hello = Envelope(chat=bot.chat, update="a", what=Command(name="order"))
    name = Envelope(chat=bot.chat, update="b", what=TextReceived(at=bot.clock.now(), text="Anna"))
    assert await asyncio.gather(bot.app.handle(hello), bot.app.handle(name)) == [True, True]
    await bot.app.run_due()
    assert bot.screen.texts(bot.chat) == ["Name?", "Colour?"]


async def test_when_it_takes_too_long_the_customer_is_told_and_the_update_never_comes_again(bot: Bot) -> None:
    bot.app.store.commits = 4  # the tries, and the apology's own commit
    hello = Envelope(chat=bot.chat, update="a", what=Command(name="order"))
    assert not await bot.app.handle(hello)
    (told,) = bot.screen.texts(bot.chat)
    assert not await bot.app.handle(hello) or bot.screen.texts(bot.chat) == [told]
    await bot.command("order", update="b")
    await bot.send(Command(name="order"), update="a")
    assert bot.screen.texts(bot.chat) == [told, "Name?"]


async def test_without_store_and_channel_it_goes_on_waiting(bot: Bot) -> None:
    bot.app.store.commits = 100
    bot.screen.down = True
    handling = asyncio.create_task(bot.app.handle(Envelope(chat=bot.chat, update="a", what=Command(name="order"))))
    await asyncio.sleep(0.2)
    assert not handling.done()
    bot.app.store.commits, bot.screen.down = 0, False
    assert await handling
    await bot.app.run_due()
    assert bot.screen.texts(bot.chat) == ["Name?"]


async def test_what_fails_inside_a_transactional_action_is_no_failure_of_the_action(bot: Bot) -> None:
    bot.app.store.statements = 1
    await bot.command("take")
    assert bot.screen.texts(bot.chat) == ["Taken."]
