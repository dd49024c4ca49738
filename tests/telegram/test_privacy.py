"""What nobody else may read: the token, customers' words, the session, the messages of others."""

import asyncio
import logging
import stat
from pathlib import Path

import pytest

from engine.channels.telegram.line import Line
from engine.core.effects import Say
from engine.runtime.clock import SystemClock
from tests.telegram.delivering import bench, show
from tests.telegram.receiving_rig import Rig, chat_of, until
from tests.telegram.server import API_HASH, API_ID, Account, TelegramServer


async def test_the_log_has_neither_the_token_nor_what_people_write(
    bot: Account, server: TelegramServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    line = Line(api_id=API_ID, api_hash=API_HASH, token=bot.token, folder=tmp_path / "login", clock=SystemClock())
    await line.start(_nobody)
    await line.stop()
    anna = server.add_customer("Anna")
    async with Rig(server, bot, tmp_path) as rig:
        server.post(anna, bot, "my secret words")
        await until(lambda: rig.desk.of(chat_of(anna)))
        await rig.settled()
    async with bench(tmp_path, bot) as out:
        await out.post(f"telegram:{anna.id}").sends(Say(text="for your eyes only"))
    for secret in (bot.token, API_HASH, "secret words", "your eyes"):
        assert secret not in caplog.text


async def _nobody(_: object) -> None:
    """Takes nothing."""


async def test_the_session_is_private_from_its_first_moment(
    bot: Account, server: TelegramServer, tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    folder.mkdir(mode=0o755)
    server.faults.slow("auth.ImportBotAuthorization", 0.4)
    line = Line(api_id=API_ID, api_hash=API_HASH, token=bot.token, folder=folder, clock=SystemClock())
    starting = asyncio.create_task(line.start(_nobody))
    modes: set[int] = set()
    while not starting.done():
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir())
        await asyncio.sleep(0.01)
    await starting
    modes.update(stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir())
    await line.stop()
    assert modes == {0o600}


async def test_another_bot_on_the_same_database_does_not_touch_messages_that_are_not_its_own(
    bot: Account, server: TelegramServer, tmp_path: Path, direct
) -> None:
    anna = direct("Anna")
    other = server.add_bot("other_bot_of_the_shop")
    server.meet(other, anna.account)
    async with bench(tmp_path, bot) as out:
        post = out.post(anna.chat)
        await post.sends(show("Page 1"))
        server.post(other, anna.account, "The other bot's own")
        async with bench(tmp_path, other) as second:
            second.journal = out.journal
            post.channel = second.restarted()
            await post.sends(show("Page 2", draw=2, edit=True))
    assert [seen.text for seen in anna.received] == ["Page 1", "The other bot's own", "Page 2"]


async def test_a_file_that_another_bot_was_sent_is_not_looked_for_among_ones_own(
    bot: Account, server: TelegramServer, tmp_path: Path, direct
) -> None:
    anna, bob = direct("Anna"), direct("Bob")
    other = server.add_bot("other_bot_of_the_shop")
    for account in (anna.account, bob.account):
        server.meet(other, account)
    async with Rig(server, bot, tmp_path) as rig:
        rig.desk.stopped = True  # kept, not handled
        server.faults.slow("upload.GetFile", 30)
        await anna.sends_file(b"Anna's", name="anna.stl")
        await until(lambda: server.count("upload.GetFile"))
        await rig.crash()
        server.faults.clear()
        rig.desk.stopped = False
        server.expire_references()
        server.post(bob.account, other, blob=b"Bob's.", name="bob.stl")  # the same number in the other bot's box
        rig.bot = other
        await rig.begin()
        await until(lambda: rig.mouth.delivered)
        await rig.settled()
        assert rig.desk.files() == []
        assert rig.kept() == []


async def test_a_file_that_no_conversation_took_can_be_found_and_deleted(
    bot: Account, server: TelegramServer, tmp_path: Path, direct
) -> None:
    from datetime import timedelta

    from engine.serving import KEPT, forget_old

    anna = direct("Anna")
    async with Rig(server, bot, tmp_path) as rig:
        await anna.sends_file(b"data", name="part.stl")
        await until(rig.desk.files)
        await rig.settled()
        await asyncio.sleep(0.4)  # gone from the inbox as well
        await forget_old(rig.store, rig.files, SystemClock().now())
        assert len(rig.kept()) == 1
        await forget_old(rig.store, rig.files, SystemClock().now() + KEPT + timedelta(days=1))
        assert rig.kept() == []
