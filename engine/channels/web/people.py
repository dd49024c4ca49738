"""Who uses the page: found, made and changed; their roles for the runtime. Knows no sockets and no protocol."""

import asyncio
import logging
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from engine.channels.web.protocol import NAMES, PersonChanged, is_phone
from engine.channels.web.tabs import CHANNEL, Tabs, chat_of
from engine.core.model import Bot
from engine.core.records import record, replaced
from engine.runtime.identity import IdSource
from engine.runtime.journal import Journal, Person
from engine.runtime.ports import Clock

log = logging.getLogger("stepgram.web")

NEW: Final = "new"
MOST: Final = 1000
"""People that one store keeps: whoever wants more is a script."""
_NUMBERED: Final = re.compile(r"Customer ([0-9]{1,9})")


@record
class Refused:
    """What was asked for cannot be; `text` is one sentence that says why."""

    text: str


class People:
    """Everybody in memory, written through to the journal. To be loaded before the runtime is started."""

    def __init__(self, *, journal: Journal, tabs: Tabs, clock: Clock, ids: IdSource) -> None:
        self._journal = journal
        self._tabs = tabs
        self._clock = clock
        self._ids = ids
        self._people: dict[str, Person] = {}
        self._door = asyncio.Lock()

    async def load(self) -> None:
        """Read everybody. The store must be open."""
        self._people = {person.id: person for person in reversed(await self._journal.people())}

    def all(self) -> Sequence[Person]:
        """Everybody, the one seen last first."""
        return tuple(reversed(self._people.values()))

    def find(self, identity: str) -> Person | None:
        """The person with this id."""
        return self._people.get(identity)

    def of_chat(self, chat: str) -> Person | None:
        """The person whose chat it is."""
        return self._people.get(chat.removeprefix(CHANNEL)) if chat.startswith(CHANNEL) else None

    def granted(self, chat: str) -> frozenset[str]:
        """The roles that were given on the page to the person of this chat; none for chats of other channels."""
        person = self.of_chat(chat)
        return frozenset() if person is None else frozenset(person.roles)

    def members(self, role: str) -> Sequence[str]:
        """The chats of everybody who was given this role on the page."""
        return tuple(chat_of(person.id) for person in self._people.values() if role in person.roles)

    async def claim(self, wanted: str | None, bot: Bot, join: Callable[[Person], None]) -> Refused | None:
        """Find who a tab is to speak for and call `join` with them before anybody else is served.

        `wanted`: a person's id; `new`; None or an unknown id: the one seen last without a tab, else somebody new.
        """
        async with self._door:
            person = None if wanted == NEW else self._free(wanted)
            if person is None and len(self._people) >= MOST:
                return Refused(text=f"There are {MOST} customers already: please choose one of them.")
            if person is None:
                seen = self._made(bot)
                await self._keep(seen)
            else:
                seen = await self._seen(person)
            join(seen)
            return None

    async def change(self, identity: str, changed: PersonChanged, bot: Bot) -> tuple[Person, Person] | Refused:
        """Change a person; as they were and as they are now."""
        async with self._door:
            before = self._people[identity]
            after = _changed(before, changed, bot)
            if isinstance(after, Refused):
                return after
            if after != before:
                await self._keep(after)
            return before, after

    async def _seen(self, person: Person) -> Person:
        """Somebody known is here again; on a full disk, too, since they can read at least."""
        seen = replaced(person, seen_at=self._clock.now())
        try:
            await self._keep(seen)
        except Exception as error:
            log.warning("it could not be written down who was here: %s", error)
            return person
        return seen

    def _free(self, wanted: str | None) -> Person | None:
        known = self._people.get(wanted or "")
        if known is not None:
            return known
        return next((person for person in self.all() if not self._tabs.here(person.id)), None)

    def _made(self, bot: Bot) -> Person:
        numbers = [int(found[1]) for person in self.all() if (found := _NUMBERED.fullmatch(person.name))]
        name = f"Customer {max([len(self._people), *numbers]) + 1}"
        return Person(id=self._ids.conversation(), name=name, language=bot.languages[0], seen_at=self._clock.now())

    async def _keep(self, person: Person) -> None:
        await self._journal.keep(person)
        known = self._people.get(person.id)
        if known is not None and known.seen_at == person.seen_at:
            self._people[person.id] = person
        else:  # the one seen last stands last
            self._people.pop(person.id, None)
            self._people[person.id] = person
        self._tabs.know(person)


def _changed(person: Person, changed: PersonChanged, bot: Bot) -> Person | Refused:
    name = person.name if changed.name is None else clean_line(changed.name, NAMES)
    if not name:
        return Refused(text=f"A customer needs a name of 1 to {NAMES} characters.")
    language = person.language if changed.language is None else changed.language
    if changed.language is not None and language not in bot.languages:
        return Refused(text=f"The bot speaks no such language: {', '.join(bot.languages)}.")
    roles = person.roles if changed.roles is None else tuple(sorted(set(changed.roles)))
    if changed.roles is not None and not bot.roles.keys() >= set(roles):
        return Refused(text="The bot has no such role: bot.yaml names the ones there are.")
    phone = person.phone if changed.phone is None else changed.phone.strip()
    if phone and phone != person.phone and not is_phone(phone):
        return Refused(text="This is no phone number: please give one such as +49 30 901820.")
    return replaced(person, name=name, language=language, roles=roles, phone=phone)


def clean_line(text: str, longest: int) -> str:
    """One line of at most so many characters, without control characters and invisible turns of direction."""
    kept = "".join(" " if unicodedata.category(mark) in ("Cc", "Zl", "Zp") else mark for mark in text)
    kept = "".join(mark for mark in kept if mark not in _TURNS and unicodedata.category(mark) != "Cs")
    return " ".join(kept.split())[:longest].strip()


_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def as_seen(person: Person) -> dict[str, object]:
    """A person as the page is told of the one it speaks for."""
    return {
        "id": person.id,
        "name": person.name,
        "language": person.language,
        "roles": person.roles,
        "phone": person.phone,
    }


def listed(people: People, tabs: Tabs, limit: int = 100) -> list[dict[str, object]]:
    """Everybody for the page's switch, the one seen last first."""
    return [{"id": one.id, "name": one.name, "here": bool(tabs.of(chat_of(one.id)))} for one in people.all()[:limit]]
