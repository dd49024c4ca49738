"""What an action or source is handed besides its arguments. Made by the runtime, or by a test.

No I/O of its own.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

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
class SendSignal:
    """Tell the conversation of `flow` with that `key` that something happened."""

    flow: str
    key: str
    name: str
    payload: Mapping[str, Value] = field(default_factory=dict)


Request = StartFlow | CancelConversation | SendSignal


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
    requests: list[Request] = field(default_factory=list)
    """Filled by the three methods below, read by the runtime."""

    def start(self, flow: str, **arguments: Value) -> None:
        """Ask the engine to begin `flow` for this customer."""
        self.requests.append(StartFlow(flow=flow, arguments=arguments))

    def cancel(self, conversation: str) -> None:
        """Ask the engine to cancel one of this customer's open conversations."""
        self.requests.append(CancelConversation(conversation=conversation))

    def signal(self, flow: str, key: str, name: str, /, **payload: Value) -> None:
        """Ask the engine to send the signal `name` to the conversation of `flow` with `key`."""
        self.requests.append(SendSignal(flow=flow, key=key, name=name, payload=payload))
