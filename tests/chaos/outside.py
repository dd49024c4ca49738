"""The world outside the bot, as an append-only file that no kill reaches: what customers did and saw, what was done.

Every line is one JSON object, written with one system call. Several processes may write to one file.
"""

import fcntl
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Line = dict[str, Any]
UNWRITTEN = "/trouble"
"""How the id of an apology ends that did not go through the outbox, since the database failed."""


class Outside:
    """Reads what is there, adds to it, and knows what it comes to."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._offset = 0
        self._rest = b""
        self.clock = 0.0
        """Seconds since the script's beginning."""
        self.round = 0
        self.sent: dict[str, Line] = {}
        """Updates that customers sent, by id, in order."""
        self.taken: set[str] = set()
        """Updates that the bot has acknowledged."""
        self.told: dict[str, list[Line]] = defaultdict(list)
        """By chat: everything delivered, each id once."""
        self._known: dict[str, Line] = {}
        self.repeats = 0
        """Deliveries of an id that had been delivered before."""
        self.done: dict[str, Line] = {}
        """Effects by idempotency key."""
        self.asked: Counter[tuple[str, str]] = Counter()
        """(name, key) → attempts."""
        self.wrong: list[str] = []
        """What must not be, seen at once."""
        self.excused = False
        """The process ended between an apology that could not be written down and the end of its round: what its
        customer did again may have been handled beside the first time. See `oracle`."""
        self._unwritten = False
        self.others: dict[str, list[Line]] = defaultdict(list)
        """Lines of every other kind."""
        if self._torn():
            os.write(self._file, b"\n")
        self.refresh()

    def close(self) -> None:
        os.close(self._file)

    def _torn(self) -> bool:
        """A writer was killed in the middle of a line."""
        size = os.fstat(self._file).st_size
        return size > 0 and os.pread(self._file, 1, size - 1) != b"\n"

    def refresh(self) -> None:
        """Take in what was written since, by whomever."""
        while piece := os.pread(self._file, 1 << 20, self._offset):
            self._offset += len(piece)
            *lines, self._rest = (self._rest + piece).split(b"\n")
            for line in lines:
                if line:
                    self._take(line)

    def write(self, kind: str, **fields: Any) -> None:
        """Add a line; when this returns, it is there."""
        os.write(self._file, json.dumps({"kind": kind, **fields}).encode() + b"\n")
        self.refresh()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else writes meanwhile."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self.refresh()
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def does(self, name: str, key: str, chat: str, arguments: Mapping[str, str]) -> None:
        """An effect, at a backend that honours idempotency keys."""
        with self.alone():
            if key not in self.done:
                self.write("done", name=name, key=key, chat=chat, arguments=dict(arguments))

    def unacknowledged(self) -> list[Line]:
        """What the channel brings again after a restart, in order."""
        return [line for key, line in self.sent.items() if key not in self.taken]

    def _take(self, raw: bytes) -> None:
        try:
            line: Line = json.loads(raw)
        except ValueError:
            return  # the torn line of a writer that was killed
        match line.pop("kind"):
            case "clock":
                self.clock = line["at"]
            case "round":
                self.round, self._unwritten = line["number"], False
            case "sent":
                self.sent[line["update"]] = line
            case "taken":
                self.taken.add(line["update"])
            case "told":
                self._tell(line)
            case "done":
                self.done[line["key"]] = line
            case "asked":
                self.asked[line["name"], line["key"]] += 1
            case kind:
                self.excused |= kind == "up" and self._unwritten
                self.others[kind].append(line)

    def _tell(self, line: Line) -> None:
        self._unwritten |= line["id"].endswith(UNWRITTEN)
        before = self._known.setdefault(line["id"], line)
        if before is not line:
            self.repeats += 1
            if {**before, "round": 0} != {**line, "round": 0}:
                self.wrong.append(f"two messages under the id {line['id']}: {before['text']!r} and {line['text']!r}")
            return
        told = self.told[line["chat"]]
        if told and line["sequence"] and told[-1]["sequence"] > line["sequence"]:
            self.wrong.append(f"{line['text']!r} came after a later message of {line['chat']}")
        told.append(line)
