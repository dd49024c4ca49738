"""The smallest pieces of a flow: texts, expressions, arguments, names with their places."""

import re
from collections.abc import Callable

from engine.core.model import (
    Argument,
    ArgumentList,
    ArgumentMap,
    Expression,
    Invocation,
    Literal,
    NamedArgument,
    Path,
    Template,
)
from engine.diagnostics import Span
from engine.loading.documents import Mapping_, Node, Scalar_, Sequence_

_SINGLE = re.compile(r"\{\{-?((?:(?!\{\{|\}\}).)*?)-?\}\}", re.DOTALL)


def scalar(node: Node | None) -> Scalar_:
    """`node`, of which the schema has made sure that it is a scalar."""
    assert isinstance(node, Scalar_), "the schema lets only a scalar through here"
    return node


def mapping(node: Node | None) -> Mapping_:
    """`node`, of which the schema has made sure that it is a mapping."""
    assert isinstance(node, Mapping_), "the schema lets only a mapping through here"
    return node


def template(node: Node | None) -> Template:
    """A text for people. A last line break of a block is dropped: no message ends with one."""
    found = scalar(node)
    source = found.text.rstrip("\n") if found.block else found.text
    return Template(source=source, span=found.content, block=found.block, indent=found.indent)


def optional_template(node: Node | None) -> Template | None:
    """A text, or None where the key is not there."""
    return None if node is None else template(node)


def expression(node: Node | None) -> Expression:
    """An expression written without braces; one pair around the whole is forgiven."""
    found = scalar(node)
    single = _single(found)
    if single is not None:
        return single
    source = found.text.strip() if found.block else found.text
    return Expression(source=source, span=found.content)


def optional_expression(node: Node | None) -> Expression | None:
    """An expression, or None where the key is not there."""
    return None if node is None else expression(node)


def spoken(node: Node) -> Template | Expression:
    """A string that is an expression without braces (or with one pair around the whole), and a text with them."""
    found = scalar(node)
    return template(found) if _braced(found.text) and _single(found) is None else expression(found)


def argument(node: Node) -> Argument:
    """A value of `with:`, `set:` or `result:`: strings are expressions, or texts where there are braces."""
    match node:
        case Scalar_(value=str()):
            return template(node) if _braced(node.text) else expression(node)
        case Scalar_(value=value, span=span):
            return Literal(value=value, span=span)
        case Sequence_(items=items, span=span):
            return ArgumentList(items=tuple(argument(item) for item in items), span=span)
        case Mapping_(pairs=pairs, span=span):
            return ArgumentMap(items=tuple((p.key.text, argument(p.value)) for p in pairs), span=span)


def literal(node: Node) -> Argument:
    """A constant: strings are literal text."""
    match node:
        case Scalar_(value=value):
            return Literal(value=value, span=node.content)
        case Sequence_(items=items, span=span):
            return ArgumentList(items=tuple(literal(item) for item in items), span=span)
        case Mapping_(pairs=pairs, span=span):
            return ArgumentMap(items=tuple((p.key.text, literal(p.value)) for p in pairs), span=span)


def constant(node: Node) -> Argument:
    """A validator's argument: a constant, but a string that is exactly one `{{ … }}` is an expression."""
    if isinstance(node, Scalar_) and (single := _single(node)) is not None:
        return single
    return literal(node)


def arguments(node: Node | None, convert: Callable[[Node], Argument] = argument) -> tuple[NamedArgument, ...]:
    """The arguments of a `with:`; none where there is no `with:`."""
    if node is None:
        return ()
    return tuple(
        NamedArgument(name=pair.key.text, name_span=pair.key.content, value=convert(pair.value))
        for pair in mapping(node)
    )


def invocation(name: Node | None, with_: Node | None) -> Invocation:
    """An action or a source with its arguments."""
    found = scalar(name)
    return Invocation(name=found.text, arguments=arguments(with_), span=found.content)


def invoked(node: Node) -> Invocation:
    """`name`, or `{do: name, with: …}`."""
    if isinstance(node, Mapping_):
        return invocation(node.get("do"), node.get("with"))
    return invocation(node, None)


def names(node: Node | None) -> tuple[tuple[str, Span], ...]:
    """One name or a list of names, each with its place; nothing where the key is not there."""
    match node:
        case None:
            return ()
        case Sequence_(items=items):
            return tuple((scalar(item).text, scalar(item).content) for item in items)
        case _:
            found = scalar(node)
            return ((found.text, found.content),)


def path(text: str) -> Path:
    """`contact.email` as its parts."""
    return tuple(text.split("."))


def flag(node: Node | None, default: bool) -> bool:
    """A boolean, or the default where the key is not there."""
    value = default if node is None else scalar(node).value
    return value is True


def _braced(text: str) -> bool:
    return "{{" in text or "{%" in text


def _single(found: Scalar_) -> Expression | None:
    """The expression inside a string that is exactly one `{{ … }}`."""
    match = _SINGLE.fullmatch(found.text.strip()) if found.text.lstrip().startswith("{{") else None
    if match is None:
        return None
    source = match[1].strip()
    offset = found.text.find(source, found.text.index("{{") + 2)
    content = found.content
    span = content.within(offset, len(source)) if content.line == content.end_line else content
    return Expression(source=source, span=span)
