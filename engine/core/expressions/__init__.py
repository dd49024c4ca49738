"""The expression and text language: parse, infer types, compile. The only door into this package.

Jinja2's grammar cut to an allow-list; nothing that is written in a flow or typed by a customer becomes Python.
"""

from engine.core.expressions.compiler import compile_expression, compile_native, compile_template
from engine.core.expressions.faults import KINDS, Fault, nearest
from engine.core.expressions.filter_specs import FilterParameter, FilterSpec, TestSpec
from engine.core.expressions.filters import FILTERS, TESTS
from engine.core.expressions.formats import Formats
from engine.core.expressions.grammar import parse_expression, parse_template
from engine.core.expressions.inference import Inferred, infer
from engine.core.expressions.reading import Parsed
from engine.core.expressions.scope import EvaluationError, Scope

__all__ = [
    "FILTERS",
    "KINDS",
    "TESTS",
    "EvaluationError",
    "Fault",
    "FilterParameter",
    "FilterSpec",
    "Formats",
    "Inferred",
    "Parsed",
    "Scope",
    "TestSpec",
    "compile_expression",
    "compile_native",
    "compile_template",
    "infer",
    "nearest",
    "parse_expression",
    "parse_template",
]
