"""Signatures of what plugins offer, as values: YAML is checked against them, the schema made from them.

A signature never holds a connection or state; `function` is called by the runtime alone.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from engine.core.types import RecordType, ValueType

if TYPE_CHECKING:
    from click import Command

    from engine.actions.context import ServiceContext


class Written(StrEnum):
    """How an argument stands in YAML."""

    EXPRESSION = "expression"
    """`service.id`: the default. A literal text needs inner quotes; a text with `{{ }}` is a template;
    a text that is one of the parameter's Literal choices stands for itself."""
    TEMPLATE = "template"
    """A text for people or for the wire, `{{ … }}` allowed: declared with `engine.actions.Template`."""
    LITERAL = "literal"
    """A constant (validators): a text `"{{ … }}"` is an expression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    name: str
    type: ValueType
    required: bool
    default: object = None
    written: Written = Written.EXPRESSION
    doc: str = ""
    direct: bool = False
    """Validators only: the argument that may stand without its name, `pattern: "^[0-9]+$"`."""


ACTION_TIMEOUT: Final = 30.0
SOURCE_TIMEOUT: Final = 15.0
TRANSACTIONAL_TIMEOUT: Final = 5.0
"""Seconds, where the plugin says nothing. One that works inside the database holds up everybody who writes."""
LONGEST_TRANSACTIONAL: Final = 30.0
"""Seconds that a transactional one may have at most, whatever its plugin or a flow says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSignature:
    """`outcomes` maps each outcome's name (class name in snake_case) to its record."""

    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    outcomes: Mapping[str, RecordType]
    transactional: bool
    """True: database only, runs in the conversation's own commit. False: external, runs after it."""
    timeout: float = ACTION_TIMEOUT
    """Seconds per attempt."""
    function: Callable[..., Awaitable[object]] = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSignature:
    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    row: ValueType
    transactional: bool
    paged: bool = False
    """The function takes `page: Page` (search, offset, limit) and answers `Rows(items, total)`."""
    timeout: float = SOURCE_TIMEOUT
    function: Callable[..., Awaitable[object]] = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorSignature:
    """Pure and immediate: `function(value, **arguments)` → `Accepted(value)` | `Refused(message)`."""

    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    accepts: ValueType
    produces: ValueType | None = None
    """None: the same type as the question's answer."""
    needs_now: bool = False
    """The function also takes `now`: the moment of the answer, aware, in the bot's time zone."""
    check: Callable[[Mapping[str, object]], str | None] | None = field(default=None, compare=False)
    """Looks at the constant arguments (by name, of the right types) when flows load: what is wrong with them, in words
    behind “it cannot work:”, or None."""
    function: Callable[..., object] = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSignature:
    """Work beside all conversations: `function(ServiceContext)`."""

    name: str
    doc: str
    function: "Callable[[ServiceContext], Awaitable[None]]" = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSignature:
    """What answers `POST {path}`: `function(WebhookContext, **arguments)`, in one transaction."""

    name: str
    path: str
    doc: str
    parameters: tuple[Parameter, ...]
    outcomes: Mapping[str, RecordType]
    statuses: Mapping[str, int]
    """The HTTP status of each outcome; 400 or more undoes everything."""
    timeout: float = TRANSACTIONAL_TIMEOUT
    """Seconds."""
    function: Callable[..., Awaitable[object]] = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsSignature:
    """What bot.yaml may say under `plugins:` for one namespace."""

    namespace: str
    kind: type[Any]
    """A frozen dataclass with a default for each field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSignature:
    """A command of `stepgram` that a plugin brings along."""

    name: str
    summary: str
    load: "Callable[[], Command]" = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything that plugins offer: what `do:`, `from:` and `validators:` may name, and what goes on beside. Built in
    `engine.app`, never global."""

    actions: Mapping[str, ActionSignature] = field(default_factory=dict)
    sources: Mapping[str, SourceSignature] = field(default_factory=dict)
    validators: Mapping[str, ValidatorSignature] = field(default_factory=dict)
    services: Mapping[str, ServiceSignature] = field(default_factory=dict)
    """By `namespace.name`."""
    webhooks: Mapping[str, WebhookSignature] = field(default_factory=dict)
    """By path."""
    settings: Mapping[str, SettingsSignature] = field(default_factory=dict)
    """By namespace."""
    commands: Mapping[str, CommandSignature] = field(default_factory=dict)
    """By what stands behind `stepgram`."""

    def namespace_of(self, kind: type[Any]) -> str:
        """Under which namespace a class of settings stands. Raises LookupError for one that no plugin declared."""
        for namespace, declared in self.settings.items():
            if declared.kind is kind:
                return namespace
        raise LookupError(f"no plugin declares the settings {kind.__qualname__}: write `settings({kind.__qualname__})`")
