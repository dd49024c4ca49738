"""The same print order as an aiogram bot: its own FSM with async filters, the network stubbed, each event's state and
data written to SQLite before the next one. Needs aiogram, which nothing else here does: `is_possible` says.

Generous to it: updates are made before the clock runs, one hop and one statement per event, nothing is delivered twice
nor kept if the process dies between the answer and the write.
"""

import asyncio
import importlib.util
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.store_floor import Level
from tests.benchmarks.work import SCRIPT, Run

INSTALL: Final = "pip install aiogram"
_TOKEN: Final = "42:benchmark"
_STATES: Final = (
    "service", "name", "email", "phone", "files", "material", "quality", "colour", "delivery", "confirm",
)  # fmt: skip
_KEEP: Final = (
    "INSERT INTO fsm (chat, state, data) VALUES (?, ?, ?)"
    " ON CONFLICT (chat) DO UPDATE SET state = excluded.state, data = excluded.data"
)


def is_possible() -> bool:
    """Whether aiogram is installed."""
    return importlib.util.find_spec("aiogram") is not None


class AiogramBot:
    """The bot with its file. Answers are counted, one per event."""

    def __init__(self, file: Path, level: Level) -> None:
        self._file = file
        self._level = level
        self.answers = 0
        self._customers = 0

    async def open(self) -> None:
        """Connect and make the bot."""
        import aiosqlite

        self._database = await aiosqlite.connect(self._file, isolation_level=None)
        for pragma in ("journal_mode = WAL", f"synchronous = {self._level}"):
            await (await self._database.execute(f"PRAGMA {pragma}")).close()
        await self._database.execute("CREATE TABLE IF NOT EXISTS fsm (chat INTEGER PRIMARY KEY, state, data)")
        self._bot, self._dispatcher = _made(self._keep, self._answered)

    async def close(self) -> None:
        """Close the file."""
        await self._database.close()

    async def run(self, orders: int, in_flight: int = 1) -> Run:
        """So many orders, at most `in_flight` at once."""
        waits: list[float] = []
        left = iter([self._updates() for _ in range(orders)])

        async def customer() -> None:
            for updates in left:
                for update in updates:
                    begun = time.perf_counter()
                    await self._dispatcher.feed_update(self._bot, update)
                    waits.append(time.perf_counter() - begun)

        before, begun, cpu = self.answers, time.perf_counter(), time.process_time()
        await asyncio.gather(*(customer() for _ in range(min(in_flight, orders))))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        assert self.answers - before == orders * len(SCRIPT), "aiogram did not answer every event"
        return Run(seconds=seconds, cpu=cpu, waits=waits)

    def _answered(self) -> None:
        self.answers += 1

    async def _keep(self, chat: int, state: str | None, data: dict[str, Any]) -> None:
        await self._database.execute(_KEEP, (chat, state, json.dumps(data)))

    def _updates(self) -> list[Any]:
        from aiogram.types import Update

        self._customers += 1
        number = self._customers
        return [Update.model_validate(_update(number, place, text)) for place, text in enumerate(SCRIPT)]


def _update(customer: int, place: int, text: str) -> dict[str, Any]:
    person = {"id": customer, "is_bot": False, "first_name": "Anna"}
    chat = {"id": customer, "type": "private"}
    message: dict[str, Any] = {"message_id": place + 1, "date": 1_760_000_000, "chat": chat, "from": person}
    number = customer * 100 + place
    if text[0] == "[":
        pressed = {"id": str(number), "from": person, "chat_instance": "1", "data": text[1:], "message": message}
        return {"update_id": number, "callback_query": pressed}
    if text[0] == "!":
        message["document"] = {"file_id": "abc", "file_unique_id": "abc", "file_name": text[1:], "file_size": 1234}
    else:
        message["text"] = text
    return {"update_id": number, "message": message}


