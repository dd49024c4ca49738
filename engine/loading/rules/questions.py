"""F05, the questions: a keyboard that can be answered, bounds that leave something to answer."""

from collections import Counter
from collections.abc import Iterator

from engine.core.model import (
    Ask,
    Choice,
    Choices,
    Day,
    Do,
    Expression,
    Files,
    MoneyAmount,
    Number,
    Quantity,
    Show,
    Step,
    Wait,
)
from engine.diagnostics import Diagnostic, Span
from engine.loading.rules.checked import Checked
from engine.loading.rules.findings import finding
from engine.loading.rules.triggers import button_triggers, buttons, has_source, option_buttons, option_values

RESERVED = frozenset({"answered", "skipped", "timeout", "timeout_late", "failed"})
"""Triggers of the engine: a button or option of that name would be taken for them."""


def _steps(checked: Checked) -> Iterator[Step]:
    for flow in checked.flows:
        yield from flow.steps


def no_options(checked: Checked) -> Iterator[Diagnostic]:
    """F0510: a choice with nothing to choose."""
    for step in _steps(checked):
        if not isinstance(step.body, Ask):
            continue
        pressed = button_triggers(step) if isinstance(step.body.question, Choice) else ()
        chosen = isinstance(step.body.question, Choice | Choices)
        if chosen and not option_values(step) and not has_source(step) and not pressed:
            yield finding(
                "F0510",
                step.span,
                f"The question “{step.id}” offers nothing to choose from.",
                expected="`keyboard:` with options, or with `from:` and a source",
            )


def duplicates(checked: Checked) -> Iterator[Diagnostic]:
    """F0511: two options or buttons of one keyboard that cannot be told apart."""
    for step in _steps(checked):
        counted: Counter[str] = Counter()
        if step.keyboard is None:
            continue
        for option in step.keyboard.options:
            counted[option.value] += 1
            if counted[option.value] > 1 or option.value in RESERVED:
                yield _twice(option.value, option.span)
        for button in (*option_buttons(step), *buttons(step)):
            if button.trigger is None:
                continue
            counted[button.trigger] += 1
            twice = counted[button.trigger] > 1 and button.condition is None and not button.only
            if twice or button.trigger in RESERVED:
                yield _twice(button.trigger, button.span)


def _twice(name: str, span: Span) -> Diagnostic:
    if name in RESERVED:
        return finding("F0511", span, f"“{name}” is a word of the engine.", expected="another name for this button")
    return finding("F0511", span, f"“{name}” is already another button here.", expected="another name")


def wrong_keyboards(checked: Checked) -> Iterator[Diagnostic]:
    """F0512: options under a step that does not let the customer choose."""
    for step in _steps(checked):
        keyboard = step.keyboard
        if keyboard is None:
            continue
        if (keyboard.options or keyboard.source) and not _chooses(step):
            yield finding(
                "F0512",
                keyboard.span,
                f"The step “{step.id}” does not let the customer choose, so options have no place here.",
                expected="`ask: choice`, or rows of buttons: `[[{text: …, trigger: …}]]`",
            )
        elif option_buttons(step) and not (isinstance(step.body, Ask) and isinstance(step.body.question, Choice)):
            yield finding(
                "F0512",
                option_buttons(step)[0].span,
                f"The question “{step.id}” takes several options, so an option cannot have buttons of its own.",
                expected="`ask: choice`, or `text:` in place of `buttons:`",
            )
        elif not isinstance(step.body, Ask | Show | Wait) and button_triggers(step):
            yield finding(
                "F0512",
                keyboard.span,
                f"The step “{step.id}” does not wait, so nobody could press this button.",
                expected="buttons at a step that asks, shows or waits",
            )
        elif isinstance(step.body, Do):
            yield finding(
                "F0512",
                keyboard.span,
                f"The step “{step.id}” works and shows no keyboard.",
                expected="buttons at a step that asks, shows or waits",
            )


def _chooses(step: Step) -> bool:
    return isinstance(step.body, Ask) and isinstance(step.body.question, Choice | Choices)


def impossible_bounds(checked: Checked) -> Iterator[Diagnostic]:
    """F0513: a least that is more than the most."""
    for step in _steps(checked):
        if not isinstance(step.body, Ask):
            continue
        low, high = _bounds(step.body)
        if low is not None and high is not None and low > high:  # type: ignore[operator]
            yield finding(
                "F0513",
                step.span,
                f"No answer to “{step.id}” is possible: the least is {low}, the most is {high}.",
                expected="`min` not above `max`",
            )
        yield from _more_than_there_are(step, step.body)
        yield from _step_too_wide(step, step.body, low, high)


def _step_too_wide(step: Step, ask: Ask, low: object, high: object) -> Iterator[Diagnostic]:
    if not isinstance(ask.question, Quantity) or not isinstance(low, int) or not isinstance(high, int):
        return
    if low < high < low + ask.question.step:
        yield finding(
            "F0513",
            step.span,
            f"➖ and ➕ of “{step.id}” can never be used: from {low}, a step of {ask.question.step} is beyond {high}.",
            expected=f"`step` of at most {high - low}",
        )


def _bounds(ask: Ask) -> tuple[object, object]:
    match ask.question:
        case (
            Choices(minimum=low, maximum=high)
            | Number(minimum=low, maximum=high)
            | MoneyAmount(minimum=low, maximum=high)
            | Files(minimum=low, maximum=high)
            | Quantity(minimum=low, maximum=high)
            | Day(minimum=low, maximum=high)
        ):
            return (None if isinstance(low, Expression) else low, None if isinstance(high, Expression) else high)
        case _:
            return None, None


def _more_than_there_are(step: Step, ask: Ask) -> Iterator[Diagnostic]:
    if not isinstance(ask.question, Choices) or has_source(step):
        return
    number = len(option_values(step))
    if number and ask.question.minimum > number:
        yield finding(
            "F0513",
            step.span,
            f"“{step.id}” wants at least {ask.question.minimum} choices, but there are {number}.",
            expected=f"at most {number}",
        )
