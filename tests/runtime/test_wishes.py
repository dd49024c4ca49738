"""What is asked to be sent, as rows: names, limits, members of roles; and what a flow that begins beside is given."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.actions.context import CancelConversation, Request, SendSignal, StartFlow, TellChat, TellRole
from engine.core.codec import load_data
from engine.core.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    LOCATION,
    MONEY,
    NOTHING,
    TEXT,
    ListType,
    OptionalType,
    TextType,
    ValueType,
)
from engine.core.values import UNSET, Money
from engine.runtime.library import Library
from engine.runtime.ports import NewSignal
from engine.runtime.sending import LARGEST_PAYLOAD, MOST_SIGNALS, UnfitSignal
from engine.runtime.telling import Unfit, fitting, is_of
from engine.runtime.wishes import members_of, roles_in, rows_of
from tests.runtime.flows import PAY
from tests.runtime.harness import START, assemble
from tests.runtime.test_news import BOT, PLAIN


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("wishes")
    (folder / "flows").mkdir()
    (folder / "flows" / "bot.yaml").write_text(BOT, encoding="utf-8")
    return assemble(folder, {"pay": PAY, "plain": PLAIN}).app.runtime.library


def rows(library: Library, *requests: Request, update: str = "w", **members: Sequence[str]) -> tuple[NewSignal, ...]:
    return rows_of(requests, library=library, members=members, update=update, at=START)


def test_each_has_a_row_under_a_name_of_its_own(library: Library) -> None:
    found = rows(
        library,
        SendSignal(flow="pay", key="77", name="settled", payload={"amount": 2}),
        SendSignal(flow="pay", key="77", name="shipped", chat="web:a", otherwise="plain"),
        TellChat(chat="web:b", flow="plain", arguments={"word": "x"}),
        TellRole(role="team", flow="plain", arguments={"word": "y"}),
        team=("web:c", "web:d"),
    )
    assert [(row.update, row.flow, row.key, row.name, row.chat, row.otherwise) for row in found] == [
        ("w/1", "pay", "77", "settled", "", ""),
        ("w/2", "pay", "77", "shipped", "web:a", "plain"),
        ("w/3", "", "web:b", "", "web:b", "plain"),
        ("w/4/web:c", "", "web:c", "", "web:c", "plain"),
        ("w/4/web:d", "", "web:d", "", "web:d", "plain"),
    ]
    assert [load_data(row.payload) for row in found[2:]] == [{"word": "x"}, {"word": "y"}, {"word": "y"}]
    assert {row.at for row in found} == {START}


def test_a_signal_that_nobody_waits_for_goes_only_with_otherwise(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert rows(library, SendSignal(flow="pay", key="1", name="unheard")) == ()
        assert rows(library, SendSignal(flow="gone", key="1", name="settled")) == ()
    assert len(caplog.records) == 2
    (row,) = rows(library, SendSignal(flow="gone", key="1", name="unheard", chat="web:a", otherwise="plain"))
    assert (row.flow, row.otherwise) == ("gone", "plain")


def _news(**changes: Any) -> SendSignal:
    return SendSignal(**{"flow": "pay", "key": "1", "name": "n", "chat": "web:a", "otherwise": "plain", **changes})


@pytest.mark.parametrize(
    "wish",
    [
        StartFlow(flow="plain"),
        CancelConversation(conversation="c"),
        "tell",
        _news(chat=""),
        _news(chat="a"),
        _news(chat="web:\n"),
        _news(chat="web:\ud800"),
        _news(key=""),
        _news(key=5),
        _news(key="\ud800"),
        _news(name=""),
        _news(flow=""),
        _news(name="n" * 200),
        _news(otherwise="n" * 200),
        _news(payload={"x": object()}),
        _news(payload={"x": "\ud800"}),
        _news(payload=None),
        _news(payload={"x": "y" * LARGEST_PAYLOAD}),
        TellChat(chat="web:" + "x" * 200, flow="plain"),
        TellChat(chat="web:a", flow=""),
        TellChat(chat="web:a", flow=None),  # type: ignore[arg-type]
        TellRole(role=["team"], flow="plain"),  # type: ignore[arg-type]
        TellRole(role="team", flow="plain", arguments={"x": float}),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_sentence(library: Library, wish: Any) -> None:
    with pytest.raises(UnfitSignal, match=r"\.$"):
        rows(library, wish, team=("web:a",))


def test_a_value_that_contains_itself_is_refused(library: Library) -> None:
    circle: dict[str, Any] = {}
    circle["x"] = circle
    with pytest.raises(UnfitSignal):
        rows(library, TellChat(chat="web:a", flow="plain", arguments=circle))


def test_far_too_many_at_once_are_refused(library: Library) -> None:
    many = tuple(f"web:{number}" for number in range(MOST_SIGNALS))
    wish = TellRole(role="team", flow="plain")
    assert len(rows(library, wish, team=many)) == MOST_SIGNALS
    with pytest.raises(UnfitSignal, match="at most 1000"):
        rows(library, wish, TellChat(chat="web:a", flow="plain"), team=many)


# --- members -------------------------------------------------------------------------------------------------


async def test_members_are_the_chats_of_the_roles_customers_and_the_granted(library: Library) -> None:
    asked: list[Collection[str]] = []

    async def chats_of(customers: Collection[str]) -> Sequence[str]:
        asked.append(customers)
        return [f"{channel}:{customer}" for channel in ("web", "telegram") for customer in customers]

    given = {"team": ["web:boss", "web:ida"], "gone": ["web:x"]}
    found = await members_of(
        ["admin", "team", "empty", "gone"],
        library=library,
        chats_of=chats_of,
        granted=lambda role: given.get(role, ()),
    )
    assert found == {
        "admin": ("telegram:7", "telegram:8", "web:7", "web:8"),
        "team": ("telegram:boss", "web:boss", "web:ida"),
        "empty": (),
        "gone": (),
    }
    assert sorted(map(sorted, asked)) == [["7", "8"], ["boss"]]
    assert await members_of(["team"], library=library, chats_of=chats_of) == {"team": ("telegram:boss", "web:boss")}


def test_the_roles_that_are_asked_for() -> None:
    wishes: list[Request] = [TellRole(role="a", flow="f"), TellRole(role="b", flow="f"), TellChat(chat="w:a", flow="f")]
    assert roles_in(wishes) == {"a", "b"}
    assert roles_in([]) == frozenset()


# --- what a flow is given ------------------------------------------------------------------------------------


def test_a_flow_gets_what_it_declares(library: Library) -> None:
    assert fitting(library, "plain", {"word": "x", "count": 3, "news": "n"}) == {"word": "x", "count": 3}
    assert fitting(library, "plain", {"word": "x", "count": None, "note": UNSET}) == {"word": "x"}
    for flow, sent in (("plain", {}), ("plain", {"word": UNSET}), ("plain", {"word": 1}), ("gone", {"word": "x"})):
        assert isinstance(fitting(library, flow, sent), Unfit)


@dataclass
class _Thing:
    pass


MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
VALUES: dict[str, tuple[ValueType, list[Any]]] = {
    "text": (TEXT, ["", "x"]),
    "choice": (TextType(choices=frozenset({"x"})), ["x"]),
    "integer": (INTEGER, [0, 2**70]),
    "decimal": (DECIMAL, [0, 2**70, Decimal("1.5")]),
    "boolean": (BOOLEAN, [True]),
    "money": (MONEY, [Money(minor=1, asset="EUR")]),
    "date": (DATE, [date(2026, 1, 1)]),
    "moment": (DATETIME, [MOMENT]),
    "duration": (DURATION, [timedelta(1)]),
    "list": (ListType(item=TEXT), [(), ("",), ("x",)]),
    "record": (LOCATION, [{"latitude": 1, "longitude": Decimal(2)}]),
    "optional": (OptionalType(inner=BOOLEAN), [True, None]),
    "nothing": (NOTHING, [None]),
}
EVERYTHING = [
    *("", "x", 0, 2**70, Decimal("1.5"), True, Money(minor=1, asset="EUR"), date(2026, 1, 1), MOMENT, None),
    *(MOMENT.replace(tzinfo=None), timedelta(1), (), ("",), ("x",), (1,), {"latitude": 1, "longitude": Decimal(2)}),
    *({"latitude": 1}, {"latitude": "1", "longitude": 2}, {}, 1.5, _Thing()),
]


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_of_its_type_and_of_no_other(name: str) -> None:
    kind, good = VALUES[name]
    found = [value for value in EVERYTHING if is_of(value, kind)]
    assert [(type(value), value) for value in found] == [
        (type(value), value) for value in EVERYTHING if any(type(value) is type(one) and value == one for one in good)
    ]
    assert all(is_of(value, ANY) for value in EVERYTHING)
