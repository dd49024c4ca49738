"""The menu of commands as customers see it: per language, per role, told only when it changed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest_asyncio

from engine.channels.telegram.menu import Menu
from engine.runtime.ports import Chat
from tests.telegram.delivering import Bench, bench


@dataclass
class Menued:
    """A bot with two languages; its admins have a command more."""

    admins: tuple[str, ...] = ()
    titles: dict[str, str] = field(default_factory=lambda: {"en": "Print &amp; <b>pay</b>", "de": "Drucken"})

    @property
    def library(self):
        bot = SimpleNamespace(languages=tuple(self.titles), roles={"admin": self.admins} if self.admins else {})
        return SimpleNamespace(bot=bot)

    def commands(self, chat: Chat) -> Sequence[tuple[str, str]]:
        known = [("print", self.titles[chat.language])]
        if chat.id.removeprefix("telegram:") in self.admins:
            known.append(("orders", "Orders"))
        return known


@pytest_asyncio.fixture
async def out(tmp_path: Path, bot) -> AsyncIterator[Bench]:
    async with bench(tmp_path, bot) as made:
        yield made


def menu_of(out: Bench) -> Menu:
    return Menu(line=out.line, journal=out.journal, clock=out.clock)


async def test_per_language(out, server, bot, customer):
    anna, bernd, chloe = [await customer(name, language=code) for name, code in
                          (("Anna", "en"), ("Bernd", "de"), ("Chloe", "fr"))]  # fmt: skip
    assert await menu_of(out).publish(Menued()) == 3
    assert server.menu(bot, anna.account) == [("print", "Print & pay")]
    assert server.menu(bot, bernd.account) == [("print", "Drucken")]
    assert server.menu(bot, chloe.account) == [("print", "Print & pay")]


async def test_per_role(out, server, bot, customer):
    anna, boss = await customer("Anna"), await customer("Boss", language="de")
    await menu_of(out).publish(Menued(admins=(str(boss.id),)))
    assert server.menu(bot, anna.account) == [("print", "Print & pay")]
    assert server.menu(bot, boss.account) == [("print", "Drucken"), ("orders", "Orders")]
    await menu_of(out).publish(Menued())
    assert server.menu(bot, boss.account) == [("print", "Drucken")], "no admin any more"


async def test_told_only_when_it_changed(out, server):
    engine = Menued()
    await menu_of(out).publish(engine)
    told = server.count("bots.SetBotCommands")
    assert await menu_of(out).publish(engine) == 0
    assert server.count("bots.SetBotCommands") == told
    engine.titles = {"en": "Order", "de": "Drucken"}
    assert await menu_of(out).publish(engine) == 2
    engine.titles = {"en": "Order"}
    assert await menu_of(out).publish(engine) == 1
    assert server.count("bots.ResetBotCommands") == 1


async def test_an_admin_telegram_does_not_know_stops_nothing(out, server, bot, customer):
    anna = await customer("Anna")
    engine = Menued(admins=("987654321", "not a number"))
    await menu_of(out).publish(engine)
    assert server.menu(bot, anna.account) == [("print", "Print & pay")]
    assert await menu_of(out).publish(engine) == 0


async def test_a_flood_wait_is_waited_for(out, server, bot, customer):
    anna = await customer("Anna")
    server.faults.flood("bots.SetBotCommands", 1)
    await menu_of(out).publish(Menued())
    assert server.menu(bot, anna.account) == [("print", "Print & pay")]
