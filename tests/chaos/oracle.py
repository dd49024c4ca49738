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

In the shop three more things do not matter: which address an order was given, which of several like codes a buyer was
given (but never one code to two of them), and in which order a chat of the team hears
of several customers. Where two things happen at once, either may be first: then the run without faults is played in
each of these orders (`Script.twins`), and this one must be as one of them in everything.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.outside import Line, Outside

APOLOGY = "Something went wrong on our side"
AGAIN = "Again, please."
CODE = re.compile(r"\bCODE-[0-9]\b")
ADDRESS = re.compile(r"\b(?:bc1|ltc1)[a-z0-9]{20,}")
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
        text = CODE.sub("<code>", ADDRESS.sub("<address>", line["text"]))
        found.append((line["what"], text, line["edit"], labels))
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
    crowd: frozenset[str] = frozenset()
    twins: tuple["Reference", ...] = ()
    """It may come out like one of these as well."""

    @staticmethod
    def of(
        script: str,
        outside: Outside,
        points: int,
        seconds: float,
        *,
        crowd: frozenset[str] = frozenset(),
        twins: tuple["Reference", ...] = (),
    ) -> "Reference":
        return Reference(
            script=script,
            points=points,
            seconds=seconds,
            told={chat: list(lines) for chat, lines in outside.told.items()},
            effects=effects(outside),
            end=outside.others["end"][-1],
            crowd=crowd,
            twins=twins,
        )

    def expected(self, chat: str, number: int, *, notices: bool) -> list[Message]:
        """What this customer has seen after that round."""
        return self.seen(chat, (line for line in self.told.get(chat, ()) if line["round"] <= number), notices=notices)

    def seen(self, chat: str, lines: Iterable[Line], *, notices: bool) -> list[Message]:
        """What this customer has seen, as it is compared."""
        found = transcript(lines, notices=notices)
        return sorted(found) if chat in self.crowd else found


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
    found = _faults_of(reference, outside, notices=notices)
    for twin in reference.twins:
        if found:
            found = _faults_of(twin, outside, notices=notices) and found
    return found


def _faults_of(reference: Reference, outside: Outside, *, notices: bool) -> list[str]:
    found = list(outside.wrong)
    for chat in sorted({*reference.told, *outside.told}):
        expected = reference.seen(chat, reference.told.get(chat, ()), notices=notices)
        got = reference.seen(chat, outside.told.get(chat, ()), notices=notices)
        if expected != got:
            found.append(f"{chat}: {difference(expected, got)}")
    done = effects(outside)
    for name in sorted({*done, *reference.effects}):
        wanted, had = reference.effects.get(name, 0), done.get(name, 0)
        if wanted != had:
            found.append(f"{name}: {'lost' if had < wanted else 'doubled'}, done {had} times instead of {wanted}")
    found += given_twice(outside)
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


def given_twice(outside: Outside) -> list[str]:
    """Codes that more than one customer was told."""
    told: dict[str, set[str]] = {}
    for chat, lines in outside.told.items():
        for line in lines:
            for code in CODE.findall(line["text"]):
                told.setdefault(code, set()).add(chat)
    return [f"{code} was given to {', '.join(sorted(chats))}" for code, chats in sorted(told.items()) if len(chats) > 1]


_GROWING = ("seen_updates", "visits")
"""Tables that grow with what customers do: with every repeated try a little more."""
