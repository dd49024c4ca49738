"""Every text, condition and expression of a flow, with the names it can see; and every use of an action, source,
validator or flow, with its parameters. Lists only; what is wrong with them is said elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce

from engine.actions.catalog import Catalog, Parameter, Written
from engine.core.model import (
    Argument,
    Ask,
    Bot,
    Call,
    Choices,
    Day,
    Declared,
    Do,
    End,
    Expression,
    File,
    Files,
    Flow,
    Invocation,
    Keyboard,
    NamedArgument,
    Quantity,
    Step,
    Template,
    Transition,
    YesNo,
)
from engine.core.types import (
    ANY,
    CHAT,
    CUSTOMER,
    DATE,
    DATETIME,
    FILE,
    INTEGER,
    TEXT,
    OptionalType,
    RecordType,
    ValueType,
    optional,
)
from engine.diagnostics import Span
from engine.loading.rules.answers import answer_type, question_type, seen_on_the_way
from engine.loading.rules.joins import assign, join_all, join_names, records
from engine.loading.rules.triggers import Exit
from engine.loading.rules.view import FlowView

value = dataclass(frozen=True, slots=True, kw_only=True)


class Use(StrEnum):
    """What a text or expression is for."""

    MESSAGE = "message"
    """Telegram HTML."""
    LABEL = "label"
    """Text of a button or title."""
    CONDITION = "condition"
    VALUE = "value"
    IDENTITY = "identity"
    """What a row or a conversation is known by: text or a whole number."""


@value
class Scope:
    """The names that can be seen at one place."""

    names: Mapping[str, ValueType]
    extra: Mapping[str, ValueType] = field(default_factory=dict)

    def plus(self, **extra: ValueType) -> "Scope":
        return Scope(names=self.names, extra={**self.extra, **extra})

    def meet(self, other: "Scope") -> "Scope":
        """What can be seen at a place that two ways lead to."""
        return Scope(names=join_names(self.names, other.names), extra=join_names(self.extra, other.extra))


@value
class Site:
    """A text or expression. `wanted`: the type it must have (None: any). `what`: how a message names it."""

    step: Step | None
    piece: Expression | Template
    scope: Scope
    use: Use
    what: str = "this text"
    wanted: ValueType | None = None


@value
class Given:
    """A value that may be nested (`set:`, `initial:`, `result:`), and the type it must have."""

    step: Step | None
    argument: Argument
    scope: Scope
    wanted: ValueType | None
    what: str
    span: Span


class Kind(StrEnum):
    ACTION = "action"
    SOURCE = "source"
    VALIDATOR = "validator"
    FLOW = "flow"


@value
class Usage:
    """A use of something with parameters; `parameters` None: there is no such thing."""

    step: Step
    kind: Kind
    name: str
    span: Span
    arguments: tuple[NamedArgument, ...]
    parameters: tuple[Parameter, ...] | None
    scope: Scope


class Sites:
    """Lists the sites, values and uses of one flow."""

    __slots__ = ("_base", "_bot", "_catalog", "_flows", "view")

    def __init__(self, view: FlowView, bot: Bot, flows: Mapping[str, Flow]) -> None:
        self.view = view
        self._bot = bot
        self._catalog: Catalog = view.catalog
        self._flows = flows
        self._base: dict[str, ValueType] = {
            "customer": CUSTOMER,
            "chat": CHAT,
            "settings": RecordType(name="settings", fields=bot.setting_types),
            "now": DATETIME,
        }

    def scope(self, names: Mapping[str, ValueType], **extra: ValueType) -> Scope:
        return Scope(names={**names, **self._base}, extra=extra)

    # --- texts and expressions

    def sites(self) -> Iterator[Site]:
        """All texts and expressions but the arguments of `with:`, `set:` and `result:`."""
        yield from self._of_flow(self.view.flow)
        for step in self.view.flow.steps:
            scope = self.scope(self.view.names_at(step))
            if step.condition is not None:
                arriving = self.scope(self.view.names_arriving(step))
                yield Site(
                    step=step, piece=step.condition, scope=arriving, use=Use.CONDITION, what="this condition"
                )
            yield from self._of_step(step, scope)
            yield from self._of_keyboard(step, scope)
            yield from self._of_question(step, scope)
            for transition, deciding, after in self._ways(step):
                yield from _of_transition(step, transition, deciding, after)

    def _of_flow(self, flow: Flow) -> Iterator[Site]:
        alone = self.scope({})
        anytime = self.scope(self.view.names_anytime())
        yield Site(step=None, piece=flow.title, scope=alone, use=Use.LABEL, what="the title")
        if flow.entry.menu is not None:
            yield Site(step=None, piece=flow.entry.menu, scope=alone, use=Use.LABEL, what="the menu entry")
        if flow.expired is not None:
            yield Site(step=None, piece=flow.expired, scope=anytime, use=Use.MESSAGE, what="the text `expired`")
        if flow.key is not None:
            known = self.scope(records(self.view.everything))
            yield Site(step=None, piece=flow.key, scope=known, use=Use.IDENTITY, what="`key`")

    def _of_step(self, step: Step, scope: Scope) -> Iterator[Site]:
        if step.text is not None:
            yield Site(step=step, piece=step.text, scope=scope, use=Use.MESSAGE, what="the text")
        if step.label is not None:
            yield Site(step=step, piece=step.label, scope=scope, use=Use.LABEL, what="the label")
        if step.photo is not None:
            wanted = TEXT if step.photo.kind == "qr" else None
            yield Site(
                step=step,
                piece=step.photo.content,
                scope=scope,
                use=Use.VALUE,
                what="the picture",
                wanted=wanted,
            )
        if step.timeout is not None and step.timeout.until is not None:
            yield Site(
                step=step,
                piece=step.timeout.until,
                scope=scope,
                use=Use.VALUE,
                what="the moment",
                wanted=DATETIME,
            )

    def _of_keyboard(self, step: Step, scope: Scope) -> Iterator[Site]:
        keyboard = step.keyboard
        if keyboard is None:
            return
        for option in keyboard.options:
            yield Site(step=step, piece=option.text, scope=scope, use=Use.LABEL, what="the option's text")
            if option.condition is not None:
                yield Site(
                    step=step,
                    piece=option.condition,
                    scope=scope,
                    use=Use.CONDITION,
                    what="the option's condition",
                )
        yield from self._of_rows(step, keyboard, scope)
        if keyboard.source is not None:
            row = scope.plus(option=self._row(keyboard))
            source = keyboard.source
            yield Site(step=step, piece=source.text, scope=row, use=Use.LABEL, what="the option's text")
            if source.value is not None:
                yield Site(step=step, piece=source.value, scope=row, use=Use.IDENTITY, what="`value`")
            if source.empty is not None:
                yield Site(step=step, piece=source.empty, scope=scope, use=Use.MESSAGE, what="the text `empty`")

    def _row(self, keyboard: Keyboard) -> ValueType:
        signature = self._catalog.sources.get(keyboard.source.source.name) if keyboard.source else None
        return signature.row if signature is not None else ANY

    @staticmethod
    def _of_rows(step: Step, keyboard: Keyboard, scope: Scope) -> Iterator[Site]:
        for button in (button for row in keyboard.rows for button in row):
            yield Site(step=step, piece=button.text, scope=scope, use=Use.LABEL, what="the button's text")
            if button.url is not None:
                yield Site(step=step, piece=button.url, scope=scope, use=Use.VALUE, what="the link")
            if button.condition is not None:
                yield Site(
                    step=step,
                    piece=button.condition,
                    scope=scope,
                    use=Use.CONDITION,
                    what="the button's condition",
                )

    def _of_question(self, step: Step, scope: Scope) -> Iterator[Site]:
        if not isinstance(step.body, Ask):
            return
        ask = step.body
        for label in _labels(ask):
            yield Site(step=step, piece=label, scope=scope, use=Use.LABEL, what="the button's text")
        for name, bound, kind in _bounds(ask):
            yield Site(step=step, piece=bound, scope=scope, use=Use.VALUE, what=f"`{name}`", wanted=kind)
        if ask.prefill is not None:
            yield Site(
                step=step,
                piece=ask.prefill,
                scope=scope,
                use=Use.VALUE,
                what="`prefill`",
                wanted=optional(answer_type(step, ask, self._catalog)),
            )
        judged = scope.plus(answer=question_type(step, ask.question, self._catalog))
        for validator in ask.validators:
            if validator.message is not None:
                yield Site(
                    step=step,
                    piece=validator.message,
                    scope=judged,
                    use=Use.MESSAGE,
                    what="the validator's message",
                )

    def _ways(self, step: Step) -> Iterator[tuple[Transition, Scope, Scope]]:
        for transition in step.transitions:
            ways = [way for way in self.view.exits[step.id] if way.transition is transition]
            if not ways:
                ways = [Exit(trigger=transition.trigger, target=transition.target, transition=transition)]
            deciding, after = zip(*(self._leaving(step, way) for way in ways), strict=True)
            yield transition, reduce(Scope.meet, deciding), reduce(Scope.meet, after)

    def _leaving(self, step: Step, way: Exit) -> tuple[Scope, Scope]:
        seen = seen_on_the_way(step, way.trigger, self._catalog, self.view.results)
        deciding, after = self.view.names_after(step, way)
        return self.scope(deciding, **seen), self.scope(after, **seen)

    # --- nested values

    def values(self) -> Iterator[Given]:
        """Initial values, `set:` and `result:`."""
        declared = {name.name: name for name in (*self.view.flow.data, *self.view.flow.arguments)}
        alone = self.scope({})
        for name in declared.values():
            if name.initial is not None:
                yield Given(
                    step=None,
                    argument=name.initial,
                    scope=alone,
                    wanted=name.type,
                    what=f"the first value of “{name.name}”",
                    span=name.span,
                )
        for step in self.view.flow.steps:
            if isinstance(step.body, End) and step.body.result is not None:
                scope = self.scope(self.view.names_at(step))
                yield Given(
                    step=step,
                    argument=step.body.result,
                    scope=scope,
                    wanted=None,
                    what="the result",
                    span=step.span,
                )
            for transition, _, after in self._ways(step):
                for assignment in transition.assignments:
                    yield Given(
                        step=step,
                        argument=assignment.value,
                        scope=after,
                        wanted=path_type(declared, assignment.path),
                        what=f"“{'.'.join(assignment.path)}”",
                        span=assignment.span,
                    )

    # --- uses of plugins and flows

    def usages(self) -> Iterator[Usage]:
        """Every action, source, validator and called flow with its arguments."""
        for step in self.view.flow.steps:
            scope = self.scope(self.view.names_at(step))
            if step.keyboard is not None and step.keyboard.source is not None:
                yield self._source(step, step.keyboard.source.source, scope)
            match step.body:
                case Ask() as ask:
                    yield from self._in_question(step, ask, scope)
                case Do(action=action, undo=undo):
                    yield self._action(step, action, scope)
                    if undo is not None:
                        yield self._action(step, undo, self._after_work(step))
                case Call(flow=name, flow_span=span, arguments=arguments):
                    called = self._flows.get(name)
                    yield Usage(
                        step=step,
                        kind=Kind.FLOW,
                        name=name,
                        span=span,
                        arguments=arguments,
                        parameters=flow_parameters(called) if called is not None else None,
                        scope=scope,
                    )
                case _:
                    pass

    def _in_question(self, step: Step, ask: Ask, scope: Scope) -> Iterator[Usage]:
        match ask.question:
            case File(each=each) | Files(each=each) if each is not None:
                yield self._action(step, each, scope.plus(file=FILE))
            case _:
                pass
        judged = scope.plus(answer=question_type(step, ask.question, self._catalog))
        for validator in ask.validators:
            signature = self._catalog.validators.get(validator.invocation.name)
            yield _usage(step, Kind.VALIDATOR, validator.invocation, signature, judged)

    def _action(self, step: Step, invocation: Invocation, scope: Scope) -> Usage:
        return _usage(step, Kind.ACTION, invocation, self._catalog.actions.get(invocation.name), scope)

    def _source(self, step: Step, invocation: Invocation, scope: Scope) -> Usage:
        return _usage(step, Kind.SOURCE, invocation, self._catalog.sources.get(invocation.name), scope)

    def _after_work(self, step: Step) -> Scope:
        action = step.body.action.name if isinstance(step.body, Do) else ""
        signature = self._catalog.actions.get(action)
        result = join_all(list(signature.outcomes.values())) if signature is not None else None
        kind = result or ANY
        known = assign(self.view.paths_in(step), step.target, kind)
        return self.scope(records(known), result=kind)


def _usage(step: Step, kind: Kind, invocation: Invocation, signature: object, scope: Scope) -> Usage:
    return Usage(
        step=step,
        kind=kind,
        name=invocation.name,
        span=invocation.span,
        arguments=invocation.arguments,
        parameters=getattr(signature, "parameters", None),
        scope=scope,
    )


def _of_transition(step: Step, transition: Transition, deciding: Scope, after: Scope) -> Iterator[Site]:
    if transition.condition is not None:
        yield Site(step=step, piece=transition.condition, scope=deciding, use=Use.CONDITION, what="this condition")
    if transition.text is not None:
        yield Site(step=step, piece=transition.text, scope=after, use=Use.MESSAGE, what="the text")


def _labels(ask: Ask) -> Iterator[Template]:
    if ask.optional is not None:
        yield ask.optional
    match ask.question:
        case YesNo(yes=yes, no=no):
            yield from (label for label in (yes, no) if label is not None)
        case Choices(done=done) | Files(done=done) if done is not None:
            yield done
        case _:
            pass


def _bounds(ask: Ask) -> Iterator[tuple[str, Expression, ValueType]]:
    match ask.question:
        case Day(minimum=minimum, maximum=maximum):
            pairs: list[tuple[str, object, ValueType]] = [("min", minimum, DATE), ("max", maximum, DATE)]
        case Quantity(maximum=maximum, start=start):
            pairs = [("max", maximum, INTEGER), ("start", start, INTEGER)]
        case _:
            pairs = []
    for name, bound, kind in pairs:
        if isinstance(bound, Expression):
            yield name, bound, kind


def flow_parameters(flow: Flow) -> tuple[Parameter, ...]:
    """A flow's `arguments:` in the shape of an action's parameters."""
    return tuple(
        Parameter(
            name=declared.name,
            type=declared.type,
            required=declared.initial is None and not isinstance(declared.type, OptionalType),
            written=Written.EXPRESSION,
        )
        for declared in flow.arguments
    )


def path_type(declared: Mapping[str, Declared], path: tuple[str, ...]) -> ValueType | None:
    """The declared type under a dotted path; None when it was not declared."""
    if path[0] not in declared:
        return None
    kind: ValueType | None = declared[path[0]].type
    for name in path[1:]:
        inner = kind.inner if isinstance(kind, OptionalType) else kind
        kind = inner.fields.get(name) if isinstance(inner, RecordType) else None
    return kind
