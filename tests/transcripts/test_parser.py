"""Reading transcripts: every fault has its place and says what would be right."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from engine.core.values import Money
from engine.loading import codes_transcripts
from engine.loading.code import Code
from engine.loading.transcripts import (
    START,
    Bot,
    Customer,
    Fails,
    Gives,
    Holds,
    Lists,
    Says,
    Sends,
    Signals,
    Transcript,
    Waits,
    Wanted,
)
from engine.loading.transcripts_parser import Read, parse_text, read_transcript

HEAD = "test: A test\n"


def read(text: str, catalog: Catalog) -> Read:
    return parse_text(text, "t.yaml", catalog)


def good(text: str, catalog: Catalog) -> Transcript:
    found = read(text, catalog)
    assert found.transcript is not None, found.findings
    return found.transcript


@pytest.mark.parametrize("code", codes_transcripts.CODES, ids=lambda code: code.code)
def test_every_code_has_its_case(code: Code, catalog: Catalog) -> None:
    found = read(code.bad_example, catalog)
    assert {one.code for one in found.findings} == {code.code}
    assert {one.severity for one in found.findings} == {code.severity}
    assert found.transcript is None
    assert read(code.good_example, catalog).findings == ()


def test_what_is_not_said(catalog: Catalog) -> None:
    found = good(HEAD + "steps:\n  - says: /start\n", catalog)
    assert found == Transcript(name="A test", customer=Customer(), start=START, steps=(Says(text="/start"),))
    assert found.steps[0].span.line == 3


def test_steps_as_they_are_written(catalog: Catalog) -> None:
    found = good(
        HEAD + "start: 2026-11-21 10:00\nsteps:\n  - says: 12\n  - wait: 1h0.5s\n  - bot: |\n      a  \n      b\n"
        "  - sends: {photo: a.jpg, size: 0}\n  - signal: order.paid\n  - data: {a.b: 12.50, c: [1, {d: null}]}\n",
        catalog,
    )
    assert found.start == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert found.steps[:5] == (
        Says(text="12"),
        Waits(seconds=Decimal("3600.5")),
        Bot(text=Wanted(exact="a\nb")),
        Sends(name="a.jpg", size=0, photo=True),
        Signals(name="order.paid"),
    )
    data = found.steps[5]
    assert isinstance(data, Holds)
    assert [(fact.path, fact.value) for fact in data.facts] == [("a.b", Decimal("12.50")), ("c", (1, {"d": None}))]


def test_what_actions_give_is_of_its_type(catalog: Catalog) -> None:
    found = good(
        HEAD + "actions:\n"
        "  print3d.services:\n    rows: [{id: 1, name: A, description: B, price: 12.5 EUR}]\n"
        "  print3d.my_orders:\n"
        "    - rows: [{number: P, status: new, created_at: 2026-01-02T03:04:05Z, files: 1, summary: s}]\n"
        "      total: 7\n"
        "  print3d.create_order:\n    - {fails: timeout}\n    - {outcome: created, with: {number: '1', id: '2'}}\n"
        "steps:\n  - says: x\n",
        catalog,
    )
    services, orders = found.actions["print3d.services"][0], found.actions["print3d.my_orders"][0]
    assert isinstance(services, Lists)
    assert services.rows[0]["price"] == Money(minor=1250, asset="EUR")  # type: ignore[index]
    assert isinstance(orders, Lists)
    assert orders.total == 7
    assert orders.rows[0]["created_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)  # type: ignore[index]
    assert found.actions["print3d.create_order"] == (
        Fails(kind="timeout"),
        Gives(outcome="created", value={"number": "1", "id": "2"}),
    )


@pytest.mark.parametrize(
    ("text", "code", "place", "expected"),
    [
        ("test: a\nsteps: x\n", "F0203", "2:8", "says: /start"),
        ("test: a\nsteps: []\n", "F0203", "2:8", "says: /start"),
        ("test: a\n", "F0202", "1:1", "steps:"),
        ("steps:\n  - says: a\n", "F0202", "1:1", "test:"),
        ("test: a\nstep: 1\nsteps:\n  - says: a\n", "F0201", "2:1", "steps"),
        ("test: a\nstart: yesterday\nsteps:\n  - says: a\n", "F0205", "2:8", "2026-11-21T10:00:00Z"),
        ("test: a\nstart: 0001-01-01\nsteps:\n  - says: a\n", "F0205", "2:8", "2026"),
        ("test: a\ncustomer: Anna\nsteps:\n  - says: a\n", "F0203", "2:11", "name: Anna"),
        ("test: a\ncustomer: {nam: Anna}\nsteps:\n  - says: a\n", "F0201", "2:12", "name"),
        ("test: a\ncustomer: {roles: [[a]]}\nsteps:\n  - says: a\n", "F0203", "2:20", "text"),
        ("test: a\nsteps:\n  - hello\n", "F0203", "3:5", "says:"),
        ("test: a\nsteps:\n  - pres: a\n", "F0951", "3:5", "presses"),
        ("test: a\nsteps:\n  - says: a\n    presses: b\n", "F0951", "4:5", "its own -"),
        ("test: a\nsteps:\n  - says: a\n    buttons: [[a]]\n", "F0201", "4:5", "says"),
        ("test: a\nsteps:\n  - says: {a: b}\n", "F0203", "3:11", "quotes"),
        ("test: a\nsteps:\n  - says:\n", "F0203", "3:5", "a value"),
        ("test: a\nsteps:\n  - presses: {label: a}\n", "F0202", "3:14", "button"),
        ("test: a\nsteps:\n  - presses: {button: a, message: 0}\n", "F0207", "3:35", "from 1"),
        ("test: a\nsteps:\n  - sends: a.stl\n", "F0203", "3:12", "file:"),
        ("test: a\nsteps:\n  - sends: {file: a, photo: b}\n", "F0951", "3:12", "file:"),
        ("test: a\nsteps:\n  - sends: {file: a, size: -1}\n", "F0207", "3:28", "number"),
        ("test: a\nsteps:\n  - sends: {file: a, size: 99999999999}\n", "F0207", "3:28", "number"),
        ("test: a\nsteps:\n  - sends: {file: a, size: true}\n", "F0203", "3:28", "number"),
        ("test: a\nsteps:\n  - shares: {}\n", "F0203", "3:13", "phone"),
        ("test: a\nsteps:\n  - shares: {location: [91, 0]}\n", "F0207", "3:25", "90"),
        ("test: a\nsteps:\n  - shares: {location: [1]}\n", "F0203", "3:13", "location"),
        ("test: a\nsteps:\n  - wait: 30\n", "F0205", "3:11", "31m"),
        ("test: a\nsteps:\n  - wait: 0s\n", "F0207", "3:11", "31m"),
        ("test: a\nsteps:\n  - wait: soon\n", "F0205", "3:11", "31m"),
        ("test: a\nsteps:\n  - wait: 99999d\n", "F0207", "3:11", "24h"),
        ("test: a\nsteps:\n  - timer: later\n", "F0204", "3:12", "timeout"),
        ("test: a\nsteps:\n  - signal: {name: a, flow: b}\n", "F0202", "3:13", "key"),
        ("test: a\nsteps:\n  - bot: {hass: a}\n", "F0202", "3:10", "has"),
        ("test: a\nsteps:\n  - bot: a\n    buttons: a\n", "F0203", "4:14", "Back"),
        ("test: a\nsteps:\n  - bot: a\n    buttons: [[Keep: Anna]]\n", "F0203", "4:16", "Keep"),
        ("test: a\nsteps:\n  - bot: a\n    message: 2\n", "F0201", "4:5", "bot"),
        ("test: a\nsteps:\n  - bot: a\n    picture: {gif: a}\n", "F0201", "4:15", "qr"),
        ("test: a\nsteps:\n  - data: x\n", "F0203", "3:11", "contact.name"),
        ("test: a\nsteps:\n  - ends: [a]\n", "F0203", "3:11", "completed"),
        ("test: a\nsteps:\n  - data: {a: {$: dec, v: x}}\n", "F0954", "3:15", "plain"),
        ("test: a\nactions: {http.get: []}\nsteps:\n  - says: a\n", "F0207", "2:21", "gives"),
        ("test: a\nactions: {http.get: [{fails: never}]}\nsteps:\n  - says: a\n", "F0204", "2:30", "timeout"),
        ("test: a\nactions: {http.get: [{}]}\nsteps:\n  - says: a\n", "F0951", "2:22", "outcome"),
        ("test: a\nactions: {http.get: [{rows: []}]}\nsteps:\n  - says: a\n", "F0953", "2:23", "outcome"),
        ("test: a\nactions: {print3d.services: [{rows: 1}]}\nsteps:\n  - says: a\n", "F0203", "2:", "rows"),
        ("test: a\nactions: {print3d.services: [{rows: [{id: 1}]}]}\nsteps:\n  - says: a\n", "F0954", "2:38", "EUR"),
        ("test: a\nactions: {print3d.create_order: [{outcome: created, with: {nummer: 1}}]}\nsteps:\n  - says: a\n",
         "F0954", "2:60", "number"),
        ("test: a\nactions: 1\nsteps:\n  - says: a\n", "F0203", "2:10", "outcome"),
        ("test: a\nsteps:\n  - says: &a [*a]\n", "F0101", "3:", ""),
        ("test: a\ntest: b\nsteps:\n  - says: a\n", "F0102", "2:1", ""),
        ("", "F0109", "1:1", ""),
    ],
)  # fmt: skip
def test_a_fault_has_its_place(text: str, code: str, place: str, expected: str, catalog: Catalog) -> None:
    found = read(text, catalog)
    assert found.transcript is None
    one = found.findings[0] if code != "F0202" else next(each for each in found.findings if each.code == "F0202")
    assert one.code == code, found.findings
    assert f"{one.span.line}:{one.span.column}".startswith(place), one
    assert expected in f"{one.expected} {one.suggestion}", one


def test_a_file_that_is_none(tmp_path: Path, catalog: Catalog) -> None:
    assert [one.code for one in read_transcript(tmp_path / "no.yaml", catalog).findings] == ["F0110"]
    assert [one.code for one in read_transcript(tmp_path, catalog).findings] == ["F0110"]
