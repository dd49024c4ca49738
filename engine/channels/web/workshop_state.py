"""The pane's `state` message: where a chat's conversations stand, and what can be done to the one on show.

Reads only. Holds for conversations whose flow, version or step is gone.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from engine.actions.catalog import Catalog, SourceSignature
from engine.actions.invoke import ROWS
from engine.channels.web.bot import plain
from engine.channels.web.rigs import KINDS, Rigs, Signature
from engine.channels.web.sampling import sample
from engine.channels.web.workshop_observer import Watcher
from engine.channels.web.workshop_values import shown
from engine.core.conversation import Conversation, Frame, Status
from engine.core.model import Call, Wait
from engine.core.program import Node, Program
from engine.core.types import ListType
from engine.runtime.chats import Loaded
from engine.runtime.journal import Journal
from engine.runtime.library import Library
from engine.runtime.ports import Store

ENDED: Final = 5
"""Conversations on show that are over."""
_LOOKED_AT: Final = 200
"""Entries of the journal in which ended conversations are looked for."""
MOST_ITEMS: Final = 1000
"""Evaluations in one message."""
_ID: Final = re.compile(r"[A-Za-z0-9]{1,40}")
_NAMES: Final = 20
_CHATS: Final = 500
LONGEST_PATH: Final = 500


class Chats(Protocol):
    """What the state needs of the running engine."""

    @property
    def library(self) -> Library: ...
    async def chat(self, chat: str) -> Loaded: ...


def title_of(program: Program | None, flow: str) -> str:
    """A flow's title as plain text; its name when the flow is gone, or when each customer sees another title."""
    return plain(program.title.wording("") or flow) if program is not None else flow


