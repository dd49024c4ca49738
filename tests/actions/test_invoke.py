"""Calls: plain data becomes what the function annotates, its result plain data again; rubbish is named."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.actions import (
    Accepted,
    BadArgument,
    BadResult,
    Context,
    File,
    Location,
    Page,
    Refusal,
    Refused,
    Retryable,
    Rows,
    Unreachable,
    action,
    failure,
    invoke,
    retryable,
    source,
    validator,
)
from engine.actions.testing import Database, context
from engine.actions.values import mismatch, to_data, to_python
from engine.core.types import ANY
from engine.core.values import UNSET, Money

FILE: dict[str, Any] = {"name": "a.stl", "size": 3, "mime": "model/stl", "ref": "r1", "kind": "document"}


class Size(StrEnum):
    SMALL = "small"


@dataclass(frozen=True, kw_only=True)
class Line:
    name: str
    price: Decimal | None = None
    tags: tuple[str, ...] = ("plain",)


@dataclass(frozen=True, kw_only=True)
class Echo:
    what: Any


@dataclass(frozen=True, kw_only=True)
class Other:
    text: str


@dataclass(frozen=True, kw_only=True)
class Picky:
    count: int

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("count must not be negative")


SEEN: list[Any] = []


@action()
async def echo(
    context: Context,
    *,
    lines: list[Line],
    file: File,
    place: Location | None = None,
    size: Size = Size.SMALL,
    often: int = 1,
    picky: Picky | None = None,
) -> Echo | Other:
    """Give back what came."""
    SEEN[:] = [lines, file, place, size, often, picky]
    return Echo(what=lines)


@action()
async def rubbish(context: Context, *, kind: str) -> Other | Echo:
    """Return what was not promised."""
    returned: dict[str, Any] = {
        "none": None,
        "dict": {"text": "x"},
        "wrong field": Other(text=5),  # type: ignore[arg-type]
        "foreign class": Line(name="x"),
        "object": Echo(what=object()),
        "key": Echo(what={1: 2}),
        "float": Echo(what={"a": [0.1, float]}),
    }
    return returned[kind]  # type: ignore[no-any-return]


@source()
async def listing(context: Context, *, page: Page) -> Rows[Line]:
    """A page."""
    return Rows(items=[Line(name=f"{page.search}{page.offset}")], total=page.limit)


@source()
async def shelf(context: Context, *, page: int) -> list[str]:
    """A parameter that only happens to be called page."""
    return [f"page {page}"]


@source()
async def bad_listing(context: Context, *, kind: str) -> list[Line]:
    """Rows that are none."""
    return {"none": None, "text": ["x"], "set": {1}}[kind]  # type: ignore[return-value]


async def test_arguments_become_what_is_annotated() -> None:
    outcome, data = await invoke(
        echo.signature,
        context(),
        {
            "lines": ({"name": "a", "price": 2, "tags": None}, {"name": "b"}),
            "file": FILE,
            "place": {"latitude": 52.5, "longitude": Decimal("13.4")},
            "size": "small",
            "often": None,
            "picky": UNSET,
        },
    )

    assert [
        [Line(name="a", price=Decimal(2)), Line(name="b")],
        File(**FILE),
        Location(latitude=Decimal("52.5"), longitude=Decimal("13.4")),
        Size.SMALL,
        1,
        None,
    ] == SEEN
    assert isinstance(SEEN[3], Size)
    assert outcome == "echo"
    what: Any = data["what"]
    assert what[1] == {"name": "b", "price": None, "tags": ("plain",)}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lines": "x"}, "“lines” must be a list"),
        ({"lines": ({"name": 5},)}, r"“lines”\[0\].name must be text"),
        ({"file": None}, "“file” must be a record"),
        ({"size": "huge"}, "“size” must be one of"),
        ({"often": True}, "“often” must be a whole number"),
        ({"oftn": 1}, "no argument “oftn”"),
        ({"picky": {"count": -1}}, "must not be negative"),
    ],
)
async def test_a_wrong_argument_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(BadArgument, match=named):
        await invoke(echo.signature, context(), {"lines": (), "file": FILE, **change})


@pytest.mark.parametrize("kind", ["none", "dict", "wrong field", "foreign class", "object", "key", "float"])
async def test_rubbish_is_refused(kind: str) -> None:
    with pytest.raises(BadResult):
        await invoke(rubbish.signature, context(), {"kind": kind})


async def test_a_source_pages() -> None:
    assert await invoke(listing.signature, context(), {}, ("ab", 20, 7)) == (
        "rows",
        {"rows": ({"name": "ab20", "price": None, "tags": ("plain",)},), "total": 7},
    )
    among = {"page": {"search": "ab", "offset": 20, "limit": 7}}
    _, found = await invoke(listing.signature, context(), among)
    assert found["total"] == 7
    assert await invoke(shelf.signature, context(), {"page": 3}) == ("rows", {"rows": ("page 3",), "total": 1})
    with pytest.raises(BadArgument, match="search, offset and limit"):
        await invoke(listing.signature, context(), {"page": "two"})
    _, everything = await invoke(listing.signature, context(), {})
    assert everything["total"] == Page().limit
    with pytest.raises(BadResult, match="total"):
        await invoke(listing.signature, context(), {}, Page(limit=0))


@pytest.mark.parametrize("kind", ["none", "text", "set"])
async def test_bad_rows_are_refused(kind: str) -> None:
    with pytest.raises(BadResult):
        await invoke(bad_listing.signature, context(), {"kind": kind})


def test_what_is_retried() -> None:
    def sorted_as(error: BaseException) -> tuple[str, bool]:
        found = failure(error)
        return found.kind, found.retry

    assert sorted_as(Retryable("later")) == ("error", True)
    assert sorted_as(Unreachable("gone")) == ("unreachable", True)
    assert sorted_as(Refusal("no")) == ("refused", False)
    assert sorted_as(BadResult("rubbish")) == ("error", False)
    assert sorted_as(BadArgument("rubbish")) == ("error", False)
    assert sorted_as(TimeoutError()) == ("timeout", True)
    assert sorted_as(TimeoutError()) == ("timeout", True)
    assert sorted_as(aiohttp.ServerDisconnectedError()) == ("unreachable", True)
    assert sorted_as(ConnectionResetError()) == ("unreachable", True)
    for status, verdict in [(404, ("refused", False)), (429, ("error", True)), (503, ("error", True))]:
        answered = aiohttp.ClientResponseError(None, (), status=status)  # type: ignore[arg-type]
        assert sorted_as(answered) == verdict
    assert [retryable(status) for status in (200, 404, 429, 500, 599, 600)] == [False, False, True, True, True, False]


def test_an_unknown_error_tells_nothing_to_the_customer() -> None:
    found = failure(RuntimeError("password=hunter2"))
    assert (found.kind, found.retry, found.reason) == ("error", True, "unexpected RuntimeError")


def test_a_validator_keeps_the_answer_and_its_type() -> None:
    @validator()
    def positive(value: Decimal, *, least: Decimal = Decimal(0)) -> Accepted | Refused:
        """Judge."""
        return Accepted(value=value) if value > least else Refused(message=str(least))

    @validator()
    def broken(value: str) -> Accepted | Refused:
        """Judge."""
        return True  # type: ignore[return-value]

    judge = positive.signature.function
    accepted = judge(5, least=2)
    assert isinstance(accepted, Accepted)
    assert type(accepted.value) is int
    assert judge(1, least=2) == Refused(message="2")
    for wrong in ({"least": "2"}, {"most": 1}):
        with pytest.raises(BadArgument):
            judge(5, **wrong)
    with pytest.raises(BadResult):
        broken.signature.function("x")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False) | st.dates()
    | st.builds(Money, minor=st.integers(), asset=st.sampled_from(["EUR", "BTC"])) | st.timedeltas(),
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(PLAIN)
def test_plain_values_pass_unchanged(value: Any) -> None:
    assert to_data(value) == value
    assert mismatch(value, ANY, "it") is None
    assert to_python(value, Any) == value


@dataclass(frozen=True, kw_only=True)
class Deep:
    at: datetime
    spans: list[timedelta] = field(default_factory=list)
    inner: Line | None = None


def test_there_and_back() -> None:
    deep = Deep(at=datetime(2026, 1, 1, tzinfo=UTC), spans=[timedelta(1)], inner=Line(name="x", price=Decimal(1)))
    assert to_python(to_data(deep), Deep) == deep


async def test_the_context_of_tests_is_a_real_one() -> None:
    database = Database.of("CREATE TABLE t (n INTEGER)")
    world = context(database=database, files={"r1": b"abc"}, secrets={"key": "s"})

    async def interrupted() -> None:
        async with world.database() as transaction:
            await transaction.execute("INSERT INTO t VALUES (1)")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        await interrupted()
    async with world.database() as transaction:
        assert await transaction.execute("INSERT INTO t VALUES (?), (?)", (2, 3)) == 2
        assert await transaction.query("SELECT n FROM t") == [{"n": 2}, {"n": 3}]
    assert [piece async for piece in world.files.open("r1")] == [b"abc"]
    assert world.secret("key") == "s"
    with pytest.raises(Refusal, match="nothing"):
        world.secret("nothing")
    with pytest.raises(Refusal, match="http=session"):
        world.http()
    world.start("order", service=1)
    world.signal("order", "k1", "order.paid", amount=2)
    world.cancel("c1")
    assert [type(request).__name__ for request in world.requests] == ["StartFlow", "SendSignal", "CancelConversation"]
