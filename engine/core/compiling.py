"""Turns the sources of a flow's texts, expressions and arguments into closures, step by step. Pure.

It trusts the checker: a source that does not parse raises ValueError with its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.core.arguments import interpret
from engine.core.effects import Accepts
from engine.core.expressing import Expressing, constant, reads_of
from engine.core.expressions import (
    Scope,
)
from engine.core.model import (
    Argument,
    Ask,
    Assignment,
    Body,
    Bot,
    Button,
    Call,
    Choices,
    Day,
    Do,
    Email,
    End,
    Expression,
    File,
    Files,
    Invocation,
    Keyboard,
    Late,
    Location,
    MoneyAmount,
    NamedArgument,
    Number,
    Option,
    Path,
    Phone,
    Picture,
    Quantity,
    Question,
    Retry,
    Show,
    Step,
    Transition,
    Validator,
    YesNo,
)
from engine.core.model import Text as Text_
from engine.core.program import (
    Check,
    Evaluate,
    Keys,
    Label,
    Node,
    ParameterLike,
    Setting,
    SignatureLike,
    Signatures,
    SourceKeys,
    Text,
    Use,
    Way,
)
from engine.core.types import ANY
from engine.core.undoing import undone_outcomes


def _inside(folder: str, path: Any) -> Any:
    return folder + path if isinstance(path, str) and path else path


def _local_now(scope: Scope) -> datetime:
    return scope.formats.now.astimezone(scope.formats.zone)


def _meant(arguments: Sequence[NamedArgument], signature: SignatureLike | None) -> tuple[tuple[str, Argument], ...]:
    """Each argument as its parameter takes it: the same words may be an expression here and a text there."""
    known: Mapping[str, ParameterLike] = {p.name: p for p in signature.parameters} if signature else {}
    found = []
    for argument in arguments:
        parameter = known.get(argument.name)
        kind = parameter.type if parameter else ANY
        template = parameter is not None and parameter.written == "template"
        found.append((argument.name, interpret(argument.value, kind, template=template)))
    return tuple(found)


def _reads_of_all(meant: Sequence[tuple[str, Argument]]) -> frozenset[Path]:
    return frozenset().union(*(reads_of(argument) for _, argument in meant))


def _roles(only: Sequence[tuple[str, object]]) -> tuple[str, ...]:
    return tuple(role for role, _ in only)


_TYPED = (Text_, Number, MoneyAmount, Email, Phone, Day, Quantity)
_ACCEPTS: Mapping[type, frozenset[Accepts]] = {
    **{kind: frozenset({Accepts.TEXT}) for kind in _TYPED},
    Phone: frozenset({Accepts.TEXT, Accepts.CONTACT}),
    Location: frozenset({Accepts.LOCATION}),
}


def _accepts(question: Question | None) -> frozenset[Accepts]:
    if isinstance(question, File | Files):
        return frozenset({Accepts.PHOTO if question.photo else Accepts.FILE})
    return _ACCEPTS.get(type(question), frozenset())


def _is_still(question: Question | None, keys: Keys | None, optional: Text | None) -> bool:
    """Whether the buttons never change, but for navigation and an answer to offer."""
    if isinstance(question, Choices | File | Files | Quantity | YesNo):
        return False
    if optional is not None and optional.wording("") is None:
        return False
    if keys is None:
        return True
    labels = [*keys.options, *(label for row in keys.rows for label in row)]
    return keys.plain and not keys.search and all(label.text.wording("") and label.url is None for label in labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler(Expressing):
    """Compiles the parts of one bot's flows against the signatures of its plugins."""

    signatures: Signatures
    bot: Bot

    @property
    def written_in(self) -> str | None:
        """The first of the bot's languages, where there are several."""
        return self.bot.languages[0] if len(self.bot.languages) > 1 else None

    def arguments(
        self, arguments: Sequence[NamedArgument], signature: SignatureLike | None
    ) -> tuple[tuple[str, Evaluate], ...]:
        return tuple((name, self.argument(argument)) for name, argument in _meant(arguments, signature))

    def use(self, invocation: Invocation | None, signatures: Mapping[str, SignatureLike]) -> Use | None:
        if invocation is None:
            return None
        meant = _meant(invocation.arguments, signatures.get(invocation.name))
        return Use(
            name=invocation.name,
            arguments=tuple((name, self.argument(argument)) for name, argument in meant),
            reads=_reads_of_all(meant),
        )

    def way(self, transition: Transition) -> Way:
        return Way(
            text=self.optional_text(transition.text),
            settings=tuple(self._setting(assignment) for assignment in transition.assignments),
        )

    def _setting(self, assignment: Assignment) -> Setting:
        return Setting(path=assignment.path, value=self.argument(assignment.value), reads=reads_of(assignment.value))

    # --- keyboards -----------------------------------------------------------------------------------

    def keys(self, keyboard: Keyboard | None) -> Keys | None:
        if keyboard is None:
            return None
        edits: list[tuple[str, ...]] = []
        rows = tuple(tuple(self._button(button, edits) for button in row) for row in keyboard.rows)
        options = tuple(self._option(option) for option in keyboard.options)
        labels = [*options, *(label for row in rows for label in row)]
        source = keyboard.source
        return Keys(
            options=options,
            source=None
            if source is None
            else SourceKeys(
                use=self.use(source.source, self.signatures.sources),
                items=self.expression(source.items),
                text=self.text(source.text),
                value=self.expression(source.value),
                empty=self.optional_text(source.empty),
                buttons=tuple(self._button(button, edits) for button in source.buttons),
            ),
            rows=rows,
            columns=keyboard.columns,
            page=keyboard.page,
            search=keyboard.search,
            edits=tuple(edits),
            plain=source is None
            and keyboard.page is None
            and all(label.condition is None and not label.only for label in labels),
        )

    def _option(self, option: Option) -> Label:
        return Label(
            text=self.text(option.text),
            code=f"o:{option.value}",
            condition=self.expression(option.condition),
            value=option.value,
        )

    def _button(self, button: Button, edits: list[tuple[str, ...]]) -> Label:
        code, value = "", ""
        if button.trigger is not None:
            code, value = f"t:{button.trigger}", button.trigger
        elif button.start is not None:
            code = f"s:{button.start[0]}"
        elif button.edit is not None:
            code = f"E:{len(edits)}"
            edits.append(tuple(step for step, _ in button.edit))
        return Label(
            text=self.text(button.text),
            code=code,
            url=None if button.url is None else self.text(button.url),
            condition=self.expression(button.condition),
            only=_roles(button.only),
            value=value,
        )

    # --- steps ---------------------------------------------------------------------------------------

    def node(self, step: Step, *, triggers: frozenset[str], remaining: int, late: Late) -> Node:
        """The compiled step; `triggers` and `remaining` as in `Node`, `late` as the flow has it."""
        limit = step.timeout
        body, keys = step.body, self.keys(step.keyboard)
        ask = body if isinstance(body, Ask) else None
        question = ask.question if ask else None
        use, undo = self._uses(body)
        bounds, bound_reads = self._bounds(question)
        do = body if isinstance(body, Do) else None
        optional = self.optional_text(ask.optional) if ask else None
        return Node(
            id=step.id, step=step, body=body, target=step.target,
            text=self.optional_text(step.text), label=self.optional_text(step.label),
            photo=self._picture(step.photo), keys=keys, condition=self.expression(step.condition),
            only=_roles(step.only), final=step.final,
            after=limit.after if limit else None, until=self.expression(limit.until) if limit else None,
            hours=self.bot.hours[limit.hours[0]] if limit and limit.hours else None,
            late=(limit and limit.late) or late,
            refresh=step.refresh, triggers=triggers,
            interactive=ask is not None or (isinstance(body, Show) and step.keyboard is not None),
            question=question,
            checks=tuple(self._check(validator) for validator in ask.validators) if ask else (),
            optional=optional,
            prefill=self.expression(ask.prefill) if ask else None,
            done=self._done(question), labels=self._labels(question), bounds=bounds, use=use, undo=undo,
            undone=self._undone(step),
            retry=self._retry(do), timeout=do.timeout.total_seconds() if do and do.timeout else None,
            result=self.initial(body.result) if isinstance(body, End) else None,
            reads=self._reads(step, keys, use, undo) | bound_reads,
            still=_is_still(question, keys, optional) and not (ask and ask.prefill),
            accepts=_accepts(question),
            remaining=remaining,
        )  # fmt: skip

    def _uses(self, body: Body) -> tuple[Use | None, Use | None]:
        actions = self.signatures.actions
        match body:
            case Do(action=action, undo=undo):
                return self.use(action, actions), self.use(undo, actions)
            case Ask(question=File(each=each) | Files(each=each)):
                return self.use(each, actions), None
            case Call(flow=flow, arguments=arguments):
                reads = _reads_of_all(_meant(arguments, None))
                return Use(name=flow, arguments=self.arguments(arguments, None), reads=reads), None
            case _:
                return None, None

    def _undone(self, step: Step) -> frozenset[str] | None:
        if not isinstance(step.body, Do) or step.body.undo is None:
            return None
        signature = self.signatures.actions.get(step.body.action.name)
        known: Mapping[str, object] = getattr(signature, "outcomes", None) or {}
        return undone_outcomes(step, step.body, known) or None

    def _reads(self, step: Step, keys: Keys | None, use: Use | None, undo: Use | None) -> frozenset[Path]:
        reads: set[Path] = set(use.reads if use else ()) | set(undo.reads if undo else ())
        if keys and keys.source and keys.source.use:
            reads |= keys.source.use.reads
        if step.keyboard and step.keyboard.source:
            reads |= reads_of(step.keyboard.source.items)
        if step.keyboard:
            for option in step.keyboard.options:
                reads |= reads_of(option.condition)
            for button in step.keyboard.source.buttons if step.keyboard.source else ():
                reads |= reads_of(button.condition)
        if isinstance(step.body, Ask):
            for validator in step.body.validators:
                signature = self.signatures.validators.get(validator.invocation.name)
                reads |= _reads_of_all(_meant(validator.invocation.arguments, signature))
        own = {"file", "answer", "option", "result"}
        return frozenset(path for path in reads if path[0] not in own)

    def _check(self, validator: Validator) -> Check:
        invocation = validator.invocation
        signature = self.signatures.validators[invocation.name]
        arguments = self.arguments(invocation.arguments, signature)
        return Check(
            name=invocation.name,
            judge=signature.function,
            arguments=(*arguments, ("now", _local_now)) if getattr(signature, "needs_now", False) else arguments,
            message=self.optional_text(validator.message),
        )

    def _done(self, question: Question | None) -> Text | None:
        return self.optional_text(question.done) if isinstance(question, Choices | Files) else None

    def _labels(self, question: Question | None) -> Mapping[str, Text]:
        if not isinstance(question, YesNo):
            return {}
        given = {"yes": question.yes, "no": question.no}
        return {name: self.text(template) for name, template in given.items() if template is not None}

    def _bounds(self, question: Question | None) -> tuple[Mapping[str, Evaluate], frozenset[Path]]:
        bounds: dict[str, Evaluate] = {}
        reads: frozenset[Path] = frozenset()
        for name in ("minimum", "maximum", "start"):
            bound = getattr(question, name, None)
            if isinstance(bound, Expression):
                bounds[name] = self.evaluate(bound)
                reads |= reads_of(bound)
            elif bound is not None:
                bounds[name] = constant(int(bound) if isinstance(bound, Decimal) and bound == int(bound) else bound)
        return bounds, reads

    def _picture(self, picture: Picture | None) -> tuple[str, Evaluate] | None:
        if picture is None:
            return None
        content, folder = self.argument(picture.content), picture.folder
        return (picture.kind, (lambda scope: _inside(folder, content(scope))) if folder else content)

    def _retry(self, do: Do | None) -> Retry | None:
        if do is None or do.retry is None:
            return None
        return do.retry if isinstance(do.retry, Retry) else self.bot.retry[do.retry[0]]
