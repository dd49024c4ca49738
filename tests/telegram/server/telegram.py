"""The server itself: its port, its state, and the way of a call from a line to a method and back. State survives stop
and start."""

import asyncio
import itertools
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from inspect import isawaitable

from pyrogram import raw
from pyrogram.raw.core import BoolFalse, BoolTrue, Message, TLObject, Vector

from tests.telegram.server.accounts import Account, Key
from tests.telegram.server.faults import (
    AnswerLost,
    Call,
    Faults,
    Instead,
    LineDropped,
    met_after,
    met_before,
)
from tests.telegram.server.files import Blob, Pattern
from tests.telegram.server.media import Files
from tests.telegram.server.menus import Commands, Menus
from tests.telegram.server.messages import Draft, Messages
from tests.telegram.server.methods import Methods, peer_id
from tests.telegram.server.people import People
from tests.telegram.server.presses import Presses
from tests.telegram.server.refusal import Refusal
from tests.telegram.server.transport import Link, Session
from tests.telegram.server.updates import Updates

F, T = raw.functions, raw.types
WRAPPERS = (F.InvokeWithLayer, F.InitConnection, F.InvokeWithoutUpdates)
NOT_RECEIVING = ("help.", "auth.", "upload.")
FIRST_BOT = 7_000_000_001
FIRST_CUSTOMER = 400_001
FIRST_RANDOM = 1 << 40


class Written(TLObject):
    """An answer that is bytes already: a bool or a vector."""

    def __init__(self, data: bytes) -> None:
        self._data = bytes(data)

    def write(self, *_: object) -> bytes:
        return self._data


