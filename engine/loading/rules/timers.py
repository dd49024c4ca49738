"""What a step waits for: where time limits lead, which working hours they keep to, what is left when a late one is
skipped, and how signals find the conversation."""

from collections.abc import Iterator

from engine.core.early import awaited
from engine.core.model import Call, Flow, Step, Wait
from engine.diagnostics import Diagnostic
from engine.loading.rules.checked import Checked, JudgedFlow
from engine.loading.rules.findings import finding, unknown
from engine.loading.rules.triggers import TIME_OVER, buttons


def timeouts(checked: Checked) -> Iterator[Diagnostic]:
    """F0508, F0509: `timeout:` without a transition, and the other way round."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            named = [transition for transition in step.transitions if transition.trigger in TIME_OVER]
            if step.timeout is not None and all(way.trigger != "timeout" for way in named):
                yield finding(
                    "F0508",
                    step.timeout.span,
                    f"When the time of “{step.id}” is over, nothing says where to go.",
                    expected="`timeout:` among the transitions of this step",
                )
            for way in named if step.timeout is None else ():
                if way.trigger in judged.view.outlets[step.id].possible and not _own(checked, step, way.trigger):
                    yield finding(
                        "F0509",
                        way.trigger_span,
                        f"The step “{step.id}” has no `timeout:`, so this never happens.",
                        expected="`timeout: 30m` at the step, or no such transition",
                    )
                    break


def _own(checked: Checked, step: Step, trigger: str) -> bool:
    """An outcome, option, signal or button may itself be called “timeout”."""
    pressed = {button.trigger for button in buttons(step)}
    signals = {name for name, _ in step.body.signals} if isinstance(step.body, Wait) else set()
    action = getattr(getattr(step.body, "action", None), "name", "")
    signature = checked.catalog.actions.get(action)
    return trigger in pressed | signals or (signature is not None and trigger in signature.outcomes)


def unknown_hours(checked: Checked) -> Iterator[Diagnostic]:
    """F0315: a time limit keeps to working hours that bot.yaml does not have."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            if step.timeout is None or step.timeout.hours is None:
                continue
            name, span = step.timeout.hours
            if name not in checked.bot.hours:
                message = f"There are no working hours “{name}” in bot.yaml."
                yield unknown("F0315", span, message, name=name, among=checked.bot.hours)


def skipped_for_ever(checked: Checked) -> Iterator[Diagnostic]:
    """F0516: a late timer is skipped, and nothing else leads on."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            if step.timeout is not None and _skips(judged.flow, step) and not _other_ways(judged, step):
                yield finding(
                    "F0516",
                    step.timeout.span,
                    f"When the bot was down at this moment, the timer is skipped and nobody gets out of “{step.id}”.",
                    expected="another `late:` (`fire`, or `1h` for one more hour), or `timeout_late:` among the "
                    "transitions",
                )


def unfound(checked: Checked) -> Iterator[Diagnostic]:
    """F0517: a step waits for a signal, and no `key:` says how one finds the conversation."""
    flows = {flow.name: flow for flow in checked.flows}
    called = {step.body.flow for flow in checked.flows for step in flow.steps if isinstance(step.body, Call)}
    for flow in checked.flows:
        if flow.key is not None or (flow.name in called and not _entered(flow)):
            continue
        signals = sorted(awaited(flows.__getitem__, [flow.name]))
        if signals:
            yield finding(
                "F0517",
                flow.span,
                f"“{flow.name}” waits for the signal “{signals[0]}”, but it has no `key:` by which a signal finds it.",
                expected="`key:` with what the sender knows it by, such as key: number",
            )


def _entered(flow: Flow) -> bool:
    return bool(flow.entry.commands or flow.entry.menu or flow.entry.deep_link)


def _skips(flow: Flow, step: Step) -> bool:
    late = (step.timeout and step.timeout.late) or flow.late
    return late.skip


def _other_ways(judged: JudgedFlow, step: Step) -> bool:
    return any(way.trigger != "timeout" for way in judged.view.exits[step.id])
