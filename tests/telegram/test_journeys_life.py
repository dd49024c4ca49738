"""How the bot comes and goes: started, ended in the middle of work, without a network, with wrong settings, with its
page beside it. In this process, and as `stepgram run` in a process of its own."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from engine import serving_telegram
from engine.channels.telegram.line import CannotLogIn
from engine.runtime import delivery
from engine.runtime.clock import SystemClock
from tests.cli.running import ROOT as CHECKOUT
from tests.cli.running import Running, get
from tests.telegram.running_bot import HASH, STL, Browser, Order, RunningBot, soon
from tests.telegram.server import API_ID, Account, TelegramServer

PHONE = "+4915112345678"


def settings(bot: Account, environment: dict[str, str], **changed: str) -> dict[str, str]:
    """The variables of a child process that serves the shipped flows in Telegram."""
    return {
        **environment,
        "STEPGRAM_FLOWS": str(CHECKOUT / "flows"),
        "TELEGRAM_API_ID": str(API_ID),
        "TELEGRAM_API_HASH": HASH,
        "TELEGRAM_BOT_TOKEN": bot.token,
        "ADMIN_IDS": "1",
        **changed,
    }


async def ended(child: Running, how: signal.Signals = signal.SIGTERM) -> int:
    return await asyncio.to_thread(child.end, how)


async def line_of(child: Running, part: str) -> str:
    return await asyncio.to_thread(child.until, part)


async def test_as_a_process_ended_in_the_middle_of_work(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any, child_environment: dict[str, str]
) -> None:
    anna = await customer("Anna", phone=PHONE)
    order = Order(anna)
    variables = settings(bot, child_environment)
    with Running(tmp_path, "--page", "--port", "0", **variables) as child:
        here = await line_of(child, "is here")
        assert here.endswith(" and https://t.me/print_bot")
        page = here.partition("is here: ")[2].partition(" and ")[0]
        assert await asyncio.to_thread(get, f"{page}health") == (200, "ok")
        await order.until("Send your models")
        server.faults.slow("upload.GetFile", 0.5, times=None, account=bot)
        sent = await anna.sends_file(STL, name="cube.stl")
        await anna.sends_file(STL, name="plate.3mf")
        await soon(lambda: server.count("upload.GetFile", bot))
        assert await ended(child) == 0, "with work in flight it ends in good order"
        assert "Stopping. The next start goes on here." in child.lines or await line_of(child, "Stopping")
    server.faults.clear()
    with Running(tmp_path, **variables) as child:
        await anna.sees("✅ cube.stl", after=sent)
        listed = await anna.sees("✅ plate.3mf", after=sent)
        assert listed.text.count("✅") == 2
        await anna.presses("That's all")
        await order.until("Please check your order", start=5)
        await anna.presses("✅ Order")
        await anna.sees("Thank you! Your order is")
        await anna.settles()
        await anna.sees_count("Thank you! Your order is", 1)
        assert await ended(child, signal.SIGINT) == 0
    session = list((tmp_path / "data" / "telegram").iterdir())
    assert [path.stat().st_mode & 0o077 for path in session] == [0] * len(session)


async def test_a_wrong_token_is_one_sentence(bot: Account, tmp_path: Path, child_environment: dict[str, str]) -> None:
    wrong = settings(bot, child_environment, TELEGRAM_BOT_TOKEN=f"{bot.id}:{'A' * 35}")
    with Running(tmp_path, **wrong) as child:
        code, said = await asyncio.to_thread(child.ended)
    assert code == 2
    assert said.strip() == ("stepgram: Telegram does not know this bot token: please copy it again from @BotFather.")


async def test_half_of_the_settings_is_one_sentence(tmp_path: Path, bot: Account) -> None:
    for missing in ("TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_BOT_TOKEN"):
        with Running(tmp_path, **settings(bot, {}, **{missing: ""})) as child:
            code, said = await asyncio.to_thread(child.ended)
        assert code == 2
        assert said.count("\n") == 0
        assert said.startswith(f"stepgram: For Telegram {missing} must be set, too")
    assert not (tmp_path / "data").exists()


async def test_without_a_network_the_page_is_there_and_the_bot_comes_up_later(
    server: TelegramServer,
    bot: Account,
    tmp_path: Path,
    customer: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    anna = await customer("Anna", phone=PHONE)
    running = RunningBot(server, bot, tmp_path, page=True)
    places = await running.start()
    assert places[1] == "https://t.me/print_bot", "only a bot that was there before answers what it has missed"
    await running.stop()
    monkeypatch.setattr(serving_telegram, "NETWORK", 0.3)
    await anna.says("/order")
    await server.stop()
    try:
        places = await running.start()
        assert places[0].startswith("http://127.0.0.1:")
        assert places[1] == "Telegram (as soon as it answers)"
        async with Browser(places[0]) as browser:
            tab = await browser.page()
            await tab.says("/help")
            await tab.sees("what you can do here")
        await server.start()
        await server.connected(anna.account)
        await anna.sees("Which service do you need?", timeout=60)
        await anna.presses("FDM printing")
        await anna.sees("What is your name?")
        async with asyncio.timeout(30):  # it may be said after the first answers
            while "there is a line to Telegram now: https://t.me/print_bot" not in caplog.text:
                await asyncio.sleep(0.02)
    finally:
        await running.stop()


LETTER = """
flow: letter
title: A letter
entry: {commands: [letter]}
steps:
  to: {ask: text, text: "To whom?"}
  sent: {text: "Dear {{ to }}.", end: completed}
