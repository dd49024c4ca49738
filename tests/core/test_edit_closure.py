"""Edit and return against an oracle of its own: a step is asked again exactly when something it reads has changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.core.effects import Purpose
from engine.core.verdicts import Accepted
from tests.core.test_properties import examples
from tests.core.walker import Walker, action, catalog_of, source

CATALOG = catalog_of(
    actions={"shop.do": action("what"), "shop.undo": action("id")},
    sources={"shop.list": source("of")},
    judges={"fine": lambda value, **_arguments: Accepted(value=value)},
)
ANSWERS = "abc"


@dataclass(frozen=True)
class Spec:
    """One step: what it reads, when it is there, where `b` leads, what it sets. Indexes of steps."""

    kind: str
    reads: int | None
    only_if: int | None
    jump: int


@st.composite
def specs(draw: Any) -> list[Spec]:
    size = draw(st.integers(3, 10))
    steps = []
    for index in range(size):
        earlier = st.one_of(st.none(), st.integers(0, index - 1)) if index else st.none()
        steps.append(
            Spec(
                kind=draw(st.sampled_from(["text", "choice", "listed", "do", "fee"])),
                reads=draw(earlier),
                only_if=draw(earlier) if draw(st.integers(0, 3)) == 0 else None,
                jump=draw(st.integers(index + 1, size)),
            )
        )
    return steps


def yaml_of(steps: list[Spec]) -> str:
    lines = ["flow: f", "data: {fee: w}", "steps:"]
    for index, step in enumerate(steps):
        reads = "none" if step.reads is None else f"s{step.reads}"
        target = f"s{step.jump}" if step.jump < len(steps) else "home"
        lines.append(f"  s{index}:")
        if step.only_if is not None:
            lines.append(f"    if: s{step.only_if} == 'a'")
        ways = f"{{b: {target}, c: {{to: {target}, set: {{fee: \"'fee {index}'\"}}}}}}"
        match step.kind:
            case "text" | "fee":
                read = "fee" if step.kind == "fee" else reads
                lines += ["    ask: text", "    text: T", f"    validators: [{{fine: {{x: '{{{{ {read} }}}}'}}}}]"]
            case "choice":
                options = f"{{a: A, b: B, c: {{text: C, if: {reads} != 'zzz'}}}}"
                lines += ["    ask: choice", "    text: C", f"    keyboard: {options}", f"    transitions: {ways}"]
            case "listed":
                keys = f"{{from: shop.list, with: {{of: {reads}}}, text: '{{{{ option }}}}', value: option}}"
                lines += ["    ask: choice", "    text: L", f"    keyboard: {keys}"]
            case _:
                lines += [
                    "    do: shop.do",
                    f"    with: {{what: {reads}}}",
                    "    undo: {do: shop.undo, with: {id: result.id}}",
                ]
    asks = [f"s{index}" for index, step in enumerate(steps) if step.kind != "do"]
    edit = f", {{text: Edit, edit: [{', '.join(asks)}]}}" if asks else ""
    lines += [
        "  home:",
        "    text: H",
        f"    keyboard: [[{{text: Go, trigger: go}}{edit}]]",
        "  the_end:",
        "    end: completed",
    ]
    return "\n".join(lines) + "\n"


class Oracle:
    """Walks the specification, not the program: which steps are met, and with what everything comes out."""

    def __init__(self, steps: list[Spec]) -> None:
        self.steps = steps

    def read(self, step: Spec, data: dict[str, Any]) -> Any:
        if step.kind == "fee":
            return data["fee"]
        return None if step.reads is None else data.get(f"s{step.reads}")

    def walk(self, answers: "Answers") -> Iterator[str]:
        """Names of the steps that are asked or done; `answers.data` is filled on the way."""
        data, index = answers.data, 0
        while index < len(self.steps):
            step, name = self.steps[index], f"s{index}"
            index += 1
            if step.only_if is not None and data.get(f"s{step.only_if}") != "a":
                continue
            read = self.read(step, data)
            if not answers.stands(name, read):
                yield name
            data[name] = answers.given[name]
            answers.read[name] = read
            answers.path.append(name)
            if step.kind == "choice" and data[name] in "bc":
                if data[name] == "c":
                    data["fee"] = f"fee {index - 1}"
                index = step.jump


class Answers:
    """One walk: what was answered, and what the walk before it had (None: it is the first)."""

    def __init__(self, before: "Answers | None" = None, target: str = "") -> None:
        self.before = before
        self.target = target
        self.data: dict[str, Any] = {"fee": "w"}
        self.read: dict[str, Any] = {}
        self.given: dict[str, Any] = {}
        self.path: list[str] = []

    def stands(self, name: str, read: Any) -> bool:
        """Whether the answer of the walk before is used again."""
        before = self.before
        if before is None or name not in before.path or name == self.target or before.read[name] != read:
            return False
        self.given[name] = before.given[name]
        return True


def answer(walker: Walker, steps: list[Spec], name: str, letter: str, number: int) -> Any:
    """Answer the step that the walker stands at; what the answer is."""
    match steps[int(name[1:])].kind:
        case "do":
            walker.comes_back(walker.last_call(Purpose.DO), "ok", id=number)
            return {"id": number}
        case "listed":
            walker.rows(tuple(ANSWERS))
            walker.press_code(f"r:{ANSWERS.index(letter)}")
        case "choice":
            walker.press_code(f"o:{letter}")
        case _:
            walker.say(letter)
    return letter


def through(walker: Walker, steps: list[Spec], answers: Answers, letters: Iterator[str]) -> list[str]:
    """Walk program and oracle side by side to the summary; the steps that were asked or done."""
    met = []
    for name in Oracle(steps).walk(answers):
        assert walker.step == name
        answers.given[name] = answer(walker, steps, name, next(letters), len(walker.invokes))
        met.append(name)
    assert walker.step == "home"
    assert {key: value for key, value in walker.data.items() if key != "home"} == answers.data
    assert [past.step for past in walker.frame.trail] == answers.path
    return met


@examples(150)
@given(specs(), st.text(ANSWERS, min_size=60, max_size=60), st.lists(st.integers(0, 9), max_size=3))
def test_an_edit_asks_what_depends_on_it_and_nothing_else(steps: list[Spec], drawn: str, edits: list[int]) -> None:
    letters = iter(drawn)
    walker = Walker(yaml_of(steps), CATALOG).start()
    answers = Answers()
    through(walker, steps, answers, letters)
    effects: list[Any] = []
    for edit in edits:
        asked = [name for name in answers.path if steps[int(name[1:])].kind != "do"]
        if not asked:
            return
        target = asked[edit % len(asked)]
        before, gone = answers.data, len(walker.all_undone)
        walker.press("Edit")
        if walker.text.startswith("What"):
            walker.press_code(f"e:{target}")
        assert walker.step == target
        new = next(letters)
        if new == answers.data[target]:
            answer(walker, steps, target, new, 0)
            assert walker.step == "home"
            assert walker.data == before
            continue
        old, answers = answers, Answers(answers, target)
        answers.given = {}
        through(walker, steps, answers, iter([new, *[next(letters) for _ in range(10)]]))
        undone: list[Any] = [invoke.arguments["id"] for invoke in walker.all_undone[gone:]]
        effects = [old.given[name]["id"] for name in old.path if isinstance(old.given[name], dict)]
        stand = [value["id"] for value in answers.given.values() if isinstance(value, dict)]
        assert sorted(undone) == sorted(set(effects) - set(stand))
    walker.cancel()
    everything: list[Any] = [invoke.arguments["id"] for invoke in walker.all_undone]
    assert len(everything) == len(set(everything))
