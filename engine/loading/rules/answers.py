"""The type of what a step puts under its name, per trigger it leaves with. Only types, no findings."""

from collections.abc import Mapping

from engine.actions.catalog import Catalog
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
)
from engine.loading.rules.joins import join_all
from engine.loading.rules.triggers import (
    button_triggers,
    has_source,
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


def answer_type(step: Step, ask: Ask, catalog: Catalog) -> ValueType:
    """What the customer's answer is kept as, after its validators."""
    kind = question_type(step, ask.question, catalog)
    for validator in ask.validators:
        signature = catalog.validators.get(validator.invocation.name)
        if signature is not None and signature.produces is not None:
            kind = signature.produces
    return kind


def question_type(step: Step, question: Question, catalog: Catalog) -> ValueType:  # noqa: C901 - the table of kinds
    """What the question itself makes of the answer, before its validators."""
    match question:
        case Choice():
            return _chosen(step, catalog, with_buttons=True)
        case Choices():
            return ListType(item=_chosen(step, catalog, with_buttons=False))
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


def _chosen(step: Step, catalog: Catalog, *, with_buttons: bool) -> ValueType:
    values = set(option_values(step))
    source = step.keyboard.source if step.keyboard is not None else None
    if source is None:
        values |= set(button_triggers(step)) if with_buttons else set()
        return TextType(choices=frozenset(values))
    signature = catalog.sources.get(source.source.name)
    if signature is None:
        return ANY
    rows = signature.row
    return join_all([rows, TextType(choices=frozenset(values))]) or ANY if values else rows


def _file(each: Invocation | None, catalog: Catalog) -> ValueType:
    if each is None:
        return FILE
    signature = catalog.actions.get(each.name)
    return join_all(list(signature.outcomes.values())) or ANY if signature else ANY


def written(step: Step, trigger: str, catalog: Catalog, results: Mapping[str, Results]) -> ValueType | None:
    """The type that stands under the step's name when it is left with `trigger`; None: nothing is written."""
    match step.body:
        case Ask() as ask:
            usual = {"answered", *special_triggers(step, ask)}
            if trigger in button_triggers(step) and not writes_buttons(step, ask):
                return None
            return answer_type(step, ask, catalog) if trigger in usual else None
        case Do(action=action):
            signature = catalog.actions.get(action.name)
            if signature is None:
                return None if trigger == "failed" else ANY
            return signature.outcomes.get(trigger)
        case Call(flow=flow):
            return results.get(flow, {}).get(trigger)
        case Wait(signals=signals):
            return ANY if trigger in {name for name, _ in signals} else None
        case _:
            return None


def seen_on_the_way(step: Step, trigger: str, catalog: Catalog, results: Mapping[str, Results]) -> dict[str, ValueType]:
    """Names that only the texts, conditions and `set:` of this way out see: answer, outcome, failure."""
    match step.body:
        case Ask() as ask:
            if trigger == "failed" and has_source(step):
                return {"failure": FAILURE}
            kind = written(step, trigger, catalog, results)
            return {"answer": answer_type(step, ask, catalog)} if kind is not None else {}
        case Do():
            if trigger == "failed":
                return {"failure": FAILURE}
            outcome = written(step, trigger, catalog, results)
            return {"outcome": outcome} if outcome is not None else {}
        case Call() | Wait():
            outcome = written(step, trigger, catalog, results)
            return {"outcome": outcome} if outcome is not None else {}
        case _:
            return {}
