"""External and transactional actions: retried, contained, once; with a plugin's every misbehaviour."""

import asyncio
from dataclasses import dataclass

import pytest

from engine.actions import Context, Refusal, Retryable, Unreachable, action
from engine.core.events import SignalReceived
from engine.runtime.routing import CallbackPressed
from engine.runtime.sending import Sent
from tests.runtime.flows import CALLING, HELP, ORDER, PAY
from tests.runtime.harness import Bot, assemble, offering
from tests.storage.samples import pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    reason: str


class Shop:
    """What the actions of a test do, and what they were called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, int]] = []
        self.does = []
        self.gate: asyncio.Event | None = None

    async def place(self, context, what: str):
        self.calls.append((context.idempotency_key, what, context.attempt))
        if self.gate is not None:
            await self.gate.wait()
        step = self.does.pop(0) if self.does else None
        if isinstance(step, BaseException):
            raise step
        if step is not None:
            return await step(context) if callable(step) else step
        return Placed(number=f"N-{what}")


def make(tmp_path, shop: Shop, *, transactional: bool = False, timeout: float = 30, flow: str = CALLING, **more) -> Bot:
    @action(transactional=transactional, timeout=timeout)
    async def place(context: Context, *, what: str) -> Placed | Rejected:
        """Place an order."""
        return await shop.place(context, what)

    flows = {"calling": flow, "order": ORDER, "help": HELP, "pay": PAY}
    if transactional:
        flows["calling"] = flow.replace("    retry: {attempts: 3, first: 10s, factor: 2}\n", "")
    return assemble(tmp_path, flows, offers=offering("shop", place), **more)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def bot(tmp_path, shop):
    bot = make(tmp_path, shop, timeout=0.05)
    await bot.app.start()
    yield bot
    await bot.app.stop()


async def test_an_outcome_comes_back_as_an_event(bot, shop):
    await bot.command("call")
    await bot.types("cube")
    assert bot.last == "Placed N-cube"
    assert len(shop.calls) == 1
    assert not await bot.app.runtime.unfinished()


async def test_a_failing_call_is_tried_again_with_the_same_key_at_its_time(bot, shop):
    shop.does = [Unreachable("no route"), Retryable("503")]
    await bot.command("call")
    await bot.types("cube")
    assert len(shop.calls) == 1
    assert await bot.app.runtime.unfinished()
    await bot.turn(9)
    assert len(shop.calls) == 1
    await bot.turn(1)
    assert len(shop.calls) == 2
    await bot.turn(20)
    assert bot.last == "Placed N-cube"
    assert [attempt for _, _, attempt in shop.calls] == [1, 2, 3]
    assert len({key for key, _, _ in shop.calls}) == 1


async def test_after_the_last_attempt_the_flow_hears_of_it(bot, shop):
    shop.does = [Unreachable("x")] * 3
    await bot.command("call")
    await bot.types("cube")
    await bot.turn(10)
    await bot.turn(20)
    assert bot.screen.texts(bot.chat)[-2:] == ["Broken: unreachable", "What?"]
    await bot.turn(10_000)
    assert len(shop.calls) == 3


async def test_a_refusal_is_not_repeated(bot, shop):
    shop.does = [Refusal("never")]
    await bot.command("call")
    await bot.types("cube")
    assert "Broken: refused" in bot.screen.texts(bot.chat)
    await bot.turn(10_000)
    assert len(shop.calls) == 1


async def sleeps(context):
    await asyncio.sleep(60)


async def stubborn(context):
    for _ in range(40):
        try:
            await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            continue


async def cancels_itself(context):
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    "rubbish",
    [
        ValueError("text with a secret"), SystemExit(3), KeyboardInterrupt(), BaseException("odd"), sleeps, stubborn,
        cancels_itself, {"number": "a dict"}, Placed(number=3), RecursionError(), StopAsyncIteration(),
    ],
    ids=lambda item: getattr(item, "__name__", type(item).__name__),
)  # fmt: skip
async def test_whatever_a_plugin_does_the_customer_gets_on(bot, shop, rubbish, caplog):
    shop.does = [rubbish] * 3
    await bot.command("call")
    await bot.types("cube")
    await bot.turn(10)
    await bot.turn(20)
    assert any(text.startswith("Broken: ") for text in bot.screen.texts(bot.chat))
    assert bot.last == "What?"
    shop.does.clear()
    await bot.types("ball")
    assert bot.last == "Placed N-ball"
    assert "secret" not in caplog.text


async def test_other_chats_go_on_while_a_call_hangs(tmp_path, shop):
    bot = make(tmp_path, shop)
    await bot.app.start()
    shop.gate = asyncio.Event()
    await bot.command("call")
    handled = bot.app.handle
    from engine.core.events import TextReceived
    from engine.runtime.ports import Envelope
    from engine.runtime.routing import Command

    await handled(Envelope(chat=bot.chat, update="x", what=TextReceived(at=bot.clock.now(), text="cube")))
    await handled(Envelope(chat="terminal:otto", update="y", what=Command(name="order")))
    for _ in range(20):
        await asyncio.sleep(0)
    assert bot.screen.texts("terminal:otto") == ["Name?"]
    shop.gate.set()
    await bot.app.run_due()
    assert bot.last == "Placed N-cube"
    await bot.app.stop()


async def test_what_cannot_be_taken_back_is_not_cancelled_half_way(bot, shop):
    shop.does = [Unreachable("x")]
    await bot.command("call")
    await bot.types("cube")
    await bot.command("cancel")
    assert bot.last == "One moment, I am still working on your last step."
    await bot.turn(10)
    assert bot.last == "Placed N-cube"
    assert len(shop.calls) == 2
    assert not await bot.app.runtime.unfinished()


# --- transactional -----------------------------------------------------------------------------------------


async def test_a_transactional_action_runs_in_the_conversations_commit(tmp_path, shop):
    bot = make(tmp_path, shop, transactional=True)
    await bot.app.start()

    async def writes(context):
        await context.transaction.execute(
            "INSERT INTO print_files (ref, idempotency_key, name, size, created_at) VALUES ('r', ?, 'n', 1, 1)",
            (context.idempotency_key,),
        )
        return Placed(number="kept")

    async def writes_and_fails(context):
        await writes(context)
        raise Retryable("after writing")

    shop.does = [writes_and_fails, writes]
    await bot.command("call")
    await bot.types("cube")
    assert "Broken: error" in bot.screen.texts(bot.chat)
    await bot.types("cube")
    assert bot.last == "Placed kept"
    async with bot.app.store.transaction() as transaction:
        rows = await transaction.query("SELECT idempotency_key FROM print_files")
    assert len(rows) == 1
    await bot.app.stop()


async def test_a_transaction_is_worthless_after_the_action(tmp_path, shop):
    bot = make(tmp_path, shop, transactional=True)
    await bot.app.start()
    lent = []

    async def keeps(context):
        lent.append(context)
        with pytest.raises(RuntimeError, match="transactional action"):
            context.database()
        return Placed(number="1")

    shop.does = [keeps]
    await bot.command("call")
    await bot.types("cube")
    with pytest.raises(RuntimeError, match="over"):
        await lent[0].transaction.execute("DELETE FROM print_files")
    await bot.app.stop()


CIRCLE = """
flow: calling
title: Calling
entry: {commands: [call]}
second_start: parallel
steps:
  place:
    do: shop.place
    with: {what: "'x'"}
    transitions: {placed: done, rejected: done, failed: done}
  done:
    text: Done.
    end: completed
