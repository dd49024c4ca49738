"""“Save as test”: a conversation of the browser chat becomes a transcript, is played, and is kept when it passes."""

import asyncio
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from engine.actions.catalog import Catalog
from engine.app import FlowsFaulty
from engine.channels.web.workshop import Saved
from engine.core.codec import NotStorableError
from engine.core.conversation import Conversation, Status
from engine.loading.transcripts import Customer, Ends, Transcript
from engine.loading.transcripts_parser import parse_text
from engine.loading.transcripts_writing import write
from engine.runtime.journal import Entry
from engine.runtime.ports import Store
from engine.settings import Settings
from engine.transcripts.player import play
from engine.transcripts.rehearsing import rehearse
from engine.transcripts.results import Failed
from engine.transcripts.running import FOLDER
from engine.transcripts.story import Pauses, tell

MOST: Final = 5000
"""Entries that are looked at; a conversation that is longer begins in its middle."""
_PAGE: Final = 500
_INPUTS: Final = frozenset({"text", "press", "file", "photo", "contact", "location"})
_LONGEST_NAME: Final = 60
_LONGEST_TEXT: Final = 2000
_EXACT: Final = timedelta(milliseconds=1)
"""The journal keeps no smaller part of a second."""
_DIFFERS: Final = (
    "played again, the conversation goes differently. Was a flow, the language or a role changed on the way? "
    "Then have the conversation once more, from its start. The first difference (- then, + now):"
)
_HEADING: Final = "Saved from the browser chat. Play it with `stepgram test`."