def _made(
    keep: Callable[[int, str | None, dict[str, Any]], Awaitable[None]], answered: Callable[[], None]
) -> tuple[Any, Any]:
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.base import BaseSession
    from aiogram.fsm.storage.memory import MemoryStorage
    from aiogram.methods import SendMessage
    from aiogram.types import Chat, Message

    class Stub(BaseSession):
        async def make_request(self, bot: Any, method: Any, timeout: Any = None) -> Any:
            if not isinstance(method, SendMessage):
                return True
            answered()
            return Message(message_id=1, date=datetime.now(UTC), chat=Chat(id=int(method.chat_id), type="private"))

        async def close(self) -> None: ...

        async def stream_content(self, *args: Any, **kwargs: Any) -> Any:
            raise OSError("nothing is downloaded here")

    dispatcher = Dispatcher(storage=MemoryStorage())

    async def durable(handler: Any, event: Any, data: dict[str, Any]) -> Any:
        """What a handler changed is on the disk before the update counts as handled."""
        came = await handler(event, data)
        state = data["state"]
        await keep(state.key.chat_id, await state.get_state(), await state.get_data())
        return came

    dispatcher.message.outer_middleware(durable)
    dispatcher.callback_query.outer_middleware(durable)
    _handlers(dispatcher)
    return Bot(_TOKEN, session=Stub()), dispatcher


def _handlers(dispatcher: Any) -> None:
    """One handler per question, each found by the customer's state, as aiogram's guide has it."""
    from aiogram.filters import Command
    from aiogram.fsm.state import State, StatesGroup

    states: Any = type("Order", (StatesGroup,), {name: State() for name in _STATES})

    async def ask(message: Any, text: str, *buttons: str) -> None:
        await message.answer(text, reply_markup=_keyboard(buttons))

    async def go(event: Any, state: Any, step: str, text: str, *buttons: str) -> None:
        await state.set_state(getattr(states, step))
        message = event if not hasattr(event, "message") else event.message
        if message is not event:
            await event.answer()
        await ask(message, text, *buttons)

    @dispatcher.message(Command("order"))
    async def begin(message: Any, state: Any) -> None:
        await go(message, state, "service", "Which service do you need?", "FDM printing", "Resin printing")

    @dispatcher.callback_query(states.service)
    async def service(query: Any, state: Any) -> None:
        await state.update_data(service=query.data)
        await go(query, state, "name", "What is your name?")

    @dispatcher.message(states.name)
    async def name(message: Any, state: Any) -> None:
        if not 2 <= len(message.text or "") <= 50:
            await ask(message, "At least 2 characters, please.", "Back", "Cancel")
            return
        await state.update_data(name=message.text)
        await go(message, state, "email", f"Thanks, {message.text}. Where do we send the confirmation?", "Back")

    @dispatcher.message(states.email)
    async def email(message: Any, state: Any) -> None:
        await state.update_data(email=message.text)
        await go(message, state, "phone", "Your phone number?", "Skip", "Back")

    @dispatcher.callback_query(states.phone)
    async def phone(query: Any, state: Any) -> None:
        await go(query, state, "files", "Send your models, one or several.", "Back", "Cancel")

    @dispatcher.message(states.files)
    async def document(message: Any, state: Any) -> None:
        found = (await state.get_data()).get("files", [])
        await state.update_data(files=[*found, message.document.file_id])
        await ask(message, f"1 file\n{message.document.file_name}", "That's all", "Back", "Cancel")

    for step, following, text, buttons in (
        ("files", "material", "Which material?", ("PLA", "PETG", "ABS")),
        ("material", "quality", "Which quality?", ("Draft", "Standard", "High")),
        ("quality", "colour", "Which colour?", ("Red", "Blue", "Grey")),
        ("colour", "delivery", "How do you want to get it?", ("Pickup", "Delivery")),
        ("delivery", "confirm", "Please check your order", ("Order", "Change something")),
    ):
        dispatcher.callback_query(getattr(states, step))(_choice(go, step, following, text, buttons))

    @dispatcher.callback_query(states.confirm)
    async def confirm(query: Any, state: Any) -> None:
        await state.clear()
        await query.answer()
        await ask(query.message, "Thank you! Your order is <b>P-1</b>.")


def _choice(go: Any, step: str, following: str, text: str, buttons: tuple[str, ...]) -> Any:
    async def chosen(query: Any, state: Any) -> None:
        await state.update_data({step: query.data})
        await go(query, state, following, text, *buttons, "Back", "Cancel")

    return chosen


def _keyboard(buttons: tuple[str, ...]) -> Any:
    from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

    rows = [[InlineKeyboardButton(text=text, callback_data=text)] for text in buttons]
    return InlineKeyboardMarkup(inline_keyboard=rows)
