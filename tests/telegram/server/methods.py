"""The shape of a method, and small readings of queries that differ between the layers of the two libraries."""

from collections.abc import Awaitable, Callable

from pyrogram import raw
from pyrogram.raw.core import TLObject

from tests.telegram.server.accounts import Account
from tests.telegram.server.refusal import Refusal

type_of_answer = TLObject | list[TLObject] | bool
Method = Callable[[Account, TLObject], type_of_answer | Awaitable[type_of_answer]]
Methods = dict[str, Method]

MAX_BUTTONS, MAX_ROW = 100, 8
MAX_KEYS, MAX_KEY_ROW = 300, 12
MAX_MARKUP = 10_240
URLS = ("http://", "https://", "tg://")


def peer_id(query: TLObject, me: Account | None) -> int:
    """The account a query concerns; 0 when it names none."""
    for name in ("peer", "to_peer", "id", "user_id"):
        peer = getattr(query, name, None)
        if isinstance(peer, (raw.types.InputPeerSelf, raw.types.InputUserSelf)):
            return me.id if me else 0
        if hasattr(peer, "user_id"):
            return peer.user_id
    return 0


def replied_to(query: TLObject) -> int:
    """The message a send answers to, 0 for none: a field of its own in older layers, inside `reply_to` in newer
    ones."""
    inside = getattr(getattr(query, "reply_to", None), "reply_to_msg_id", None)
    return inside or getattr(query, "reply_to_msg_id", None) or 0


def button_kind(button: TLObject) -> TLObject:
    """What carries a button's data or URL: the button itself, or in newer layers its `type`."""
    return getattr(button, "type", button)


def written(value: TLObject | list[TLObject] | None) -> bytes:
    """For comparing two values of the schema."""
    if not value:
        return b""
    return b"".join(map(written, value)) if isinstance(value, list) else value.write()


def check_markup(markup: TLObject | None) -> None:
    """Refuses what Telegram refuses: too many or empty buttons, bad data, bad addresses, too large a keyboard."""
    rows = [row.buttons for row in getattr(markup, "rows", None) or []]
    inline = isinstance(markup, raw.types.ReplyInlineMarkup)
    if sum(map(len, rows)) > (MAX_BUTTONS if inline else MAX_KEYS) or len(written(markup)) > MAX_MARKUP:
        raise Refusal(400, "REPLY_MARKUP_TOO_LONG")
    if any(not 1 <= len(row) <= (MAX_ROW if inline else MAX_KEY_ROW) for row in rows):
        raise Refusal(400, "REPLY_MARKUP_INVALID")
    for row in rows:
        for button in row:
            _check_button(button)


def _check_button(button: TLObject) -> None:
    kind = button_kind(button)
    data, url = getattr(kind, "data", None), getattr(kind, "url", None)
    if not button.text:
        raise Refusal(400, "BUTTON_TEXT_INVALID")
    if data is not None and not 1 <= len(data) <= 64:
        raise Refusal(400, "BUTTON_DATA_INVALID")
    if url is not None and not url.startswith(URLS):
        raise Refusal(400, "BUTTON_URL_INVALID")
