"""How findings look: as text for people, as JSON for programs, as annotations for GitHub. Only makes strings."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from engine.diagnostics import Diagnostic, Report, Severity
from engine.loading.documents import split_lines
from engine.loading.library import Loaded

FORMS: Final = ("text", "json", "github")

_PLAIN: Final[Mapping[str, str]] = {"error": "", "warning": "", "bold": "", "dim": "", "off": ""}
_COLOURS: Final[Mapping[str, str]] = {
    "error": "\x1b[1;31m", "warning": "\x1b[1;33m", "bold": "\x1b[1m", "dim": "\x1b[2m", "off": "\x1b[0m",
}  # fmt: skip
_HIDING: Final = "F080"
"""Findings about secrets begin with it."""
_WIDEST: Final = 160
"""Of a source line: more is cut around the place."""


def render(loaded: Loaded, *, form: str = "text", colour: bool = False) -> str:
    """The findings of a check in one of FORMS; text and GitHub end with a summary line.

    Raises ValueError for another form.
    """
    match form:
        case "text":
            files = f"{len(loaded.texts)} file{'' if len(loaded.texts) == 1 else 's'}"
            body = render_text(loaded.report, loaded.texts, colour=colour)
            return f"{body}\n{files}: {summary(loaded.report)}" if body else f"{files}: {summary(loaded.report)}"
        case "json":
            return render_json(loaded.report)
        case "github":
            return "\n".join([*render_github(loaded.report), summary(loaded.report)])
        case _:
            raise ValueError(f"no such form: {form}")


def summary(report: Report) -> str:
    """`2 errors, 1 warning`, or that nothing is wrong."""
    errors = len(report.errors)
    warnings = len(report.findings) - errors
    if not report.findings:
        return "nothing to mend."
    return f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}."


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


# --- text -------------------------------------------------------------------------------------------------


def render_text(report: Report, texts: Mapping[str, str] | None = None, *, colour: bool = False) -> str:
    """One paragraph per finding: place, message, the line with a caret where `texts` has it, what was expected."""
    lines = lines_to_show(report, texts or {})
    paint = _COLOURS if colour else _PLAIN
    return "\n".join(_paragraph(finding, lines.get(finding.span.file), paint) for finding in report.findings)


def lines_to_show(report: Report, texts: Mapping[str, str]) -> dict[str, list[str]]:
    """The lines of every file, without the secrets that findings are about: what is shown is seen by others than those
    who see the file, such as in the log of a build."""
    lines = {name: list(split_lines(text)) for name, text in texts.items()}
    for finding in report.findings:
        span, known = finding.span, lines.get(finding.span.file, [])
        if finding.code.startswith(_HIDING):
            for number in range(span.line, min(span.end_line, len(known)) + 1):
                kept = known[number - 1][: span.column - 1] if number == span.line else ""
                known[number - 1] = f"{kept}•••"
    return lines


def _paragraph(finding: Diagnostic, lines: Sequence[str] | None, paint: Mapping[str, str]) -> str:
    word, off = paint[finding.severity.value], paint["off"]
    head = (
        f"{paint['bold']}{_shown(str(finding.span))}:{off} {word}{finding.severity} {finding.code}:{off} "
        f"{paint['bold']}{_shown(finding.message)}{off}"
    )
    parts = [head]
    margin = " " * len(str(finding.span.line))
    if lines is not None and 0 < finding.span.line <= len(lines):
        parts += _excerpt(finding, lines[finding.span.line - 1], margin, paint)
    if finding.expected:
        parts.append(f"{margin} {paint['dim']}={off} expected: {_shown(finding.expected)}")
    if finding.suggestion:
        parts.append(f"{margin} {paint['dim']}={off} did you mean “{_shown(finding.suggestion)}”?")
    return "\n".join([*parts, ""])


def _excerpt(finding: Diagnostic, line: str, margin: str, paint: Mapping[str, str]) -> list[str]:
    span, off, bar = finding.span, paint["off"], f"{paint['dim']}|{paint['off']}"
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line)
    cut = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    end = min(max(end, start + 1), cut + _WIDEST)
    shown = line[cut : cut + _WIDEST]
    before, marked = line[cut:start], line[start:end]
    caret = f"{' ' * _columns(before)}{paint[finding.severity.value]}{'^' * max(1, _columns(marked))}{off}"
    return [
        f"{margin} {bar}",
        f"{paint['dim']}{span.line}{off} {bar} {_shown(shown)}",
        f"{margin} {bar} {caret}",
    ]


def _shown(text: str) -> str:
    """Nothing from a file may steer a terminal: control characters are made visible, a tab is one space."""
    return "".join(" " if char == "\t" else char if char.isprintable() else "�" for char in text)


def _columns(text: str) -> int:
    """How wide a terminal draws it: emoji and Asian letters take two columns, marks none."""
    width = 0
    for char in _shown(text):
        if unicodedata.combining(char) or char in "\u200d\ufe0f":
            continue
        width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return width


# --- for programs -----------------------------------------------------------------------------------------


def render_json(report: Report) -> str:
    """`{"errors", "warnings", "findings": […]}`; lines and columns count from 1, ends are exclusive."""
    findings = [
        {
            "file": finding.span.file, "line": finding.span.line, "column": finding.span.column,
            "end_line": finding.span.end_line, "end_column": finding.span.end_column,
            "severity": finding.severity.value, "code": finding.code, "message": finding.message,
            "expected": finding.expected, "suggestion": finding.suggestion,
        }
        for finding in report.findings
    ]  # fmt: skip
    errors = len(report.errors)
    whole = {"errors": errors, "warnings": len(findings) - errors, "findings": findings}
    return json.dumps(whole, ensure_ascii=False, indent=2)


def render_github(report: Report) -> list[str]:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    return [_annotation(finding) for finding in report.findings]


def _annotation(finding: Diagnostic) -> str:
    span = finding.span
    level = "error" if finding.severity is Severity.ERROR else "warning"
    message = finding.message
    if finding.expected:
        message += f"\nexpected: {finding.expected}"
    if finding.suggestion:
        message += f"\ndid you mean “{finding.suggestion}”?"
    place = f"file={_property(span.file)},line={span.line},col={span.column}"
    ends = f",endLine={span.end_line}" + (f",endColumn={span.end_column}" if span.end_line == span.line else "")
    return f"::{level} {place}{ends},title={_property(finding.code)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
