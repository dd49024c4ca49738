"""Collects findings while a file is read: the one thing the parts of the parser share that changes."""

from collections.abc import Iterable
from difflib import get_close_matches

from engine.diagnostics import Diagnostic, Severity, Span


class Findings:
    """A growing list of findings of one file."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def error(
        self,
        code: str,
        span: Span,
        message: str,
        *,
        expected: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        """Adds an error."""
        self._found.append(
            Diagnostic(
                code=code,
                severity=Severity.ERROR,
                span=span,
                message=message,
                expected=expected,
                suggestion=suggestion,
            )
        )

    def all(self) -> tuple[Diagnostic, ...]:
        """What was found so far, in order."""
        return tuple(self._found)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` looks like a misspelling of, or None."""
    names = sorted(known)
    found = get_close_matches(name, names, n=1, cutoff=0.6)
    if found:
        return found[0]
    folded = {known_name.lower(): known_name for known_name in names}
    close = get_close_matches(name.lower(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def listed(names: Iterable[str], *, most: int = 8) -> str:
    """Names in a row for `expected`, cut after `most`."""
    shown = sorted(names)
    more = f" … ({len(shown) - most} more)" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more
