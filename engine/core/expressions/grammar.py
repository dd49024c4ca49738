"""Source → tree: Jinja2's grammar cut down to the allow-list. Pure; knows no types, no names, no filters.

The allow-list itself is in `allowed`; here are the limits of a source and the faults of reading it.
"""

import re
from typing import Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.parser import Parser

from engine.core.expressions import nodes as tree
from engine.core.expressions.allowed import CONTROL, Converter
from engine.core.expressions.faults import Fault
from engine.core.expressions.positions import DEEPEST, Broken, OffsetEnvironment, meant, too_deep
from engine.core.expressions.reading import Parsed, reads

LONGEST_SOURCE: Final = 8192
MOST_NODES: Final = 1000


def parse_expression(source: str) -> Parsed | Fault:
    """An expression without braces, `score > 3`; or the one fault that keeps it from being read."""
    return _parse(source, template=False)


def parse_template(source: str) -> Parsed | Fault:
    """A text with `{{ … }}`, `{% if %}` and `{% for %}`; or the one fault that keeps it from being read."""
    return _parse(source, template=True)


def _parse(source: str, *, template: bool) -> Parsed | Fault:
    fault = _check_source(source, template=template)
    if fault is not None:
        return fault
    if template and "{{" not in source and "{%" not in source and "{#" not in source:
        # Most texts are plain words: they never see the parser.
        words = (tree.Words(start=0, end=len(source), text=source),) if source else ()
        return Parsed(source=source, expression=None, pieces=words)
    try:
        parsed = _Reader(source.replace("\r\n", " \n").replace("\r", "\n")).read(template=template)
    except Broken as broken:
        return broken.fault
    except RecursionError:
        return too_deep(0, len(source))
    except ValueError:
        # Python refuses to read a number of thousands of digits.
        return Fault(offset=0, length=len(source), kind="too_long", message="A number in this is too long.")
    return parsed


def _check_source(source: str, *, template: bool) -> Fault | None:
    if len(source) > LONGEST_SOURCE:
        return Fault(
            offset=LONGEST_SOURCE,
            length=len(source) - LONGEST_SOURCE,
            kind="too_long",
            message=f"This has {len(source)} characters; {LONGEST_SOURCE} are the most.",
        )
    found = CONTROL.search(source)
    if found:
        return Fault(
            offset=found.start(),
            length=1,
            kind="syntax",
            message=f"The control character U+{ord(found.group()):04X} is not allowed in a text.",
        )
    if not template and source.lstrip().startswith("{{"):
        return Fault(
            offset=len(source) - len(source.lstrip()),
            length=2,
            kind="syntax",
            message="An expression is written without braces.",
            expected="the same without “{{” and “}}”",
        )
    return None


class _Reader:
    """Reads one source with Jinja2's parser and checks how large the result is."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.environment = OffsetEnvironment()

    def read(self, *, template: bool) -> Parsed:
        parser: Parser | None = None
        try:
            parser = Parser(self.environment, self.source, state=None if template else "variable")
            return self._template(parser) if template else self._expression(parser)
        except TemplateSyntaxError as error:
            raise Broken(self._fault(error, parser)) from None

    def _expression(self, parser: Parser) -> Parsed:
        root = parser.parse_expression()
        if not parser.stream.eos:
            token = parser.stream.current
            raise TemplateSyntaxError(f"“{token}” is too much here", token.lineno)
        self._check_size(root)
        converter = Converter(self.source, self.environment.lengths)
        expression = converter.expression(root)
        return Parsed(source=self.source, expression=expression, pieces=(), **reads(expression))

    def _template(self, parser: Parser) -> Parsed:
        root = parser.parse()
        self._check_size(root)
        pieces = Converter(self.source, self.environment.lengths).pieces(root.body)
        return Parsed(source=self.source, expression=None, pieces=pieces, **reads(*pieces))

    def _check_size(self, root: nodes.Node) -> None:
        count, waiting = 0, [(root, 0)]
        while waiting:
            found, depth = waiting.pop()
            count += 1
            if depth > DEEPEST + 3:
                raise Broken(too_deep(found.lineno, self.environment.lengths.get(found.lineno, 1)))
            waiting.extend((child, depth + 1) for child in found.iter_child_nodes())
        if count > MOST_NODES:
            message = f"This has {count} parts; {MOST_NODES} are the most."
            raise Broken(Fault(offset=0, length=len(self.source), kind="too_long", message=message))

    def _fault(self, error: TemplateSyntaxError, parser: Parser | None) -> Fault:
        offset = error.lineno
        at_end = parser is not None and parser.stream.current.type == "eof"
        if at_end or offset > len(self.source):
            offset = len(self.source)
        message = error.message or "it is not complete"
        open_block = re.search(r"innermost block that needs to be closed is '(\w+)'", message)
        if open_block:
            word = open_block.group(1)
            message = f"“{{% {word} %}}” is not closed, “{{% end{word} %}}” is missing"
        message = message.replace("end of print statement", "}}").replace("end of statement block", "%}")
        message = message.replace("end of template", "the end").replace("'the end'", "the end").rstrip(".")
        length = 0 if at_end else self.environment.lengths.get(offset, 1)
        return Fault(
            offset=offset,
            length=min(length, len(self.source) - offset),
            kind="syntax",
            message=f"This cannot be read: {message[:1].lower()}{message[1:]}.",
            expected=meant(self.source, offset),
        )
