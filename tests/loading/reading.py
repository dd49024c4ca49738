"""Short ways from YAML text to a flow or to findings, for the tests of loading."""

from textwrap import dedent

from engine.actions.catalog import Catalog
from engine.core.model import Flow, Step
from engine.diagnostics import Diagnostic
from engine.loading.documents import Document
from engine.loading.parser import parse
from engine.loading.schema_check import check_document
from engine.loading.source import read_text

EMPTY = Catalog()


def document(text: str) -> Document:
    read = read_text(dedent(text), "a.yaml")
    assert read.document is not None, read.findings
    return read.document


def flow(text: str, catalog: Catalog = EMPTY) -> Flow:
    """The flow of a text that is right in form."""
    read = document(text)
    assert check_document(read) == ()
    parsed = parse(read, catalog)
    assert parsed.findings == ()
    assert parsed.flow is not None
    return parsed.flow


def step(text: str, catalog: Catalog = EMPTY) -> Step:
    """The first step of a flow made of `text`, which is that step's keys."""
    lines = "\n".join(f"    {line}" for line in dedent(text).strip("\n").split("\n"))
    return flow(f"flow: f\nsteps:\n  s:\n{lines}\n  last: {{end: completed}}\n", catalog).steps[0]


def faults(text: str) -> list[Diagnostic]:
    """Every finding of reading, form and parser."""
    read = read_text(dedent(text), "a.yaml")
    found = list(read.findings)
    if read.document is None:
        return found
    wrong = check_document(read.document)
    found += wrong or parse(read.document, EMPTY).findings
    return found


def step_faults(text: str) -> list[Diagnostic]:
    """Findings about a step whose keys are `text`; it stands on line 4, column 5."""
    lines = "\n".join(f"    {line}" for line in dedent(text).strip("\n").split("\n"))
    return faults(f"flow: f\nsteps:\n  s:\n{lines}\n  last: {{end: completed}}\n")


def brief(found: list[Diagnostic] | tuple[Diagnostic, ...]) -> list[tuple[str, int, int]]:
    """(code, line, column) of each."""
    return [(one.code, one.span.line, one.span.column) for one in found]
