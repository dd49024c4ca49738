"""Texts, expressions and arguments as closures; looks on while they are evaluated, where somebody wants to. Pure.

It trusts the checker: a source that does not parse raises ValueError with its place.
"""

from dataclasses import dataclass
from typing import Any

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


def _parsed(source: Expression | Template) -> Parsed:
    parse = parse_expression if isinstance(source, Expression) else parse_template
    parsed = parse(source.source)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressing:
    """Compiles what stands in a flow's texts, conditions and arguments."""

    watch: Watch | None = None
    """Looks on at every evaluation (the workshop's); costs nothing when it is None."""

    def text(self, template: Template) -> Text:
        parsed = _parsed(template)
        render = compile_template(parsed)
        if parsed.constant:
            return Text(constant=template.source.strip("\n"), render=render)
        return Text(constant=None, render=self._watched(template, lambda scope: render(scope).strip("\n")))

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
