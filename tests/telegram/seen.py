"""What a customer sees: a message as it stands now, its buttons, the answer to a press."""

from dataclasses import dataclass

from pyrogram import types


@dataclass(frozen=True)
class Button:
    """A button or key as shown. `data`: of a callback button; `asks`: contact, location, or empty."""

    text: str
    data: str | None = None
    url: str | None = None
    asks: str = ""


@dataclass(frozen=True)
class Answer:
    """What came back from a press: a short text over the chat, or an alert to be closed; empty text: nothing is
    shown."""

    text: str
    alert: bool
    url: str | None


class Seen:
    """A message of the chat, as it stands now."""

    def __init__(self, message: types.Message, customer: int) -> None:
        self.message = message
        self.id: int = message.id
        sender = message.from_user
        self.mine: bool = bool(message.outgoing) or (sender is not None and sender.id == customer)
        self.edited: bool = message.edit_date is not None
        self.kind: str = message.media.name.lower() if message.media else "text"
        self.album: str | None = message.media_group_id
        self.reply_to: int | None = message.reply_to_message_id
        body = message.text if message.text is not None else message.caption
        self.text: str = "" if body is None else str(body)
        self.html: str = "" if body is None else str(body.html)
        self.file_name: str | None = getattr(message.document, "file_name", None)
        self.file_size: int | None = getattr(message.document or message.photo, "file_size", None)

    @property
    def rows(self) -> list[list[Button]]:
        """The inline keyboard; empty without one."""
        markup = self.message.reply_markup
        if not isinstance(markup, types.InlineKeyboardMarkup):
            return []
        return [[_inline(button) for button in row] for row in markup.inline_keyboard]

    @property
    def keyboard(self) -> list[list[Button]] | None:
        """The reply keyboard this message carries."""
        markup = self.message.reply_markup
        if not isinstance(markup, types.ReplyKeyboardMarkup):
            return None
        return [[_key(key) for key in row] for row in markup.keyboard]

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


def _inline(button: types.InlineKeyboardButton) -> Button:
    data = button.callback_data
    return Button(button.text, data.decode() if isinstance(data, bytes) else data, button.url)


def _key(key: "types.KeyboardButton | str") -> Button:
    if isinstance(key, str):
        return Button(key)
    asks = "contact" if key.request_contact else "location" if key.request_location else ""
    return Button(key.text, asks=asks)
