"""A customer without a client: acts on the server's state itself. For hundreds of customers at once, where two hundred
real clients would be what is measured. What a real client does with the wire is tested by `customer.py`; the methods
have the same names.
"""

import asyncio
import itertools
from collections.abc import Callable
from typing import TypeVar

from pyrogram import raw

from tests.telegram.customer import TIMEOUT
from tests.telegram.seen import Answer, Button
from tests.telegram.server import Account, Blob, Refusal, TelegramServer
from tests.telegram.server.methods import button_kind

Found = TypeVar("Found")
T = raw.types
KINDS = {
    "MessageMediaPhoto": "photo",
    "MessageMediaDocument": "document",
    "MessageMediaContact": "contact",
    "MessageMediaGeo": "location",
}


class DirectSeen:
    """A message of the customer's box, as it stands now."""

    def __init__(self, message: raw.types.Message) -> None:
        self.message = message
        self.id: int = message.id
        self.text: str = message.message
        self.mine = bool(message.out)
        self.edited = message.edit_date is not None
        self.kind = KINDS.get(type(message.media).__name__, "text")

    @property
    def rows(self) -> list[list[Button]]:
        markup = self.message.reply_markup
        if not isinstance(markup, T.ReplyInlineMarkup):
            return []
        return [[_button(each) for each in row.buttons] for row in markup.rows]

    @property
    def labels(self) -> list[str]:
        return [button.text for row in self.rows for button in row]

    def button(self, label: str) -> Button | None:
        """The button with this label, else the first whose label contains it."""
        buttons = [button for row in self.rows for button in row if label in button.text]
        return next((each for each in buttons if each.text == label), buttons[0] if buttons else None)

    def __repr__(self) -> str:
        side = "customer" if self.mine else "bot"
        return f"<{self.id} {side} {self.kind} {self.text!r} {self.labels}>"


def _button(button: raw.core.TLObject) -> Button:
    kind = button_kind(button)
    data = getattr(kind, "data", None)
    return Button(button.text, data.decode(errors="replace") if data else None, getattr(kind, "url", None))


class DirectCustomer:
    """Made by the `direct` fixture: `anna = direct("Anna")`."""

    def __init__(self, server: TelegramServer, account: Account, bot: Account) -> None:
        self.account = account
        self.id = account.id
        self.chat = f"telegram:{account.id}"
        self.bot = bot
        self._server = server

    @property
    def messages(self) -> list[DirectSeen]:
        return [DirectSeen(message) for message in self._server.box(self.account)]

    @property
    def received(self) -> list[DirectSeen]:
        return [seen for seen in self.messages if not seen.mine]

    @property
    def texts(self) -> list[str]:
        return [seen.text for seen in self.received]

    @property
    def last(self) -> DirectSeen:
        return self.received[-1]

    def with_text(self, text: str, *, after: int = 0) -> DirectSeen | None:
        """The newest message of the bot that contains the text now."""
        found = [seen for seen in self.received if text in seen.text and seen.id > after]
        return found[-1] if found else None

    async def sees(self, text: str, *, after: int = 0, timeout: float = TIMEOUT) -> DirectSeen:
        return await self.until(lambda: self.with_text(text, after=after), f"no {text!r}", timeout=timeout)

    async def until(self, look: Callable[[], Found | None], missing: str, *, timeout: float = TIMEOUT) -> Found:
        """Waits until `look` finds something; it is asked again whenever the box changes."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    self.account.news.clear()
                    found = look()
                    if found is not None:
                        return found
                    await self.account.news.wait()
        except TimeoutError:
            name = self.account.first_name
            raise AssertionError(f"{name} waits {timeout} s: {missing}; sees {self.messages}") from None

    async def opens(self, payload: str = "") -> int:
        return await self.says(f"/start {payload}".rstrip())

    async def says(self, text: str) -> int:
        return self._server.post(self.account, self.bot, text)

    async def presses(self, label: str, *, message: int | None = None, timeout: float = TIMEOUT) -> Answer:
        """Presses the inline button with this label, of that message or of the newest that has it, and waits for the
        answer. Without one the server's `Refusal` (BOT_RESPONSE_TIMEOUT) comes."""

        def find() -> tuple[int, Button] | None:
            for seen in reversed(self.received):
                button = seen.button(label) if message in (None, seen.id) else None
                if button is not None:
                    return seen.id, button
            return None

        number, button = await self.until(find, f"no button {label!r}", timeout=timeout)
        assert button.data is not None, f"{button} is not a callback button"
        return await self.presses_data(number, button.data)

    async def presses_data(self, message: int, data: str | bytes) -> Answer:
        answer = await self._server.press(self.account, self.bot, message, data)
        return Answer(answer.message or "", bool(answer.alert), answer.url)

    async def keeps_pressing(self, label: str, *, timeout: float = 60.0) -> Answer:
        """As a patient person does while the bot is down: presses again after every failed press, until one is
        answered."""
        async with asyncio.timeout(timeout):
            for _ in itertools.count():
                try:
                    return await self.presses(label, timeout=timeout)
                except Refusal:
                    continue
        raise AssertionError(label)

    async def shares_contact(self, phone: str | None = None, name: str | None = None) -> int:
        media = T.InputMediaContact(
            phone_number=phone or f"+{self.account.phone}",
            first_name=name or self.account.first_name,
            last_name="",
            vcard="",
        )
        made = self._server.files.made(self.account, media)
        return self._server.post(self.account, self.bot, media=made)

    async def shares_location(self, latitude: float, longitude: float) -> int:
        point = T.GeoPoint(long=longitude, lat=latitude, access_hash=0)
        return self._server.post(self.account, self.bot, media=T.MessageMediaGeo(geo=point))

    async def sends_file(self, content: bytes | Blob, *, name: str = "model.stl", caption: str = "") -> int:
        return self._server.post(self.account, self.bot, caption, blob=content, name=name)
