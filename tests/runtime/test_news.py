"""News and what is told: it reaches people whose conversation is over or who have none, once, and disturbs nobody."""

import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.actions import Context, action
from engine.actions.catalog import Catalog
from engine.core.values import Money, Value
from engine.runtime.ports import Chat, Commit, Envelope, Store
from engine.runtime.routing import Beside
from engine.runtime.sending import LARGEST_PAYLOAD, MOST_SIGNALS
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.runtime.flows import ORDER, PAY
from tests.runtime.harness import START, Bot, Screen, assemble, offering

PAY_NEWS = """
flow: pay_news
title: News of your order
only: admin
second_start: resume
arguments: {news: text, amount: money?, number: integer?}
steps:
  settled:
    if: news == 'settled'
    text: "Paid after all{% if amount %}: {{ amount }}{% endif %}."
    end: completed
  shipped:
    text: "Order {{ number | default(0) }} is on its way."
    keyboard: [[{text: Fine, trigger: fine}]]
    transitions: {fine: thanks}
  thanks:
    text: You are welcome.
    end: completed
"""

PLAIN = """
flow: plain
arguments: {word: text, note: "text?", count: "integer?"}
steps:
  say:
    text: "Told {{ word }}{% if count %} {{ count }}{% endif %}"
    end: completed
"""

ROUND = """
flow: round
second_start: parallel
arguments: {word: text}
steps:
  one:
    do: news.send
    transitions: {sent: over, failed: over}
  over:
    text: "{{ word }}"
    end: completed
"""

ASKS = """
flow: asks
arguments: {word: text}
steps:
  name:
    ask: text
    text: "{{ word }}: your name?"
  bye:
    text: "Hello {{ name }}"
    end: completed
"""

SENDING = """
flow: sending
entry: {commands: [send]}
steps:
  send:
    do: news.send
    transitions: {sent: over, failed: broken}
  over:
    text: Sent.
    end: completed
  broken:
    text: Broken
    end: completed
"""

BOT = """
bot: Test
languages: [de, en]
roles: {admin: ["7", "8"], team: ["boss"], empty: []}
"""
FLOWS = {"pay": PAY, "pay_news": PAY_NEWS, "plain": PLAIN, "asks": ASKS, "order": ORDER, "sending": SENDING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    pass


@dataclass
class Sender:
    """An action that sends whatever the test wants."""

    transactional: bool = True
    wish: Callable[[Context], None] = lambda context: None
    calls: int = 0
    catalog: Catalog = field(init=False)

    def __post_init__(self) -> None:
        @action(transactional=self.transactional)
        async def send(context: Context) -> Sent:
            """Sends."""
            self.calls += 1
            self.wish(context)
            return Sent()

        self.catalog = offering("news", send)


def news(name: str, key: str = "77", payload: Mapping[str, Value] | None = None, **more: str) -> Callable[..., None]:
    where = {"chat": "terminal:anna", "otherwise": "pay_news", **more}
    return lambda context: context.work.news("pay", key, name, payload=payload or {}, **where)


def tell(chat: str, flow: str, **arguments: Value) -> Callable[..., None]:
    return lambda context: context.work.tell(chat, flow, **arguments)


class Desk:
    """A bot, the customer Anna, and somebody else who makes things happen."""

    def __init__(self, bot: Bot, sender: Sender) -> None:
        self.bot = bot
        self.sender = sender
        self.other = Bot(bot.app, bot.screen, bot.clock, chat="terminal:otto")
        self.count = 0

    async def happens(self, *wishes: Callable[[Context], None]) -> None:
        def all_of(context: Context) -> None:
            for wish in wishes:
                wish(context)

        self.sender.wish = all_of
        self.count += 1
        await self.other.command("send", update=f"o{self.count}")
        assert self.other.last == "Sent."

    @property
    def store(self) -> Store:
        return self.bot.app.store

    async def chat(self, name: str = "terminal:anna") -> Chat:
        chat = await self.store.chat(name)
        assert chat is not None
        return chat

    async def open(self, name: str = "terminal:anna") -> list[str]:
        return [conversation.flow for conversation in await self.store.conversations(name)]


def desk_of(folder: Path, **more: Any) -> Desk:
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / "bot.yaml").write_text(BOT, encoding="utf-8")
    sender = Sender()
    return Desk(assemble(folder, FLOWS, offers=sender.catalog, **more), sender)