class StateBuilder:
    """Builds `state` for a chat."""

    def __init__(
        self, *, runtime: Chats, store: Store, journal: Journal, catalog: Catalog, watcher: Watcher, rigs: Rigs
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._journal = journal
        self._catalog = catalog
        self._watcher = watcher
        self._rigs = rigs
        self._journalled: OrderedDict[str, Sequence[str]] = OrderedDict()

    async def state(self, chat: str, watches: Iterable[str | None]) -> Mapping[str | None, dict[str, object]]:
        """The message for each conversation that somebody watches (None: the one in front, else the newest)."""
        loaded = await self._runtime.chat(chat)
        front = loaded.chat.front
        known = await self._conversations(loaded)
        due = await self._store.next_due()
        messages: dict[str | None, dict[str, object]] = {}
        for watch in set(watches):
            chosen = await self._chosen(known, watch, loaded)
            messages[watch] = {
                "type": "state",
                "conversations": [self._line(item, front) for item in known],
                "shown": None if chosen is None else await self._shown(chosen, front),
                "rigs": [
                    {"action": action, "kind": KINDS[type(rig)], "detail": rig.words()}
                    for action, rig in self._rigs.of(chat)
                ],
                "next": due,
            }
        return messages

    async def find(self, chat: str, conversation: object) -> Conversation | None:
        """A conversation of this very chat by its id, which nobody has checked; None: it has none such."""
        if not isinstance(conversation, str) or not _ID.fullmatch(conversation):
            return None
        loaded = await self._runtime.chat(chat)
        found = next((item for item in (*loaded.open, *loaded.outdated) if item.id == conversation), None)
        found = found or await self._store.conversation(conversation)
        return found if found is not None and found.chat == chat else None

    def node(self, frame: Frame) -> Node | None:
        """The step that a frame stands at, in the live flow; None: it is gone."""
        program = self._runtime.library.programs.get(frame.flow)
        return None if program is None else program.nodes.get(frame.visit.step)

    def signals(self, conversation: Conversation) -> Sequence[str]:
        """The signals that a conversation waits for now."""
        if conversation.status is not Status.ACTIVE or not conversation.frames:
            return ()
        node = self.node(conversation.top)
        body = None if node is None else node.body
        return [name for name, _ in body.signals] if isinstance(body, Wait) else ()

    async def timers(self, conversation: Conversation) -> Sequence[tuple[int, str, datetime]]:
        """(visit, name, due) of what waits for its time; the conversation's own end is visit 0, `expires`."""
        if conversation.status is not Status.ACTIVE:
            return ()
        rows = [(row.visit, row.name, row.due) for row in await self._store.timers(conversation.id)]
        if conversation.expires_at is not None:
            rows.append((0, "expires", conversation.expires_at))
        return sorted(rows, key=lambda row: row[2])

    # --- parts ------------------------------------------------------------------------------------------

    async def _chosen(self, known: Sequence[Conversation], watch: str | None, loaded: Loaded) -> Conversation | None:
        """The conversation on show: what is watched, else the one in front, else the newest."""
        by_id = {item.id: item for item in known}
        if watch is not None:
            found = by_id.get(watch) or await self.find(loaded.chat.id, watch)
            if found is not None:
                return found
        return by_id.get(loaded.chat.front or "") or (known[0] if known else None)

    async def _conversations(self, loaded: Loaded) -> list[Conversation]:
        """The open ones, the newest first, then those that ended lately."""
        found = sorted((*loaded.open, *loaded.outdated), key=lambda item: item.started_at, reverse=True)
        seen = {item.id for item in found}
        ended = 0
        for name in dict.fromkeys((*self._watcher.recent(loaded.chat.id), *await self._earlier(loaded.chat.id))):
            over = None if name in seen else await self._store.conversation(name)
            if over is None or over.chat != loaded.chat.id:
                continue
            found.append(over)
            ended += 1
            if ended == ENDED:
                break
        return found

    async def _earlier(self, chat: str) -> Sequence[str]:
        """Conversations of the chat from before the start, the newest first: the journal is asked once per chat."""
        known = self._journalled.get(chat)
        if known is None:
            entries = await self._journal.entries(chat, limit=_LOOKED_AT)
            known = tuple(dict.fromkeys(entry.conversation for entry in reversed(entries) if entry.conversation))
            self._journalled[chat] = known[:_NAMES]
            if len(self._journalled) > _CHATS:
                self._journalled.popitem(last=False)
        return known

    def _line(self, conversation: Conversation, front: str | None) -> dict[str, object]:
        return {
            "id": conversation.id,
            "flow": conversation.flow,
            "title": title_of(self._runtime.library.programs.get(conversation.flow), conversation.flow),
            "status": conversation.status.value,
            "outcome": conversation.outcome,
            "front": conversation.id == front and conversation.status is Status.ACTIVE,
        }

    async def _shown(self, conversation: Conversation, front: str | None) -> dict[str, object]:
        timers = await self.timers(conversation)
        calls = await self._store.calls(conversation.id)
        return {
            **self._line(conversation, front),
            "started": conversation.started_at,
            "expires": conversation.expires_at,
            "frames": [{**_frame(frame), "gone": self.node(frame) is None} for frame in conversation.frames],
            "timers": [{"visit": visit, "name": name, "due": due} for visit, name, due in timers],
            "signals": self.signals(conversation),
            "calls": [{"call": row.call, "name": row.name, "attempt": row.attempt, "due": row.due} for row in calls],
            "actions": self._actions(conversation),
            "evaluations": self._evaluations(conversation.id),
        }

    def _evaluations(self, conversation: str) -> list[dict[str, object]]:
        """The newest event first; where there is very much to tell, the oldest events lose their details."""
        found, left = [], MOST_ITEMS
        for event in self._watcher.events(conversation):
            found.append(event.message(left))
            left = max(0, left - len(event.items))
        return found

    def _actions(self, conversation: Conversation) -> list[dict[str, object]]:
        """The actions and sources of the flow that the conversation is in, with the steps that use them."""
        flow = conversation.top.flow if conversation.frames else conversation.flow
        program = self._runtime.library.programs.get(flow)
        used: dict[tuple[str, bool], list[str]] = {}
        for step, node in program.nodes.items() if program is not None else ():
            for name, source in _uses(node):
                steps = used.setdefault((name, source), [])
                if step not in steps:
                    steps.append(step)
        found = []
        for (name, source), steps in used.items():
            signature = self._catalog.sources.get(name) if source else self._catalog.actions.get(name)
            if signature is not None:
                found.append(self._action(signature, steps, conversation.started_at))
        return found

    def _action(self, signature: Signature, steps: list[str], at: datetime) -> dict[str, object]:
        currency = self._runtime.library.bot.currency
        source = isinstance(signature, SourceSignature)
        if isinstance(signature, SourceSignature):
            rows = sample(ListType(item=signature.row), at=at, currency=currency)
            outcomes = [{"name": ROWS, "example": {"rows": rows}}]
        else:
            outcomes = [
                {"name": name, "example": sample(kind, at=at, currency=currency)}
                for name, kind in signature.outcomes.items()
            ]
        return {
            "name": signature.name,
            "source": source,
            "transactional": signature.transactional,
            "outcomes": outcomes,
            "steps": steps,
        }


def _frame(frame: Frame) -> dict[str, object]:
    walked = [past.step for past in frame.trail[-LONGEST_PATH:]]
    return {
        "flow": frame.flow,
        "version": frame.version,
        "step": frame.visit.step,
        "phase": frame.visit.phase.value,
        "visit": frame.visit.number,
        "path": [*walked, frame.visit.step],
        "data": {str(name): shown(value) for name, value in frame.data.items()},
    }


def _uses(node: Node) -> Iterable[tuple[str, bool]]:
    """(name, whether it is a source) of everything that a step calls outside."""
    if node.use is not None and not isinstance(node.body, Call):
        yield node.use.name, False
    if node.undo is not None:
        yield node.undo.name, False
    if node.keys is not None and node.keys.source is not None and node.keys.source.use is not None:
        yield node.keys.source.use.name, True
