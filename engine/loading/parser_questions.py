"""Questions: what `ask:` and the keys beside it mean."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final

from engine.actions.catalog import ValidatorSignature
from engine.core.model import (
    Ask,
    Choice,
    Choices,
    Day,
    Email,
    Expression,
    File,
    Files,
    Invocation,
    Location,
    MoneyAmount,
    NamedArgument,
    Number,
    Phone,
    Quantity,
    Question,
    Text,
    Validator,
    YesNo,
)
from engine.loading.documents import Mapping_, Node, Pair, Scalar_, Sequence_
from engine.loading.durations import parse_size
from engine.loading.parser_arguments import (
    arguments,
    constant,
    expression,
    invoked,
    mapping,
    optional_expression,
    optional_template,
    scalar,
)

Validators = dict[str, ValidatorSignature]


def ask(step: Mapping_, validators: Validators) -> Ask:
    """A step's question with its validators."""
    kind = scalar(step.get("ask")).text
    judges = step.get("validators")
    return Ask(
        question=_KINDS[kind](step),
        kind=kind,
        validators=_validators(judges, validators),
        optional=optional_template(step.get("optional")),
        prefill=optional_expression(step.get("prefill")),
    )


def _validators(node: Node | None, known: Validators) -> tuple[Validator, ...]:
    if node is None:
        return ()
    items = node.items if isinstance(node, Sequence_) else (node,)
    return tuple(_validator(item, known) for item in items)


def _validator(node: Node, known: Validators) -> Validator:
    if isinstance(node, Scalar_):
        return Validator(invocation=Invocation(name=node.text, span=node.content))
    found = mapping(node)
    pair = next(pair for pair in found if pair.key.text != "message")
    return Validator(
        invocation=Invocation(
            name=pair.key.text, arguments=_judged_by(pair, known.get(pair.key.text)), span=pair.key.content
        ),
        message=optional_template(found.get("message")),
    )


def _judged_by(pair: Pair, signature: ValidatorSignature | None) -> tuple[NamedArgument, ...]:
    """`length: {min: 2}` names its arguments; `pattern: "^a"` gives the first one."""
    if isinstance(pair.value, Mapping_):
        return arguments(pair.value, constant)
    if isinstance(pair.value, Scalar_) and pair.value.value is None and not pair.value.text:
        return ()
    first = signature.parameters[0].name if signature and signature.parameters else ""
    return (NamedArgument(name=first, name_span=pair.key.content, value=constant(pair.value)),)


def _integer(node: Node | None) -> int | None:
    return None if node is None else int(scalar(node).text)


def _decimal(node: Node | None) -> Decimal | None:
    return None if node is None else Decimal(str(scalar(node).value))


def _integer_or_expression(node: Node | None) -> int | Expression | None:
    if node is None:
        return None
    value = scalar(node).value
    return value if isinstance(value, int) else expression(node)


def _day(node: Node | None) -> date | Expression | None:
    if node is None:
        return None
    try:
        return date.fromisoformat(scalar(node).text)
    except ValueError:
        return expression(node)


def _size(node: Node | None) -> int | None:
    return None if node is None else parse_size(scalar(node).text)


def _endings(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    items = node.items if isinstance(node, Sequence_) else (node,)
    return tuple(scalar(item).text.lower() for item in items)


def _text_or_none(node: Node | None) -> str | None:
    return None if node is None else scalar(node).text


def _choices(step: Mapping_) -> Question:
    return Choices(
        minimum=_integer(step.get("min")) or 0,
        maximum=_integer(step.get("max")),
        done=optional_template(step.get("done")),
    )


def _number(*, decimal: bool) -> Callable[[Mapping_], Question]:
    return lambda step: Number(decimal=decimal, minimum=_decimal(step.get("min")), maximum=_decimal(step.get("max")))


def _money(step: Mapping_) -> Question:
    return MoneyAmount(
        currency=_text_or_none(step.get("currency")),
        minimum=_decimal(step.get("min")),
        maximum=_decimal(step.get("max")),
    )


def _file(*, photo: bool) -> Callable[[Mapping_], Question]:
    return lambda step: File(
        accept=_endings(step.get("accept")),
        max_size=_size(step.get("max_size")),
        photo=photo,
        each=_each(step),
    )


def _files(*, photo: bool) -> Callable[[Mapping_], Question]:
    return lambda step: _collection(step, photo=photo)


def _collection(step: Mapping_, *, photo: bool) -> Question:
    count = step.get("count")
    limits = mapping(count) if count is not None else None
    minimum = _integer(limits.get("min")) if limits else None
    return Files(
        accept=_endings(step.get("accept")),
        max_size=_size(step.get("max_size")),
        minimum=1 if minimum is None else minimum,
        maximum=_integer(limits.get("max")) if limits else None,
        photo=photo,
        each=_each(step),
        done=optional_template(step.get("done")),
    )


def _each(step: Mapping_) -> Invocation | None:
    each = step.get("each")
    return None if each is None else invoked(each)


def _quantity(step: Mapping_) -> Question:
    minimum, change = _integer(step.get("min")), _integer(step.get("step"))
    return Quantity(
        minimum=1 if minimum is None else minimum,
        maximum=_integer_or_expression(step.get("max")),
        step=change or 1,
        start=_integer_or_expression(step.get("start")),
    )


_KINDS: Final[dict[str, Callable[[Mapping_], Question]]] = {
    "choice": lambda _: Choice(),
    "choices": _choices,
    "text": lambda _: Text(),
    "integer": _number(decimal=False),
    "decimal": _number(decimal=True),
    "money": _money,
    "email": lambda _: Email(),
    "phone": lambda step: Phone(region=_text_or_none(step.get("region"))),
    "location": lambda _: Location(),
    "file": _file(photo=False),
    "files": _files(photo=False),
    "photo": _file(photo=True),
    "photos": _files(photo=True),
    "date": lambda step: Day(minimum=_day(step.get("min")), maximum=_day(step.get("max"))),
    "yes_no": lambda step: YesNo(yes=optional_template(step.get("yes")), no=optional_template(step.get("no"))),
    "quantity": _quantity,
}
ASK_KINDS: Final = tuple(_KINDS)
"""The words that may follow `ask:`."""
