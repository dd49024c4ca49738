"""What is written together, what is written at once, and what one bad entry does to the others."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.channels.telegram.keeping import Keeping
from engine.runtime.journal import Entry

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Slow:
    """A journal whose commits take a moment."""

    def __init__(self, bad: str = "") -> None:
        self.commits: list[list[str]] = []
        self.known: dict[str, Entry] = {}
        self._bad = bad

    async def append_all(self, entries: Sequence[Entry]) -> Sequence[tuple[Entry, bool]]:
        await asyncio.sleep(0.01)
        if any(entry.key == self._bad for entry in entries):
            raise ValueError("the journal does not take this")
        self.commits.append([entry.key for entry in entries])
        new = [entry.key not in self.known for entry in entries]
        return [(self.known.setdefault(entry.key, entry), is_new) for entry, is_new in zip(entries, new, strict=True)]


def entry(key: str) -> Entry:
    return Entry(chat="telegram:1", at=AT, kind="sent", key=key, payload=b"{}")


async def test_many_chats_are_one_commit() -> None:
    journal: Any = Slow()
    keeping = Keeping(journal)
    kept = await asyncio.gather(*(keeping.append(entry(f"k{number}")) for number in range(50)))
    assert [(written.key, new) for written, new in kept] == [(f"k{number}", True) for number in range(50)]
    assert len(journal.commits) == 1
    assert (await keeping.append(entry("k7")))[1] is False


async def test_what_waits_goes_along_with_what_is_urgent() -> None:
    journal: Any = Slow()
    keeping = Keeping(journal)
    lazy = asyncio.create_task(keeping.append(entry("lazy")))
    await asyncio.sleep(0)
    assert [written.key for written, _ in await keeping.append_all([entry("a"), entry("b")])] == ["a", "b"]
    await lazy
    assert journal.commits == [["lazy", "a", "b"]]


async def test_a_bad_entry_harms_no_other() -> None:
    journal: Any = Slow(bad="bad")
    keeping = Keeping(journal)
    kept = await asyncio.gather(
        keeping.append(entry("good")),
        keeping.append(entry("bad")),
        keeping.append_all([entry("x"), entry("y")]),
        return_exceptions=True,
    )
    assert isinstance(kept[1], ValueError)
    assert sorted(journal.known) == ["good", "x", "y"]
    with pytest.raises(ValueError, match="does not take"):
        await keeping.append(entry("bad"))


async def test_who_gives_up_does_not_take_it_back() -> None:
    journal: Any = Slow()
    keeping = Keeping(journal)
    asking = asyncio.create_task(keeping.append(entry("a")))
    await asyncio.sleep(0)
    asking.cancel()
    await keeping.append(entry("b"))
    assert sorted(journal.known) == ["a", "b"]