@pytest.fixture
async def desk(tmp_path: Path) -> Any:
    desk = desk_of(tmp_path)
    await desk.bot.app.start()
    yield desk
    await desk.bot.app.stop()


# --- who gets it ---------------------------------------------------------------------------------------------


async def test_the_open_conversation_that_waits_takes_it(desk: Desk) -> None:
    await desk.bot.command("pay")
    await desk.bot.types("77")
    await desk.happens(news("settled"))
    assert desk.bot.last == "How was it?"
    assert await desk.open() == ["pay"]
    assert await desk.store.signals("pay", "77") == ()


async def test_when_it_is_over_the_other_flow_says_it(desk: Desk) -> None:
    await desk.bot.command("pay")
    await desk.bot.types("77")
    await desk.bot.press("Give up")
    await desk.happens(news("settled", payload={"amount": Money(minor=1250, asset="EUR"), "unasked": "x"}))
    assert desk.bot.last == "Paid after all: €12.50."
    assert await desk.open() == []
    assert await desk.chat() == await desk.chat()
    assert (await desk.chat()).front is None


async def test_without_any_conversation_and_also_where_none_waits_for_it(desk: Desk) -> None:
    await desk.happens(news("settled", key="nobody"))
    assert desk.bot.last == "Paid after all."
    await desk.bot.command("pay")
    await desk.bot.types("77")
    await desk.happens(news("shipped", payload={"number": 5}))
    assert desk.bot.last == "Order 5 is on its way."
    assert await desk.open() == ["pay", "pay_news"]


async def test_a_signal_that_waits_for_its_conversation_holds_no_news_up(desk: Desk) -> None:
    def first(context: Context) -> None:
        for number in range(30):
            context.work.signal("pay", "77", "settled", n=number)

    await desk.happens(first, news("settled"), news("settled"))
    assert desk.bot.screen.texts("terminal:anna") == ["Paid after all."] * 2
    assert len(await desk.store.signals("pay", "77")) == 30
    await desk.bot.command("pay")
    await desk.bot.types("77")
    assert desk.bot.last == "How was it?"


async def test_many_come_in_the_order_in_which_they_were_sent(desk: Desk) -> None:
    await desk.happens(*(tell("terminal:anna", "plain", word=f"w{number}") for number in range(60)))
    assert desk.bot.screen.texts("terminal:anna") == [f"Told w{number}" for number in range(60)]


# --- beside --------------------------------------------------------------------------------------------------


async def test_it_disturbs_no_conversation(desk: Desk) -> None:
    await desk.bot.command("order")
    before = await desk.chat()
    await desk.happens(tell("terminal:anna", "plain", word="hello"))
    assert desk.bot.screen.texts("terminal:anna") == ["Name?", "Told hello"]
    after = await desk.chat()
    assert (after.front, after.aside) == (before.front, ())
    await desk.bot.types("Anna")
    assert desk.bot.last == "Colour?"


async def test_its_buttons_work_and_bring_it_to_the_front(desk: Desk) -> None:
    await desk.bot.command("order")
    front = (await desk.chat()).front
    await desk.happens(news("shipped", payload={"number": 5}))
    chat = await desk.chat()
    (_, told) = await desk.store.conversations(desk.bot.chat)
    assert (chat.front, chat.aside) == (front, (told.id,))
    await desk.bot.types("Anna")
    assert desk.bot.last == "Colour?"
    await desk.bot.press("Fine")
    assert "You are welcome." in desk.bot.screen.texts("terminal:anna")
    assert await desk.open() == ["order"]
    await desk.bot.press("Blue")
    assert "Bye Anna, blue" in desk.bot.screen.texts("terminal:anna")


