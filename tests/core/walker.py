"""A customer for tests: says, presses, sends and waits; everything else of the core's world stands in for itself.

After every event the conversation goes through the codec, so that every test is a test of the codec too.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine.actions import validators
from engine.actions.catalog import ActionSignature, Catalog, Parameter, SourceSignature, Written
from engine.actions.discovery import offers_of
from engine.core import codec
from engine.core.advance import Advanced, advance, begin
from engine.core.conversation import Conversation, Frame, Phase, Status, Visit
from engine.core.effects import (
    CancelTimers,
    Effect,
    Finish,
    Invoke,
    Notice,
    Press,
    Purpose,
    Say,
    Show,
    StartFlow,
    StartTimer,
    Trace,
    Trouble,
)
from engine.core.events import (
    ActionFailed,
    ActionFinished,
    ButtonPressed,
    ContactShared,
    Event,
    FileReceived,
    LocationShared,
    Move,
    Navigated,
    PutAside,
    Resumed,
    SignalReceived,
    Started,
    TextReceived,
    TimerFired,
)
from engine.core.machine import compile_flows
from engine.core.model import Bot, Flow
from engine.core.program import Program
from engine.core.types import ANY, TEXT
from engine.core.wording import Wording
from engine.core.world import World
from engine.loading.parser import parse
from engine.loading.source import read_text
from engine.runtime.locales import FOLDER, messages

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday."""


async def _nothing(*_: object, **__: object) -> object:
    return None


def action(*parameters: str, templates: Sequence[str] = ()) -> Any:
    """An action that takes these parameters; its outcomes are what the test says."""
    return ActionSignature(
        name="",
        doc="",
        parameters=_parameters(parameters, templates),
        outcomes={},
        transactional=False,
        function=_nothing,
    )


def source(*parameters: str) -> Any:
    """A source that takes these parameters; its rows are what the test says."""
    return SourceSignature(
        name="", doc="", parameters=_parameters(parameters, ()), row=ANY, transactional=False, function=_nothing
    )


def _parameters(names: Sequence[str], templates: Sequence[str]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            name=name,
            type=TEXT if name in templates else ANY,
            required=False,
            written=Written.TEMPLATE if name in templates else Written.EXPRESSION,
        )
        for name in names
    )


@lru_cache
def built_in() -> Mapping[str, Any]:
    """The validators that come with the engine."""
    return {offer.signature.name: offer.signature for offer in offers_of(validators)}


def catalog_of(
    actions: Mapping[str, Any] | None = None,
    sources: Mapping[str, Any] | None = None,
    judges: Mapping[str, Callable[..., object]] | None = None,
) -> Catalog:
    """A catalog of the built-in validators and what is given. `judges`: plain functions as validators."""
    own: dict[str, Any] = {
        name: SimpleNamespace(name=name, parameters=(), function=function, needs_now=False)
        for name, function in (judges or {}).items()
    }
    return Catalog(actions=actions or {}, sources=sources or {}, validators={**built_in(), **own})


def flow_of(text: str, catalog: Catalog | None = None) -> Flow:
    """The flow of a YAML text; the findings when it is none."""
    read = read_text(text, "flow.yaml")
    assert read.document is not None, read.findings
    assert not read.findings, read.findings
    parsed = parse(read.document, catalog or catalog_of())
    assert parsed.flow is not None, parsed.findings
    return parsed.flow


@lru_cache
def english() -> Wording:
    """The engine's own words."""
    return Wording(language="en", messages=messages(FOLDER / "en.yaml"))


def world_of(**fields: Any) -> World:
    """A customer called Ada in a chat."""
    usual: dict[str, Any] = {
        "customer": {"id": "7", "name": "Ada", "username": None, "language": "en", "roles": ()},
        "chat": {"id": "terminal:ada", "channel": "terminal"},
        "wording": english(),
    }
    return World(**{**usual, **fields})


