"""F04: the arguments and outcomes of actions, sources, validators and called flows."""

from collections.abc import Iterator

from engine.actions.catalog import ActionSignature, Parameter, Written
from engine.core.model import ArgumentList, Ask, Do, Flow, Literal, NamedArgument, Step
from engine.core.types import (
    ANY,
    OptionalType,
    RecordType,
    ValueType,
    describe,
    fits,
)
from engine.diagnostics import Diagnostic, Span
from engine.loading.rules.answers import question_type, written
from engine.loading.rules.checked import Checked, Filled, JudgedFlow, JudgedUsage, direct
from engine.loading.rules.findings import finding, unknown
from engine.loading.rules.joins import alike, bare
from engine.loading.rules.triggers import buttons
from engine.loading.rules.uses import Kind, Usage, flow_parameters
from engine.loading.rules.view import declared_type


def missing_arguments(checked: Checked) -> Iterator[Diagnostic]:
    """F0401: something that must be given is not."""
    for judged in checked.judged:
        for used in judged.usages:
            usage = used.usage
            given = {filled.parameter.name for filled in used.filled}
            for parameter in usage.parameters or ():
                if parameter.required and parameter.name not in given:
                    yield finding(
                        "F0401",
                        usage.span,
                        f"“{usage.name}” needs the argument “{parameter.name}”.",
                        expected=f"`{parameter.name}:` with {describe(parameter.type)}",
                    )
        yield from _started_flows(checked, judged)


def _started_flows(checked: Checked, judged: JudgedFlow) -> Iterator[Diagnostic]:
    for step in judged.flow.steps:
        for button in buttons(step):
            flow = checked.by_name.get(button.start[0]) if button.start is not None else None
            if flow is None or button.start is None:
                continue
            for parameter in flow_parameters(flow):
                if parameter.required:
                    yield finding(
                        "F0401",
                        button.start[1],
                        f"A button cannot give “{flow.name}” its argument “{parameter.name}”.",
                        expected="a flow without required arguments, or a step with `call:` and `with:`",
                    )


def unknown_arguments(checked: Checked) -> Iterator[Diagnostic]:
    """F0402: something is given that nobody takes."""
    for judged in checked.judged:
        for used in judged.usages:
            usage = used.usage
            if usage.parameters is None:
                continue
            names = [parameter.name for parameter in usage.parameters]
            for argument in usage.arguments:
                if argument.name not in names and not direct(argument.name, usage.parameters):
                    yield _not_taken(usage.name, argument, names)


def _not_taken(owner: str, argument: NamedArgument, names: list[str]) -> Diagnostic:
    shown = f"the argument “{argument.name}”" if argument.name else "a value"
    return unknown(
        "F0402",
        argument.name_span,
        f"“{owner}” does not take {shown}.",
        name=argument.name,
        among=names,
    )


def wrong_arguments(checked: Checked) -> Iterator[Diagnostic]:
    """F0403: what is given has another type than what is taken."""
    for judged in checked.judged:
        for used in judged.usages:
            for filled in used.filled:
                if filled.argument.sound and not suits(filled):
                    yield _wrong(used, filled)


def suits(filled: Filled) -> bool:
    """Whether a value may be given to a parameter. Text with places takes everything that can be printed."""
    given, wanted = filled.argument.type, filled.parameter.type
    if fits(given, wanted):
        return True
    template = filled.parameter.written is Written.TEMPLATE
    return template and not isinstance(given, OptionalType)


def _wrong(used: JudgedUsage, filled: Filled) -> Diagnostic:
    given, parameter = filled.argument.type, filled.parameter
    owner = f"“{used.usage.name}”"
    if isinstance(given, OptionalType) and fits(given.inner, parameter.type):
        message = f"The argument “{parameter.name}” of {owner} is not set on every way to this step."
    else:
        message = f"The argument “{parameter.name}” of {owner} is {describe(given)}."
    return finding("F0403", filled.argument.span, message, expected=describe(parameter.type))


def open_outcomes(checked: Checked) -> Iterator[Diagnostic]:
    """F0404: several outcomes go on to the step below without a word about any of them."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            signature = _action_of(checked, step)
            if signature is None or not isinstance(step.body, Do):
                continue
            named = {transition.trigger for transition in step.transitions}
            unnamed = sorted(set(signature.outcomes) - named)
            if len(unnamed) > 1 and "" not in named:
                names = ", ".join(f"“{name}”" for name in unnamed)
                yield finding(
                    "F0404",
                    step.body.action.span,
                    f"“{signature.name}” can end as {names}, and `transitions:` names none of them.",
                    expected="a transition for every outcome; one of them may go on to the step below unnamed",
                )


def _action_of(checked: Checked, step: Step) -> ActionSignature | None:
    return checked.catalog.actions.get(step.body.action.name) if isinstance(step.body, Do) else None


def missing_failed(checked: Checked) -> Iterator[Diagnostic]:
    """F0406: an external action without `failed`."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            signature = _action_of(checked, step)
            if signature is None or signature.transactional or not isinstance(step.body, Do):
                continue
            if "failed" not in {transition.trigger for transition in step.transitions}:
                yield finding(
                    "F0406",
                    step.body.action.span,
                    f"“{signature.name}” calls another system, which can fail; nothing says what happens then.",
                    expected="a transition `failed:` with the step to go to",
                )


