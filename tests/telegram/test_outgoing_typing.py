"""“typing…” while an action runs, and nothing of it when the answer comes at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest_asyncio

from engine.channels.telegram.indicator import Typing
from engine.core.conversation import Phase
from tests.telegram.delivering import Bench, bench


@pytest_asyncio.fixture
async def out(tmp_path: Path, bot) -> AsyncIterator[Bench]:
    async with bench(tmp_path, bot) as made:
        yield made


class Chats:
    """One chat whose front conversation is in a phase."""

    phase = Phase.ASKING

    async def __call__(self, chat: str):
        top = SimpleNamespace(visit=SimpleNamespace(phase=self.phase))
        return SimpleNamespace(chat=SimpleNamespace(front="c"), open=(SimpleNamespace(id="c", top=top),))


async def test_shown_again_as_long_as_the_work_takes(out, customer):
    anna, chats = await customer("Anna"), Chats()
    typing = Typing(out.line, chats, pause=0.05, again=0.1)
    chats.phase = Phase.RUNNING
    typing.committed(anna.chat)
    typing.committed(anna.chat)
    await anna.until(lambda: len(anna.actions) >= 3 or None, "typing three times")
    chats.phase = Phase.ASKING
    await asyncio.sleep(0.3)
    count = len(anna.actions)
    await asyncio.sleep(0.3)
    assert anna.actions == ["typing"] * count
    await typing.stop()


async def test_not_for_an_answer_at_once(out, customer):
    anna, chats = await customer("Anna"), Chats()
    typing = Typing(out.line, chats, pause=0.1)
    typing.committed(anna.chat)
    chats.phase = Phase.RUNNING
    typing.committed("web:somebody")
    await asyncio.sleep(0)
    chats.phase = Phase.ASKING
    await asyncio.sleep(0.3)
    assert anna.actions == []
    await typing.stop()


async def test_trouble_ends_it_quietly(out, customer, server):
    anna, chats = await customer("Anna"), Chats()
    chats.phase = Phase.FETCHING
    fault = server.faults.fail("messages.SetTyping", 400, "USER_IS_BLOCKED")
    typing = Typing(out.line, chats, pause=0.01, again=0.05)
    typing.committed(anna.chat)
    async with asyncio.timeout(40):
        while not fault.hits:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    assert fault.hits == 1
    await typing.stop()
