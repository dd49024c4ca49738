"""One TCP connection: abridged framing, encryption, and the session it belongs to. It knows no method."""

import asyncio
import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pyrogram import raw
from pyrogram.crypto import aes, mtproto
from pyrogram.raw.core import Int, Long, Message, MsgContainer, TLObject

from tests.telegram.server.accounts import Account, Key
from tests.telegram.server.handshake import Handshake

if TYPE_CHECKING:
    from tests.telegram.server.telegram import TelegramServer

ABRIDGED = b"\xef"
LONG_FRAME = 0x7F
PLAIN = bytes(8)
KEY_NOT_FOUND = -404


NOT_A_NUMBER = bytes(3)
"""The library takes a vector at the end of a message for numbers when 4 or 8 bytes are left for each item, as in a
keyboard whose only key is called "Yes". A query never ends in bare numbers, so three bytes more make that guess
impossible."""


def _message(data: BytesIO) -> Message:
    number, sequence, length = Long.read(data), Int.read(data), Int.read(data)
    body = TLObject.read(BytesIO(data.read(length) + NOT_A_NUMBER))
    return Message(body, number, sequence, length)


@dataclass(eq=False)
class Session:
    """A client's session: it lives longer than its connections. Updates are pushed to it once it has called something
    of its account other than help.*, auth.* and upload.*: a session made for files gets none."""

    id: bytes
    key: Key
    receives: bool = False
    link: "Link | None" = None

    @property
    def account(self) -> Account | None:
        return self.key.account


class Link:
    """A connection. What comes in is handed to the server; it ends when either side closes it."""

    def __init__(self, server: "TelegramServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.session: Session | None = None
        self._server = server
        self._reader = reader
        self._writer = writer
        self._handshake = Handshake()
        self._content = 0

    async def run(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            if await self._reader.readexactly(1) == ABRIDGED:
                while True:
                    frame = await self._frame()
                    if self._server.is_silent:
                        continue
                    self._plain(frame) if frame[:8] == PLAIN else self._encrypted(frame)
                    await self._writer.drain()
        self.close()

    def close(self) -> None:
        if self.session is not None and self.session.link is self:
            self.session.link = None
        self._writer.close()

    async def _frame(self) -> bytes:
        length = (await self._reader.readexactly(1))[0]
        if length == LONG_FRAME:
            length = int.from_bytes(await self._reader.readexactly(3), "little")
        return await self._reader.readexactly(length * 4)

    def _put(self, data: bytes) -> None:
        if self._writer.is_closing() or self._server.is_silent:
            return
        length = len(data) // 4
        head = bytes([length]) if length < LONG_FRAME else bytes([LONG_FRAME]) + length.to_bytes(3, "little")
        self._writer.write(head + data)

    def _plain(self, frame: bytes) -> None:
        """A step of the key exchange: not encrypted, without a session."""
        answer = self._handshake.answer(TLObject.read(BytesIO(frame[20:]))).write()
        if self._handshake.key is not None:
            self._server.keys[self._handshake.key.id] = self._handshake.key
        self._put(PLAIN + Long(self._server.message_id()) + Int(len(answer)) + answer)

    def _encrypted(self, frame: bytes) -> None:
        key = self._server.keys.get(frame[:8])
        if key is None:
            self._put(Int(KEY_NOT_FOUND))
            return
        aes_key, iv = mtproto.kdf(key.secret, frame[8:24], True)
        data = aes.ige256_decrypt(frame[24:], aes_key, iv)
        if hashlib.sha256(key.secret[88:120] + data).digest()[8:24] != frame[8:24]:
            self.close()
            return
        self.session = self._server.session(key, data[8:16])
        self.session.link = self
        message = _message(BytesIO(data[16:]))
        for one in message.body.messages if isinstance(message.body, MsgContainer) else [message]:
            self._server.take(self, one)

    def send(self, body: TLObject, *, content: bool = True) -> None:
        """Encrypts and writes one message; on a closed line it is lost. `content`: an answer or an update, to be
        acknowledged."""
        if self.session is None or self._writer.is_closing():
            return
        secret = self.session.key.secret
        number = self._content * 2 + content
        self._content += content
        data = bytes(8) + self.session.id
        data += Message(body, self._server.message_id(), number, len(body.write())).write()
        data += os.urandom(-(len(data) + 12) % 16 + 12)
        message_key = hashlib.sha256(secret[96:128] + data).digest()[8:24]
        aes_key, iv = mtproto.kdf(secret, message_key, False)
        self._put(self.session.key.id + message_key + aes.ige256_encrypt(data, aes_key, iv))

    def answer(self, message: Message, result: TLObject) -> None:
        self.send(raw.types.RpcResult(req_msg_id=message.msg_id, result=result))
