"""The `findings` message: what `check` says of the flows as they were just saved, each with its line. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from engine.diagnostics import Diagnostic
from engine.loading.library import Loaded
from engine.loading.rendering import lines_to_show

MOST: Final = 200
"""Findings that are sent; the counts are of all."""
WIDEST: Final = 300


def findings_message(loaded: Loaded, *, live: bool, at: datetime) -> dict[str, object]:
    """What is wrong with the flows. `live`: they are in use now; False: the ones before them stay in use."""
    report = loaded.report
    wanted = {finding.span.file for finding in report.findings[:MOST]}
    lines = lines_to_show(report, {name: text for name, text in loaded.texts.items() if name in wanted})
    errors = len(report.errors)
    return {
        "type": "findings",
        "errors": errors,
        "warnings": len(report.findings) - errors,
        "live": live,
        "findings": [_finding(finding, lines) for finding in report.findings[:MOST]],
        "at": at,
    }


def _finding(finding: Diagnostic, lines: Mapping[str, Sequence[str]]) -> dict[str, object]:
    span = finding.span
    known = lines.get(span.file, ())
    source = known[span.line - 1] if 0 < span.line <= len(known) else ""
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "help": _help(finding),
        "source": source if len(source) <= WIDEST else f"{source[: WIDEST - 1]}…",
    }


def _help(finding: Diagnostic) -> str:
    parts = []
    if finding.suggestion:
        parts.append(f"Did you mean “{finding.suggestion}”?")
    if finding.expected:
        parts.append(f"Expected: {finding.expected}")
    return " · ".join(parts)
