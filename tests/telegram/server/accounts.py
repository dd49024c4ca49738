"""An account: who it is, its box of messages, and its log of updates numbered by pts."""

import asyncio
import base64
import hashlib
import os
import struct
from bisect import bisect_right
from dataclasses import dataclass, field

from pyrogram import raw

DATA_CENTRE = 2


@dataclass
class Key:
    """An authorisation key. `account` is None until the client has logged in with it."""

    secret: bytes
    account: "Account | None" = None

    @property
    def id(self) -> bytes:
        return hashlib.sha1(self.secret).digest()[-8:]


@dataclass
class Logged:
    """One update of the log: the box had `pts` after it. `random_id` is set for a message the account itself has
    sent."""

    pts: int
    update: raw.core.TLObject
    random_id: int = 0


@dataclass(eq=False)
class Account:
    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    phone: str = ""
    language: str = ""
    token: str = ""
    """Of a bot; a customer has none."""
    keys: dict[bytes, Key] = field(default_factory=dict, repr=False)
    """The server's keys, shared by all accounts."""
    pts: int = 1
    last_id: int = 0
    box: dict[int, raw.types.Message] = field(default_factory=dict, repr=False)
    links: dict[int, tuple[int, int]] = field(default_factory=dict, repr=False)
    """Message id here → (the other account, the id of its copy)."""
    log: list[Logged] = field(default_factory=list, repr=False)
    sent: dict[tuple[int, int], raw.types.Updates] = field(default_factory=dict, repr=False)
    """(peer, random_id) → the answer of the send that used it first. They never expire, as with Telegram."""
    blocked: set[int] = field(default_factory=set)
    """Whom this account has blocked."""
    met: set[int] = field(default_factory=set)
    """Customers who have written to this bot, so that it may write to them."""
    deactivated: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set whenever something is logged; for customers without a client."""

    @property
    def bot(self) -> bool:
        return bool(self.token)

    def session_string(self, api_id: int = 12345) -> str:
        """A session already logged in with a key of its own, for `Client(session_string=…)`: no key exchange is
        needed."""
        key = Key(os.urandom(256), self)
        self.keys[key.id] = key
        packed = struct.pack(">BI?256sQ?", DATA_CENTRE, api_id, False, key.secret, self.id, self.bot)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    def seen_by(self, viewer: "Account") -> raw.types.User:
        return raw.types.User(
            id=self.id,
            is_self=self is viewer,
            bot=self.bot or None,
            access_hash=self.access_hash,
            first_name=self.first_name,
            last_name=self.last_name or None,
            username=self.username or None,
            phone=(self.phone if self is viewer else None) or None,
            lang_code=None if self.bot else self.language or None,
            bot_info_version=1 if self.bot else None,
            deleted=self.deactivated or None,
        )

    @property
    def access_hash(self) -> int:
        return 1000 + self.id

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def record(self, update: raw.core.TLObject, random_id: int = 0) -> None:
        """Numbers the update with the next pts and logs it."""
        self.pts += update.pts_count
        update.pts = self.pts
        self.log.append(Logged(self.pts, update, random_id))
        self.news.set()

    def since(self, pts: int) -> list[Logged]:
        return self.log[bisect_right(self.log, pts, key=lambda logged: logged.pts) :]
