"""F03: names of things that must exist: steps, flows, triggers, actions, sources, validators, filters, roles."""

from collections.abc import Iterator
from functools import lru_cache

from babel import Locale
from babel.numbers import list_currencies

from engine.core.model import Ask, Call, Do, Flow, MoneyAmount, Phone, Step
from engine.core.values import MINOR_DIGITS
from engine.diagnostics import Diagnostic, Span
from engine.loading.rules.checked import Checked, JudgedFlow
from engine.loading.rules.findings import from_fault, unknown
from engine.loading.rules.triggers import buttons
from engine.loading.rules.uses import Kind


def unknown_steps(checked: Checked) -> Iterator[Diagnostic]:
    """F0301: a transition leads to a step that does not exist."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            for transition in step.transitions:
                if transition.target not in judged.view.steps:
                    yield unknown(
                        "F0301",
                        transition.target_span,
                        f"There is no step “{transition.target}” in this flow.",
                        name=transition.target,
                        among=judged.view.steps,
                    )


def unknown_flows(checked: Checked) -> Iterator[Diagnostic]:
    """F0302: `call:` or a button's `start:` names a flow that does not exist."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            for name, span in _named_flows(step):
                if name not in checked.by_name:
                    yield unknown("F0302", span, f"There is no flow “{name}”.", name=name, among=checked.by_name)


def _named_flows(step: Step) -> Iterator[tuple[str, Span]]:
    if isinstance(step.body, Call):
        yield step.body.flow, step.body.flow_span
    for button in buttons(step):
        if button.start is not None:
            yield button.start


def unknown_triggers(checked: Checked) -> Iterator[Diagnostic]:
    """F0303, F0405: a transition waits for something that never happens at its step."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            yield from _triggers_of(judged, step)


def _triggers_of(judged: JudgedFlow, step: Step) -> Iterator[Diagnostic]:
    outlet = judged.view.outlets[step.id]
    if not outlet.known:
        return
    for transition in step.transitions:
        name = transition.trigger
        if name in outlet.possible or (name == "" and outlet.possible):
            continue
        if isinstance(step.body, Do) and name:
            message = f"“{step.body.action.name}” has no outcome “{name}”."
            yield unknown("F0405", transition.trigger_span, message, name=name, among=outlet.possible)
        else:
            shown = f"Nothing called “{name}” ever happens at the step “{step.id}”."
            message = shown if name else f"The step “{step.id}” leads nowhere: it ends here."
            yield unknown("F0303", transition.trigger_span, message, name=name, among=outlet.possible)


def unknown_undone(checked: Checked) -> Iterator[Diagnostic]:
    """F0405: `undo:` belongs to an outcome that the action does not have."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            signature = checked.catalog.actions.get(step.body.action.name) if isinstance(step.body, Do) else None
            if signature is None or not isinstance(step.body, Do):
                continue
            for name, span in step.body.undo_after:
                if name not in signature.outcomes:
                    message = f"“{signature.name}” has no outcome “{name}” that could be taken back."
                    yield unknown("F0405", span, message, name=name, among=list(signature.outcomes))


def unknown_plugins(checked: Checked) -> Iterator[Diagnostic]:
    """F0304, F0305, F0306: an action, a source or a validator that no plugin offers."""
    tables = {
        Kind.ACTION: ("F0304", "action", checked.catalog.actions),
        Kind.SOURCE: ("F0305", "source", checked.catalog.sources),
        Kind.VALIDATOR: ("F0306", "validator", checked.catalog.validators),
    }
    for judged in checked.judged:
        for used in judged.usages:
            usage = used.usage
            if usage.kind is Kind.FLOW:
                continue
            code, word, table = tables[usage.kind]
            if usage.name not in table:
                yield unknown(
                    code,
                    usage.span,
                    f"No plugin offers the {word} “{usage.name}”.",
                    name=usage.name,
                    among=list(table),
                )


def unknown_filters(checked: Checked) -> Iterator[Diagnostic]:
    """F0307: a filter or test that texts do not know."""
    for judged in checked.judged:
        for piece in judged.pieces():
            for fault in piece.faults:
                if fault.kind == "unknown_filter":
                    yield from_fault("F0307", fault, checked.place(piece.piece, fault.offset, fault.length))


def unknown_roles(checked: Checked) -> Iterator[Diagnostic]:
    """F0308: `only:` names a role that bot.yaml does not have."""
    for judged in checked.judged:
        for name, span in _roles(judged.flow):
            if name not in checked.bot.roles:
                yield unknown(
                    "F0308",
                    span,
                    f"There is no role “{name}” in bot.yaml.",
                    name=name,
                    among=checked.bot.roles,
                )


def _roles(flow: Flow) -> Iterator[tuple[str, Span]]:
    yield from flow.only
    for step in flow.steps:
        yield from step.only
        for button in buttons(step):
            yield from button.only


def unknown_policies(checked: Checked) -> Iterator[Diagnostic]:
    """F0309: `retry:` names a policy that bot.yaml does not have."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            if isinstance(step.body, Do) and isinstance(step.body.retry, tuple):
                name, span = step.body.retry
                if name not in checked.bot.retry:
                    yield unknown(
                        "F0309",
                        span,
                        f"There is no retry policy “{name}” in bot.yaml.",
                        name=name,
                        among=checked.bot.retry,
                    )


def edit_targets(checked: Checked) -> Iterator[Diagnostic]:
    """F0310, F0312: an edit button leads to a step that does not exist, or that asks nothing."""
    for judged in checked.judged:
        asking = {step.id for step in judged.flow.steps if _can_be_edited(step)}
        for step in judged.flow.steps:
            for button in judged.view.edits(step):
                for name, span in button.edit or ():
                    if name not in judged.view.steps:
                        yield unknown(
                            "F0310",
                            span,
                            f"There is no step “{name}” to edit.",
                            name=name,
                            among=asking - {step.id},
                        )
                    elif name not in asking:
                        yield unknown(
                            "F0312",
                            span,
                            f"The step “{name}” asks nothing, so there is nothing to edit.",
                            name=name,
                            among=asking - {step.id},
                        )


def _can_be_edited(step: Step) -> bool:
    return isinstance(step.body, Ask | Call)


def deep_link_arguments(checked: Checked) -> Iterator[Diagnostic]:
    """F0311: the rest of a deep link goes into an argument that the flow does not have."""
    for flow in checked.flows:
        link = flow.entry.deep_link
        names = {declared.name for declared in flow.arguments}
        if link is not None and link.argument is not None and link.argument not in names:
            yield unknown(
                "F0311",
                link.span,
                f"The flow has no argument “{link.argument}” for the rest of the link.",
                name=link.argument,
                among=names,
            )


def unknown_money(checked: Checked) -> Iterator[Diagnostic]:
    """F0313: a currency, or the country of telephone numbers, that does not exist."""
    for flow in checked.flows:
        for step in flow.steps:
            question = step.body.question if isinstance(step.body, Ask) else None
            match question:
                case MoneyAmount(currency=str() as code) if code not in _currencies():
                    yield unknown("F0313", step.span, f"There is no currency “{code}”.", name=code, among=_currencies())
                case Phone(region=str() as code) if code not in _countries():
                    yield unknown("F0313", step.span, f"There is no country “{code}”.", name=code, among=_countries())
                case _:
                    pass


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset({*list_currencies(), *MINOR_DIGITS})


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(name for name in map(str, Locale("en").territories) if len(name) == 2 and name.isalpha())
