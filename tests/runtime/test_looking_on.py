"""What the workshop and the transcripts stand on: an observer, a stand-in, given roles, timers and signals by hand."""

from dataclasses import dataclass

import pytest

from engine.actions import Context, Refusal, Retryable, action
from engine.core.events import Started, TextReceived
from engine.core.expressions import EvaluationError
from engine.runtime.observing import Returned
from engine.runtime.ports import Elsewhere
from tests.runtime.harness import Screen, assemble, offering

FLOW = """
flow: hello
title: Hello
entry: {commands: [hello]}
expires: 1h
steps:
  name: {ask: text, text: Your name?}
  age: {ask: integer, text: "How old are you, {{ name }}?", timeout: 10m, transitions: {timeout: gone}}
  look:
    do: shop.look
    with: {name: name}
    transitions: {found: nice, failed: sorry}
  nice: {text: "{{ look.text }} {{ 10 / (age - 1) }}", end: completed}
  sorry: {text: Sorry., end: failed}
  gone: {text: Too late., end: late}
"""

WAITING = """
flow: parcel
title: Parcel
entry: {commands: [parcel]}
steps:
  wait:
    text: It is on its way.
    wait: {arrived: here, after: {time: 3d, to: lost}}
  here: {text: "Here: {{ 1 + 1 }}.", end: completed}
  lost: {text: Lost., end: lost}
"""

