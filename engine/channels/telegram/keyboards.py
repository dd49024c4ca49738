"""Buttons and formatting as the library's types. Knows no chat and sends nothing."""

import inspect
import logging
from collections.abc import Sequence
from typing import Final

from pyrogram import enums, types

from engine.channels.telegram.texts import Entity, Rendered
from engine.core.effects import Press
from engine.runtime.desk import CANCEL, RESUME
from engine.runtime.outbox import callback_data

LONGEST_DATA: Final = 64
"""Bytes of a button's data."""
_LINKS: Final = ("http://", "https://", "tg://")
_EXPANDABLE: Final = "expandable" in inspect.signature(types.MessageEntity.__init__).parameters
"""Only newer libraries know quotations that fold."""

_STYLED: Final = "style" in inspect.signature(types.InlineKeyboardButton.__init__).parameters
"""Only newer libraries know coloured buttons."""
_STYLES: Final = {
    "x:ok": "PRIMARY",
    "q:ok": "PRIMARY",
    RESUME: "PRIMARY",
    "n:cancel!": "DANGER",
    CANCEL: "DANGER",
}
"""The engine's own buttons that stand out: what leads on, and what drops a conversation for good."""

log = logging.getLogger("stepgram.telegram")


def inline(
    rows: Sequence[Sequence[Press]], surface: str, draw: int, *, links: bool = True
) -> types.InlineKeyboardMarkup | None:
    """The buttons of a message, their data behind `surface` (`conversation.visit`); None: there are none. What Telegram
    would refuse is left out, and all links when they are not wanted."""
    kept = [[button for press in row if (button := _button(press, surface, draw, links))] for row in rows]
    kept = [row for row in kept if row]
    return types.InlineKeyboardMarkup(inline_keyboard=kept) if kept else None


def _button(press: Press, surface: str, draw: int, links: bool) -> types.InlineKeyboardButton | None:
    text = press.text.strip() or "…"
    if press.url:
        if links and press.url.lower().startswith(_LINKS):
            return types.InlineKeyboardButton(text=text, url=press.url)
        return None
    data = callback_data(surface, draw, press.code)
    if len(data.encode()) > LONGEST_DATA:
        log.error("a button of %s has too long a code: it is left out", surface)
        return None
    return types.InlineKeyboardButton(text=text, callback_data=data, **_style(press.code))


def _style(code: str) -> dict[str, object]:
    """The colour of an engine's button, where the library can say it."""
    style = _STYLES.get(code)
    return {"style": enums.ButtonStyle[style]} if style is not None and _STYLED else {}


def sharing(*, contact: str = "", location: str = "") -> types.ReplyKeyboardMarkup:
    """The keyboard that shares a telephone number or a place, by the labels that are given."""
    keys = []
    if contact:
        keys.append([types.KeyboardButton(text=contact, request_contact=True)])
    if location:
        keys.append([types.KeyboardButton(text=location, request_location=True)])
    return types.ReplyKeyboardMarkup(keyboard=keys, resize_keyboard=True, one_time_keyboard=True)


def no_keyboard() -> types.ReplyKeyboardRemove:
    """Takes the keyboard of `sharing` away."""
    return types.ReplyKeyboardRemove()


def entities(rendered: Rendered) -> list[types.MessageEntity] | None:
    """The formatting of a text."""
    return [_entity(entity) for entity in rendered.entities] or None


def _entity(entity: Entity) -> types.MessageEntity:
    more: dict[str, object] = {}
    if entity.kind == "text_link":
        more["url"] = entity.url
    if entity.kind == "pre":
        more["language"] = entity.language
    if entity.kind == "custom_emoji":
        more["custom_emoji_id"] = entity.emoji
    if entity.kind == "blockquote" and entity.expandable and _EXPANDABLE:
        more["expandable"] = True
    kind = enums.MessageEntityType[entity.kind.upper()]
    return types.MessageEntity(type=kind, offset=entity.offset, length=entity.length, **more)
