"""The journal towards the pages: entries are written, sent to the tabs that are open, and read page by page."""

from typing import Final

from engine.channels.web.entries import ShareLabels, for_page
from engine.channels.web.people import People
from engine.channels.web.tabs import Tabs
from engine.core.records import record
from engine.core.wording import Wording
from engine.runtime.journal import Entry, Journal
from engine.runtime.locales import wordings

PAGE: Final = 200
"""Entries read at once."""
ENOUGH: Final = 30
"""Visible entries that a page has at least, when there are so many: most of what was read may be hidden ones."""
MOST: Final = 2000
"""Visible entries after which no more are given at once, however little the page knows."""


@record
class Page:
    """Some entries as the protocol has them, oldest first."""

    entries: tuple[dict[str, object], ...]
    older: bool
    """Whether there are older ones."""


class Feed:
    """What every tab of a chat sees."""

    def __init__(self, *, journal: Journal, tabs: Tabs, people: People) -> None:
        self.journal = journal
        self.tabs = tabs
        self._people = people
        self._words: dict[str, Wording] = {}

    async def append(self, entry: Entry) -> tuple[Entry, bool]:
        """Write an entry and show it; one whose key is known is neither written nor shown: that one and False."""
        written, new = await self.journal.append(entry)
        if new:
            await self.show(written)
        return written, new

    async def show(self, entry: Entry) -> None:
        """Send an entry, new or edited, to the tabs of its chat."""
        if not self.tabs.of(entry.chat):
            return
        shown = for_page(entry, self._share(entry.chat))
        if shown is not None:
            await self.tabs.broadcast(entry.chat, {"type": "entry", "entry": shown})

    async def page(self, chat: str, *, before: int | None = None, known: int = 0) -> Page:
        """The newest entries of a chat (older than `before`), and back to `known` when that is not too far."""
        share = self._share(chat)
        found: list[dict[str, object]] = []
        while True:
            entries = await self.journal.entries(chat, before=before, limit=PAGE)
            seen = [shown for entry in entries if (shown := for_page(entry, share)) is not None]
            found[:0] = seen
            if len(entries) < PAGE:
                return Page(entries=tuple(found), older=False)
            before = entries[0].id
            if len(found) >= ENOUGH and (len(found) >= MOST or not 0 < known < before):
                return Page(entries=tuple(found), older=True)

    def _share(self, chat: str) -> ShareLabels:
        person = self._people.of_chat(chat)
        words = self._spoken(person.language if person else "")
        return lambda kind: words.say(f"share.{kind}")

    def _spoken(self, language: str) -> Wording:
        """The engine's own sentences, read once for each language that somebody speaks."""
        if language not in self._words:
            self._words[language] = wordings([language])[language]
        return self._words[language]