SECRET = """
flow: books
title: Books
only: [admin]
entry: {commands: [books]}
steps:
  show: {text: "For {{ customer.roles | join(', ') }}.", end: completed}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    text: str


@action()
async def look(context: Context, *, name: str) -> Found:
    """Look somebody up."""
    return Found(text=f"Hello {name}.")


class Eye:
    """Writes down everything it is told."""

    def __init__(self):
        self.events, self.values, self.after, self.came, self.commits = [], [], [], [], []

    def advancing(self, conversation, event):
        self.events.append((conversation.top.visit.step, type(event)))

    def evaluated(self, source, value):
        self.values.append((source.source, source.span.line, value))

    def advanced(self, advanced):
        self.after.append(advanced.conversation.top.visit.step)

    def returned(self, returned: Returned):
        self.came.append(returned)

    def committed(self, chat):
        self.commits.append(chat)


class Double:
    """Answers `shop.look` as it was told to."""

    def __init__(self):
        self.answers = []

    async def instead(self, signature, context, arguments):
        if not self.answers:
            return None
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def started(tmp_path, flows=None, **more):
    bot = assemble(tmp_path, flows or {"hello": FLOW}, offers=offering("shop", look), **more)
    await bot.app.start()
    return bot


async def test_an_observer_sees_every_event_value_and_call(tmp_path):
    eye = Eye()
    bot = await started(tmp_path, observer=eye)
    await bot.command("hello")
    await bot.types("Anna")
    assert eye.events == [("name", Started), ("name", TextReceived)]
    assert eye.after == ["name", "age"]
    line = 1 + FLOW[: FLOW.index("How old")].count("\n")
    assert ("How old are you, {{ name }}?", line, "How old are you, Anna?") in eye.values
    await bot.types("3")
    assert [(came.name, came.outcome, came.value) for came in eye.came] == [
        ("shop.look", "found", {"text": "Hello Anna."})
    ]
    assert eye.came[0].chat == bot.chat
    assert eye.came[0].arguments == {"name": "Anna"}
    assert set(eye.commits) == {bot.chat}
    assert len(eye.commits) == 4
    await bot.app.stop()


async def test_an_observer_hears_of_what_could_not_be_evaluated(tmp_path):
    eye = Eye()
    bot = await started(tmp_path, observer=eye)
    for text in ("Anna", "1"):
        if text == "Anna":
            await bot.command("hello")
        await bot.types(text)
    assert any(isinstance(value, EvaluationError) for _, _, value in eye.values)
    await bot.app.stop()


async def test_a_stand_in_answers_fails_and_lets_pass(tmp_path):
    double, eye = Double(), Eye()
    bot = await started(tmp_path, stand_in=double, observer=eye)
    double.answers = [("found", {"text": "Made up."})]
    for step in ("/", "Anna", "3"):
        await (bot.command("hello") if step == "/" else bot.types(step))
    assert bot.last.startswith("Made up.")
    double.answers = [Retryable("a moment"), Refusal("never")]
    for step in ("/", "Anna", "3"):
        await (bot.command("hello") if step == "/" else bot.types(step))
    await bot.turn(5)
    assert bot.last == "Sorry."
    assert [came.outcome for came in eye.came] == ["found", "", ""]
    assert eye.came[1].value == {"kind": "error", "reason": "a moment", "retry": True}
    assert eye.came[2].value == {"kind": "refused", "reason": "never", "retry": False}
    await bot.app.stop()


async def test_roles_can_be_given_beside_those_of_the_bot(tmp_path):
    given = {}
    bot = await started(
        tmp_path,
        {"books": SECRET, "bot": "bot: B\nroles: {admin: ['7'], clerk: ['8']}\n"},
        granted=lambda chat: frozenset(given.get(chat, ())),
    )
    await bot.command("books")
    assert "not open to you" in bot.last
    given[bot.chat] = ["admin", "made_up"]
    await bot.command("books")
    assert bot.last == "For admin."
    given.clear()
    await bot.command("books")
    assert "not open to you" in bot.last
    await bot.app.stop()


async def test_a_timer_and_a_signal_by_hand(tmp_path):
    bot = await started(tmp_path, {"hello": FLOW, "parcel": WAITING})
    await bot.command("hello")
    await bot.types("Anna")
    chat = await bot.app.runtime.chat(bot.chat)
    (conversation,) = chat.open
    visit = conversation.top.visit.number
    assert not await bot.app.runtime.fire(conversation.id, visit, "refresh")
    assert not await bot.app.runtime.fire(conversation.id, visit - 1, "timeout")
    assert not await bot.app.runtime.fire("nobody", visit, "timeout")
    assert await bot.app.runtime.fire(conversation.id, visit, "timeout")
    await bot.app.run_due()
    assert bot.last == "Too late."
    assert not await bot.app.runtime.fire(conversation.id, visit, "timeout")

    await bot.command("hello")
    (conversation,) = (await bot.app.runtime.chat(bot.chat)).open
    assert await bot.app.runtime.fire(conversation.id, 0, "expires")
    await bot.app.run_due()
    assert "open for too long" in bot.last

    await bot.command("parcel")
    (conversation,) = (await bot.app.runtime.chat(bot.chat)).open
    assert await bot.app.runtime.tell(conversation.id, "arrived", {})
    await bot.app.run_due()
    assert bot.last == "Here: 2."
    assert not await bot.app.runtime.tell(conversation.id, "arrived", {})
    await bot.app.stop()


async def test_a_row_for_another_channel_stays_in_the_outbox_and_holds_up_nobody(tmp_path):
    class Mine(Screen):
        async def deliver(self, outgoing):
            if not outgoing.chat.startswith("terminal:"):
                self.attempts += 1
                raise Elsewhere
            await super().deliver(outgoing)

    screen = Mine()
    bot = await started(tmp_path, screen=screen)
    await bot.command("hello", chat="telegram:1")
    await bot.types("Anna", chat="telegram:1")
    await bot.command("hello")
    assert bot.last == "Your name?"
    await bot.turn(3600)
    assert [row.chat for row in await bot.app.store.undelivered()][:2] == ["telegram:1", "telegram:1"]
    tries = screen.attempts
    await bot.turn(600)
    assert screen.attempts == tries, "one that is not ours is not tried again"
    await bot.app.stop()


@pytest.mark.parametrize("change", ["good", "bad", "empty", "gone"])
async def test_an_edited_flow_goes_live_at_once_and_a_faulty_one_never(tmp_path, change):
    bot = await started(tmp_path)
    await bot.command("hello")
    file = tmp_path / "flows" / "hello.yaml"
    match change:
        case "good":
            file.write_text(FLOW.replace("How old are you", "Your age"), encoding="utf-8")
        case "bad":
            file.write_text(FLOW.replace("age: {ask", "age: {aks"), encoding="utf-8")
        case "empty":
            file.write_text("", encoding="utf-8")
        case "gone":
            file.unlink()
    loaded = await bot.app.reload()
    assert (bot.app.loaded is loaded) is (change == "good")
    await bot.types("Anna")
    assert bot.last == ("Your age, Anna?" if change == "good" else "How old are you, Anna?")
    await bot.app.stop()


async def test_a_conversation_at_a_step_that_stays_goes_on_in_the_new_version_with_its_data(tmp_path):
    bot = await started(tmp_path)
    await bot.command("hello")
    await bot.types("Anna")
    file = tmp_path / "flows" / "hello.yaml"
    file.write_text(FLOW.replace("Sorry.", "Oh no."), encoding="utf-8")
    assert (await bot.app.reload()).report.ok
    (conversation,) = (await bot.app.runtime.chat(bot.chat)).open
    assert conversation.top.version == bot.app.library.programs["hello"].version
    assert conversation.top.data == {"name": "Anna"}
    await bot.types("3")
    assert bot.last.startswith("Hello Anna.")
    await bot.app.stop()
