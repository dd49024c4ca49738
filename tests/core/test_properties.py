"""Whatever a customer does with whatever flow: nothing breaks, nothing is lost, nothing is done or undone twice."""

import os
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.advance import advance
from engine.core.conversation import Conversation, Frame, Phase
from engine.core.effects import Finish, Invoke, Notice, Purpose, Say, Show, StartFlow
from engine.core.events import ActionFinished, ButtonPressed, Event
from tests.core.generated import CATALOG, KINDS, flows
from tests.core.walker import Walker

LONG = bool(os.environ.get("STEPGRAM_LONG"))


def examples(short: int) -> settings:
    """A few examples in the usual run, a hundred times as many with STEPGRAM_LONG=1."""
    return settings(
        max_examples=short * 100 if LONG else short,
        deadline=None,
        derandomize=not LONG,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


NAVIGATION = ("n:back", "n:cancel", "n:cancel!", "S", "q:-", "q:+", "q:=")
CODES = (
    "o:a", "o:b", "o:c", "o:yes", "t:on", "t:jump", "t:go", "r:0", "r:1", "r:7", "p:1", "p:0", "S", "q:+", "q:-",
    "q:ok", "f:1", "F:1", "e:s0", "e:s1", "E:0", "E:1", "n:back", "n:skip", "n:keep", "n:retry", "n:stay", "n:cancel",
    "x:ok", "s:other", "?", "",
)  # fmt: skip
WORDS = ("a", "b", "7", "2026-05-01", "x@y.zz", "+48100200300", "{{7*7}}", "<b>", "", "yes", "n" * 5000, "again")
ROWS = tuple({"id": name} for name in "abcde")


class Checked(Walker):
    """A walker that looks after every event whether the conversation is still as it must be."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(texts, CATALOG)
        self.effective: list[int] = []
        """Stays whose action has taken effect and can be undone."""

    def happens(self, event: Event) -> "Checked":
        before, known = self.conversation, len(self.invokes)
        self._note_effect(before, event)
        super().happens(event)
        again = advance(self.programs, before, event, self.world)
        assert again.effects == self.effects
        assert again.conversation == self.conversation
        self._check_place(before)
        self._check_effects(known)
        if before.outcome is not None:
            assert all(isinstance(effect, Notice | Invoke | StartFlow) for effect in self.effects)
        return self

    def _note_effect(self, before: Conversation, event: Event) -> None:
        if isinstance(event, ActionFinished) and ".do." in event.call:
            visit = before.top.visit
            node = self.programs[before.top.flow].nodes[visit.step]
            running = visit.phase is Phase.RUNNING and event.call.startswith(f"{visit.number}.")
            if running and node.undo is not None:
                self.effective.append(visit.number)

    def _check_place(self, before: Conversation) -> None:
        now = self.conversation
        assert now.next_visit >= before.next_visit
        for frame in now.frames:
            assert frame.visit.step in self.programs[frame.flow].nodes
            assert frame.visit.number < now.next_visit
        if now.top.visit.number != before.top.visit.number:
            assert now.top.visit.number >= before.next_visit or now.top.visit.phase is Phase.BROKEN
        if not self.over:
            live = {frame.visit.number for frame in now.frames}
            assert {visit for visit, _ in self.timers} <= live
            numbers = [past.number for frame in now.frames for past in frame.trail]
            assert len(numbers) == len(set(numbers))

    def _check_effects(self, known: int) -> None:
        for effect in self.effects:
            match effect:
                case Show():
                    assert effect.text.strip()
                    for press in (press for row in effect.rows for press in row):
                        assert press.text.strip()
                        assert press.code or press.url
                        data = f"abcdefghij.{effect.visit}.{effect.draw}.{press.code}"
                        assert len(data.encode()) <= 64
                case Say(text=text):
                    assert text.strip()
                    assert "<b>" not in text
                case Notice(text=text):
                    assert len(text) <= 200
                case Finish():
                    assert self.over
                case _:
                    pass
        fresh = [invoke.call for invoke in self.invokes[known:] if invoke.purpose is not Purpose.FILE]
        older = {invoke.call for invoke in self.invokes[:known]}
        assert len(fresh) == len(set(fresh))
        assert not older & set(fresh)

    @property
    def undone_stays(self) -> list[int]:
        return [int(invoke.call.rpartition(".")[2]) for invoke in self.all_undone]


def sensible(walker: Checked, choice: int) -> None:
    """What an ordinary customer (and the world around) would do next."""
    waiting = [invoke for invoke in walker.open.values() if invoke.call.startswith(f"{walker.visit.number}.")]
    waiting = [invoke for invoke in waiting if invoke.purpose is not Purpose.UNDO]
    if waiting:
        comes_back(walker, waiting[-1], choice)
        return
    if walker.phase is Phase.WAITING:
        walker.signal("sig", amount=choice)
        return
    presses = [press for row in walker.shown.rows for press in row if press.code and press.code not in NAVIGATION]
    presses = [press for press in presses if not press.code.startswith(("f:", "p:", "E:", "s:"))]
    if presses and not (walker.shown.accepts and choice % 3 == 0):
        walker.press_code(presses[choice % len(presses)].code)
        return
    node = walker.programs[walker.frame.flow].nodes[walker.step]
    kind = getattr(node.body, "kind", "")
    words = {"integer": "5", "email": "x@y.zz", "phone": "+48100200300", "date": "2026-05-01"}
    if kind in ("file", "files"):
        walker.send(f"f{choice}.bin")
    else:
        walker.say(words.get(kind, "abc"[choice % 3]))


def comes_back(walker: Checked, invoke: Invoke, choice: int) -> None:
    if invoke.purpose is Purpose.ROWS:
        walker.open.pop(invoke.call)
        value = {"rows": ROWS[: choice % 6], "total": 5, "paged": False}
        walker.happens(ActionFinished(at=walker.now, call=invoke.call, outcome="rows", value=value))
    elif choice % 7 == 6:
        walker.fail("timeout", "<b>slow</b>", invoke)
    else:
        walker.comes_back(invoke, "refused" if choice % 7 == 5 else "ok", id=choice, reason="<b>")


def anything(walker: Checked, kind: int, choice: int) -> None:
    """What nobody in their right mind would do, or what happens of itself."""
    match kind:
        case 0:
            walker.press_code(CODES[choice % len(CODES)])
        case 1 if walker.shows:
            old = walker.shows[choice % len(walker.shows)]
            codes = [press.code for row in old.rows for press in row]
            walker.press_code((codes or ["o:a"])[choice % max(1, len(codes))], old)
        case 2:
            walker.say(WORDS[choice % len(WORDS)])
        case 3:
            walker.back()
        case 4:
            (walker.skip, walker.retry, walker.contact, walker.location, walker.interrupted, walker.back)[choice % 6]()
        case 5:
            walker.wait((5, 50, 200, 600)[choice % 4])
        case 6 if walker.open:
            invoke = list(walker.open.values())[choice % len(walker.open)]
            comes_back(walker, invoke, choice)
        case 7 if walker.invokes:
            invoke = walker.invokes[choice % len(walker.invokes)]
            comes_again = ActionFinished(at=walker.now, call=invoke.call, outcome="ok", value={"id": 0, "rows": ()})
            if invoke.call not in walker.open:
                walker.happens(comes_again)
        case 8:
            walker.send("<b>.bin", choice * 1000)
        case 9 if walker.shows:
            foreign = ButtonPressed(at=walker.now, visit=choice, draw=choice % 3, code=CODES[choice % len(CODES)])
            walker.happens(foreign)
        case 10:
            edits = [press.code for row in walker.shown.rows for press in row if press.code.startswith(("E:", "e:"))]
            walker.press_code(edits[choice % len(edits)] if edits else "E:0")
        case 11 if choice % 4 == 0:
            walker.cancel()
        case _:
            sensible(walker, choice)


def _walk(seed: int, length: int) -> list[tuple[int, int]]:
    chance = Random(seed)
    return [(chance.randrange(30), chance.randrange(60)) for _ in range(length)]


WALKS = st.builds(_walk, st.integers(0, 2**32), st.integers(20, 90))
"""What happens, as (kind, choice): by chance and long; what Hypothesis draws itself hardly leaves the first steps."""


def walked(texts: list[str], walk: list[tuple[int, int]]) -> Checked:
    walker = Checked(texts)
    walker.start()
    for kind, choice in walk:
        if walker.over and choice % 2:
            break
        if walker.step == "home" and kind > 11 and choice % 3:
            anything(walker, 10, choice)
        elif walker.shows:
            anything(walker, kind, choice)
        else:
            sensible(walker, 1)
    return walker


@examples(60)
@given(flows(), WALKS)
def test_nothing_breaks(texts: list[str], walk: list[tuple[int, int]]) -> None:
    walker = walked(texts, walk)
    undone = walker.undone_stays
    assert len(undone) == len(set(undone))
    assert set(undone) <= set(walker.effective)


@examples(40)
@given(flows(), WALKS)
def test_giving_up_undoes_every_effect_once(texts: list[str], walk: list[tuple[int, int]]) -> None:
    walker = walked(texts, walk)
    for _ in range(10):
        if walker.over:
            break
        if walker.phase is Phase.RUNNING and len(walker.conversation.frames) > 1:
            walker.comes_back(walker.last_call(Purpose.DO), "ok", id=1)
        walker.cancel()
    assert walker.over
    for invoke in list(walker.open.values()):
        if invoke.purpose is Purpose.DO:
            walker.comes_back(invoke, "ok", id=1)
    undone = walker.undone_stays
    assert len(undone) == len(set(undone))
    if walker.conversation.outcome in ("cancelled", "expired"):
        assert sorted(undone) == sorted(set(walker.effective))


# --- back and forth -----------------------------------------------------------------------------------------

PLAIN = tuple(kind for kind in KINDS if kind not in ("menu", "wait", "loop", "timed", "gated", "call"))


def answer_sources(walker: Checked) -> None:
    if walker.phase is Phase.FETCHING:
        walker.rows(ROWS)


def answers(frame: Frame) -> Any:
    return frame.data, [past.step for past in frame.trail], frame.visit.step


def onwards(walker: Checked, rows: dict[str, Any]) -> None:
    """Go forwards with what was answered before."""
    waiting = [
        i
        for i in walker.open.values()
        if i.call.startswith(f"{walker.visit.number}.") and i.purpose is not Purpose.UNDO
    ]
    if waiting:
        invoke = waiting[-1]
        if invoke.purpose is Purpose.ROWS:
            walker.rows(ROWS)
        else:
            walker.comes_back(invoke, *rows[walker.step])
        return
    presses = [press for row in walker.shown.rows for press in row]
    kept = [press for press in presses if press.code == "n:keep" or press.text.startswith("• ")]
    done = [press for press in presses if press.code in ("x:ok", "q:ok")]
    if kept:
        walker.press_code(kept[0].code)
    elif done and walker.frame.remembered.get(walker.step):
        walker.press_code(done[0].code)
    else:
        walker.press_code("n:skip")


@examples(40)
@given(flows(PLAIN), st.lists(st.integers(0, 4), min_size=5, max_size=30), st.integers(1, 12))
def test_back_and_forth_again_is_as_before(texts: list[str], choices: list[int], backwards: int) -> None:
    walker = Checked(texts)
    walker.start()
    rows: dict[str, Any] = {}
    for choice in choices:
        if walker.step in ("home", "last"):
            break
        waiting = [i for i in walker.open.values() if i.call.startswith(f"{walker.visit.number}.")]
        if waiting and waiting[-1].purpose is Purpose.ROWS:
            walker.rows(ROWS)
        elif waiting:
            rows[walker.step] = ("ok",)
            walker.comes_back(waiting[-1], "ok")
        else:
            sensible(walker, choice)
    if walker.phase is not Phase.ASKING:
        return
    before = answers(walker.frame)
    for _ in range(backwards):
        place = walker.visit.number
        walker.back()
        if walker.visit.number == place:
            break
        answer_sources(walker)
    for _ in range(60):
        if walker.step == before[2] and walker.phase is Phase.ASKING and len(walker.frame.trail) == len(before[1]):
            break
        onwards(walker, rows)
    assert answers(walker.frame) == before
