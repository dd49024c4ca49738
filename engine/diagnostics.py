"""What is wrong in a file, and where: spans, findings, reports.

Only values live here; how findings look on paper is `engine.loading.rendering`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps a flow from loading; a warning never blocks."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """A piece of a file: lines and columns count from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def within(self, offset: int, length: int) -> "Span":
        """The part of a one-line span that starts `offset` characters in and is `length` long."""
        column = self.column + offset
        return Span(file=self.file, line=self.line, column=column, end_line=self.line, end_column=column + length)


NOWHERE = Span(file="<none>", line=1, column=1, end_line=1, end_column=1)
"""The span of things that no file declares: engine texts, flows built in tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding.

    `code` is stable (see `engine.loading.codes`), `expected` says what would be right, `suggestion` is the
    nearest existing name where the fault looks like a misspelling.
    """

    code: str
    severity: Severity
    span: Span
    message: str
    expected: str | None = None
    suggestion: str | None = None

    def sort_key(self) -> tuple[str, int, int, str, str]:
        return (self.span.file, self.span.line, self.span.column, self.code, self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings of one check, sorted by place."""

    findings: tuple[Diagnostic, ...] = ()

    @staticmethod
    def of(findings: Iterable[Diagnostic]) -> "Report":
        return Report(findings=tuple(sorted(set(findings), key=Diagnostic.sort_key)))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    @property
    def ok(self) -> bool:
        """True when nothing in it keeps the flows from running."""
        return not self.errors
