"""What playing a transcript came to, and how a difference looks: where, expected (-) and real (+). Pure."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from engine.diagnostics import Span
from engine.loading.transcripts import Step
from engine.loading.transcripts_writing import lines_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The bot did all that the transcript says, and nothing else."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The first difference: `span` is the step in the transcript, `lines` tell expected (-) and real (+)."""

    name: str
    span: Span
    message: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{self.span.file}:{self.span.line}: {self.message}"
        return "\n".join([head, *(f"    {line}" for line in self.lines)])


Played = Passed | Failed


class Different(Exception):  # noqa: N818 - a way out of the play, caught by the player
    """The play is over here."""

    def __init__(self, span: Span, message: str, lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.span = span
        self.message = message
        self.lines = tuple(lines)


def compared(wanted: Step, given: Step) -> list[str]:
    """Two steps as one text with the lines that differ marked."""
    found = difflib.unified_diff(lines_of(wanted), lines_of(given), n=1000, lineterm="")
    return [f"{line[:1]} {line[1:]}" for line in list(found)[3:]]


def marked(sign: str, steps: Sequence[Step]) -> list[str]:
    """Steps whose lines all have this sign."""
    return [f"{sign} {line}" for step in steps for line in lines_of(step)]