async def test_where_nothing_is_going_on_a_question_can_be_answered(desk: Desk) -> None:
    await desk.happens(tell("terminal:anna", "asks", word="Team"))
    assert desk.bot.last == "Team: your name?"
    await desk.bot.types("Ida")
    assert desk.bot.last == "Hello Ida"
    assert (await desk.chat()).front is None


async def test_what_was_aside_is_not_offered_because_of_it(desk: Desk) -> None:
    await desk.bot.command("order")
    await desk.bot.command("pay")
    await desk.bot.types("77")
    texts = desk.bot.screen.texts("terminal:anna")
    await desk.happens(tell("terminal:anna", "plain", word="x"))
    assert desk.bot.screen.texts("terminal:anna") == [*texts, "Told x"]


async def test_somebody_who_never_wrote_gets_it_in_the_bots_language(desk: Desk) -> None:
    await desk.happens(tell("terminal:new", "plain", word="hi"))
    assert desk.bot.screen.texts("terminal:new") == ["Told hi"]
    chat = await desk.chat("terminal:new")
    assert (chat.name, chat.language, chat.front) == ("", "de", None)


@pytest.mark.parametrize("chat", ["42", ":42", "terminal:", "terminal:a\nb", "terminal:" + "x" * 130, ""])
async def test_what_is_no_chat_is_told_nothing(desk: Desk, chat: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        desk.sender.wish = tell(chat, "plain", word="hi")
        await desk.other.command("send", update="x")
    assert desk.other.last == "Sent."
    assert await desk.store.deliverable_signals() == ()
    assert desk.bot.screen.texts(chat) == []
    assert await desk.store.chat(chat) is None
    assert caplog.records


# --- what does not fit ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (tell("terminal:anna", "nowhere", word="x"), "there is no flow nowhere"),
        (tell("terminal:anna", "plain"), "needs the argument word"),
        (tell("terminal:anna", "plain", word=None), "needs the argument word"),
        (tell("terminal:anna", "plain", word=5), "word of the flow plain is text"),
        (tell("terminal:anna", "plain", word="x", note=["a"]), "note of the flow plain is text or nothing"),
        (tell("terminal:anna", "plain", word="x", count=True), "count of the flow plain is a whole number or nothing"),
        (news("settled", payload={"amount": "12.50"}), "amount of the flow pay_news is money or nothing"),
        (news("settled", otherwise="nowhere"), "there is no flow nowhere"),
    ],
)
async def test_a_flow_that_cannot_begin_is_said_once_and_dropped(
    desk: Desk, wish: Callable[[Context], None], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await desk.happens(wish, tell("terminal:anna", "plain", word="next"))
        await desk.bot.turn(4000)
    assert desk.bot.screen.texts("terminal:anna") == ["Told next"]
    assert len([record for record in caplog.records if words in record.getMessage()]) == 1
    assert await desk.store.deliverable_signals() == ()


async def test_a_flow_without_end_is_left_out_and_the_next_one_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def wish(context: Context) -> None:
        if context.chat == "terminal:anna":
            context.start("round", word="again")
            return
        context.work.tell("terminal:anna", "round", word="x")
        context.work.tell("terminal:anna", "plain", word="next")

    sender = Sender(wish=wish)
    flows = {"sending": SENDING, "plain": PLAIN, "round": ROUND}
    desk = Desk(assemble(tmp_path, flows, offers=sender.catalog), sender)
    await desk.bot.app.start()
    await desk.other.command("send", update="x")
    await desk.bot.turn(1)
    assert desk.bot.screen.texts("terminal:anna") == ["Told next"]
    assert await desk.open() == []
    assert "is not told round, which never ends" in caplog.text
    assert not desk.bot.app.runtime._signals.waiting
    await desk.bot.app.stop()


@pytest.mark.parametrize("transactional", [True, False])
@pytest.mark.parametrize(
    "wish",
    [
        lambda context: context.requests.extend([_told()] * (MOST_SIGNALS + 1)),
        lambda context: context.requests.append(_told(word="x" * LARGEST_PAYLOAD)),
        lambda context: context.requests.append(_told(word=object())),
        lambda context: context.requests.append(_told(chat=5)),
        lambda context: context.requests.append(_told(flow=None)),
    ],
)
async def test_an_action_that_tells_what_cannot_be_kept_fails(
    tmp_path: Path, wish: Callable[[Context], None], *, transactional: bool
) -> None:
    sender = Sender(transactional=transactional, wish=wish)
    desk = Desk(assemble(tmp_path, {"sending": SENDING, "plain": PLAIN}, offers=sender.catalog), sender)
    await desk.bot.app.start()
    await desk.other.command("send", update="x")
    for _ in range(6):
        await desk.bot.turn(4000)
    assert desk.other.last == "Broken"
    assert desk.bot.screen.texts("terminal:anna") == []
    await desk.bot.app.stop()


def _told(*, chat: Any = "terminal:anna", flow: Any = "plain", word: Any = "x") -> Any:
    from engine.actions.context import TellChat

    return TellChat(chat=chat, flow=flow, arguments={"word": word})


# --- roles ---------------------------------------------------------------------------------------------------


async def test_a_role_is_everybody_who_has_it_and_was_here(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, members=lambda role: {"team": ["web:ida"], "empty": ["web:eve"]}.get(role, []))
    await desk.bot.app.start()
    for chat in ("telegram:7", "terminal:7", "telegram:70", "terminal:boss"):
        commit = Commit(chat=Chat(id=chat, revision=1), new_chat=True, at=START)
        await desk.store.commit([commit])
    await desk.happens(
        lambda context: context.work.tell_role("admin", "plain", word="a"),
        lambda context: context.work.tell_role("team", "plain", word="b"),
        lambda context: context.work.tell_role("empty", "plain", word="c"),
    )
    told = {chat: desk.bot.screen.texts(chat) for chat in {row.chat for row in desk.bot.screen.rows}}
    del told["terminal:otto"]
    assert told == {
        "telegram:7": ["Told a"],
        "terminal:7": ["Told a"],
        "terminal:boss": ["Told b"],
        "web:ida": ["Told b"],
        "web:eve": ["Told c"],
    }
    await desk.bot.app.stop()


@pytest.mark.parametrize("role", ["admin", "nobody_has_this"])
async def test_a_role_that_nobody_has_is_said_once(desk: Desk, role: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await desk.happens(lambda context: context.work.tell_role(role, "plain", word="a"))
    assert len([record for record in caplog.records if f"the role {role}" in record.getMessage()]) == 1


async def test_an_external_action_tells_a_role_too(tmp_path: Path) -> None:
    sender = Sender(transactional=False)
    sender.wish = lambda context: context.requests.append(_role())
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "bot.yaml").write_text(BOT, encoding="utf-8")
    desk = Desk(assemble(tmp_path, {"sending": SENDING, "plain": PLAIN}, offers=sender.catalog), sender)
    await desk.bot.app.start()
    await desk.store.commit([Commit(chat=Chat(id="telegram:8", revision=1), new_chat=True, at=START)])
    await desk.other.command("send", update="x")
    assert desk.bot.screen.texts("telegram:8") == ["Told a"]
    assert desk.other.last == "Sent."
    await desk.bot.app.stop()


def _role() -> Any:
    from engine.actions.context import TellRole

    return TellRole(role="admin", flow="plain", arguments={"word": "a"})


# --- once ----------------------------------------------------------------------------------------------------


async def test_work_beside_the_conversations_tells_too_and_nothing_when_it_is_undone(desk: Desk) -> None:
    works = desk.bot.app.runtime.beside.works
    async with works.begin() as work:
        work.tell("terminal:anna", "plain", word="kept")
        work.news("pay", "77", "settled", chat="terminal:anna", otherwise="pay_news", payload={})
    with pytest.raises(ValueError, match="undone"):  # noqa: PT012
        async with works.begin() as work:
            work.tell("terminal:anna", "plain", word="lost")
            raise ValueError("undone")
    for _ in range(2):
        async with works.opened("same") as (_, voiced):
            voiced.tell("terminal:anna", "plain", word="once")
    await desk.bot.app.run_due()
    told = desk.bot.screen.texts("terminal:anna")
    assert sorted(told) == ["Paid after all.", "Told kept", "Told once"]


class Killed(Exception):
    """The process is gone."""


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_killed_when_it_is_taken_it_is_said_once(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, file = Screen(), tmp_path / "a.db"
    desk = desk_of(tmp_path, store=SqliteStore(file, synchronous="NORMAL"), screen=screen)
    commit = desk.bot.app.store.commit

    async def dying(commits: Any) -> None:
        taking = any(one.taken_signals for one in commits)
        if moment == "after" or not taking:
            await commit(commits)
        if taking:
            raise Killed

    monkeypatch.setattr(desk.bot.app.store, "commit", dying)
    await desk.bot.app.start()
    await desk.happens(news("shipped", payload={"number": 5}))
    assert screen.texts("terminal:anna") == []
    await desk.bot.app.stop()
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM signals").fetchone() == (1 if moment == "before" else 0,)
    again = desk_of(tmp_path, store=SqliteStore(file, synchronous="NORMAL"), screen=screen)
    await again.bot.app.start()
    await again.bot.app.run_due()
    await again.bot.turn(60)
    assert screen.texts("terminal:anna") == ["Order 5 is on its way."]
    assert await again.open() == ["pay_news"]
    assert await again.store.deliverable_signals() == ()
    await again.bot.press("Fine", update="later")
    assert again.bot.last == "You are welcome."
    await again.bot.app.stop()


async def test_a_store_that_fails_a_while_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.errors import StoreError

    store = MemoryStore()
    desk = desk_of(tmp_path, store=store)
    await desk.bot.app.start()
    commit, broken = store.commit, True

    async def failing(commits: Any) -> None:
        if broken and any(one.taken_signals for one in commits):
            raise StoreError("the disk is full")
        await commit(commits)

    monkeypatch.setattr(store, "commit", failing)
    monkeypatch.setattr(desk.bot.app.runtime._executor, "_pauses", (0.0,))
    await desk.happens(tell("terminal:anna", "plain", word="a"), tell("terminal:anna", "plain", word="b"))
    await desk.bot.turn(6)
    assert desk.bot.screen.texts("terminal:anna") == []
    broken = False
    await desk.bot.turn(600)
    assert desk.bot.screen.texts("terminal:anna") == ["Told a", "Told b"]
    await desk.bot.app.stop()


PONG = """
flow: pong
arguments: {n: integer}
steps:
  go:
    do: news.send
    transitions: {sent: over, failed: over}
  over:
    text: "{{ n }}"
    end: completed
"""


async def test_two_who_tell_each_other_for_ever_are_slowed_down(tmp_path: Path) -> None:
    chats = ["terminal:anna", "terminal:ben"]
    count = 0

    def wish(context: Context) -> None:
        nonlocal count
        count += 1
        context.work.tell(chats[count % 2], "pong", n=count)

    sender = Sender(wish=wish)
    desk = Desk(assemble(tmp_path, {"sending": SENDING, "pong": PONG}, offers=sender.catalog), sender)
    await desk.bot.app.start()
    await desk.other.command("send", update="x")
    before = count
    assert 50 < before < 150
    await desk.bot.turn(1)
    assert before < count <= before + 2
    await desk.bot.app.stop()


async def test_edited_while_it_is_on_its_way_it_is_dropped_by_whoever_has_the_new_flows(desk: Desk) -> None:
    runtime = desk.bot.app.runtime
    what = Beside(flow="gone", arguments={"word": "x"}, signal=None)
    assert await runtime.handle(Envelope(chat="terminal:anna", update="late", what=what))
    await desk.bot.app.run_due()
    assert desk.bot.screen.texts("terminal:anna") == []
    assert await desk.open() == []
