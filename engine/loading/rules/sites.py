"""Every text, condition and expression of a flow, with the names it can see. What is wrong is said elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from engine.core.model import (
    Ask,
    Button,
    Choices,
    Day,
    Expression,
    Files,
    Flow,
    Quantity,
    Step,
    Template,
    Transition,
    YesNo,
)
from engine.core.types import (
    ANY,
    DATE,
    DATETIME,
    INTEGER,
    TEXT,
    ListType,
    ValueType,
    optional,
)
from engine.loading.rules.answers import answer_type, question_type, row_type
from engine.loading.rules.joins import records
from engine.loading.rules.scopes import Places, Scope

THE_TEXT: Final = "the text of the step"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A text or expression. `wanted`: the type it must have (None: any). `what`: how a message names it."""

    step: Step | None
    piece: Expression | Template
    scope: Scope
    use: Use
    what: str = "this text"
    wanted: ValueType | None = None
    language: str | None = None
    """Of a translation; None: it stands in the flow itself."""


class Sites(Places):
    """Lists the texts and expressions of one flow."""

    __slots__ = ()

    def sites(self) -> Iterator[Site]:
        """All texts and expressions but the arguments of `with:`, `set:` and `result:`; a text's translations behind
        it, which see the same names."""
        for site in self._sites():
            yield site
            if isinstance(site.piece, Template):
                for language, wording in site.piece.translations:
                    yield replace(site, piece=wording, language=language)

    def _sites(self) -> Iterator[Site]:
        yield from self._of_flow(self.view.flow)
        for step in self.view.flow.steps:
            scope = self.scope(self.view.names_at(step))
            if step.condition is not None:
                arriving = self.scope(self.view.names_arriving(step))
                yield Site(step=step, piece=step.condition, scope=arriving, use=Use.CONDITION, what="this condition")
            yield from self._of_step(step, scope)
            yield from self._of_keyboard(step, scope)
            yield from self._of_question(step, scope)
            for transition, deciding, after in self.ways(step):
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
            yield Site(step=step, piece=step.text, scope=scope, use=Use.MESSAGE, what=THE_TEXT)
        if step.label is not None:
            yield Site(step=step, piece=step.label, scope=scope, use=Use.LABEL, what="the label")
        if step.photo is not None:
            wanted = optional(TEXT) if step.photo.kind == "qr" else None  # nothing: no picture is shown
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
        yield from _of_buttons(step, [button for row in keyboard.rows for button in row], scope)
        if keyboard.source is not None:
            source = keyboard.source
            row = scope.plus(option=row_type(source, self.catalog, self.view.paths_in(step)))
            if source.items is not None:
                wanted = ListType(item=ANY)
                yield Site(step=step, piece=source.items, scope=scope, use=Use.VALUE, what="`items`", wanted=wanted)
            if source.buttons:
                yield from _of_buttons(step, source.buttons, row)
            else:
                yield Site(step=step, piece=source.text, scope=row, use=Use.LABEL, what="the option's text")
            if source.value is not None:
                yield Site(step=step, piece=source.value, scope=row, use=Use.IDENTITY, what="`value`")
            if source.empty is not None:
                yield Site(step=step, piece=source.empty, scope=scope, use=Use.MESSAGE, what="the text `empty`")

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
                wanted=optional(answer_type(step, ask, self.catalog, self.view.paths_in(step))),
            )
        judged = scope.plus(answer=question_type(step, ask.question, self.catalog, self.view.paths_in(step)))
        for validator in ask.validators:
            if validator.message is not None:
                yield Site(
                    step=step,
                    piece=validator.message,
                    scope=judged,
                    use=Use.MESSAGE,
                    what="the validator's message",
                )


def _of_buttons(step: Step, buttons: Sequence[Button], scope: Scope) -> Iterator[Site]:
    for button in buttons:
        yield Site(step=step, piece=button.text, scope=scope, use=Use.LABEL, what="the button's text")
        if button.url is not None:
            yield Site(step=step, piece=button.url, scope=scope, use=Use.VALUE, what="the link")
        if button.condition is not None:
            what = "the button's condition"
            yield Site(step=step, piece=button.condition, scope=scope, use=Use.CONDITION, what=what)


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
