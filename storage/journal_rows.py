"""Entries and people of the browser chat as rows, and back, and the checks both journals make. Pure."""

from dataclasses import replace
from typing import Final

import msgspec

from engine.runtime.journal import Entry, Person
from storage import rows
from storage.errors import StoreError
from storage.rows import Line

KEY_LENGTH: Final = 200
"""Characters of an entry's key."""
_BIGGEST: Final = 2**63 - 1


def within(number: int) -> int:
    """A number as SQLite can hold it; one that is further out finds the same: nothing, or everything."""
    return max(-_BIGGEST, min(number, _BIGGEST))


def storable(*texts: str) -> None:
    """Raises StoreError for half a surrogate pair, as JSON can bring one: no database takes it."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise StoreError("A text is not valid Unicode. Refuse it where it comes in.") from error


def fitted(entry: Entry) -> Entry:
    """The entry as it is kept: its moment in whole milliseconds. Raises StoreError for texts that cannot be kept."""
    if not 0 < len(entry.key) <= KEY_LENGTH:
        raise StoreError(f"The key of an entry has 1 to {KEY_LENGTH} characters; this one has {len(entry.key)}.")
    storable(entry.chat, entry.kind, entry.key, entry.conversation, entry.surface)
    return replace(entry, at=rows.moment(rows.past_ms(entry.at)))


def fitted_person(person: Person) -> Person:
    """The person as they are kept: as `fitted`."""
    storable(person.id, person.name, person.language, person.phone, *person.roles)
    return replace(person, seen_at=rows.moment(rows.past_ms(person.seen_at)))


def entry_line(entry: Entry) -> Line:
    """Every column but the id."""
    return (
        entry.chat,
        rows.past_ms(entry.at),
        entry.kind,
        entry.key,
        entry.conversation,
        entry.surface,
        entry.payload,
        entry.revision,
        int(entry.handled),
    )


def entry_of(line: Line) -> Entry:
    key, chat, at, kind, unique, conversation, surface, payload, revision, handled = line
    return Entry(
        id=key,
        chat=chat,
        at=rows.moment(at),
        kind=kind,
        key=unique,
        conversation=conversation,
        surface=surface,
        payload=bytes(payload),
        revision=revision,
        handled=bool(handled),
    )


def person_line(person: Person) -> Line:
    roles = msgspec.json.encode(person.roles).decode()
    return (person.id, person.name, person.language, roles, person.phone, rows.past_ms(person.seen_at))


def person_of(line: Line) -> Person:
    key, name, language, roles, phone, seen_at = line
    return Person(
        id=key,
        name=name,
        language=language,
        roles=tuple(msgspec.json.decode(roles)),
        phone=phone,
        seen_at=rows.moment(seen_at),
    )
