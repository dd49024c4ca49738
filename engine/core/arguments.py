"""How an argument as written in YAML is meant, once the parameter it is for is known."""

from engine.core.model import Argument, ArgumentList, ArgumentMap, Expression, Literal, Template
from engine.core.types import OptionalType, TextType, ValueType


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
            inner = kind.inner if isinstance(kind, OptionalType) else kind
            if isinstance(inner, TextType) and inner.choices and source in inner.choices:
                return Literal(value=source, span=span)
            return argument
        case ArgumentMap(items=items, span=span) if template:
            return ArgumentMap(
                items=tuple((name, interpret(item, kind, template=True)) for name, item in items), span=span
            )
        case ArgumentList(items=items, span=span) if template:
            return ArgumentList(items=tuple(interpret(item, kind, template=True) for item in items), span=span)
        case _:
            return argument