class TelegramServer:
    """See the package's docstring for what it is and is not, and README.md of the tests for what a test does with
    it."""

    def __init__(self) -> None:
        self.port = 0
        self.code = "12345"
        """The log-in code of every phone."""
        self.callback_timeout = 15.0
        self.difference_slice = 100
        self.pushes = "full"
        """How bots hear of what is in the difference too: full, short, too_long, none."""
        self.is_silent = False
        self.calls: list[Call] = []
        self.errors: list[str] = []
        """Tracebacks of methods that broke: faults of this server, never of what is tested."""
        self.unknown: list[str] = []
        """Methods called that this server does not have."""
        self.accounts: dict[int, Account] = {}
        self.keys: dict[bytes, Key] = {}
        self.faults = Faults()
        self.updates = Updates(self)
        self.messages = Messages(self)
        self.files = Files(self)
        self.presses = Presses(self)
        self.menus = Menus(self)
        parts = (self.updates, self.messages, self.files, self.presses, self.menus, People(self))
        self._people = parts[-1]
        self._methods: Methods = {name: method for part in parts for name, method in part.methods().items()}
        self._sessions: dict[tuple[bytes, bytes], Session] = {}
        self._caller: ContextVar[Session | None] = ContextVar("caller", default=None)
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self._last_message = 0
        self._bots = itertools.count(FIRST_BOT)
        self._customers = itertools.count(FIRST_CUSTOMER)
        self._random = itertools.count(FIRST_RANDOM)

    # running

    async def start(self) -> None:
        """Listens on 127.0.0.1: the first time on any free port, later on the same one again."""
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends all lines and listens no more. Nothing of the state is lost."""
        if self._listening is None:
            return
        self._listening.close()
        await self.drop_lines()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listening = None

    async def close(self) -> None:
        """Stops for good; uploaded files are deleted."""
        await self.stop()
        self.files.close()

    async def drop_lines(self, account: Account | None = None) -> None:
        """Closes the connections, all or those of one account."""
        for link in list(self._links):
            if account is None or (link.session is not None and link.session.account is account):
                link.close()
        await asyncio.sleep(0)

    @asynccontextmanager
    async def unreachable(self) -> AsyncIterator[None]:
        """Meanwhile connections are refused."""
        await self.stop()
        try:
            yield
        finally:
            await self.start()

    async def connected(self, account: Account, *, timeout: float = 40.0) -> None:
        """Waits until the account has a line on which it receives, for example after a restart."""
        async with asyncio.timeout(timeout):
            while not self._receiving(account):
                await asyncio.sleep(0.02)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Meanwhile lines stay open and are read, but nothing is done or answered, as on a dead line."""
        self.is_silent = True
        try:
            yield
        finally:
            self.is_silent = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self, reader, writer)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)

    # people and messages, without a client

    def add_bot(self, username: str, name: str = "Bot") -> Account:
        number = next(self._bots)
        return self._add(Account(number, name, username=username, token=f"{number}:token-of-the-bot-{username}"))

    def add_customer(
        self,
        first_name: str,
        *,
        last_name: str = "",
        username: str = "",
        phone: str = "",
        language: str = "en",
        number: int | None = None,
    ) -> Account:
        number = number or next(self._customers)
        phone = (phone or f"49151{number:08}").lstrip("+")
        return self._add(Account(number, first_name, last_name, username, phone, language))

    def _add(self, account: Account) -> Account:
        account.keys = self.keys
        self.accounts[account.id] = account
        return account

    def meet(self, bot: Account, customer: Account) -> None:
        """The bot may write to the customer, as if they had written to it once."""
        bot.met.add(customer.id)

    def post(
        self,
        sender: Account,
        receiver: Account,
        text: str = "",
        *,
        blob: Blob | bytes | None = None,
        name: str = "file.bin",
        mime: str = "application/octet-stream",
        media: TLObject | None = None,
    ) -> int:
        """Sends a message without a client; gives its id in the sender's box. `media`: a raw one, for kinds no client
        sends."""
        if blob is not None:
            media = self.files.document(blob, mime, [T.DocumentAttributeFilename(file_name=name)])
        answer = self.messages.deliver(sender, receiver, [Draft(random_id=next(self._random), text=text, media=media)])
        return answer.updates[0].id

    async def press(self, account: Account, bot: Account, message: int, data: str | bytes) -> TLObject:
        """A press without a client; waits for the bot's answer. Raises Refusal: BOT_RESPONSE_TIMEOUT,
        MESSAGE_ID_INVALID."""
        peer = T.InputPeerUser(user_id=bot.id, access_hash=bot.access_hash)
        data = data.encode() if isinstance(data, str) else data
        return await self.presses.press(account, F.messages.GetBotCallbackAnswer(peer=peer, msg_id=message, data=data))

    def deactivate(self, account: Account) -> None:
        account.deactivated = True

    def log_out(self, account: Account) -> None:
        """Every key of the account is worth nothing from now on."""
        for key in self.keys.values():
            if key.account is account:
                key.account = None

    def expire_references(self) -> None:
        self.files.expire_references()

    def pattern(self, size: int, seed: str = "") -> Pattern:
        return Pattern(size, seed)

    # looking

    def box(self, account: Account) -> list[T.Message]:
        return sorted(account.box.values(), key=lambda message: message.id)

    def count(self, method: str, account: Account | None = None) -> int:
        return sum(call.method == method and (account is None or call.account is account) for call in self.calls)

    def commands(self, bot: Account, scope: str = "default", language: str = "") -> Commands:
        return self.menus.of(bot, scope, language)

    def menu(self, bot: Account, customer: Account, language: str = "") -> Commands:
        return self.menus.shown(bot, customer, language or customer.language)

    # for the other parts

    @property
    def caller(self) -> Session | None:
        """The session whose call is being run."""
        return self._caller.get()

    def account_of(self, me: Account, peer: TLObject) -> Account:
        if isinstance(peer, (T.InputPeerSelf, T.InputUserSelf)):
            return me
        account = self.accounts.get(getattr(peer, "user_id", 0))
        if account is None or (peer.access_hash != account.access_hash and not me.bot):
            raise Refusal(400, "PEER_ID_INVALID")
        return account

    def message_id(self) -> int:
        """Time-based, growing, odd: as the client demands of a server."""
        self._last_message = max(self._last_message + 4, int(time.time() * 2**32) & ~3)
        return self._last_message | 1

    def session(self, key: Key, number: bytes) -> Session:
        return self._sessions.setdefault((key.id, number), Session(number, key))

    def push(self, account: Account, pack: TLObject | None, *, but: Session | None = None) -> None:
        """To every session of the account that receives and has a line; `but` that one. What finds no line is lost
        here."""
        if pack is None:
            return
        to = [session for session in self._receiving(account) if session is not but]
        if not to:
            return
        for one in self.faults.pushed(account, pack):
            for session in to:
                if session.link is not None:
                    session.link.send(one)

    def _receiving(self, account: Account) -> list[Session]:
        sessions = [link.session for link in self._links if link.session and link.session.link is link]
        return [each for each in sessions if each.account is account and each.receives]

    # calls

    def take(self, link: Link, message: Message) -> None:
        """Begins to serve one message of a line; calls of one line run side by side."""
        task = asyncio.create_task(self._take(link, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, link: Link, message: Message) -> None:
        query = message.body
        if isinstance(query, T.MsgsAck):
            return
        if isinstance(query, (F.Ping, F.PingDelayDisconnect)):
            link.send(T.Pong(msg_id=message.msg_id, ping_id=query.ping_id), content=False)
            return
        try:
            answer = await self._answer(link, query)
        except AnswerLost:
            return
        except LineDropped:
            link.close()
            return
        except Refusal as refusal:
            answer = T.RpcError(error_code=refusal.code, error_message=refusal.text)
        except Exception:
            self.errors.append(traceback.format_exc())
            answer = T.RpcError(error_code=400, error_message="SERVER_BROKE")
        link.answer(message, answer)

    async def _answer(self, link: Link, query: TLObject) -> TLObject:
        while isinstance(query, WRAPPERS):
            query = query.query
        assert link.session is not None
        session, me = link.session, link.session.account
        self._caller.set(session)
        method = query.QUALNAME.split(".", 1)[1]
        call = Call(me, method, query, self._peer_of(query, me))
        self.calls.append(call)
        faults = self.faults.meeting(call)
        try:
            await met_before(faults, call)
            answer = await self._run(session, method, query)
        except Instead as instead:
            answer = instead.answer
        if method.startswith("upload.Save"):
            query.bytes = b""  # the list of calls keeps no contents of files
        if session.account is not None and not method.startswith(NOT_RECEIVING):
            session.receives = True
        return await met_after(faults, call, answer)

    async def _run(self, session: Session, method: str, query: TLObject) -> TLObject:
        if session.account is None and method != "help.GetConfig":
            return self._people.log_in(session.key, method, query)
        run = self._methods.get(method)
        if run is None:
            self.unknown.append(method)
            raise Refusal(400, "METHOD_INVALID")
        answer = run(session.account, query)
        if isawaitable(answer):
            answer = await answer
        if isinstance(answer, bool):
            return Written(BoolTrue() if answer else BoolFalse())
        return Written(Vector(answer)) if isinstance(answer, list) else answer

    def _peer_of(self, query: TLObject, me: Account | None) -> int:
        press = self.presses.open.get(getattr(query, "query_id", 0))
        return press.customer.id if press is not None else peer_id(query, me)