"""


async def test_a_circle_of_flows_changes_nothing_and_is_told(tmp_path, shop):
    bot = make(tmp_path, shop, transactional=True, flow=CIRCLE)
    await bot.app.start()

    async def again(context):
        context.start("calling")
        return Placed(number="1")

    shop.does = [again] * 200
    assert not await bot.command("call")
    assert bot.screen.texts(bot.chat) == [
        "Something went wrong on our side. Nothing is lost. Please try again in a moment."
    ]
    assert len(shop.calls) <= 50
    before = len(shop.calls)
    await bot.command("call", update="u1")
    assert len(shop.calls) > before, "an id is dropped where it is committed"
    assert len(bot.screen.texts(bot.chat)) == 1
    assert not await bot.app.store.conversations(bot.chat)
    await bot.app.stop()


# --- requests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transactional", [True, False])
async def test_an_action_can_start_cancel_and_signal(tmp_path, shop, transactional):
    bot = make(tmp_path, shop, transactional=transactional)
    await bot.app.start()
    await bot.command("pay")
    await bot.types("77")
    await bot.command("order")
    seen = []

    async def wishes(context):
        seen.extend(context.open_conversations)
        order = next(item for item in context.open_conversations if item.flow == "order")
        context.cancel(order.id)
        context.signal("pay", "77", "settled")
        context.start("help")
        return Placed(number="1")

    shop.does = [wishes]
    await bot.command("call")
    await bot.types("cube")
    assert {(item.flow, item.title) for item in seen} == {("order", "Order"), ("pay", "Payment")}
    texts = bot.screen.texts(bot.chat)
    for expected in (
        "Placed 1",
        "«Order» is cancelled. You can start again at any time.",
        "How was it?",
        "Here is help.",
    ):
        assert expected in texts
    await bot.app.stop()


async def test_a_signal_reaches_another_customers_conversation_once(tmp_path, shop):
    bot = make(tmp_path, shop, transactional=True)
    await bot.app.start()
    other = Bot(bot.app, bot.screen, bot.clock, chat="terminal:otto")
    await other.command("pay", update="o1")
    await other.types("88", update="o2")

    async def signals(context):
        context.signal("pay", "88", "settled")
        context.signal("pay", "nobody", "settled")
        return Placed(number="1")

    shop.does = [signals]
    await bot.command("call")
    await bot.types("cube")
    assert other.last == "How was it?"
    assert not await bot.app.runtime.unfinished()
    await bot.app.stop()


async def test_plugins_see_no_event_that_is_not_theirs(bot):
    assert await bot.app.signal("calling", "x", "y", {}) is Sent.UNKNOWN_SIGNAL
    await bot.send(SignalReceived(at=bot.clock.now(), name="settled"))
    await bot.send(CallbackPressed(data="rubbish"))
    assert bot.screen.texts(bot.chat) == ["This button does nothing here."]


async def test_a_call_that_is_cut_before_it_began_does_not_hold_up_the_stop(tmp_path):
    bot = assemble(tmp_path, {"help": HELP})
    await bot.app.start()
    runtime = bot.app.runtime
    runtime._calls.launch([pending(-1e9)])
    assert runtime.activity.count == 1
    await runtime._calls.stop()
    assert runtime.activity.count == 0
    await asyncio.wait_for(bot.app.stop(), 3)
