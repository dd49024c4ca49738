"""What a run with kills and faults must come to: the same as the run without. Pure.

The one place where the rule is weaker than “the same”, for runs with faults beside kills (never for kills alone of
one process):
- An apology (“Something went wrong on our side …”) may be said where the database or the disk failed; and “Again,
  please.” with the question once more where an action failed for good. The customer then does the same again.
- Excused, counted and never hidden: the database fails, the customer is told so past the outbox and does it again,
  and the process is killed before any commit of that chat. Nothing says then that the first time was given up, so
  that both may be handled after the restart.
- Short notices (the answers to presses) are not compared: they belong to the press that failed, too. Neither are
  they with several workers: whether the second press of a button comes before or after the outcome of the first
  one's action is a race there, with and without kills.
Effects, stock, what is open, and every other message are compared always.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.outside import Line, Outside

APOLOGY = "Something went wrong on our side"
AGAIN = "Again, please."
Message = tuple[str, str, bool, tuple[str, ...]]


def transcript(lines: Iterable[Line], *, notices: bool) -> list[Message]:
    """What a customer has seen, without apologies."""
    found: list[Message] = []
    repeated = False
    for line in lines:
        if is_apology(line) or (line["what"] == "notice" and not notices):
            continue
        if line["text"] == AGAIN:
            repeated = True
            continue
        if repeated and line["what"] == "show":
            repeated = False
            continue
        labels = tuple(text for text, _ in line["buttons"])
        found.append((line["what"], line["text"], line["edit"], labels))
    return found


def is_apology(line: Line) -> bool:
    return str(line["text"]).startswith(APOLOGY)


def asks_again(lines: Iterable[Line]) -> bool:
    """Whether the customer was told to do it again."""
    return any(is_apology(line) or line["text"] == AGAIN for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The run without faults."""

    script: str
    points: int
    seconds: float
    told: Mapping[str, Sequence[Line]]
    effects: Mapping[str, int]
    end: Mapping[str, Any]

    @staticmethod
    def of(script: str, outside: Outside, points: int, seconds: float) -> "Reference":
        return Reference(
            script=script,
            points=points,
            seconds=seconds,
            told={chat: list(lines) for chat, lines in outside.told.items()},
            effects=effects(outside),
            end=outside.others["end"][-1],
        )

    def expected(self, chat: str, number: int, *, notices: bool) -> list[Message]:
        """What this customer has seen after that round."""
        return transcript((line for line in self.told.get(chat, ()) if line["round"] <= number), notices=notices)


def effects(outside: Outside) -> dict[str, int]:
    """How often each thing was really done."""
    return dict(
        Counter(
            " ".join((done["name"], done["chat"], *map(str, done["arguments"].values())))
            for done in outside.done.values()
        )
    )


def difference(expected: Sequence[Message], got: Sequence[Message]) -> str:
    """The first place where two transcripts differ."""
    for number, (one, other) in enumerate(zip(expected, got, strict=False)):
        if one != other:
            return f"message {number + 1}: expected {_said(one)}, got {_said(other)}"
    if len(got) < len(expected):
        return f"message {len(got) + 1} is missing: {_said(expected[len(got)])}"
    return f"one message too many: {_said(got[len(expected)])}"


def _said(message: Message) -> str:
    what, text, edit, labels = message
    return f"{what}{' (edit)' if edit else ''} {text!r} {list(labels) if labels else ''}".strip()


def faults_of(reference: Reference, outside: Outside, *, notices: bool) -> list[str]:
    """Everything that is not as it must be, in sentences. Empty: all is well."""
    found = list(outside.wrong)
    for chat in sorted({*reference.told, *outside.told}):
        expected = transcript(reference.told.get(chat, ()), notices=notices)
        got = transcript(outside.told.get(chat, ()), notices=notices)
        if expected != got:
            found.append(f"{chat}: {difference(expected, got)}")
    done = effects(outside)
    for name in sorted({*done, *reference.effects}):
        wanted, had = reference.effects.get(name, 0), done.get(name, 0)
        if wanted != had:
            found.append(f"{name}: {'lost' if had < wanted else 'doubled'}, done {had} times instead of {wanted}")
    if not outside.others["end"]:
        return [*found, "it never came to its end"]
    end = outside.others["end"][-1]
    found += [
        f"{name}: {end.get(name)!r} instead of {wanted!r}"
        for name, wanted in reference.end.items()
        if name not in _GROWING and end.get(name) != wanted
    ]
    most = 3 * len(outside.sent) + 50
    found += [f"{name} has {end[name]} rows" for name in _GROWING if end.get(name, 0) > most]
    return found


_GROWING = ("seen_updates", "visits")
"""Tables that grow with what customers do: with every repeated try a little more."""
