"""Texts, expressions and arguments as closures; looks on while they are evaluated, where somebody wants to. Pure.

It trusts the checker: a source that does not parse raises ValueError with its place.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from engine.core.expressions import (
    EvaluationError,
    Fault,
    Parsed,
    Scope,
    compile_expression,
    compile_native,
    compile_template,
    parse_expression,
    parse_template,
)
from engine.core.model import Argument, ArgumentList, ArgumentMap, Expression, Literal, Path, Template
from engine.core.program import Evaluate, Text, Watch

_PLURAL: Final = "plural"
"""The filter whose forms belong to the language of the text that they stand in."""


@lru_cache(maxsize=8192)
def read(source: str, *, template: bool) -> Parsed | Fault:
    """The parsed source. Kept: flows repeat themselves, and most of a file that is saved is as it was."""
    return parse_template(source) if template else parse_expression(source)


def _parsed(source: Expression | Template) -> Parsed:
    parsed = read(source.source, template=isinstance(source, Template))
    if isinstance(parsed, Fault):
        raise ValueError(f"{source.span}: {parsed.message}")
    return parsed


def reads_of(argument: Argument | None) -> frozenset[Path]:
    """The data paths that an argument's value depends on."""
    match argument:
        case None | Literal():
            return frozenset()
        case Expression() | Template():
            return _parsed(argument).paths
        case ArgumentList(items=items):
            return frozenset().union(*(reads_of(item) for item in items))
        case ArgumentMap(items=pairs):
            return frozenset().union(*(reads_of(item) for _, item in pairs))


def constant(value: Any) -> Evaluate:
    """The same value every time."""
    return lambda _scope: value


def _in_its_own_words(render: Callable[[Scope], str], language: str) -> Callable[[Scope], str]:
    """For customers of another language, too: the plural forms that stand in the text are of its own language."""

    def rendered(scope: Scope) -> str:
        formats = scope.formats
        if formats.language == language:
            return render(scope)
        scope.formats = replace(formats, worded=language)
        try:
            return render(scope)
        finally:
            scope.formats = formats

    return rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressing:
    """Compiles what stands in a flow's texts, conditions and arguments."""

    watch: Watch | None = None
    """Looks on at every evaluation (the workshop's); costs nothing when it is None."""

    @property
    def written_in(self) -> str | None:
        """The language of texts without a translation; None where customers speak no other."""
        return None

    def text(self, template: Template) -> Text:
        """A text with its translations: the only place where a customer's language chooses between them."""
        own = self._worded(template, template, self.written_in)
        if not template.translations:
            return own
        spoken = {language: self._worded(wording, template) for language, wording in template.translations}
        words = {name: text.constant for name, text in ({"": own} | spoken).items() if text.constant is not None}
        if len(set(words.values())) == 1 and len(words) == len(spoken) + 1:
            return own  # the same word in every language
        own_render = own.render

        def render(scope: Scope) -> Any:
            text = spoken.get(scope.formats.language)
            return own_render(scope) if text is None else text.render(scope)

        return Text(constant=None, render=render, worded=words if len(words) == len(spoken) + 1 else None)

    def _worded(self, template: Template, source: Template, language: str | None = None) -> Text:
        """One wording of a text; whoever looks on is told of the source. `language`: see `written_in`."""
        parsed = _parsed(template)
        render = compile_template(parsed)
        if language is not None and _PLURAL in parsed.filters:
            render = _in_its_own_words(render, language)
        if parsed.constant:
            constant_text = template.source.strip("\n")
            return Text(constant=constant_text, render=constant(constant_text))
        return Text(constant=None, render=self._watched(source, lambda scope: render(scope).strip("\n")))

    def optional_text(self, template: Template | None) -> Text | None:
        return None if template is None else self.text(template)

    def expression(self, expression: Expression | None) -> Evaluate | None:
        return None if expression is None else self.evaluate(expression)

    def evaluate(self, expression: Expression) -> Evaluate:
        return self._watched(expression, compile_expression(_parsed(expression)))

    def _watched(self, source: Expression | Template, evaluate: Evaluate) -> Evaluate:
        watch = self.watch
        if watch is None:
            return evaluate

        def watched(scope: Scope) -> Any:
            try:
                value = evaluate(scope)
            except EvaluationError as error:
                watch(source, error)
                raise
            watch(source, value)
            return value

        return watched

    def argument(self, argument: Argument) -> Evaluate:
        match argument:
            case Literal(value=value):
                return constant(value)
            case Expression():
                return self.evaluate(argument)
            case Template():
                parsed = _parsed(argument)
                made = compile_native(parsed) if parsed.single else compile_template(parsed, escape=False)
                return made if parsed.constant else self._watched(argument, made)
            case ArgumentList(items=items):
                parts = [self.argument(item) for item in items]
                return lambda scope: tuple([part(scope) for part in parts])
            case ArgumentMap(items=pairs):
                named = [(name, self.argument(item)) for name, item in pairs]
                return lambda scope: {name: part(scope) for name, part in named}

    def initial(self, argument: Argument | None) -> Evaluate | None:
        return None if argument is None else self.argument(argument)
