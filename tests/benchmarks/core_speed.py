"""What `advance` costs on a flow of 30 steps, beside a plain dict dispatch and beside `transitions` alone."""

import time
from collections.abc import Callable

from transitions import Machine

from engine.actions.catalog import Catalog
from engine.core.advance import advance, begin
from engine.core.conversation import Conversation, Status
from engine.core.events import ButtonPressed, Event, Started, TextReceived
from engine.core.machine import compile_flows
from engine.core.program import Program
from engine.core.world import World
from engine.loading.library import load_texts
from engine.runtime.locales import wordings
from tests.benchmarks.figures import Figure, Size, interleaved
from tests.benchmarks.work import NOON

STEPS = 30
_WALKS = 10
"""Walks through the flow per measurement."""


def flow() -> str:
    """A flow of 30 questions of three kinds, a template in every third."""
    lines = ["flow: long", "title: Long", "entry: {commands: [long]}", "expires: 24h", "steps:"]
    for number in range(STEPS):
        lines.append(f"  s{number}:")
        match number % 3:
            case 0:
                lines += ["    ask: text", f"    text: Question {number}?"]
            case 1:
                lines += ["    ask: choice", f"    text: 'Hello {{{{ s{number - 1} }}}}, choose'"]
                lines += ["    keyboard: {a: Alpha, b: Beta, c: Gamma}"]
            case _:
                lines += ["    ask: integer", "    text: How many?"]
    return "\n".join([*lines, "  last:", "    text: Bye", "    end: completed"]) + "\n"


class Walker:
    """Answers all 30 questions, again and again."""

    def __init__(self) -> None:
        loaded = load_texts({"long.yaml": flow()}, Catalog())
        assert loaded.report.ok, loaded.report.findings
        self.programs: dict[str, Program] = dict(compile_flows(loaded.flows, loaded.bot, Catalog()))
        self.world = World(
            customer={"id": "1", "roles": ()}, chat={"id": "c"}, wording=wordings(loaded.bot.languages)["en"]
        )

    def start(self) -> Conversation:
        """A conversation at the first question."""
        begun = begin(self.programs["long"], id="abcdefghij", chat="c", at=NOON)
        return advance(self.programs, begun, Started(at=NOON), self.world).conversation

    def answers(self) -> list[Event]:
        """The events that lead from the first question to the end."""
        kinds: list[Event] = []
        for number in range(STEPS):
            visit = number + 1
            match number % 3:
                case 0:
                    kinds.append(TextReceived(at=NOON, text="Anna"))
                case 1:
                    kinds.append(ButtonPressed(at=NOON, visit=visit, draw=1, code="o:b"))
                case _:
                    kinds.append(TextReceived(at=NOON, text="12"))
        return kinds

    def walk(self, conversation: Conversation, events: list[Event]) -> Conversation:
        """The conversation after all events."""
        for event in events:
            conversation = advance(self.programs, conversation, event, self.world).conversation
        return conversation

    def measure(self) -> float:
        """Microseconds per event."""
        first, events = self.start(), self.answers()
        begun = time.perf_counter()
        for _ in range(_WALKS):
            last = self.walk(first, events)
        spent = time.perf_counter() - begun
        assert last.status is Status.FINISHED
        return spent * 1e6 / (_WALKS * STEPS)


class _Cursor:
    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = "s0"


def transitions_alone() -> Callable[[], float]:
    """The same way through a bare `transitions.Machine` without callbacks: microseconds per trigger."""
    machine = Machine(
        model=None, states=[f"s{number}" for number in range(STEPS + 1)], initial="s0", auto_transitions=False,
        send_event=True, queued=False,
    )  # fmt: skip
    for number in range(STEPS):
        machine.add_transition("go", f"s{number}", f"s{number + 1}")
    event = machine.events["go"]

    def measure() -> float:
        begun = time.perf_counter()
        for _ in range(_WALKS):
            cursor = _Cursor()
            for _ in range(STEPS):
                event.trigger(cursor)
        spent = time.perf_counter() - begun
        assert cursor.state == f"s{STEPS}"
        return spent * 1e6 / (_WALKS * STEPS)

    return measure


def dispatch() -> Callable[[], float]:
    """The same way by hand: a function per step in a dict, answers kept in a dict; microseconds per event."""

    def text(data: dict[str, object], step: str, answer: str) -> str:
        data[step] = answer
        return f"s{int(step[1:]) + 1}"

    def number(data: dict[str, object], step: str, answer: str) -> str:
        return text(data, step, answer) if answer.isdigit() else step

    steps = {f"s{place}": number if place % 3 == 2 else text for place in range(STEPS)}
    answers = ["Anna", "b", "12"] * (STEPS // 3)

    def measure() -> float:
        begun = time.perf_counter()
        for _ in range(_WALKS):
            step, data = "s0", dict[str, object]()
            for answer in answers:
                step = steps[step](data, step, answer)
        spent = time.perf_counter() - begun
        assert step == f"s{STEPS}"
        return spent * 1e6 / (_WALKS * STEPS)

    return measure


def figures(size: Size) -> list[Figure]:
    """`advance` beside both."""
    own, bare, plain = interleaved(size.rounds * 4, (Walker().measure, transitions_alone(), dispatch()))
    return [
        Figure(name="core: advance, 30 steps / transitions alone", value=own, floor=bare, goal=3),
        Figure(name="core: advance, 30 steps / plain dict dispatch", value=own, floor=plain),
    ]
