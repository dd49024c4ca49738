"""Which triggers a step can fire and where each leads: the graph of a flow. Types are not known here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.actions.catalog import Catalog
from engine.core.model import Ask, Button, Call, Choice, Do, End, Expression, Flow, Show, Step, Transition, Wait, YesNo

TIME_OVER = ("timeout", "timeout_late")
"""Triggers of a step whose time is over; the second one, where it is named, when the timer comes late."""
NEVER_BELOW = frozenset({*TIME_OVER, "failed"})
"""Triggers that do not go on to the step below when no transition names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """`possible`: triggers that transitions may name. `firing`: those that really fire, more precise first.

    `known` is False when the action or flow that decides does not exist: then nothing is said about triggers.
    """

    possible: frozenset[str]
    firing: tuple[str, ...]
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """One way out of a step; `target` None: no step is below. `transition` None: it just goes on below."""

    trigger: str
    target: str | None
    transition: Transition | None = None
    unless: tuple[Expression, ...] = ()
    """Conditions of earlier transitions, which do not hold when this way is taken."""


def buttons(step: Step) -> Iterator[Button]:
    """The fixed buttons of a step, row by row."""
    if step.keyboard is not None:
        for row in step.keyboard.rows:
            yield from row


def button_triggers(step: Step) -> tuple[str, ...]:
    return tuple(dict.fromkeys(button.trigger for button in buttons(step) if button.trigger))


def option_buttons(step: Step) -> tuple[Button, ...]:
    """The buttons that stand in the row of every option."""
    source = step.keyboard.source if step.keyboard is not None else None
    return source.buttons if source is not None else ()


def option_triggers(step: Step) -> tuple[str, ...]:
    return tuple(dict.fromkeys(button.trigger for button in option_buttons(step) if button.trigger))


def option_values(step: Step) -> tuple[str, ...]:
    return tuple(option.value for option in step.keyboard.options) if step.keyboard else ()


def has_source(step: Step) -> bool:
    return step.keyboard is not None and step.keyboard.source is not None


def end_outcomes(flow: Flow) -> tuple[str, ...]:
    """The outcomes of a flow's `end:` steps."""
    return tuple(dict.fromkeys(step.body.outcome for step in flow.steps if isinstance(step.body, End)))


def outlets(step: Step, catalog: Catalog, flows: Mapping[str, Flow]) -> Outlets:
    """What the step can fire."""
    match step.body:
        case Ask():
            return _of_question(step, step.body)
        case Show():
            return _of_message(step)
        case Do(action=action):
            signature = catalog.actions.get(action.name)
            if signature is None:
                return _unknown(step)
            return _of_work(step, tuple(signature.outcomes), extra="failed")
        case Wait(signals=signals):
            names = (*(name for name, _ in signals), *button_triggers(step))
            return _with_timeout(step, names)
        case Call(flow=name):
            called = flows.get(name)
            if called is None:
                return _unknown(step)
            return _of_work(step, end_outcomes(called), extra="cancelled")
        case End():
            return Outlets(possible=frozenset(), firing=())


def _unknown(step: Step) -> Outlets:
    named = tuple(dict.fromkeys(transition.trigger for transition in step.transitions))
    return Outlets(possible=frozenset(named), firing=tuple(dict.fromkeys((*named, ""))), known=False)


def _of_work(step: Step, outcomes: tuple[str, ...], *, extra: str) -> Outlets:
    """`extra` (`failed`, `cancelled`) leads somewhere only where it is named; `cancelled` ends everything otherwise."""
    named = {transition.trigger for transition in step.transitions}
    firing = tuple(dict.fromkeys((*outcomes, *([extra] if extra in named else []))))
    return Outlets(possible=frozenset({*outcomes, extra}), firing=firing)


def _with_timeout(step: Step, firing: tuple[str, ...]) -> Outlets:
    return Outlets(possible=frozenset({*firing, *TIME_OVER}), firing=tuple(dict.fromkeys((*firing, *_time_over(step)))))


def _time_over(step: Step) -> tuple[str, ...]:
    if step.timeout is None:
        return ()
    named = {transition.trigger for transition in step.transitions}
    return TIME_OVER if TIME_OVER[1] in named else TIME_OVER[:1]


def _of_message(step: Step) -> Outlets:
    return _with_timeout(step, ("next",) if step.keyboard is None else button_triggers(step))


def _of_question(step: Step, ask: Ask) -> Outlets:
    named = {transition.trigger for transition in step.transitions}
    special = special_triggers(step, ask)
    firing = [trigger for trigger in special if trigger in named]
    if _leaves_the_usual_way(step, ask, named):
        firing.append("answered")
    if not writes_buttons(ask):
        firing.extend(button_triggers(step))
    if ask.optional is not None:
        firing.append("skipped")
    firing.extend(_time_over(step))
    if has_source(step) and "failed" in named:
        firing.append("failed")
    possible = {*special, *button_triggers(step), "answered", *TIME_OVER}
    possible |= {"skipped"} if ask.optional is not None else set()
    possible |= {"failed"} if has_source(step) else set()
    return Outlets(possible=frozenset(possible), firing=tuple(dict.fromkeys(firing)))


def writes_buttons(ask: Ask) -> bool:
    """Whether a press of a fixed button is the answer: in every choice of one."""
    return isinstance(ask.question, Choice)


def special_triggers(step: Step, ask: Ask) -> tuple[str, ...]:
    """Triggers that fire instead of `answered` where a transition names them."""
    match ask.question:
        case Choice():
            return (*option_values(step), *option_triggers(step), *button_triggers(step))
        case YesNo():
            return ("yes", "no")
        case _:
            return ()


def _leaves_the_usual_way(step: Step, ask: Ask, named: set[str]) -> bool:
    special = special_triggers(step, ask)
    picked = has_source(step) and not option_buttons(step)  # one button per option: it fires `answered`
    return picked or not (special and set(special) <= named)


def exits(step: Step, outlet: Outlets) -> tuple[Exit, ...]:
    """Every way out of a step, conditions taken as open."""
    return tuple(way for trigger in outlet.firing for way in _ways(step, trigger))


def _ways(step: Step, trigger: str) -> Iterator[Exit]:
    """Transitions of that name first, then those without a name, then the step below.

    A skipped question goes the way of an answered one where nothing names `skipped`.
    """
    below = trigger not in NEVER_BELOW
    unless: tuple[Expression, ...] = ()
    named = any(transition.trigger == trigger for transition in step.transitions)
    first = "answered" if trigger == "skipped" and not named else trigger
    for name in (first, "") if below and trigger else (first,):
        for transition in step.transitions:
            if transition.trigger == name:
                yield Exit(trigger=trigger, target=transition.target, transition=transition, unless=unless)
                if transition.condition is None:
                    return
                unless = (*unless, transition.condition)
    if below:
        yield Exit(trigger=trigger, target=step.following, unless=unless)


def passes_over(step: Step) -> bool:
    """Whether the step can be left out: its `if:` does not hold, or it is for certain roles only."""
    return step.condition is not None or bool(step.only)


def waits(step: Step) -> bool:
    """Whether the step waits for somebody outside: the customer, or a signal."""
    match step.body:
        case Ask() | Wait() | End():
            return True
        case Show():
            return step.keyboard is not None
        case Do() | Call():
            return False