class Walker:
    """One customer in one conversation, with a clock of their own."""

    def __init__(
        self,
        flows: str | Sequence[str],
        catalog: Catalog | None = None,
        *,
        world: World | None = None,
        bot: Bot | None = None,
    ) -> None:
        texts = [flows] if isinstance(flows, str) else list(flows)
        self.catalog = catalog or catalog_of()
        parsed = [flow_of(text, self.catalog) for text in texts]
        self.programs: Mapping[str, Program] = compile_flows(parsed, bot or Bot(), self.catalog)
        self.first_flow = parsed[0].name
        self.world = world or world_of()
        self.now = NOON
        self.conversation: Conversation
        self.effects: tuple[Effect, ...] = ()
        self.shows: list[Show] = []
        self.invokes: list[Invoke] = []
        self.open: dict[str, Invoke] = {}
        self.timers: dict[tuple[int, str], datetime] = {}

    # --- events -------------------------------------------------------------------------------------------

    def start(self, flow: str | None = None, **arguments: Any) -> "Walker":
        program = self.programs[flow or self.first_flow]
        self.conversation = begin(program, id="abcdefghij", chat="terminal:ada", at=self.now)
        return self.happens(Started(at=self.now, arguments=arguments))

    def happens(self, event: Event) -> "Walker":
        """Any event; the conversation comes back from the store afterwards."""
        advanced: Advanced = advance(self.programs, self.conversation, event, self.world)
        stored = codec.load(codec.dump(advanced.conversation))
        assert stored == advanced.conversation
        self.conversation = stored
        self.effects = advanced.effects
        for effect in advanced.effects:
            self._note(effect)
        return self

    def _note(self, effect: Effect) -> None:
        match effect:
            case Show():
                self.shows.append(effect)
            case Invoke():
                self.invokes.append(effect)
                self.open[effect.call] = effect
            case StartTimer():
                self.timers[effect.visit, effect.name] = effect.due
            case CancelTimers(visit=visit):
                self.timers = {key: due for key, due in self.timers.items() if key[0] != visit}
            case _:
                pass

    def say(self, text: str) -> "Walker":
        return self.happens(TextReceived(at=self.now, text=text))

    def press(self, label: str) -> "Walker":
        """Press a button of the last message: by its label, the start of its label, or its code."""
        return self.press_code(self.button(label).code)

    def press_code(self, code: str, show: Show | None = None) -> "Walker":
        """Press what stands (or stood) under a message, the last one if none is named."""
        drawn = show or self.shown
        return self.happens(ButtonPressed(at=self.now, visit=drawn.visit, draw=drawn.draw, code=code))

    def button(self, label: str) -> Press:
        presses = [press for row in self.shown.rows for press in row]
        for same in (
            lambda press: press.text == label or press.code == label,
            lambda press: press.text.startswith(label),
            lambda press: label in press.text,
        ):
            found = [press for press in presses if same(press)]
            if found:
                return found[0]
        raise AssertionError(f"no button {label!r} among {self.labels}")

    def send(self, name: str = "part.stl", size: int = 1000, kind: str = "document", ref: str = "") -> "Walker":
        file = {"name": name, "size": size, "mime": "", "ref": ref or f"ref-{name}", "kind": kind}
        return self.happens(FileReceived(at=self.now, file=file))

    def contact(self, phone: str = "+48100200300", *, own: bool = True) -> "Walker":
        return self.happens(ContactShared(at=self.now, phone=phone, own=own))

    def location(self, latitude: float = 52.25, longitude: float = 21.0) -> "Walker":
        return self.happens(LocationShared(at=self.now, latitude=latitude, longitude=longitude))

    def _moves(self, move: Move) -> "Walker":
        return self.happens(Navigated(at=self.now, move=move))

    def back(self) -> "Walker":
        return self._moves(Move.BACK)

    def skip(self) -> "Walker":
        return self._moves(Move.SKIP)

    def cancel(self) -> "Walker":
        return self._moves(Move.CANCEL)

    def retry(self) -> "Walker":
        return self._moves(Move.RETRY)

    def interrupted(self) -> "Walker":
        """Put aside and taken up again."""
        self.happens(PutAside(at=self.now))
        assert self.effects == ()
        return self.happens(Resumed(at=self.now))

    def last_call(self, *purposes: Purpose) -> Invoke:
        """The newest invocation that has not come back."""
        found = [invoke for invoke in self.open.values() if not purposes or invoke.purpose in purposes]
        assert found, f"nothing is open; invoked so far: {[i.call for i in self.invokes]}"
        return found[-1]

    def outcome(self, name: str, /, **record: Any) -> "Walker":
        """The newest `do` (or file check) comes back."""
        return self.comes_back(self.last_call(Purpose.DO, Purpose.FILE), name, **record)

    def comes_back(self, invoke: Invoke, name: str, /, **record: Any) -> "Walker":
        self.open.pop(invoke.call, None)
        return self.happens(ActionFinished(at=self.now, call=invoke.call, outcome=name, value=record))

    def fail(self, kind: str = "error", reason: str = "it broke", invoke: Invoke | None = None) -> "Walker":
        """The newest invocation (but an undo) fails for good."""
        failed = invoke or self.last_call(Purpose.DO, Purpose.FILE, Purpose.ROWS)
        self.open.pop(failed.call, None)
        return self.happens(ActionFailed(at=self.now, call=failed.call, kind=kind, reason=reason))

    def rows(self, rows: Sequence[Any], total: int | None = None, *, paged: bool = False) -> "Walker":
        """The newest source comes back."""
        invoke = self.last_call(Purpose.ROWS)
        self.open.pop(invoke.call)
        value = {"rows": tuple(rows), "total": len(rows) if total is None else total, "paged": paged}
        return self.happens(ActionFinished(at=self.now, call=invoke.call, outcome="rows", value=value))

    def signal(self, name: str, **payload: Any) -> "Walker":
        return self.happens(SignalReceived(at=self.now, name=name, payload=payload))

    def wait(self, seconds: float) -> "Walker":
        """Let time pass; every timer that comes due fires at its moment, and nothing else happens."""
        end = self.now + timedelta(seconds=seconds)
        heard: list[Effect] = []
        while due := self._due(end):
            moment, visit, name = due
            self.now = max(self.now, moment)
            self.timers.pop((visit, name), None)
            self.happens(TimerFired(at=self.now, visit=visit, name=name))
            heard += self.effects
        self.now = end
        self.effects = tuple(heard)
        return self

    def _due(self, end: datetime) -> tuple[datetime, int, str] | None:
        timers = [(due, visit, name) for (visit, name), due in self.timers.items()]
        expires = self.conversation.expires_at
        if expires is not None:
            timers.append((expires, 0, "expires"))
        first = min(timers, default=None)
        return first if first is not None and first[0] <= end else None

    # --- what is to be seen -------------------------------------------------------------------------------

    @property
    def shown(self) -> Show:
        return self.shows[-1]

    @property
    def text(self) -> str:
        return self.shown.text

    @property
    def labels(self) -> list[list[str]]:
        return [[press.text for press in row] for row in self.shown.rows]

    @property
    def codes(self) -> list[str]:
        return [press.code for row in self.shown.rows for press in row]

    @property
    def said(self) -> list[str]:
        """What was said of itself for the last event."""
        return [effect.text for effect in self.effects if isinstance(effect, Say)]

    @property
    def notices(self) -> list[str]:
        return [effect.text for effect in self.effects if isinstance(effect, Notice)]

    @property
    def troubles(self) -> list[str]:
        return [effect.text for effect in self.effects if isinstance(effect, Trouble)]

    @property
    def traces(self) -> list[tuple[str, str]]:
        return [(effect.step, effect.kind) for effect in self.effects if isinstance(effect, Trace)]

    @property
    def started_flows(self) -> list[str]:
        return [effect.flow for effect in self.effects if isinstance(effect, StartFlow)]

    @property
    def undone(self) -> list[str]:
        """Names of the undo actions of the last event."""
        return [e.name for e in self.effects if isinstance(e, Invoke) and e.purpose is Purpose.UNDO]

    @property
    def all_undone(self) -> list[Invoke]:
        return [invoke for invoke in self.invokes if invoke.purpose is Purpose.UNDO]

    @property
    def frame(self) -> Frame:
        return self.conversation.top

    @property
    def visit(self) -> Visit:
        return self.frame.visit

    @property
    def data(self) -> Mapping[str, Any]:
        return self.frame.data

    @property
    def step(self) -> str:
        return self.visit.step

    @property
    def phase(self) -> Phase:
        return self.visit.phase

    @property
    def over(self) -> bool:
        return self.conversation.status is Status.FINISHED

    @property
    def finish(self) -> Finish:
        return next(effect for effect in self.effects if isinstance(effect, Finish))


def example(name: str) -> str:
    """A flow that lies beside these tests."""
    return (Path(__file__).parent / "flows" / name).read_text(encoding="utf-8")
