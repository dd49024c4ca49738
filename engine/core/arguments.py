"""How an argument as written in YAML is meant, once the parameter it is for is known."""

from engine.core.model import Argument, ArgumentList, ArgumentMap, Expression, Literal, Template
from engine.core.types import ANY, ListType, OptionalType, RecordType, TextType, ValueType


def interpret(argument: Argument, kind: ValueType, *, template: bool) -> Argument:
    """The argument as its parameter takes it.

    `template` parameters take every text as a text with places. A parameter with fixed choices takes a text that is
    one of them for itself. Anything else stays what the parser made of it: an expression, or a template when
    there are braces in it.
    """
    match argument:
        case Expression(source=source, span=span):
            if template:
                return Template(source=source, span=span)
            inner = _bare(kind)
            if isinstance(inner, TextType) and inner.choices and source in inner.choices:
                return Literal(value=source, span=span)
            return argument
        case ArgumentMap(items=items, span=span):
            named = tuple((name, interpret(item, _field(kind, name), template=template)) for name, item in items)
            return ArgumentMap(items=named, span=span)
        case ArgumentList(items=items, span=span):
            item_kind = _item(kind)
            return ArgumentList(items=tuple(interpret(item, item_kind, template=template) for item in items), span=span)
        case _:
            return argument


def _bare(kind: ValueType) -> ValueType:
    return kind.inner if isinstance(kind, OptionalType) else kind


def _field(kind: ValueType, name: str) -> ValueType:
    inner = _bare(kind)
    return inner.fields.get(name, ANY) if isinstance(inner, RecordType) else ANY


def _item(kind: ValueType) -> ValueType:
    inner = _bare(kind)
    return inner.item if isinstance(inner, ListType) else ANY
