"""The loopback Telegram server, a bot's account and customers; README.md says what a test does with them.

Without the client library the whole folder is skipped and says what to install.
"""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from pyrogram import Client

    from tests.telegram.customer import Customer
    from tests.telegram.direct import DirectCustomer
    from tests.telegram.server import Account, TelegramServer

INSTALL = "the Telegram client library is not installed: in a checkout, pip install '.[telegram]'"
LEAVING = 5.0
"""Seconds a client gets to end; one whose server is gone may try for ever."""
MISSING = importlib.util.find_spec("pyrogram") is None


class Skipped(pytest.Module):
    """A module of this folder where the library is missing: it is not imported, only reported as skipped."""

    def collect(self) -> list[pytest.Item]:
        pytest.skip(INSTALL, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return Skipped.from_parent(parent, path=module_path) if MISSING else None


@pytest_asyncio.fixture
async def server() -> "AsyncIterator[TelegramServer]":
    """Started; every client of the library in this process is led to it."""
    from tests.telegram.server import TelegramServer, redirected

    telegram = TelegramServer()
    await telegram.start()
    with redirected(telegram.port):
        yield telegram
        await telegram.close()
    assert not telegram.errors, "a method of the loopback server broke:\n" + "\n".join(telegram.errors)
    assert not telegram.unknown, f"the loopback server does not have {sorted(set(telegram.unknown))}"


@pytest.fixture
def bot(server: "TelegramServer") -> "Account":
    """The bot's account, not logged in."""
    return server.add_bot("print_bot", "Print bot")


@pytest_asyncio.fixture
async def bot_client(server: "TelegramServer", bot: "Account") -> "AsyncIterator[Client]":
    """A bare client of the library, logged in as the bot: for tests without the product."""
    from pyrogram import Client, enums

    from tests.telegram.server import API_HASH, API_ID

    client = Client(
        "bare-bot",
        api_id=API_ID,
        api_hash=API_HASH,
        session_string=bot.session_string(API_ID),
        in_memory=True,
        parse_mode=enums.ParseMode.HTML,
    )
    await client.start()
    yield client
    server.faults.clear()
    with suppress(TimeoutError, OSError):
        await asyncio.wait_for(client.stop(), LEAVING)


@pytest_asyncio.fixture
async def customer(server: "TelegramServer", bot: "Account") -> "AsyncIterator[Callable[..., Awaitable[Customer]]]":
    """`await customer("Anna")` gives a customer who is logged in; they leave at the end of the test."""
    from tests.telegram.customer import Customer

    there: list[Customer] = []

    async def arrive(name: str, *, started: bool = True, **account: object) -> Customer:
        known = server.add_customer(name, **account)
        if started:
            server.meet(bot, known)
        new = Customer(server, known, bot)
        there.append(new)
        await new.arrives()
        return new

    yield arrive
    server.faults.clear()
    for each in there:
        with suppress(TimeoutError, OSError):
            await asyncio.wait_for(each.leaves(), LEAVING)


@pytest.fixture
def direct(server: "TelegramServer", bot: "Account") -> "Callable[..., DirectCustomer]":
    """`direct("Anna")` gives a customer without a client, for tests with very many of them."""
    from tests.telegram.direct import DirectCustomer

    def arrive(name: str, *, started: bool = True, **account: object) -> DirectCustomer:
        known = server.add_customer(name, **account)
        if started:
            server.meet(bot, known)
        return DirectCustomer(server, known, bot)

    return arrive


@pytest.fixture
def child_environment(server: "TelegramServer", tmp_path: Path) -> dict[str, str]:
    """Variables with which a child process of Python reaches the server."""
    from tests.telegram.server import child_environment

    return child_environment(server.port, tmp_path / "led-to-loopback")