def pointless_retry(checked: Checked) -> Iterator[Diagnostic]:
    """F0407: `retry:` at a transactional action."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            if not isinstance(step.body, Do) or step.body.retry is None:
                continue
            signature = checked.catalog.actions.get(step.body.action.name)
            if signature is not None and signature.transactional:
                span = step.body.retry[1] if isinstance(step.body.retry, tuple) else step.body.action.span
                yield finding(
                    "F0407",
                    span,
                    f"“{signature.name}” works inside the database: it succeeds or is undone, "
                    "there is nothing to retry.",
                    expected="no `retry:` here",
                )


def unfit_validators(checked: Checked) -> Iterator[Diagnostic]:
    """F0408: a validator that judges another type than the question's answer."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            if isinstance(step.body, Ask):
                yield from _validators_of(checked, judged, step, step.body)


def _validators_of(checked: Checked, judged: JudgedFlow, step: Step, ask: Ask) -> Iterator[Diagnostic]:
    kind = question_type(step, ask.question, checked.catalog, judged.view.paths_in(step))
    for validator in ask.validators:
        signature = checked.catalog.validators.get(validator.invocation.name)
        if signature is None:
            continue
        if not fits(kind, signature.accepts):
            yield finding(
                "F0408",
                validator.invocation.span,
                f"“{signature.name}” judges {describe(signature.accepts)}, but this answer is {describe(kind)}.",
                expected=f"a validator for {describe(kind)}",
            )
        kind = signature.produces or kind


def impossible_validators(checked: Checked) -> Iterator[Diagnostic]:
    """F0411: a validator with constants that it cannot work with, as it says itself."""
    for judged in checked.judged:
        for used in judged.usages:
            usage = used.usage
            signature = checked.catalog.validators.get(usage.name) if usage.kind is Kind.VALIDATOR else None
            if signature is None or signature.check is None or not all(map(suits, used.filled)):
                continue
            given = dict(_constants(usage))
            wrong = signature.check({name: value for name, (value, _) in given.items()})
            if wrong:
                spans = [span for _, span in given.values()]
                about = [parameter for parameter in signature.parameters if parameter.name in given]
                yield finding(
                    "F0411",
                    spans[0] if len(spans) == 1 else usage.span,
                    f"“{usage.name}” cannot work: {wrong}.",
                    expected=", ".join(f"`{parameter.name}:` {_said(parameter)}" for parameter in about),
                )


def _constants(usage: Usage) -> Iterator[tuple[str, tuple[object, Span]]]:
    """The arguments that are known before anything runs, by the names of their parameters."""
    for argument in usage.arguments:
        known = next((one for one in usage.parameters or () if one.name == argument.name), None)
        parameter = known or direct(argument.name, usage.parameters or ())
        if parameter is None:
            continue
        match argument.value:
            case Literal(value=value, span=span):
                yield parameter.name, (value, span)
            case ArgumentList(items=items, span=span) if all(isinstance(item, Literal) for item in items):
                yield parameter.name, (tuple(item.value for item in items if isinstance(item, Literal)), span)
            case _:
                pass


def _said(parameter: Parameter) -> str:
    doc = parameter.doc.split(";")[0].rstrip(".") or describe(parameter.type)
    return doc[:1].lower() + doc[1:]


def mixed_saves(checked: Checked) -> Iterator[Diagnostic]:
    """F0409: two steps keep unlike things under one name."""
    for judged in checked.judged:
        yield from _saves_of(checked, judged)


def _saves_of(checked: Checked, judged: JudgedFlow) -> Iterator[Diagnostic]:
    flow, view = judged.flow, judged.view
    kept: dict[tuple[str, ...], ValueType] = {
        (declared.name,): declared_type(declared) for declared in (*flow.arguments, *flow.data)
    }
    for step in flow.steps:
        fresh: dict[tuple[str, ...], ValueType] = {}
        for trigger in view.outlets[step.id].firing:
            kind = written(step, trigger, checked.catalog, view.results, view.paths_in(step))
            if kind is None:
                continue
            clash = _clash(kept, step.target, kind)
            if clash is not None:
                yield _mixed(step, kind, clash)
                break
            fresh[step.target] = kind
        kept.update({path: kind for path, kind in fresh.items() if path not in kept})


def _clash(
    kept: dict[tuple[str, ...], ValueType], path: tuple[str, ...], kind: ValueType
) -> tuple[tuple[str, ...], ValueType] | None:
    for other, known in kept.items():
        if other == path and not alike(known, kind):
            return other, known
        if len(other) < len(path) and path[: len(other)] == other and not _can_hold(known):
            return other, known
        if len(path) < len(other) and other[: len(path)] == path and not _can_hold(kind):
            return other, known
    return None


def _can_hold(kind: ValueType) -> bool:
    return isinstance(bare(kind), RecordType) or bare(kind) == ANY


def _mixed(step: Step, kind: ValueType, clash: tuple[tuple[str, ...], ValueType]) -> Diagnostic:
    path, known = clash
    span: Span = step.save_span or step.span
    return finding(
        "F0409",
        span,
        f"“{'.'.join(step.target)}” would be {describe(kind)} here, "
        f"but “{'.'.join(path)}” is {describe(known)} elsewhere.",
        expected="another name, or the same type",
    )


def required_at_the_door(checked: Checked) -> Iterator[Diagnostic]:
    """F0410: customers can start a flow that needs arguments which they cannot give."""
    for flow in checked.flows:
        if not (flow.entry.commands or flow.entry.menu or flow.entry.deep_link):
            continue
        for parameter in flow_parameters(flow):
            if parameter.required:
                yield _unfilled(flow, parameter)


def _unfilled(flow: Flow, parameter: Parameter) -> Diagnostic:
    span = next(declared.span for declared in flow.arguments if declared.name == parameter.name)
    return finding(
        "F0410",
        span,
        f"A customer can start this flow without the argument “{parameter.name}”.",
        expected=f"an optional type, such as `{parameter.name}: text?`, or a flow without `entry:`",
    )
