"""Every text of a flow that customers read, under the name that its translations go by. The one place of that naming.

Knows no files and no languages: `translations` reads those.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from engine.core.model import (
    Ask,
    Button,
    Choices,
    Entry,
    Files,
    Flow,
    Keyboard,
    Option,
    Question,
    SourceOptions,
    Step,
    Template,
    Transition,
    Validator,
    YesNo,
)

Change = Callable[[str, Template], Template]
"""Gets a text's name inside its flow, such as `name.text`, and the text; gives what stands there instead."""

ONWARDS: Final = "next"
"""What a transition without a trigger is called."""


def texts_of(flow: Flow) -> Mapping[str, Template]:
    """Every text of a flow by its name, in the order of the file."""
    found: dict[str, Template] = {}

    def noted(name: str, template: Template) -> Template:
        found[name] = template
        return template

    changed(flow, noted)
    return found


def changed(flow: Flow, change: Change) -> Flow:
    """The flow with other texts."""
    names = _Names(change)
    return replace(
        flow,
        title=names.text("title", flow.title),
        entry=_entry(flow.entry, names),
        expired=names.optional("expired", flow.expired),
        steps=tuple(_step(step, names.within(step.id)) for step in flow.steps),
    )


class _Names:
    """Hands out names under a prefix: what is called as something before it gets a number, `order`, `order.2`."""

    def __init__(self, change: Change, prefix: str = "") -> None:
        self._change = change
        self._prefix = prefix
        self._given: dict[str, int] = {}

    def within(self, name: str) -> "_Names":
        return _Names(self._change, f"{self._prefix}{name}.")

    def text(self, name: str, template: Template) -> Template:
        count = self._given[name] = self._given.get(name, 0) + 1
        return self._change(f"{self._prefix}{name}{'' if count == 1 else f'.{count}'}", template)

    def optional(self, name: str, template: Template | None) -> Template | None:
        return None if template is None else self.text(name, template)


def _entry(entry: Entry, names: _Names) -> Entry:
    return entry if entry.menu is None else replace(entry, menu=names.text("menu", entry.menu))


def _step(step: Step, names: _Names) -> Step:
    text, label = names.optional("text", step.text), names.optional("label", step.label)
    body = _ask(step.body, names) if isinstance(step.body, Ask) else step.body
    keyboard = None if step.keyboard is None else _keyboard(step.keyboard, names.within("keyboard"))
    ways = names.within("transitions")
    return replace(
        step,
        text=text,
        label=label,
        body=body,
        keyboard=keyboard,
        transitions=tuple(_transition(transition, ways) for transition in step.transitions),
    )


def _ask(ask: Ask, names: _Names) -> Ask:
    judges = names.within("validators")
    return replace(
        ask,
        question=_question(ask.question, names),
        optional=names.optional("optional", ask.optional),
        validators=tuple(_validator(validator, judges) for validator in ask.validators),
    )


def _question(question: Question, names: _Names) -> Question:
    match question:
        case YesNo(yes=yes, no=no):
            return replace(question, yes=names.optional("yes", yes), no=names.optional("no", no))
        case Choices(done=done) | Files(done=done):
            return replace(question, done=names.optional("done", done))
        case _:
            return question


def _validator(validator: Validator, names: _Names) -> Validator:
    message = names.optional(validator.invocation.name, validator.message)
    return validator if message is validator.message else replace(validator, message=message)


def _transition(transition: Transition, names: _Names) -> Transition:
    text = names.optional(transition.trigger or ONWARDS, transition.text)
    return transition if text is transition.text else replace(transition, text=text)


def _keyboard(keyboard: Keyboard, names: _Names) -> Keyboard:
    source = None if keyboard.source is None else _source(keyboard.source, names)
    return replace(
        keyboard,
        source=source,
        options=tuple(_option(option, names) for option in keyboard.options),
        rows=tuple(tuple(_button(button, names) for button in row) for row in keyboard.rows),
    )


def _source(source: SourceOptions, names: _Names) -> SourceOptions:
    return replace(
        source,
        text=source.text if source.buttons else names.text("text", source.text),  # those have texts of their own
        empty=names.optional("empty", source.empty),
        buttons=tuple(_button(button, names) for button in source.buttons),
    )


def _option(option: Option, names: _Names) -> Option:
    return replace(option, text=names.text(option.value, option.text))


def _button(button: Button, names: _Names) -> Button:
    """By its trigger, or the flow it starts; a menu of changes is `edit`, a link `link` and its address `link.url`."""
    name = button.trigger or (button.start[0] if button.start else None) or ("edit" if button.edit else "link")
    text = names.text(name, button.text)
    url = button.url if button.url is None else names.text(f"{name}.url", button.url)
    return replace(button, text=text, url=url)
