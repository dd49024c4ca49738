"""A compiled flow, ready to be walked: closures instead of sources, look-ups instead of searches. Values only.

Built by `engine.core.machine`; shared by all conversations of a version, never changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from engine.core.effects import Accepts
from engine.core.expressions import Scope
from engine.core.hours import Hours
from engine.core.model import Body, Expression, Flow, Late, Path, Question, Retry, Step, Template
from engine.core.types import ValueType

Evaluate = Callable[[Scope], Any]
"""A compiled expression or text. Raises only `engine.core.expressions.EvaluationError`."""

Watch = Callable[[Expression | Template, object], None]
"""Is told what an expression or text gave each time it is evaluated; an EvaluationError when it could not be."""

ONWARDS = "onwards"
"""The event of the machine that every trigger without a transition of its own fires."""
NEVER_ONWARDS = frozenset({"timeout", "timeout_late", "failed"})
"""Triggers that never go on to the step below of themselves."""


class ParameterLike(Protocol):
    """What the core needs to know of a parameter (`engine.actions.catalog.Parameter`)."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> ValueType: ...
    @property
    def written(self) -> str: ...


class SignatureLike(Protocol):
    """An action, source or validator as the core sees it."""

    @property
    def parameters(self) -> Sequence[ParameterLike]: ...


class JudgeLike(SignatureLike, Protocol):
    """A validator as the core sees it."""

    @property
    def function(self) -> Callable[..., object]: ...


class Signatures(Protocol):
    """The catalog as the core sees it."""

    @property
    def actions(self) -> Mapping[str, SignatureLike]: ...
    @property
    def sources(self) -> Mapping[str, SignatureLike]: ...
    @property
    def validators(self) -> Mapping[str, JudgeLike]: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Text:
    """A text: `constant` when it is the same for everybody, else `render`, which knows the customer's language."""

    constant: str | None
    render: Evaluate
    worded: Mapping[str, str] | None = None
    """What it says in each language, where it has translations and nothing is put into any of them. Under the empty
    name stands the flow's own wording."""

    def __call__(self, scope: Scope) -> str:
        return self.constant if self.constant is not None else str(self.render(scope))

    def wording(self, language: str) -> str | None:
        """What it says in a language (empty: the flow's own); None when something is put in."""
        if self.worded is None:
            return self.constant
        return self.worded.get(language, self.worded[""])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Use:
    """An invocation: the name, and each argument's value."""

    name: str
    arguments: tuple[tuple[str, Evaluate], ...]
    reads: frozenset[Path]

    def evaluate(self, scope: Scope) -> dict[str, Any]:
        return {name: value(scope) for name, value in self.arguments}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Label:
    """One option or button. `code` as in callback data; a `url` instead for links."""

    text: Text
    code: str = ""
    url: Evaluate | None = None
    condition: Evaluate | None = None
    only: tuple[str, ...] = ()
    value: str = ""
    """The option's value, or the button's trigger."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceKeys:
    """Where options are drawn from: a plugin's source (`use`), or a list of the conversation's data (`items`)."""

    use: Use | None
    items: Evaluate | None
    text: Text
    value: Evaluate | None
    empty: Text | None
    buttons: tuple[Label, ...] = ()
    """A row of them stands for each option: their texts and conditions see `option`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keys:
    """A compiled keyboard."""

    options: tuple[Label, ...]
    source: SourceKeys | None
    rows: tuple[tuple[Label, ...], ...]
    columns: int
    page: int | None
    search: bool
    edits: tuple[tuple[str, ...], ...]
    """The steps of each edit menu; `E:N` opens menu N."""
    plain: bool
    """No conditions, roles, pages or source: the same rows for everybody."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """A validator with its arguments and the product owner's own message."""

    name: str
    judge: Callable[..., object]
    arguments: tuple[tuple[str, Evaluate], ...]
    message: Text | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """One assignment of a transition."""

    path: Path
    value: Evaluate
    reads: frozenset[Path]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """A compiled transition: what the machine's own transition object carries."""

    text: Text | None
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """A compiled step. What only some kinds have is None or empty for the others."""

    id: str
    step: Step
    body: Body
    target: Path
    text: Text | None
    label: Text | None
    photo: tuple[str, Evaluate] | None
    keys: Keys | None
    condition: Evaluate | None
    only: tuple[str, ...]
    final: bool
    after: timedelta | None
    until: Evaluate | None
    hours: Hours | None
    """The working hours that `after` and `until` keep to."""
    late: Late
    """What becomes of its timeout when it comes late."""
    refresh: timedelta | None
    triggers: frozenset[str]
    """Triggers with transitions of their own; any other fires ONWARDS."""
    interactive: bool
    """Whether a customer stops here: the places that back goes to."""
    question: Question | None
    checks: tuple[Check, ...]
    optional: Text | None
    prefill: Evaluate | None
    done: Text | None
    labels: Mapping[str, Text]
    """The labels of `yes` and `no`, where the author wrote their own."""
    bounds: Mapping[str, Evaluate]
    """`minimum`, `maximum`, `start` of a question, where they are given."""
    use: Use | None
    """The action of `do`, of a file's `each`; the arguments of `call`."""
    undo: Use | None
    undone: frozenset[str] | None
    """Outcomes that `undo` takes back; None: every one."""
    retry: Retry | None
    timeout: float | None
    """Seconds per attempt of an action."""
    result: Evaluate | None
    """The result of an `end`."""
    reads: frozenset[Path]
    """The data that an answer here depends on: when one of them changes, the step is asked (or done) again."""
    still: bool
    """The same buttons for everybody, every time: constant labels, no conditions, nothing ticked or counted here."""
    accepts: frozenset[Accepts]
    """What the question can be answered with besides buttons."""
    remaining: int
    """Questions from here (this one counted) to the end, on the longest way down the file."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """A flow of one version. `machine` is a `transitions.Machine`, opaque to all but `engine.core.machine`."""

    name: str
    version: str
    flow: Flow
    title: Text
    expired: Text | None
    key: Evaluate | None
    machine: Any
    nodes: Mapping[str, Node]
    first: str
    arguments: tuple[tuple[str, Evaluate | None], ...]
    data: tuple[tuple[str, Evaluate], ...]
    """Names with their initial values."""