"""


async def test_when_the_line_stands_again_answers_do_not_wait_for_their_next_attempt(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE", 3600.0)
    anna = await customer("Anna", phone=PHONE)
    async with RunningBot(server, bot, tmp_path, flows={"letter": LETTER}):
        broken = server.faults.fail("messages.SendMessage", 401, "AUTH_KEY_UNREGISTERED", times=None, account=bot)
        await anna.says("/letter")
        await soon(lambda: broken.hits)
        server.faults.clear()
        await server.drop_lines(account=bot)
        await anna.sees("To whom?", timeout=60)
        await anna.says("Bob")
        await anna.sees("Dear Bob.")
        await anna.sees_count("To whom?", 1)


async def test_a_second_bot_on_the_same_session_is_one_sentence(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any, child_environment: dict[str, str]
) -> None:
    anna = await customer("Anna", phone=PHONE)
    running = RunningBot(server, bot, tmp_path / "first")
    await running.start()
    await anna.says("/order")
    await anna.sees("Which service do you need?")
    session = running.settings.session
    other = settings(bot, child_environment, STEPGRAM_SESSION=str(session))
    with Running(tmp_path, **other) as child:
        code, said = await asyncio.to_thread(child.ended)
    assert code == 2
    assert said.splitlines()[-1] == (
        f"stepgram: Another process uses the Telegram session in {session}: end that one, or give this bot a folder of "
        "its own with STEPGRAM_SESSION."
    )
    await anna.presses("FDM printing")
    await anna.sees("What is your name?")
    await running.stop()


async def test_without_a_network_it_can_be_ended_at_once(
    server: TelegramServer, bot: Account, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    await server.stop()
    with Running(tmp_path, **settings(bot, child_environment, STEPGRAM_LOG_LEVEL="WARNING")) as child:
        await line_of(child, "network issues")
        assert await asyncio.wait_for(ended(child), 15) == 0
    await server.start()


async def test_both_channels_at_once(server: TelegramServer, bot: Account, tmp_path: Path, customer: Any) -> None:
    async with RunningBot(server, bot, tmp_path, page=True) as running:
        assert [place.partition(":")[0] for place in running.places] == ["http", "https"]
        assert isinstance(running.serving.app.clock, SystemClock)
        anna = await customer("Anna", phone=PHONE)
        async with Browser(running.places[0]) as browser:
            tab = await browser.page()
            before = len(tab.messages)
            await tab.send(type="clock", turn=3600)
            await tab.until("error", after=before)
            assert tab.last("welcome")["clock"]["offset"] == 0
            _, placed = await asyncio.gather(_order_on_the_page(browser, tab), Order(anna).placed())
            thanks = await tab.sees("Thank you! Your order is")
            assert thanks["html"] != placed.html
            await anna.settles()
            await anna.sees_count("Thank you! Your order is", 1)
            assert await running.open(anna.chat) == await running.open(tab.chat) == []


async def _order_on_the_page(browser: Browser, tab: Any) -> None:
    await tab.says("/order")
    for question, way, answer in (
        ("Which service", tab.presses, "FDM printing · from €5.00"),
        ("What is your name?", tab.says, "Pia Page"),
        ("Where do we send", tab.says, "pia@example.com"),
        ("Your phone number", tab.presses, "Skip"),
    ):
        await tab.sees(question)
        await way(answer)
    await tab.sees("Send your models")
    status, _ = await browser.upload(tab, "page.stl", STL)
    assert status == 200
    await tab.sees("✅ page.stl", revision=2)
    for question, answer in (
        ("✅ page.stl", "✅ That's all"),
        ("Which material?", "PLA (basic)"),
        ("Which quality?", "Standard 0.2 mm"),
        ("How strong", "30 % standard"),
        ("Which colour?", "Red"),
        ("How do you want", "Pickup (free)"),
        ("Please check your order", "✅ Order"),
    ):
        await tab.sees(question)
        await tab.presses(answer)


async def test_a_refused_login_leaves_nothing_running(server: TelegramServer, bot: Account, tmp_path: Path) -> None:
    running = RunningBot(server, bot, tmp_path)
    server.faults.fail("auth.ImportBotAuthorization", 400, "ACCESS_TOKEN_INVALID", times=None)
    before = asyncio.all_tasks()
    with pytest.raises(CannotLogIn, match="does not know this bot token"):
        await running.start()
    await asyncio.sleep(0.1)
    assert [task for task in asyncio.all_tasks() - before if not task.done()] == []
    server.faults.clear()
    await running.start()
    await running.stop()
