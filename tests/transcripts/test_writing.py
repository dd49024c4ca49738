"""What is written reads back as the very same transcript, whatever customers typed and actions gave."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.core.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    MONEY,
    TEXT,
    ListType,
    RecordType,
    optional,
)
from engine.core.values import Money
from engine.loading.transcripts import (
    Bot,
    Button,
    Customer,
    Ends,
    Fact,
    Fails,
    Fires,
    Gives,
    Holds,
    Lists,
    Notices,
    Presses,
    PressesData,
    Says,
    Sends,
    SharesLocation,
    SharesPhone,
    Signals,
    Starts,
    Transcript,
    Waits,
    Wanted,
)
from engine.loading.transcripts_parser import parse_text
from engine.loading.transcripts_values import duration, folded, labelled, spell, typed, untyped
from engine.loading.transcripts_writing import write
from tests.transcripts.sitting import ROOT

CATALOG: Catalog = discover([ROOT / "plugins"])

TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=" \n\t:#-?[]{}&*!|>'\"%@`,\\abc1.~=<\r\u2028\u0085\u00a0\u202e\ufeff\x00\x1b😀", max_size=30),
    st.sampled_from(
        ["true", "null", "1", "1.5", "0x1", "- a", "a: b", "|\n a", "---\na: b", "\n- says: /x", "{{ a }}"]
    ),
)
NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
LABELS = TEXTS.map(labelled)
WANTED = st.one_of(
    TEXTS.map(lambda text: Wanted(exact=folded(text))),
    st.lists(TEXTS.map(folded), min_size=1, max_size=3).map(lambda parts: Wanted(parts=tuple(parts))),
)
WHOLE = st.integers(-(10**39), 10**39)
"""A longer number in YAML is a text."""
MONEYS = st.builds(Money, minor=st.integers(-(10**9), 10**12), asset=st.sampled_from(["EUR", "JPY", "BTC"]))
MOMENTS = st.datetimes(datetime(1991, 1, 1), datetime(2190, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
SPANS = st.timedeltas(timedelta(0), timedelta(days=900))
ATOMS: Any = st.one_of(
    st.none(), st.booleans(), WHOLE, TEXTS, DECIMALS, MONEYS, MOMENTS, st.dates(date(1, 1, 1)), SPANS
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(NAMES, TEXTS, st.just("$")), inner, max_size=3),
    ),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.one_of(NAMES, TEXTS), VALUES, max_size=3)
FACTS = st.lists(st.builds(Fact, path=TEXTS, value=VALUES), max_size=3, unique_by=lambda fact: fact.path).map(tuple)
SECONDS = st.integers(1, 3660 * 86400 * 1000).map(lambda ms: Decimal(ms) / 1000)
SIZES = st.integers(0, 2 * 1024**3)
STEPS = st.one_of(
    st.builds(Says, text=TEXTS),
    st.builds(Presses, button=LABELS, message=st.integers(1, 5), number=st.integers(1, 3)),
    st.builds(PressesData, data=TEXTS),
    st.builds(Sends, name=TEXTS, size=SIZES, photo=st.booleans()),
    st.builds(SharesPhone, phone=TEXTS, own=st.booleans()),
    st.builds(SharesLocation, latitude=st.decimals(-90, 90, places=5), longitude=st.decimals(-180, 180, places=4)),
    st.builds(Starts, flow=NAMES, arguments=RECORDS),
    st.builds(Waits, seconds=SECONDS),
    st.builds(Signals, name=NAMES, payload=RECORDS),
    st.builds(Signals, name=NAMES, payload=RECORDS, flow=NAMES, key=TEXTS),
    st.builds(Fires, name=st.sampled_from(["timeout", "refresh", "expires"])),
    st.builds(
        Bot,
        text=WANTED,
        buttons=st.one_of(
            st.none(),
            st.lists(
                st.lists(st.builds(Button, text=LABELS, url=st.one_of(st.none(), TEXTS)), max_size=3).map(tuple),
                max_size=3,
            ).map(tuple),
        ),
        picture=st.one_of(st.none(), st.tuples(st.sampled_from(["qr", "path", "value"]), TEXTS)),
    ),
    st.builds(Bot, text=WANTED, edit=st.just(True), message=st.integers(1, 4)),
    st.builds(Notices, text=WANTED, alert=st.booleans()),
    st.builds(Ends, outcome=NAMES, flow=st.one_of(st.none(), NAMES)),
    st.builds(Holds, facts=FACTS),
)
GIVEN = {
    "http.get": st.one_of(
        st.builds(
            Gives,
            outcome=st.just("ok"),
            value=st.fixed_dictionaries({"status": WHOLE, "json": VALUES, "text": TEXTS}),
            given=FACTS,
        ),
        st.builds(Fails, kind=st.sampled_from(["timeout", "refused"]), reason=TEXTS, final=st.booleans(), given=FACTS),
    ),
    "print3d.services": st.builds(
        Lists,
        rows=st.lists(
            st.fixed_dictionaries({"id": WHOLE, "name": TEXTS, "description": TEXTS, "price": MONEYS}),
            max_size=3,
        ).map(tuple),
    ),
    "print3d.my_orders": st.builds(
        Lists,
        rows=st.lists(
            st.fixed_dictionaries(
                {"number": TEXTS, "status": TEXTS, "created_at": MOMENTS, "files": WHOLE, "summary": TEXTS}
            ),
            max_size=2,
        ).map(tuple),
        total=st.integers(2, 9),
    ),
}
ACTIONS = st.fixed_dictionaries(
    {}, optional={name: st.lists(each, min_size=1, max_size=2).map(tuple) for name, each in GIVEN.items()}
)
TITLES = TEXTS.filter(lambda text: bool(text.strip()) and "\n" not in text)
TRANSCRIPTS = st.builds(
    Transcript,
    name=TITLES,
    customer=st.builds(Customer, id=TITLES, name=TEXTS, roles=st.lists(TEXTS, max_size=2).map(tuple)),
    start=MOMENTS,
    actions=ACTIONS,
    steps=st.lists(STEPS, min_size=1, max_size=6).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(TRANSCRIPTS)
def test_a_transcript_reads_back_as_it_was(transcript: Transcript) -> None:
    text = write(transcript, CATALOG, heading="Written by a test.\n- says: no")
    read = parse_text(text, "t.yaml", CATALOG)
    assert read.transcript == transcript, (text, read.findings)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_no_text_becomes_anything_else(text: str) -> None:
    steps = (Says(text=text), Bot(text=Wanted(exact=folded(text)), buttons=((Button(text=labelled(text)),),)))
    written = write(Transcript(name="t", steps=steps), CATALOG)
    read = parse_text(written, "t.yaml", CATALOG)
    assert read.transcript is not None, (written, read.findings)
    assert read.transcript.steps == steps


@pytest.mark.parametrize(
    ("kind", "values"),
    [(MONEY, MONEYS), (DATE, st.dates()), (DATETIME, MOMENTS), (DURATION, SPANS), (DECIMAL, DECIMALS),
     (INTEGER, WHOLE),     (BOOLEAN, st.booleans()), (TEXT, TEXTS), (ANY, VALUES),
     (ListType(item=optional(MONEY)), st.lists(st.one_of(st.none(), MONEYS)).map(tuple)),
     (RecordType(name="r", fields={"a": DATE, "b": ANY}), st.fixed_dictionaries({"a": st.dates(), "b": VALUES}))],
    ids=["money", "date", "datetime", "duration", "decimal", "integer", "boolean", "text", "any", "list", "record"],
)  # fmt: skip
def test_a_value_keeps_its_type(kind: Any, values: Any) -> None:
    @settings(max_examples=80, deadline=None)
    @given(values)
    def check(value: Any) -> None:
        again = typed(untyped(value, kind), kind)
        assert again == value
        assert type(again) is type(value) or isinstance(value, Decimal)

    check()


@given(SECONDS)
def test_a_pause_reads_back(seconds: Decimal) -> None:
    known = duration(spell(seconds))
    assert known is not None
    assert Decimal(known // timedelta(microseconds=1)) / 1_000_000 == seconds


def test_how_it_looks() -> None:
    steps = (
        Says(text="/order"),
        Bot(text=Wanted(exact="Two\nlines"), buttons=((Button(text="A: b"),),)),
        Says(text=" x"),
    )
    written = write(Transcript(name="Looks: good", steps=steps), CATALOG)
    assert written == (
        'test: "Looks: good"\ncustomer: {name: Anna, language: en}\nstart: 2026-01-05T12:00:00Z\n\nsteps:\n'
        '  - says: /order\n  - bot: |\n      Two\n      lines\n    buttons: [["A: b"]]\n\n  - says: " x"\n'
    )
