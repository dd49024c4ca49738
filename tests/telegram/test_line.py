"""The line to Telegram: log in, random ids, reconnects, the watchdog, a clean end."""

import asyncio
import logging
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pyrogram import raw, types
from pyrogram.errors import RPCError

from engine.channels.telegram.client import random_id_of
from engine.channels.telegram.faults import code_of, name_of
from engine.channels.telegram.line import CannotLogIn, Line
from engine.runtime.clock import SystemClock
from tests.telegram.server import API_HASH, API_ID, Account
from tests.telegram.server.transport import Link

Make = Callable[..., Line]


class Log:
    """What the line handed on."""

    def __init__(self) -> None:
        self.updates: list[object] = []
        self.connected = 0

    async def received(self, updates: object) -> None:
        self.updates.append(updates)

    async def told(self) -> None:
        self.connected += 1

    @property
    def texts(self) -> list[str]:
        return [
            update.message.message
            for updates in self.updates
            for update in getattr(updates, "updates", [])
            if isinstance(update, raw.types.UpdateNewMessage)
        ]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest_asyncio.fixture
async def make(tmp_path: Path, bot: Account, log: Log) -> AsyncIterator[Make]:
    lines: list[Line] = []

    def new(*, token: str = bot.token, **more: object) -> Line:
        settings = {"api_id": API_ID, "api_hash": API_HASH, "token": token, "folder": tmp_path / "session"}
        line = Line(**{**settings, "clock": SystemClock(), "patience": 2.0, **more})
        line.connected.append(log.told)
        lines.append(line)
        return line

    yield new
    for line in lines:
        await line.stop()


