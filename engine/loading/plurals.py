"""How many forms a language has for a count (CLDR), and the texts whose `plural(…)` has another number. Pure."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from engine.core.expressions import Parsed
from engine.core.expressions.formats import locale_of
from engine.core.expressions.nodes import (
    Branches,
    Filtered,
    Loop,
    Node,
    Piece,
    Print,
    Words,
    operands,
)
from engine.core.model import Template
from engine.diagnostics import Diagnostic
from engine.loading.documents import locate
from engine.loading.rules.findings import finding
from engine.loading.rules.proving import parse

_COUNTS: Final = range(200)
"""Whole numbers by which the forms of a language are told: no language has one that comes only later."""
_FEWEST: Final = 2
_MOST: Final = 4
"""Forms that the filter takes."""


@lru_cache(maxsize=64)
def forms_of(language: str) -> tuple[int, ...]:
    """The numbers of forms that `plural(…)` may have in a language, the usual one first: for whole counts, and where
    the language has one more for fractions, with that."""
    locale = locale_of(language)
    whole = {str(locale.plural_form(count)) for count in _COUNTS}
    every = {*map(str, locale.plural_form.tags), "other"}
    usual = min(max(len(whole), _FEWEST), _MOST)
    return tuple(dict.fromkeys((usual, min(max(len(every), _FEWEST), _MOST))))


def wrong_plurals(text: Template, language: str) -> Iterator[Diagnostic]:
    """F0977: every `plural(…)` of a text that has too few or too many forms for its language."""
    parsed = parse(text.source, template=True)
    if not isinstance(parsed, Parsed) or "plural" not in parsed.filters:
        return
    allowed = forms_of(language)
    for found in _plurals(parsed.pieces):
        given = len(found.arguments) + len(found.named)
        if given not in allowed:
            name = locale_of(language).english_name
            samples = " and ".join(str(sample) for sample in _samples(language))
            yield finding(
                "F0977",
                locate(text, found.name_start, len(found.name)),
                f"Here are {given} forms; {name} has others for {samples}.",
                expected=f"{' or '.join(str(number) for number in allowed)} forms in plural(…)",
            )


def _samples(language: str) -> list[int]:
    """The smallest count of each form."""
    form = locale_of(language).plural_form
    first: dict[str, int] = {}
    for count in range(1, _COUNTS.stop):
        first.setdefault(str(form(count)), count)
    return sorted(first.values())


def _plurals(pieces: tuple[Piece, ...]) -> Iterator[Filtered]:
    for piece in pieces:
        match piece:
            case Words():
                pass
            case Print(value=value):
                yield from _inside(value)
            case Branches(branches=branches, otherwise=otherwise):
                for test, body in branches:
                    yield from _inside(test)
                    yield from _plurals(body)
                yield from _plurals(otherwise)
            case Loop(items=items, body=body, otherwise=otherwise):
                yield from _inside(items)
                yield from _plurals(body)
                yield from _plurals(otherwise)


def _inside(node: Node) -> Iterator[Filtered]:
    if isinstance(node, Filtered) and node.name == "plural":
        yield node
    for operand in operands(node):
        yield from _inside(operand)
