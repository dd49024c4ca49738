"""Dialog turns per second over the loopback Telegram server: the product beside a bare echo bot of the same library.

A turn: the customer presses a button; the bot answers the press and sends the next question. Both bots make exactly
these two calls, which is counted, and both run in this process with the server, in turns. The product runs as
`stepgram run` does: SQLite FULL, a session file, the usual pace (answers to a press are not held back). The bare bot
keeps nothing, not even its session. Customers have no client.
"""

import asyncio
import importlib.util
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from engine.serving import serve
from engine.settings import Settings
from tests.benchmarks.figures import Figure, Size, middle
from tests.benchmarks.page_work import settings_of, silent

if TYPE_CHECKING:
    from tests.telegram.server import Account, TelegramServer

AT_ONCE: Final = 50
TURNS: Final = 25
"""Turns of one conversation: its history should not grow beyond a usual one's."""
GOAL: Final = 0.7
PATIENCE: Final = 60.0
CALLS: Final = ("messages.SetBotCallbackAnswer", "messages.SendMessage")


def is_possible() -> bool:
    """Whether the client library is installed."""
    return importlib.util.find_spec("pyrogram") is not None


@dataclass(kw_only=True)
class Walker:
    """A customer of one bot, acting on the server's state itself."""

    server: "TelegramServer"
    account: "Account"
    bot: "Account"

    async def begin(self) -> None:
        """A new conversation: its first question is there."""
        before = self.account.last_id
        self.server.post(self.account, self.bot, "/turn")
        await self._asked(before + 1)

    async def turn(self) -> None:
        """Press; return when the press was answered and the next question is there."""
        from tests.telegram.server.methods import button_kind

        newest = self.account.last_id
        button = self.account.box[newest].reply_markup.rows[0].buttons[0]
        press = self.server.press(self.account, self.bot, newest, button_kind(button).data)
        await asyncio.gather(press, self._asked(newest))

    async def _asked(self, after: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.account.last_id <= after:
                self.account.news.clear()
                await self.account.news.wait()


class Bench:
    """Rounds with one bot. Every round is of new customers."""

    def __init__(self, server: "TelegramServer", bot: "Account") -> None:
        self._server = server
        self._bot = bot

    async def round(self, customers: int, turns: int) -> float:
        """Turns per second of so many customers at once, each of them doing so many."""
        walkers = [self._walker() for _ in range(customers)]
        await asyncio.gather(*(walker.begin() for walker in walkers))
        self._server.calls.clear()
        begun = time.perf_counter()
        await asyncio.gather(*(self._turns(walker, turns) for walker in walkers))
        spent = time.perf_counter() - begun
        made = Counter(call.method for call in self._server.calls if call.account is self._bot)
        assert made == dict.fromkeys(CALLS, customers * turns), f"other calls than the two of each turn: {made}"
        return customers * turns / spent

    async def _turns(self, walker: Walker, turns: int) -> None:
        for _ in range(turns):
            await walker.turn()

    def _walker(self) -> Walker:
        return Walker(server=self._server, account=self._server.add_customer("Anna"), bot=self._bot)


@asynccontextmanager
async def product(place: Path, server: "TelegramServer") -> AsyncIterator[Bench]:
    """The whole of `stepgram run` in this process."""
    from tests.telegram.server import API_HASH, API_ID

    bot = server.add_bot("measured_product_bot")
    serving = serve(_settings(place, API_ID, API_HASH, bot.token), version="bench", told=silent, environment={})
    await serving.start()
    try:
        yield Bench(server, bot)
    finally:
        await serving.stop()


def _settings(place: Path, api_id: int, api_hash: str, token: str) -> Settings:
    return msgspec.structs.replace(
        settings_of(place),
        session=place / "session",
        telegram_api_id=api_id,
        telegram_api_hash=api_hash,
        telegram_bot_token=token,
    )


@asynccontextmanager
async def echo(server: "TelegramServer") -> AsyncIterator[Bench]:
    """The bare bot."""
    from tests.telegram.echo_bot import echo_bot

    bot = server.add_bot("measured_echo_bot")
    client = echo_bot(bot)
    await client.start()
    try:
        yield Bench(server, bot)
    finally:
        await client.stop()


@asynccontextmanager
async def telegram() -> AsyncIterator["TelegramServer"]:
    """The loopback server, every client of this process led to it."""
    from tests.telegram.server import TelegramServer, redirected

    server = TelegramServer()
    await server.start()
    with redirected(server.port):
        try:
            yield server
        finally:
            await server.close()
    assert not server.errors, server.errors


async def figures(place: Path, size: Size) -> list[Figure]:
    """Turns per second, one customer after another and many at once; nothing without the client library."""
    if not is_possible():
        return []
    turns = min(TURNS, size.orders)
    taken: dict[tuple[int, int], list[float]] = {}
    async with telegram() as server, product(place, server) as own, echo(server) as bare:
        for number in range(size.rounds + 1):
            for customers in (1, AT_ONCE):
                for which, bench in enumerate((own, bare)):
                    rate = await bench.round(customers, turns if customers == 1 else max(1, turns // 5))
                    if number:  # the first round warms up
                        taken.setdefault((customers, which), []).append(rate)
    return [
        _beside("one customer after another", taken[1, 0], taken[1, 1]),
        _beside(f"{AT_ONCE} customers at once", taken[AT_ONCE, 0], taken[AT_ONCE, 1]),
    ]


def _beside(name: str, own: list[float], bare: list[float]) -> Figure:
    return Figure(
        name=f"telegram: {name} / bare echo bot",
        value=middle(own),
        unit="turns/s",
        floor=middle(bare),
        goal=GOAL,
        least=True,
    )
