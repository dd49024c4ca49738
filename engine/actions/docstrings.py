"""Docstrings read once: the summary and one line per argument. Plain text in, plain text out."""

import inspect
import re

_ARGUMENT = re.compile(r"^\s*(?P<name>\w+)\s*(\([^)]*\))?:\s*(?P<text>.*)$")
_HEADINGS = frozenset({"args:", "arguments:"})


def summary(docstring: str | None) -> str:
    """The first paragraph on one line; empty when there is none."""
    paragraph = inspect.cleandoc(docstring or "").split("\n\n", 1)[0]
    return " ".join(paragraph.split())


def arguments(docstring: str | None) -> dict[str, str]:
    """`name: text` lines under `Args:`; lines that are indented deeper go on with the text above."""
    texts: dict[str, str] = {}
    name, margin = "", -1
    for line in _section(inspect.cleandoc(docstring or "").splitlines()):
        indent = len(line) - len(line.lstrip())
        found = _ARGUMENT.match(line)
        if found and (margin < 0 or indent <= margin):
            name, margin = found["name"].rstrip("_"), indent
            texts[name] = found["text"].strip()
        elif name:
            texts[name] = f"{texts[name]} {line.strip()}".strip()
    return texts


def _section(lines: list[str]) -> list[str]:
    """The lines under `Args:` up to the first one that is not indented."""
    starts = [number for number, line in enumerate(lines) if line.strip().lower() in _HEADINGS]
    if not starts:
        return []
    section = []
    for line in lines[starts[0] + 1 :]:
        if line.strip() and not line.startswith(" "):
            break
        if line.strip():
            section.append(line)
    return section
