"""What an action or source is handed besides its arguments. Made by the runtime, or by a test.

No I/O of its own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from engine.core.records import record
from engine.core.values import Value

if TYPE_CHECKING:
    from aiohttp import ClientSession


class Transaction(Protocol):
    """An open transaction on the embedded database."""

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement with `?` placeholders; the number of rows it changed."""
        ...

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        """Rows of one SELECT or RETURNING."""
        ...


class Work(Protocol):
    """A transaction with a voice: whatever it sends is written down in it and delivered after it, once."""

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement with `?` placeholders; the number of rows it changed."""
        ...

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        """Rows of one SELECT or RETURNING."""
        ...

    def signal(self, flow: str, key: str, name: str, /, **payload: Value) -> None:
        """Send the signal `name` to the conversation of `flow` with `key`."""
        ...

    def news(
        self, flow: str, key: str, name: str, /, *, chat: str, otherwise: str, payload: Mapping[str, Value]
    ) -> None:
        """A signal that is not lost on a customer whose conversation is over, or waits for no such signal: then the
        flow `otherwise` begins beside in `chat`, with `news` (the signal's name) and those fields of the payload that
        it has arguments for."""
        ...

    def tell(self, chat: str, flow: str, /, **arguments: Value) -> None:
        """Begin `flow` in another chat, beside what is going on there. One that only says something disturbs nobody."""
        ...

    def tell_role(self, role: str, flow: str, /, **arguments: Value) -> None:
        """The same for everybody who has this role and has talked to the bot."""
        ...


class FileStore(Protocol):
    """The files that customers sent, by their `ref`."""

    def open(self, ref: str) -> AsyncIterator[bytes]:
        """The content in pieces. Raises FileNotFoundError."""
        ...

    def path(self, ref: str) -> Path:
        """Where the content lies on disk."""
        ...

    async def keep(self, ref: str) -> None:
        """Keep the file for good: else it goes when its conversation is deleted. Raises FileNotFoundError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFlow:
    """Begin a flow for the same customer."""

    flow: str
    arguments: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelConversation:
    """Cancel an open conversation of the same customer, with its undo actions."""

    conversation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Speak:
    """Speak another language with this customer from now on."""

    language: str
    """One of the bot's; empty: the one that their Telegram says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSignal:
    """Tell the conversation of `flow` with that `key` that something happened."""

    flow: str
    key: str
    name: str
    payload: Mapping[str, Value] = field(default_factory=dict)
    chat: str = ""
    otherwise: str = ""
    """The flow that begins in `chat` when no open conversation takes the signal; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellChat:
    """Begin `flow` in another chat, beside what is going on there."""

    chat: str
    flow: str
    arguments: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TellRole:
    """Begin `flow` for everybody who has the role, beside what is going on in their chats."""

    role: str
    flow: str
    arguments: Mapping[str, Value] = field(default_factory=dict)


Request = StartFlow | CancelConversation | Speak | SendSignal | TellChat | TellRole


class Voiced:
    """Implements Work: statements go to the transaction, what is to be sent is collected in `requests`."""

    __slots__ = ("_transaction", "requests")

    def __init__(self, transaction: Transaction, requests: list[Request]) -> None:
        self._transaction = transaction
        self.requests = requests

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement with `?` placeholders; the number of rows it changed."""
        return await self._transaction.execute(sql, parameters)

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        """Rows of one SELECT or RETURNING."""
        return await self._transaction.query(sql, parameters)

    def signal(self, flow: str, key: str, name: str, /, **payload: Value) -> None:
        """See Work."""
        self.requests.append(SendSignal(flow=flow, key=key, name=name, payload=payload))

    def news(
        self, flow: str, key: str, name: str, /, *, chat: str, otherwise: str, payload: Mapping[str, Value]
    ) -> None:
        """See Work."""
        wish = SendSignal(flow=flow, key=key, name=name, payload=payload, chat=chat, otherwise=otherwise)
        self.requests.append(wish)

    def tell(self, chat: str, flow: str, /, **arguments: Value) -> None:
        """See Work."""
        self.requests.append(TellChat(chat=chat, flow=flow, arguments=arguments))

    def tell_role(self, role: str, flow: str, /, **arguments: Value) -> None:
        """See Work."""
        self.requests.append(TellRole(role=role, flow=flow, arguments=arguments))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConversation:
    """A conversation of this customer that is not over."""

    id: str
    flow: str
    title: str
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """A flow that this customer may start."""

    flow: str
    title: str
    command: str | None = None
    """Without the slash; None when the flow has no command."""


Chosen = TypeVar("Chosen")


class Configured(Protocol):
    """Finds a plugin's settings by their class."""

    def __call__(self, kind: type[Chosen], /) -> Chosen:
        """The settings as bot.yaml has them now, else their defaults. Raises LookupError for a class that no plugin
        declared."""
        ...


@record
class ServiceContext:
    """What a service is handed: work that goes on beside all conversations, such as watching a blockchain.

    Time is the bot's: `now` and `sleep` follow a clock that is turned.
    """

    name: str
    now: Callable[[], datetime]
    """Aware, UTC."""
    sleep: Callable[[float], Awaitable[None]]
    """So many seconds of the bot's clock."""
    begin: Callable[[], AbstractAsyncContextManager[Work]]
    """Opens a transaction: committed at its end with all that it sends, undone as a whole when it raises."""
    http: "Callable[[], ClientSession]"
    secret: Callable[[str], str]
    """The value of a secret that bot.yaml names. Raises UnknownSecret."""
    environment: Mapping[str, str]
    settings: Callable[[], Mapping[str, Value]]
    """The `settings:` of bot.yaml as they are now."""
    configured: Configured
    data: Path
    """As in Context."""


@record
class WebhookContext:
    """What a webhook is handed: a signed request, and the transaction that remembers it."""

    work: Work
    """Committed with the outcome; undone when the outcome's `__status__` is 400 or more, or when it raises."""
    delivery: str
    """The sender's id of this request: the same one is never handled twice."""
    now: datetime
    configured: Configured
    settings: Mapping[str, Value]


@record
class Context:
    """The world around one call.

    Use `transaction` in transactional actions (it commits with the conversation); in external ones open your
    own with `async with context.database() as transaction`. What `start`, `cancel` and `signal` ask for is
    carried out in the commit that takes the outcome; nothing happens when the call fails.
    """

    conversation: str
    chat: str
    customer: Mapping[str, Value]
    language: str
    settings: Mapping[str, Value]
    idempotency_key: str
    """The same for every attempt of this call, different for every other call: `{conversation}/{call}`."""
    attempt: int
    """1 for the first."""
    now: datetime
    """Aware, UTC."""
    transaction: Transaction | None
    """Open only in transactional actions and sources."""
    database: Callable[[], AbstractAsyncContextManager[Transaction]]
    http: "Callable[[], ClientSession]"
    """The shared HTTP session; do not close it."""
    files: FileStore
    secret: Callable[[str], str]
    """The value of a secret that bot.yaml names. Raises UnknownSecret."""
    environment: Mapping[str, str]
    allowed_hosts: tuple[str, ...] = ()
    open_conversations: tuple[OpenConversation, ...] = ()
    menu: tuple[MenuEntry, ...] = ()
    languages: tuple[str, ...] = ("en",)
    """The bot's languages, as bot.yaml has them."""
    begin: "Callable[[], AbstractAsyncContextManager[Work]]"
    """Opens a transaction of its own with a voice; for external actions, as `database` is."""
    configured: "Configured"
    """The plugin's settings under `plugins:` of bot.yaml, by the class that the plugin has declared with `settings`."""
    data: Path
    """A folder for small files that must last, such as marks that a restored backup must not put back."""
    requests: list[Request] = field(default_factory=list)
    """Filled by the methods below and by `work`, read by the runtime."""

    @property
    def work(self) -> Work:
        """The open transaction of a transactional action, with a voice. Raises RuntimeError in an external one."""
        if self.transaction is None:
            raise RuntimeError("an external action has no transaction: it opens one with context.begin()")
        return Voiced(self.transaction, self.requests)

    def start(self, flow: str, **arguments: Value) -> None:
        """Ask the engine to begin `flow` for this customer."""
        self.requests.append(StartFlow(flow=flow, arguments=arguments))

    def cancel(self, conversation: str) -> None:
        """Ask the engine to cancel one of this customer's open conversations."""
        self.requests.append(CancelConversation(conversation=conversation))

    def speak(self, language: str) -> None:
        """Ask the engine to speak another of the bot's languages with this customer, whatever their Telegram says;
        empty: as that says again."""
        self.requests.append(Speak(language=language))

    def signal(self, flow: str, key: str, name: str, /, **payload: Value) -> None:
        """Ask the engine to send the signal `name` to the conversation of `flow` with `key`."""
        self.requests.append(SendSignal(flow=flow, key=key, name=name, payload=payload))