class Recorder:
    """Saves conversations of one bot; `engine.channels.web.workshop.SaveTest`."""

    def __init__(
        self, *, settings: Settings, catalog: Catalog, store: Store, environment: Mapping[str, str] | None = None
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._store = store
        self._environment = environment

    async def __call__(self, *, chat: str, conversation: str | None, name: str) -> Saved:
        """Write what was said in `chat` since before the conversation began (None: the one in front, else the newest)
        to a file that is new, if it passes. Raises the store's errors and OSError."""
        entries, shown = await self._story(chat, conversation)
        if not any(entry.kind in _INPUTS for entry in entries):
            return Saved(ok=False, text="There is nothing to save yet: nobody has said anything.")
        customer = await self._customer(chat)
        told = [tell(entries, name=name, customer=customer, pauses=pauses) for pauses in Pauses]
        first = ""
        try:
            for transcript in told:
                text, difference = await self._tried(_ended(transcript, shown))
                if text:
                    return await self._kept(name, text)
                first = first or difference
            for transcript in told:
                text = await self._rehearsed(transcript, shown)
                if text:
                    return await self._kept(name, text)
        except FlowsFaulty as error:
            return Saved(ok=False, text=f"Not saved: {error}")
        why = first[:_LONGEST_TEXT]
        return Saved(ok=False, text=f"Not saved: {why}")

    async def _kept(self, name: str, text: str) -> Saved:
        path = await asyncio.to_thread(kept, self._settings.flows / FOLDER, name, text)
        return Saved(ok=True, path=str(path), passed=True, text=f"Saved as {path}. It passes.")

    async def _rehearsed(self, transcript: Transcript, shown: Conversation | None) -> str:
        """For somebody who was quicker than the bot: the same with every answer behind what it answers; else empty."""
        arranged = await rehearse(
            transcript, settings=self._settings, catalog=self._catalog, environment=self._environment
        )
        return "" if arranged is None else (await self._tried(_ended(arranged, shown)))[0]

    async def _tried(self, transcript: Transcript) -> tuple[str, str]:
        """The transcript's text when it can be read back and passes, else why not."""
        try:
            text = write(transcript, self._catalog, heading=_HEADING)
        except NotStorableError as error:
            return "", f"{error}."
        read = parse_text(text, f"{transcript.name}.yaml", self._catalog)
        if read.transcript is None:
            first = read.findings[0]
            return "", f"Line {first.span.line} could not be written well: {first.message}"
        if read.transcript != transcript:
            return "", "It holds something that cannot be written as YAML."
        played = await play(
            read.transcript, settings=self._settings, catalog=self._catalog, environment=self._environment
        )
        return ("", "\n".join((_DIFFERS, played.message, *played.lines))) if isinstance(played, Failed) else (text, "")

    async def _customer(self, chat: str) -> Customer:
        identity = chat.partition(":")[2]
        person = next((one for one in await self._store.journal.people() if one.id == identity), None)
        if person is None:
            return Customer(id=identity)
        return Customer(id=identity, name=person.name, language=person.language, roles=person.roles)

    async def _story(self, chat: str, conversation: str | None) -> tuple[list[Entry], Conversation | None]:
        """The entries from where it begins to the end, and the conversation."""
        entries: list[Entry] = []
        while len(entries) < MOST:
            before = entries[0].id if entries else None
            page = list(await self._store.journal.entries(chat, before=before, limit=_PAGE))
            entries[:0] = page
            if len(page) < _PAGE:
                break
        stored = {
            name: found
            for name in dict.fromkeys(entry.conversation for entry in entries if entry.conversation)
            if (found := await self._store.conversation(name)) is not None
        }
        shown = conversation or await self._shown(chat, stored)
        return entries[beginning(entries, shown, stored) :], stored.get(shown or "")

    async def _shown(self, chat: str, stored: Mapping[str, Conversation]) -> str | None:
        known = await self._store.chat(chat)
        if known is not None and known.front is not None:
            return known.front
        return max(stored.values(), key=lambda one: one.started_at).id if stored else None


def beginning(entries: Sequence[Entry], shown: str | None, stored: Mapping[str, Conversation]) -> int:
    """Where the story of a conversation begins: the last input before it at which nothing was open, else the first
    entry of all. `stored`: what the store still has of the conversations."""
    spans: dict[str, tuple[int, int]] = {}
    for at, entry in enumerate(entries):
        if entry.conversation:
            first, _ = spans.get(entry.conversation, (at, at))
            spans[entry.conversation] = (first, at)
    latest = spans.get(shown or "", (len(entries) - 1, 0))[0]
    for at in range(latest, -1, -1):
        if entries[at].kind in _INPUTS and not any(
            first < at and (at <= last or _open_at(entries[at], stored.get(name)))
            for name, (first, last) in spans.items()
        ):
            return at
    return 0


def _open_at(entry: Entry, conversation: Conversation | None) -> bool:
    if conversation is None:
        return False
    return conversation.status is Status.ACTIVE or conversation.touched_at - entry.at > _EXACT


def _ended(transcript: Transcript, shown: Conversation | None) -> Transcript:
    """With its end, when the conversation is over."""
    if shown is None or shown.status is Status.ACTIVE or not shown.outcome:
        return transcript
    return replace(transcript, steps=(*transcript.steps, Ends(outcome=shown.outcome, flow=shown.flow)))


# --- the file ---------------------------------------------------------------------------------------------------


def file_name(name: str) -> str:
    """What a test is called as the name of a file: small letters, digits and `_`; never a path, never empty."""
    plain = unicodedata.normalize("NFKD", name)
    word = re.sub(r"[^a-z0-9]+", "_", plain.encode("ascii", "ignore").decode().lower()).strip("_")
    return word[:_LONGEST_NAME].strip("_") or "conversation"


def kept(folder: Path, name: str, text: str) -> Path:
    """Write a file that is new, whole or not at all: `name.yaml`, else `name-2.yaml` and so on. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = file_name(name)
    part = folder / f".{stem}.{os.getpid()}.part"
    part.write_text(text, encoding="utf-8", errors="strict")
    try:
        number = 1
        while True:
            path = folder / (f"{stem}.yaml" if number == 1 else f"{stem}-{number}.yaml")
            try:
                os.link(part, path)  # unlike a rename it never takes the place of another file
            except FileExistsError:
                number += 1
                continue
            return path
    finally:
        part.unlink(missing_ok=True)
