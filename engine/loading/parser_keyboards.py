"""Keyboards: options, options from a source, rows of buttons."""

from engine.core.model import Button, Keyboard, Option, SourceOptions, Template
from engine.loading.documents import Mapping_, Node, Pair, Scalar_, Sequence_
from engine.loading.parser_arguments import (
    expression,
    flag,
    invocation,
    mapping,
    names,
    optional_expression,
    optional_template,
    scalar,
    template,
)

FORM_KEYS = ("from", "items", "options", "rows")
"""A keyboard with one of these keys is settings; without, its keys are the options themselves."""


def keyboard(node: Node) -> Keyboard:
    """Any of the three forms."""
    match node:
        case Sequence_(span=span):
            return Keyboard(span=span, rows=_rows(node))
        case Mapping_() if is_form(node):
            return _form(node)
        case _:
            found = mapping(node)
            return Keyboard(span=found.span, options=_options(found))


def is_form(node: Mapping_) -> bool:
    """Whether a keyboard's mapping is settings and not options."""
    return any(node.pair(key) for key in FORM_KEYS)


def _form(node: Mapping_) -> Keyboard:
    options, page = node.get("options"), node.get("page")
    columns = node.get("columns")
    return Keyboard(
        span=node.span,
        options=_options(mapping(options)) if options is not None else (),
        source=_source(node) if node.pair("from") or node.pair("items") else None,
        rows=_rows(node.get("rows")),
        columns=int(scalar(columns).text) if columns is not None else 1,
        page=int(scalar(page).text) if page is not None else None,
        search=flag(node.get("search"), False),
    )


def _source(node: Mapping_) -> SourceOptions:
    source = invocation(node.get("from"), node.get("with")) if node.pair("from") else None
    text, buttons = node.get("text"), node.get("buttons")
    assert buttons is None or isinstance(buttons, Sequence_), "the schema lets only a list through here"
    return SourceOptions(
        source=source,
        items=optional_expression(node.get("items")),
        text=Template(source="{{ option }}", span=node.span) if text is None else template(text),
        value=optional_expression(node.get("value")),
        empty=optional_template(node.get("empty")),
        buttons=() if buttons is None else tuple(_button(mapping(button)) for button in buttons.items),
    )


def _options(node: Mapping_) -> tuple[Option, ...]:
    return tuple(_option(pair) for pair in node)


def _option(pair: Pair) -> Option:
    key, value = pair.key, pair.value
    if isinstance(value, Scalar_):
        return Option(value=key.text, text=template(value), span=key.content)
    found = mapping(value)
    return Option(
        value=key.text,
        text=template(found.get("text")),
        span=key.content,
        condition=optional_expression(found.get("if")),
    )


def _rows(node: Node | None) -> tuple[tuple[Button, ...], ...]:
    if node is None:
        return ()
    assert isinstance(node, Sequence_), "the schema lets only a list through here"
    return tuple(
        tuple(_button(mapping(button)) for button in row.items) for row in node.items if isinstance(row, Sequence_)
    )


def _button(node: Mapping_) -> Button:
    trigger, edit, start = node.get("trigger"), node.get("edit"), node.get("start")
    condition = node.get("if")
    return Button(
        text=template(node.get("text")),
        span=node.span,
        trigger=None if trigger is None else scalar(trigger).text,
        edit=None if edit is None else names(edit),
        start=None if start is None else names(start)[0],
        url=optional_template(node.get("url")),
        condition=None if condition is None else expression(condition),
        only=names(node.get("only")),
    )