async def until(look: Callable[[], object], seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not look():
            await asyncio.sleep(0.02)


async def test_logs_in_and_knows_itself(make, log, bot, tmp_path):
    line = make()
    await line.start(log.received)
    assert (line.bot_id, line.username) == (bot.id, "print_bot")
    assert log.connected == 1
    kept = list((tmp_path / "session").glob("*.session"))
    assert [stat.S_IMODE(path.stat().st_mode) for path in kept] == [0o600]
    assert stat.S_IMODE((tmp_path / "session").stat().st_mode) == 0o700


async def test_the_second_start_uses_the_session(make, log, server, bot):
    line = make()
    await line.start(log.received)
    await line.stop()
    again = make()
    await again.start(log.received)
    assert server.count("auth.ImportBotAuthorization") == 1


async def test_the_session_is_on_disk_while_it_runs(make, log, bot, tmp_path):
    line = make()
    await line.start(log.received)
    (path,) = (tmp_path / "session").glob("*.session")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as file:
        key, user = file.execute("select auth_key, user_id from sessions").fetchone()
    assert (len(key), user) == (256, bot.id)


async def test_new_errors_leave_no_file_behind(make, log, server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = make()
    await line.start(log.received)
    server.faults.fail("users.GetUsers", 400, "NEVER_HEARD_OF")
    server.faults.fail("users.GetUsers", 499, "NOR_OF_THIS", skip=1)
    for name, code in (("NEVER_HEARD_OF", 400), ("NOR_OF_THIS", 499)):
        with pytest.raises(RPCError) as caught:
            await line.client.invoke(raw.functions.users.GetUsers(id=[]))
        assert (name_of(caught.value), code_of(caught.value)) == (name, code)
    assert not (tmp_path / "unknown_errors.txt").exists()


async def test_a_session_that_is_void_is_made_anew(make, log, server, bot):
    line = make()
    await line.start(log.received)
    await line.stop()
    server.log_out(bot)
    again = make()
    await asyncio.wait_for(again.start(log.received), 20)
    assert again.bot_id == bot.id
    assert server.count("auth.ImportBotAuthorization") == 2


async def test_a_session_whose_key_telegram_has_forgotten_is_made_anew(make, log, server, tmp_path):
    line = make()
    await line.start(log.received)
    await line.stop()
    server.keys.clear()
    await asyncio.wait_for(make(login=2.0).start(log.received), 25)
    assert server.count("auth.ImportBotAuthorization") == 2
    assert not list((tmp_path / "session").glob("*.aside"))


async def test_an_outage_costs_no_session(make, log, server):
    line = make()
    await line.start(log.received)
    await line.stop()
    again = make(login=0.7)
    async with server.unreachable():
        starting = asyncio.create_task(again.start(log.received))
        await asyncio.sleep(1.2)  # before and between two attempts
    await asyncio.wait_for(starting, 25)
    assert log.connected == 2


async def test_a_damaged_session_file_is_made_anew(make, log, tmp_path, bot):
    line = make()
    await line.start(log.received)
    await line.stop()
    for path in (tmp_path / "session").iterdir():
        path.write_bytes(b"this is no database" * 100)
    await make().start(log.received)
    assert log.connected == 2


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def held(path: Path) -> "Iterator[subprocess.Popen[str]]":
    """Another process has this session file open and writes it, as a second bot does."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield other
        other.kill()


async def test_a_session_that_another_process_uses_is_one_clear_sentence_and_stays(make, log, server, tmp_path):
    line = make()
    await line.start(log.received)
    await line.stop()
    (path,) = (tmp_path / "session").glob("*.session")
    before = path.read_bytes()
    with held(path), pytest.raises(CannotLogIn) as caught:
        await asyncio.wait_for(make().start(log.received), 20)
    assert str(caught.value) == (
        f"Another process uses the Telegram session in {tmp_path / 'session'}: end that one, or give this bot a folder "
        "of its own with STEPGRAM_SESSION."
    )
    assert path.read_bytes() == before
    await make().start(log.received)
    assert server.count("auth.ImportBotAuthorization") == 1, "the session is worth as much as before"


async def test_two_lines_cannot_have_one_session(make, log, server, customer):
    first = make()
    await first.start(log.received)
    anna = await customer("Anna")
    await anna.says("hello")
    await until(lambda: log.texts == ["hello"])
    with pytest.raises(CannotLogIn, match="Another process uses"):
        await asyncio.wait_for(make().start(log.received), 20)
    await first.client.send_message(chat_id=anna.id, text="still here")
    await anna.sees("still here")
    assert server.count("auth.ImportBotAuthorization", server.accounts[first.bot_id]) <= 1


async def test_a_process_that_is_just_ending_is_waited_for(make, log, server, tmp_path, caplog):
    line = make()
    await line.start(log.received)
    await line.stop()
    (path,) = (tmp_path / "session").glob("*.session")
    with held(path) as other:
        starting = asyncio.create_task(make().start(log.received))
        await until(lambda: "trying again" in caplog.text)
        other.kill()
        await asyncio.wait_for(starting, 20)
    assert server.count("auth.ImportBotAuthorization") == 1


async def test_a_session_folder_that_cannot_be_written_costs_no_session(make, log, server, tmp_path, monkeypatch):
    line = make()
    await line.start(log.received)
    await line.stop()
    (path,) = (tmp_path / "session").glob("*.session")
    real = sqlite3.connect

    def full(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = real(*args, **options)
        connection.execute("PRAGMA query_only = 1")  # every write fails, as on a disk that is mounted read-only
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", full)
        with pytest.raises(CannotLogIn, match=r"cannot be written or read \(.*readonly.*STEPGRAM_SESSION"):
            await asyncio.wait_for(make().start(log.received), 20)
    assert path.exists()
    await make().start(log.received)
    assert server.count("auth.ImportBotAuthorization") == 1


async def test_a_session_file_of_a_process_that_was_killed_while_it_made_it(make, log, tmp_path):
    line = make()
    await line.start(log.received)
    await line.stop()
    (path,) = (tmp_path / "session").glob("*.session")
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("delete from version")
        file.execute("delete from sessions")
    await asyncio.wait_for(make().start(log.received), 20)
    assert log.connected == 2


async def test_a_line_dropped_in_the_last_moment_of_its_start_is_made_anew(make, log, server, customer, monkeypatch):
    """The library takes it for a started one and hears nothing more: each request would wait for its time to be up."""
    answer, dropped = Link.answer, []

    def last(link: Link, message: Any, result: Any) -> None:
        answer(link, message, result)
        if type(result).__name__ == "Config" and len(dropped) < 2:
            dropped.append(link)
            link.close()

    monkeypatch.setattr(Link, "answer", last)
    line = make(patience=15.0)
    await asyncio.wait_for(line.start(log.received), 14)
    assert len(dropped) == 2
    anna = await customer("Anna")
    dropped.clear()
    await server.drop_lines(account=server.accounts[line.bot_id])
    await until(lambda: log.connected == 2, 14)
    assert len(dropped) == 2
    await asyncio.wait_for(line.client.send_message(chat_id=anna.id, text="again"), 14)
    await anna.sees("again")


async def test_who_hangs_up_on_every_caller_does_not_end_the_bot(make, log, server):
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    line = make(login=2.0)
    await server.stop()
    rude = await asyncio.start_server(hang_up, "127.0.0.1", server.port)
    starting = asyncio.create_task(line.start(log.received))
    await asyncio.sleep(2.5)
    assert not starting.done()
    rude.close()
    await server.start()
    await asyncio.wait_for(starting, 30)
    assert log.connected == 1


async def test_a_wrong_token_is_one_clear_sentence(make, log, server):
    line = make(token="99:wrong")
    with pytest.raises(CannotLogIn, match="does not know this bot token"):
        await line.start(log.received)
    with pytest.raises(ConnectionError):
        assert line.client
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("telegram")]


async def test_updates_come_in_order_one_at_a_time(make, log, customer):
    line = make()
    busy = 0

    async def slowly(updates: object) -> None:
        nonlocal busy
        busy += 1
        assert busy == 1
        await asyncio.sleep(0.02)
        await log.received(updates)
        busy -= 1

    await line.start(slowly)
    anna = await customer("Anna")
    for number in range(8):
        await anna.says(f"message {number}")
    await until(lambda: len(log.texts) == 8)
    assert log.texts == [f"message {number}" for number in range(8)]


async def test_an_error_of_the_receiver_ends_nothing(make, log, customer, caplog):
    line = make()

    async def breaks(updates: object) -> None:
        await log.received(updates)
        raise RuntimeError("the inbox is full")

    await line.start(breaks)
    anna = await customer("Anna")
    await anna.says("one")
    await anna.says("two")
    await until(lambda: log.texts == ["one", "two"])
    assert "could not be taken in" in caplog.text


async def test_the_same_key_is_the_same_message(make, log, customer, server):
    line = make()
    await line.start(log.received)
    anna = await customer("Anna")
    results: list[object] = []
    line.results.append(results.append)
    with line.sending("a key"):
        first = await line.client.send_message(chat_id=anna.id, text="once")
    with line.sending("a key"):
        second = await line.client.send_message(chat_id=anna.id, text="once")
    other = await line.client.send_message(chat_id=anna.id, text="no key")
    assert first.id == second.id != other.id
    assert [call.query.random_id for call in server.calls if call.method == "messages.SendMessage"][:2] == [
        random_id_of("a key")
    ] * 2
    pts = [update.pts for result in results for update in result.updates if hasattr(update, "pts")]
    assert len(set(pts)) == 2, "whoever counts the pts hears of what we send ourselves"


def test_random_ids_are_never_zero():
    assert random_id_of("x") == random_id_of("x") != random_id_of("y")
    assert -(2**63) <= random_id_of("x") < 2**63


async def test_an_album_has_a_random_id_for_each_item(make, log, customer, server, tmp_path):
    line = make()
    await line.start(log.received)
    anna = await customer("Anna")
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    media = [types.InputMediaDocument(media=str(tmp_path / name)) for name in ("a.txt", "b.txt")]
    with line.sending("album"):
        await line.client.send_media_group(chat_id=anna.id, media=media)
    (call,) = [call for call in server.calls if call.method == "messages.SendMultiMedia"]
    assert [item.random_id for item in call.query.multi_media] == [random_id_of("album/0"), random_id_of("album/1")]


async def test_tells_of_a_reconnect(make, log, server, customer):
    line = make()
    await line.start(log.received)
    anna = await customer("Anna")
    await server.drop_lines(account=server.accounts[line.bot_id])
    await until(lambda: log.connected == 2)
    await line.client.send_message(chat_id=anna.id, text="again")
    await anna.sees("again")


async def test_a_request_under_way_does_not_wait_for_its_time_to_be_up(make, log, server, customer):
    line = make(patience=60.0)
    await line.start(log.received)
    anna = await customer("Anna")
    server.faults.drop_line("messages.SendMessage")
    with line.sending("k"):
        await asyncio.wait_for(line.client.send_message(chat_id=anna.id, text="quick"), 8)
    await anna.sees_count("quick", 1)


async def test_a_dead_line_is_replaced(make, log, server, customer, caplog):
    caplog.set_level(logging.WARNING, "stepgram.telegram")
    line = make(watch=0.3, recheck=0.1, patience=0.3)
    await line.start(log.received)
    before = line.client
    with server.silent():
        await until(lambda: "a new one is made" in caplog.text, 20)
    await until(lambda: line._client is not None and line._client is not before, 30)
    await until(lambda: log.connected >= 2)
    anna = await customer("Anna")
    with line.sending("k"):
        await line.client.send_message(chat_id=anna.id, text="alive")
    await anna.sees_count("alive", 1)


async def test_a_flood_wait_is_no_dead_line(make, log, server):
    line = make(watch=0.05, recheck=0.05)
    await line.start(log.received)
    before = line.client
    fault = server.faults.flood("updates.GetState", 30, times=None)
    await until(lambda: fault.hits > 5)
    assert line.client is before


async def test_starts_when_the_network_comes(make, log, server):
    line = make()
    async with server.unreachable():
        starting = asyncio.create_task(line.start(log.received))
        await asyncio.sleep(1.5)
        assert not starting.done()
    await asyncio.wait_for(starting, 30)
    assert log.connected == 1


async def test_stopping_before_it_stands(make, log, server):
    line = make()
    async with server.unreachable():
        starting = asyncio.create_task(line.start(log.received))
        await asyncio.sleep(0.5)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(starting, 12)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("telegram")]


async def test_nothing_is_left_running(make, log, server):
    line = make()
    before = asyncio.all_tasks()
    await line.start(log.received)
    await line.stop()
    await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before if "pyrogram" in str(task.get_coro())]
    assert not [task for task in left if not task.done()]


async def test_what_came_before_the_end_is_handed_on(make, log, customer):
    line = make()

    async def slowly(updates: object) -> None:
        await asyncio.sleep(0.1)
        await log.received(updates)

    await line.start(slowly)
    anna = await customer("Anna")
    for number in range(5):
        await anna.says(f"{number}")
    await until(lambda: line._arrived.qsize() + len(log.updates) >= 4)
    await line.stop()
    assert len(log.texts) >= 4


async def test_logged_out_while_running_it_logs_in_again(make, log, server, bot, customer):
    line = make(watch=0.2, recheck=0.1)
    await line.start(log.received)
    anna = await customer("Anna")
    server.log_out(bot)
    await until(lambda: server.count("auth.ImportBotAuthorization") == 2, 30)
    await until(lambda: log.connected >= 2)
    await line.client.send_message(chat_id=anna.id, text="back again")
    await anna.sees("back again")
