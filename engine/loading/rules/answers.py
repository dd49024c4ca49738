"""The type of what a step puts under its name, per trigger it leaves with. Only types, no findings."""

from collections.abc import Mapping

from engine.actions.catalog import Catalog
from engine.core.expressions import Fault, infer
from engine.core.model import (
    Ask,
    Call,
    Choice,
    Choices,
    Day,
    Do,
    Email,
    File,
    Files,
    Invocation,
    Location,
    MoneyAmount,
    Number,
    Phone,
    Quantity,
    Question,
    SourceOptions,
    Step,
    Text,
    Wait,
    YesNo,
)
from engine.core.types import (
    ANY,
    BOOLEAN,
    DATE,
    DECIMAL,
    FILE,
    INTEGER,
    LOCATION,
    MONEY,
    TEXT,
    ListType,
    RecordType,
    TextType,
    ValueType,
    optional,
)
from engine.loading.rules.joins import Names, bare, join_all, records
from engine.loading.rules.proving import parse
from engine.loading.rules.triggers import (
    button_triggers,
    has_source,
    option_triggers,
    option_values,
    special_triggers,
    writes_buttons,
)

FAILURE = RecordType(
    name="failure",
    fields={
        "reason": TEXT,
        "kind": TextType(choices=frozenset({"timeout", "unreachable", "error", "refused"})),
    },
)
"""What a transition of `failed` sees."""

Results = Mapping[str, ValueType]
"""Outcome of a called flow → type of its result."""


def answer_type(step: Step, ask: Ask, catalog: Catalog, names: Names) -> ValueType:
    """What the customer's answer is kept as, after its validators."""
    kind = question_type(step, ask.question, catalog, names)
    for validator in ask.validators:
        signature = catalog.validators.get(validator.invocation.name)
        if signature is not None and signature.produces is not None:
            kind = signature.produces
    return kind


def question_type(  # noqa: C901 - the table of kinds
    step: Step, question: Question, catalog: Catalog, names: Names
) -> ValueType:
    """What the question itself makes of the answer, before its validators."""
    match question:
        case Choice():
            return _chosen(step, catalog, names, with_buttons=True)
        case Choices():
            return ListType(item=_chosen(step, catalog, names, with_buttons=False))
        case Text() | Email() | Phone():
            return TEXT
        case Number(decimal=decimal):
            return DECIMAL if decimal else INTEGER
        case Quantity():
            return INTEGER
        case MoneyAmount():
            return MONEY
        case Location():
            return LOCATION
        case File(each=each):
            return _file(each, catalog)
        case Files(each=each):
            return ListType(item=_file(each, catalog))
        case Day():
            return DATE
        case YesNo():
            return BOOLEAN


def _chosen(step: Step, catalog: Catalog, names: Names, *, with_buttons: bool) -> ValueType:
    values = set(option_values(step))
    source = step.keyboard.source if step.keyboard is not None else None
    if source is None:
        values |= set(button_triggers(step)) if with_buttons else set()
        return TextType(choices=frozenset(values))
    rows = row_type(source, catalog, names)
    named = {transition.trigger for transition in step.transitions}
    values |= set(button_triggers(step)) - named if with_buttons else set()
    return join_all([rows, TextType(choices=frozenset(values))]) or ANY if values else rows


def row_type(source: SourceOptions, catalog: Catalog, names: Names) -> ValueType:
    """The type of one row that options are drawn from: of a source, or of a list in the conversation's data."""
    if source.source is not None:
        signature = catalog.sources.get(source.source.name)
        return signature.row if signature is not None else ANY
    listed = parse(source.items.source, template=False) if source.items is not None else None
    if listed is None or isinstance(listed, Fault):
        return ANY
    kind = bare(infer(listed, records(names)).type)
    return kind.item if isinstance(kind, ListType) else ANY


def _file(each: Invocation | None, catalog: Catalog) -> ValueType:
    if each is None:
        return FILE
    signature = catalog.actions.get(each.name)
    return join_all(list(signature.outcomes.values())) or ANY if signature else ANY


def written(
    step: Step, trigger: str, catalog: Catalog, results: Mapping[str, Results], names: Names
) -> ValueType | None:
    """The type that stands under the step's name when it is left with `trigger`; None: nothing is written.

    `names`: what is known at the step.
    """
    match step.body:
        case Ask() as ask:
            source = step.keyboard.source if step.keyboard is not None else None
            if source is not None and trigger in option_triggers(step):
                return row_type(source, catalog, names)
            pressed = trigger in button_triggers(step)
            if pressed and (has_source(step) or not writes_buttons(ask)):
                return TextType(choices=frozenset({trigger})) if writes_buttons(ask) else None
            usual = {"answered", *special_triggers(step, ask)}
            return answer_type(step, ask, catalog, names) if trigger in usual else None
        case Do(action=action):
            signature = catalog.actions.get(action.name)
            if signature is None:
                return None if trigger == "failed" else ANY
            return signature.outcomes.get(trigger)
        case Call(flow=flow):
            if flow not in results:
                return None if trigger == "cancelled" else ANY
            return results[flow].get(trigger)
        case Wait(signals=signals):
            return ANY if trigger in {name for name, _ in signals} else None
        case _:
            return None


def seen_on_the_way(
    step: Step, trigger: str, catalog: Catalog, results: Mapping[str, Results], names: Names
) -> dict[str, ValueType]:
    """Names that only the texts, conditions and `set:` of this way out see: answer, outcome, failure."""
    match step.body:
        case Ask() as ask:
            if trigger == "failed" and has_source(step):
                return {"failure": FAILURE}
            kind = written(step, trigger, catalog, results, names)
            return {"answer": kind or optional(answer_type(step, ask, catalog, names))}
        case Do():
            if trigger == "failed":
                return {"failure": FAILURE}
            outcome = written(step, trigger, catalog, results, names)
            return {"outcome": outcome} if outcome is not None else {}
        case Call() | Wait():
            outcome = written(step, trigger, catalog, results, names)
            return {"outcome": outcome} if outcome is not None else {}
        case _:
            return {}
