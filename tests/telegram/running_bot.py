"""The whole product for the journeys: `engine.serving.serve` with SQLite in this process, on the loopback server.

`Order` walks the shipped print order as a customer; it looks only at what a customer sees.
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp
from pyrogram import enums

from engine.core.conversation import Conversation
from engine.loading.library import Loaded
from engine.serving import Serving, serve
from engine.settings import Settings
from tests.channels.web.site import PATIENCE, Page, Site
from tests.telegram.seen import Seen
from tests.telegram.server import API_HASH, API_ID, Account, TelegramServer

ROOT = Path(__file__).resolve().parents[2]
HASH = API_HASH if len(API_HASH) == 32 else "0123456789abcdef" * 2

STL = b"solid cube\n" * 40
QUESTIONS = (
    "Which service do you need?",
    "What is your name?",
    "Where do we send the confirmation?",
    "Your phone number",
    "Send your models",
    "Which material?",
    "Which quality?",
    "How strong should it be?",
    "Which colour?",
    "How do you want to get it?",
    "Please check your order",
)
"""The questions of an order that is picked up, in order."""


class RunningBot:
    """`async with RunningBot(server, bot, tmp_path) as running`. `flows`: texts instead of the shipped flows.

    `start` after `stop` goes on with the same database, files and session.
    """

    def __init__(
        self,
        server: TelegramServer,
        bot: Account,
        folder: Path,
        *,
        flows: Mapping[str, str] | None = None,
        page: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.server, self.bot, self.folder = server, bot, folder
        self._environment = {"ADMIN_IDS": "1", **(environment or {})}
        place = folder / "flows"
        if flows is None:
            shutil.copytree(ROOT / "flows", place, dirs_exist_ok=True)
        else:
            place.mkdir(exist_ok=True)
            for name, text in flows.items():
                (place / f"{name}.yaml").write_text(text, encoding="utf-8")
        self.settings = Settings(
            flows=place,
            database=folder / "data" / "bot.sqlite3",
            files=folder / "data" / "files",
            plugins=folder / "plugins",
            session=folder / "data" / "telegram",
            synchronous="NORMAL",
            web_port=0,
            page=page,
            telegram_api_id=API_ID,
            telegram_api_hash=HASH,
            telegram_bot_token=bot.token,
        )
        self.reloads: list[bool] = []
        self.places: Sequence[str] = ()
        self.serving: Serving

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> Sequence[str]:
        """Run; where the doors are."""
        self.serving = serve(self.settings, version="1.2.3", told=self._told, environment=self._environment)
        self.places = await self.serving.start()
        return self.places

    async def stop(self) -> None:
        await self.serving.stop()

    def _told(self, _loaded: Loaded, live: bool) -> None:
        self.reloads.append(live)

    @property
    def runtime(self) -> Any:
        return self.serving.app.runtime

    async def open(self, chat: str) -> Sequence[Conversation]:
        """The conversations of a chat that are not over."""
        loaded = await self.runtime.chat(chat)
        return list(loaded.open)

    async def front(self, chat: str) -> Conversation:
        """The conversation that a chat speaks with now."""
        loaded = await self.runtime.chat(chat)
        return next(item for item in loaded.open if item.id == loaded.chat.front)

    def kept_files(self) -> list[Path]:
        """What was received and is kept."""
        return sorted(path for path in (self.folder / "data" / "files").rglob("*") if path.is_file())


class Browser:
    """Tabs of the page that the bot serves beside Telegram: `async with Browser(address) as browser`."""

    def __init__(self, address: str) -> None:
        self.base = address.partition("?")[0].rstrip("/")
        self.session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def page(self) -> Page:
        """A new person's tab."""
        site: Any = self
        return await Site.page(site, "new")

    async def silent(self) -> Page:
        site: Any = self
        return await Site.silent(site)

    async def upload(self, page: Page, name: str, body: bytes) -> tuple[int, dict[str, Any]]:
        site: Any = self
        return await Site.upload(site, page, name, body)


class Order:
    """The print order as one customer gives it, through buttons and texts alone."""

    def __init__(self, customer: Any, *, name: str = "Anna Muster") -> None:
        self.customer = customer
        self.name = name

    async def until(self, question: str, *, start: int = 0) -> Any:
        """From the question number `start` (0: /order comes first) up to this question; the message that asks it."""
        after = 0
        if start == 0:
            after = await self.customer.says("/order")
        last = next(number for number, text in enumerate(QUESTIONS) if question in text)
        for number in range(start, last):
            after = (await self.customer.sees(QUESTIONS[number], after=after)).id
            await self.answer(number)
        return await self.customer.sees(QUESTIONS[last], after=after)

    async def answer(self, number: int) -> None:
        """Answer the question of this number."""
        anna = self.customer
        match number:
            case 0:
                await anna.presses("FDM printing")
            case 1:
                await anna.says(self.name)
            case 2:
                await anna.says("anna@example.com")
            case 3:
                await anna.says("+49 30 901820")
            case 4:
                sent = await anna.sends_file(STL, name="cube.stl")
                await anna.sees("✅ cube.stl", after=sent)
                await anna.presses("That's all")
            case _:
                await anna.presses(("PLA", "Standard", "30 %", "Red", "Pickup", "✅ Order")[number - 5])

    async def placed(self) -> Any:
        """The whole order; the message that thanks for it."""
        asked = await self.until("Please check your order")
        await self.customer.presses("✅ Order", message=asked.id)
        return await self.customer.sees("Thank you! Your order is", after=asked.id)


def bold(seen: Seen) -> list[str]:
    """What is bold in a message, by its formatting and not by the library's HTML: that one differs."""
    text = seen.text.encode("utf-16-le")
    marks = seen.message.entities or seen.message.caption_entities or []
    return [
        text[2 * mark.offset : 2 * (mark.offset + mark.length)].decode("utf-16-le")
        for mark in marks
        if mark.type == enums.MessageEntityType.BOLD
    ]


async def soon(happened: Any, seconds: float = 40.0) -> None:
    """Wait until something is so. Fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.01)
