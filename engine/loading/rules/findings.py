"""How the rules say what they found: one Diagnostic per fault, with the nearest name. No rule lives here."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from engine.core.expressions import Fault
from engine.diagnostics import Diagnostic, Severity, Span
from engine.loading.codes import CODES

SEVERITIES = {name: Severity(code.severity) for name, code in CODES.items()}
SHOWN = 8
"""How many existing names a finding lists."""


def finding(code: str, span: Span, message: str, *, expected: str | None = None) -> Diagnostic:
    """A finding; its severity is the one its code is registered with."""
    return Diagnostic(code=code, severity=SEVERITIES[code], span=span, message=message, expected=expected)


def unknown(code: str, span: Span, message: str, *, name: str, among: Collection[str]) -> Diagnostic:
    """A finding about a name that does not exist: lists those that do, and suggests the nearest."""
    return Diagnostic(
        code=code,
        severity=SEVERITIES[code],
        span=span,
        message=message,
        expected=listing(among),
        suggestion=nearest(name, among),
    )


def from_fault(code: str, fault: Fault, span: Span) -> Diagnostic:
    """A finding about the inside of an expression or text, as the expression language worded it."""
    return Diagnostic(
        code=code,
        severity=SEVERITIES[code],
        span=span,
        message=fault.message,
        expected=fault.expected,
        suggestion=fault.suggestion,
    )


def nearest(name: str, among: Collection[str]) -> str | None:
    """The existing name that `name` is most likely a misspelling of, or None."""
    by_fold = {candidate.casefold(): candidate for candidate in sorted(among)}
    close = get_close_matches(name.casefold(), list(by_fold), n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def listing(names: Iterable[str]) -> str:
    """`one of “a”, “b” …`, at most eight of them, in order of the alphabet."""
    ordered = sorted(names)
    if not ordered:
        return "nothing: none exists here"
    shown = ", ".join(f"“{name}”" for name in ordered[:SHOWN])
    more = " …" if len(ordered) > SHOWN else ""
    return f"{shown}{more}" if len(ordered) == 1 else f"one of {shown}{more}"
