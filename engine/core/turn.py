"""One event's work on a conversation: mutable while the core decides, frozen at the end. Never leaves the core.

Holds the stack of frames being changed and the effects so far, and the small moves everything else is made of:
read data, write data, note a stay on the trail.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from engine.core.conversation import Conversation, Edit, Frame, Past, Phase, Remembered, Status, Visit
from engine.core.effects import CancelTimers, Effect, Finish, Say, Show, Trace, Trouble
from engine.core.expressions import EvaluationError, Formats, Scope
from engine.core.expressions.scope import HOURS
from engine.core.hours import seen
from engine.core.keys import short_key
from engine.core.model import Path
from engine.core.program import Evaluate, Node, Program, Text
from engine.core.records import replaced
from engine.core.values import UNSET, Value
from engine.core.world import World

LONGEST_TRAIL = 500
"""Stays kept for going back; a loop that runs longer forgets the oldest."""

Programs = Callable[[str], Program]
"""The current program of a flow by name; raises KeyError."""


def read_path(data: Mapping[str, Value], path: Path) -> Value:
    """What stands under a path; UNSET when nothing does."""
    value: Any = data
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return UNSET
        value = value[name]
    return value


def with_path(data: Mapping[str, Value], path: Path, value: Value) -> dict[str, Value]:
    """A copy of `data` with `value` under `path`; UNSET takes the name away, and a record left empty with it."""
    changed = dict(data)
    if len(path) == 1:
        if value is UNSET:
            changed.pop(path[0], None)
        else:
            changed[path[0]] = value
        return changed
    inner = changed.get(path[0])
    below = with_path(inner if isinstance(inner, Mapping) else {}, path[1:], value)
    if below:
        changed[path[0]] = below
    else:
        changed.pop(path[0], None)
    return changed


class Work:
    """A frame while it is being changed; fields as in `Frame`, plus its program."""

    __slots__ = ("data", "edit", "program", "remembered", "trail", "unsettled", "visit")

    def __init__(self, program: Program, frame: Frame) -> None:
        self.program = program
        self.visit = frame.visit
        self.trail = frame.trail
        self.data = frame.data
        self.remembered = frame.remembered
        self.edit: Edit | None = frame.edit
        self.unsettled = frame.unsettled

    @property
    def node(self) -> Node:
        """The step the customer stands at."""
        return self.program.nodes[self.visit.step]

    def frozen(self) -> Frame:
        return Frame(
            flow=self.program.name,
            version=self.program.version,
            visit=self.visit,
            trail=self.trail,
            data=self.data,
            remembered=self.remembered,
            edit=self.edit,
            unsettled=self.unsettled,
        )


class Turn:
    """The work on one conversation for one event."""

    __slots__ = (
        "_base", "_formats", "_origin", "at", "conversation", "early", "effects", "expires_at", "idle", "next_visit",
        "outcome", "over", "pending_changes", "programs", "stack", "steps", "work", "world",
    )  # fmt: skip

    def __init__(self, programs: Programs, conversation: Conversation, at: datetime, world: World) -> None:
        self.programs = programs
        self.conversation = conversation
        self.at = at
        self.world = world
        self.effects: list[Effect] = []
        self.next_visit = conversation.next_visit
        self.early = conversation.early
        self.outcome: str | None = conversation.outcome
        self.idle = False
        """Nothing happened that anybody did: the time until the conversation expires goes on."""
        self.expires_at: datetime | None = None
        """When it expires, where that is not a whole idle time from now."""
        self.over: tuple[str, int] | None = None
        """The message that may be drawn over from here, as in `Visit.over`."""
        self.steps = 0
        self.stack = [Work(programs(frame.flow), frame) for frame in conversation.frames]
        self.work = self.stack[-1]
        self.pending_changes: list[tuple[Path, Value]] = []
        self._origin = conversation.frames
        self._base: dict[str, Value] | None = None
        self._formats: Formats | None = None

    # --- scopes ----------------------------------------------------------------------------------------

    @property
    def formats(self) -> Formats:
        if self._formats is None:
            world = self.world
            self._formats = Formats(
                language=world.formats_language,
                currency=world.currency,
                time_zone=world.time_zone,
                now=self.at,
            )
        return self._formats

    @property
    def today(self) -> date:
        """The calendar day where the bot lives."""
        return self.formats.today

    def scope(self, extra: Mapping[str, Value] | None = None) -> Scope:
        """What an expression sees here: the frame's data, the world, and `extra` (`answer`, `outcome`, …)."""
        base = self._base
        if base is None:
            world = self.world
            base = self._base = {
                "customer": world.customer,
                "chat": world.chat,
                "settings": world.settings,
                "now": self.at,
            }
            if world.hours:
                base[HOURS] = partial(seen, world.hours, self.at)
        return Scope(self.work.data, {**base, **extra} if extra else base, self.formats)

    def value(self, evaluate: Evaluate, scope: Scope, *, default: Value = None) -> Any:
        """An expression's value; one that cannot be evaluated is reported and gives `default`."""
        try:
            return evaluate(scope)
        except EvaluationError as error:
            self.trouble(f"{self.work.program.name}.{self.work.visit.step}: {error}")
            return default

    def said(self, text: Text, scope: Scope) -> str:
        """A text with its places filled in; never empty."""
        if text.constant is not None:
            return text.constant or "…"
        return str(self.value(text, scope, default="…")).strip() or "…"

    def words(self, key: str, **values: object) -> str:
        """One of the engine's own sentences."""
        return self.world.wording.say(key, **values)

    def has_role(self, only: tuple[str, ...]) -> bool:
        """Whether the customer may: `only` is empty or names one of their roles."""
        if not only:
            return True
        roles = self.world.customer.get("roles")
        return isinstance(roles, list | tuple) and any(role in roles for role in only)

    # --- effects ---------------------------------------------------------------------------------------

    def emit(self, effect: Effect) -> None:
        self.effects.append(effect)
        if self.over is None and self.work.visit.over is None:  # nearly always
            return
        if isinstance(effect, Say) or (isinstance(effect, Show) and not effect.edit):
            self._part()

    def _part(self) -> None:
        """Something new stands in the chat: what was pressed is not the end of it any more."""
        self.over = None
        visit = self.work.visit
        if visit.over is not None and visit.over[0] != visit.step:
            self.change(over=None)

    def say(self, key: str, **values: object) -> None:
        """Say one of the engine's own sentences."""
        self.emit(Say(text=self.words(key, **values)))

    def trouble(self, text: str) -> None:
        self.effects.append(Trouble(text=text))

    def trace(self, kind: str, detail: str = "") -> None:
        """A line of the visit log about the current stay."""
        visit = self.work.visit
        self.effects.append(Trace(visit=visit.number, step=visit.step, kind=kind, detail=detail))

    # --- moves -----------------------------------------------------------------------------------------

    def write(self, path: Path, value: Value) -> None:
        """Put a value under a path; what stood there goes to the stay's changes, for going back."""
        work = self.work
        self.pending_changes.append((path, read_path(work.data, path)))
        work.data = with_path(work.data, path, value)

    def restore(self, past: Past) -> None:
        """Take back what a stay wrote, last first."""
        work = self.work
        for path, before in reversed(past.changes):
            work.data = with_path(work.data, path, before)

    def visit_at(self, node: Node, phase: Phase) -> Visit:
        """A new stay at a step; it becomes the current one."""
        visit = Visit(number=self.next_visit, step=node.id, phase=phase, over=self.over)
        self.next_visit += 1
        self.work.visit = visit
        return visit

    def change(self, **fields: Any) -> Visit:
        """The current stay with some fields changed."""
        self.work.visit = replaced(self.work.visit, **fields)
        return self.work.visit

    def close_visit(self) -> None:
        """The current stay is being left: its timers end."""
        if self.work.visit.timed:
            self.effects.append(CancelTimers(visit=self.work.visit.number))

    def take_changes(self) -> tuple[tuple[Path, Value], ...]:
        """What has been written since the last call."""
        changes = tuple(self.pending_changes)
        self.pending_changes.clear()
        return changes

    def note(self, past: Past) -> None:
        """Put a left stay on the trail."""
        work = self.work
        trail = (*work.trail, past)
        work.trail = trail[-LONGEST_TRAIL:] if len(trail) > LONGEST_TRAIL else trail

    def remember(self, step: str, item: Remembered) -> None:
        """Keep an answer that is gone back over, to be offered again."""
        remembered = self.work.remembered
        self.work.remembered = {**remembered, step: (*remembered.get(step, ()), item)}

    def recalled(self, step: str) -> Remembered | None:
        """The answer to offer at a step, or None."""
        items = self.work.remembered.get(step)
        return items[-1] if items else None

    def forget(self, step: str) -> None:
        """The remembered answer of a step has been offered and used up."""
        remembered = self.work.remembered
        items = remembered.get(step)
        if not items:
            return
        rest = {name: kept for name, kept in remembered.items() if name != step}
        self.work.remembered = {**rest, step: items[:-1]} if len(items) > 1 else rest

    def push(self, program: Program, frame: Frame) -> None:
        """Go into a called flow."""
        self.over = None  # the names of its steps are its own
        self.stack.append(Work(program, frame))
        self.work = self.stack[-1]

    def pop(self) -> Work:
        """Come back from a called flow; the work on its frame."""
        self.over = None
        finished = self.stack.pop()
        self.work = self.stack[-1]
        return finished

    def finish(self, outcome: str, result: Value = None) -> None:
        """The conversation is over."""
        self.outcome = outcome
        for signal in self.early:
            self.trouble(f"{self.work.program.name}: the signal “{signal.name}” came, and no step has waited for it")
        self.early = ()
        self.trace("finished", outcome)
        self.emit(Finish(outcome=outcome, result=result))

    # --- the end ---------------------------------------------------------------------------------------

    def frozen(self) -> Conversation:
        """The conversation as it now stands; the revision is the runtime's to count."""
        old = self.conversation
        over = self.outcome is not None
        expires = None if over or self.stack[0].program.flow.expires is None else self._expires()
        return Conversation(
            id=old.id,
            chat=old.chat,
            flow=old.flow,
            status=Status.FINISHED if over else Status.ACTIVE,
            outcome=self.outcome,
            frames=(self.work.frozen(),) if len(self.stack) == 1 else tuple([work.frozen() for work in self.stack]),
            next_visit=self.next_visit,
            revision=old.revision,
            key=old.key if self.stack[0].program.key is None else self._key(),
            started_at=old.started_at,
            touched_at=old.touched_at if self.idle else self.at,
            expires_at=expires,
            early=self.early,
        )

    def _expires(self) -> datetime | None:
        # A customer who waits for a payment or for our own backend is not idle.
        if self.work.visit.phase in (Phase.WAITING, Phase.RUNNING):
            return None
        kept = self.conversation.expires_at if self.idle else self.expires_at
        idle = self.stack[0].program.flow.expires
        return kept if kept is not None or idle is None else self.at + idle

    def _key(self) -> str | None:
        program = self.stack[0].program
        if program.key is None:
            return self.conversation.key
        saved, self.work = self.work, self.stack[0]
        value = self.value(program.key, self.scope())
        self.work = saved
        return self.conversation.key if value in (None, UNSET, "") else short_key(str(value))
