"""Every use of an action, source, validator or flow with its parameters, and every value that may be nested."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.actions.catalog import Parameter, Written
from engine.core.model import (
    Argument,
    Ask,
    Call,
    Declared,
    Do,
    End,
    File,
    Files,
    Flow,
    Invocation,
    NamedArgument,
    Step,
)
from engine.core.types import (
    ANY,
    FILE,
    OptionalType,
    RecordType,
    ValueType,
)
from engine.core.undoing import undone_outcomes
from engine.diagnostics import Span
from engine.loading.rules.answers import question_type
from engine.loading.rules.joins import assign, join_all, records
from engine.loading.rules.scopes import Places, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A use of something with parameters; `parameters` None: there is no such thing."""

    step: Step
    kind: Kind
    name: str
    span: Span
    arguments: tuple[NamedArgument, ...]
    parameters: tuple[Parameter, ...] | None
    scope: Scope


class Uses(Places):
    """Lists what is handed over and set in one flow."""

    __slots__ = ()

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
            for transition, _, after in self.ways(step):
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
            source = step.keyboard.source if step.keyboard is not None else None
            if source is not None and source.source is not None:
                yield self._source(step, source.source, scope)
            match step.body:
                case Ask() as ask:
                    yield from self._in_question(step, ask, scope)
                case Do(action=action, undo=undo) as body:
                    yield self._action(step, action, scope)
                    if undo is not None:
                        yield self._action(step, undo, self._after_work(step, body))
                case Call(flow=name, flow_span=span, arguments=arguments):
                    called = self.flows.get(name)
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
        judged = scope.plus(answer=question_type(step, ask.question, self.catalog, self.view.paths_in(step)))
        for validator in ask.validators:
            signature = self.catalog.validators.get(validator.invocation.name)
            yield _usage(step, Kind.VALIDATOR, validator.invocation, signature, judged)

    def _action(self, step: Step, invocation: Invocation, scope: Scope) -> Usage:
        return _usage(step, Kind.ACTION, invocation, self.catalog.actions.get(invocation.name), scope)

    def _source(self, step: Step, invocation: Invocation, scope: Scope) -> Usage:
        return _usage(step, Kind.SOURCE, invocation, self.catalog.sources.get(invocation.name), scope)

    def _after_work(self, step: Step, body: Do) -> Scope:
        signature = self.catalog.actions.get(body.action.name)
        outcomes = signature.outcomes if signature is not None else {}
        undone = undone_outcomes(step, body, outcomes)
        kind = join_all([record for name, record in outcomes.items() if name in undone]) or ANY
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
