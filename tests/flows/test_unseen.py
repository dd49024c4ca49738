"""Three flows written from the guide alone, by somebody who saw no code: they check clean and hold on every way.

They have no plugin of their own. The report goes to a real HTTP server on 127.0.0.1.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.app import App, build
from engine.loading.library import load, load_texts
from engine.loading.rendering import render_text
from engine.runtime.ports import Channel, Store
from engine.settings import Settings
from tests.journeys.shop import ROOT, Customer, Shop

UNSEEN = Path(__file__).parent / "unseen"
BASE = "http://127.0.0.1:8099"
"""The setting `tickets_api` as it is written; a test puts the port of its own server there."""


@dataclass(slots=True, kw_only=True)
class Office:
    """A town's office that takes reports; `answers` are given to the next requests, then 201 with a ticket."""

    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    """What was taken."""
    keys: list[str] = field(default_factory=list)
    """The Idempotency-Key of every request, repeated ones included."""
    port: int = 0

    async def take(self, request: web.Request) -> web.Response:
        report = await request.json()
        self.keys.append(request.headers["Idempotency-Key"])
        if self.answers:
            status, body = self.answers.pop(0)
            return web.json_response(body, status=status)
        self.reports.append(report)
        return web.json_response({"number": f"T-{len(self.reports):03d}"}, status=201)


class Town(Shop):
    """The bot of the folder `unseen` on one database."""

    def built(self, store: Store | None = None, channel: Channel | None = None) -> App:
        return build(
            Settings(
                flows=self.folder / "flows",
                plugins=ROOT / "plugins",
                database=self.folder / "town.sqlite3",
                files=self.folder / "files",
                synchronous="NORMAL",
            ),
            channel=channel or self.phones,
            store=store,
            clock=self.clock,
            catalog=self._catalog,
            environment={},
        )


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return discover([ROOT / "plugins"])


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    here = Office()
    app = web.Application()
    app.router.add_post("/tickets", here.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.port = runner.addresses[0][1]
    yield here
    await runner.cleanup()


@pytest.fixture
async def town(tmp_path: Path, catalog: Catalog, office: Office) -> AsyncIterator[Town]:
    flows = tmp_path / "flows"
    flows.mkdir()
    for file in UNSEEN.glob("*.yaml"):
        written = file.read_text(encoding="utf-8").replace(BASE, f"http://127.0.0.1:{office.port}")
        (flows / file.name).write_text(written, encoding="utf-8")
    opened = Town(tmp_path, catalog)
    async with opened:
        yield opened


@pytest.fixture
def anna(town: Town) -> Customer:
    return town.customer("Anna")


def test_the_flows_are_clean(catalog: Catalog) -> None:
    found = load(UNSEEN, catalog, environment={})
    assert found.report.findings == (), render_text(found.report, found.texts)
    assert {flow.name for flow in found.flows} == {"sky_quiz", "studio_visit", "visitor", "street_issue"}


@pytest.mark.parametrize(
    ("file", "right", "wrong", "code", "help_"),
    [
        (
            "sky_quiz.yaml",
            '"points + (questions[number].worth | default(0))"',
            "points + (questions[number].worth | default(0))",
            "F0101",
            "quotes around a value with brackets in it",
        ),
        (
            "studio_visit.yaml",
            "(service.price * persons) | money",
            "service.price * persons | money",
            "F0607",
            "brackets around what the filter is for: “(a * b) | money”",
        ),
        (
            "studio_visit.yaml",
            "{% if remind_when and remind_how %}",
            "{% if reminder and remind_how %}",
            "F0604",
            "a condition around it",
        ),
    ],
)
def test_the_author_s_first_mistakes_say_what_to_do(
    catalog: Catalog, file: str, right: str, wrong: str, code: str, help_: str
) -> None:
    texts = {one.name: one.read_text(encoding="utf-8") for one in UNSEEN.glob("*.yaml")}
    assert right in texts[file]
    texts[file] = texts[file].replace(right, wrong)
    (finding,) = load_texts(texts, catalog, environment={}).report.errors
    assert finding.code == code
    assert help_ in (finding.expected or "")


# --- the quiz ---------------------------------------------------------------------------------------------

RIGHT = ("Mercury", "Jupiter", "2", "A distance", "Proxima Centauri", "Uranus", "Galilei")
WORTH = (1, 1, 2, 1, 2, 2, 3)


async def plays(anna: Customer, right: str) -> None:
    """Answer seven questions; `right` has + for a right answer and ? for “No idea”."""
    score = 0
    for number, mark in enumerate(right):
        anna.sees(f"<b>{number + 1}/7</b>")
        if mark == "+":
            score += WORTH[number]
        await anna.presses(RIGHT[number] if mark == "+" else "🤷 No idea")
        anna.sees(f"Your score is {score}.", "✅ Right!" if mark == "+" else f"It was {RIGHT[number]}.")


@pytest.mark.parametrize(
    ("right", "points", "verdict"),
    [
        ("+++++++", 12, "You are an astronomer!"),
        ("????+++", 7, "Not bad."),
        ("?+++?++", 9, "You know the sky well."),
        ("???????", 0, "It was cloudy today"),
        ("++?????", 2, "It was cloudy today"),
        ("++++???", 5, "Not bad."),
    ],
)
async def test_a_verdict_for_every_score(anna: Customer, right: str, points: int, verdict: str) -> None:
    await anna.says("/sky")
    anna.sees("7 questions, 12 points at most.")
    await anna.presses("🚀 Start")
    await plays(anna, right)
    anna.sees(f"<b>{points}</b> of 12 points.", verdict)
    anna.misses("Your best so far")
    await anna.presses("✅ That's it")
    anna.sees("Clear skies, Anna!")
    assert await anna.open_flows() == []


async def test_a_wrong_answer_is_not_right(anna: Customer) -> None:
    await anna.says("/sky")
    await anna.presses("🚀 Start")
    await anna.says("venus")
    anna.sees("❌ It was Mercury. Your score is 0.", "<b>2/7</b>")


async def test_once_more_counts_from_zero_and_keeps_the_best(anna: Customer) -> None:
    await anna.says("/sky")
    await anna.presses("🚀 Start")
    await plays(anna, "++++???")
    await anna.presses("🔁 Play again")
    await plays(anna, "+??????")
    anna.sees("<b>1</b> of 12 points.", "Your best so far: 5.")
    await anna.presses("🔁 Play again")
    await plays(anna, "+++++++")
    await anna.presses("🔁 Play again")
    await plays(anna, "???????")
    anna.sees("Your best so far: 12.")


async def test_back_takes_the_points_away_again(anna: Customer) -> None:
    await anna.says("/sky")
    await anna.presses("🚀 Start")
    await anna.presses("Mercury")
    await anna.presses("Jupiter")
    await anna.presses("⬅️ Back")
    anna.sees("<b>2/7</b>")
    assert (await anna.conversation("sky_quiz")).top.data["points"] == 1
    await anna.presses("⬅️ Back")
    anna.sees("<b>1/7</b>")
    await anna.presses("Venus")
    anna.sees("Your score is 0.")
    await anna.presses("• Jupiter")
    anna.sees("Your score is 1.", "<b>3/7</b>")


async def test_the_quiz_after_a_restart_and_another_flow(anna: Customer, town: Town) -> None:
    await anna.says("/sky")
    await anna.presses("🚀 Start")
    await anna.presses("Mercury")
    await anna.says("/visit")
    anna.sees("What would you like to do?")
    await town.restart()
    await anna.says("/cancel")
    await anna.says("/resume")
    anna.sees("<b>2/7</b>")
    await anna.says("none of these")
    anna.sees("Please choose one of the buttons.")
    await anna.presses("Jupiter")
    anna.sees("Your score is 2.")


async def test_the_command_again_starts_anew(anna: Customer) -> None:
    await anna.says("/sky")
    await anna.presses("🚀 Start")
    await anna.presses("Mercury")
    await anna.says("/sky")
    await anna.presses("🚀 Start")
    anna.sees("<b>1/7</b>")
    assert (await anna.conversation("sky_quiz")).top.data["points"] == 0


# --- the appointment --------------------------------------------------------------------------------------


async def books(anna: Customer, *, until: str = "confirm", persons: str = "3") -> None:
    """Answer up to the question `until`."""
    await anna.says("/visit")
    ways: list[tuple[str, str, str]] = [
        ("service", "presses", "Potter's wheel"),
        ("day", "says", "tomorrow"),
        ("slot", "presses", "10:30 (morning)"),
        ("persons", "says", persons),
        ("agree", "presses", "Yes"),
        ("name", "says", "Ann Lee"),
        ("email", "says", "ann@example.com"),
        ("phone", "says", "+49 30 901820"),
        ("reminder", "presses", "Yes"),
        ("remind_when", "presses", "One day"),
        ("remind_how", "presses", "By text message"),
    ]
    for step, way, answer in ways:
        if step == until:
            return
        await getattr(anna, way)(answer)


async def changes(anna: Customer, label: str) -> None:
    await anna.presses("✏️ Change")
    await anna.presses(f"{label}: ")


async def test_a_visit_straight_through(anna: Customer) -> None:
    await books(anna)
    anna.sees(
        "Potter's wheel, 90 minutes",
        "Tuesday, March 3, 2026, 10:30",
        "3 persons: €135.00",
        "Ann Lee, ann@example.com, +49 30 901820",
        "Reminder: one day before, by sms",
    )
    await anna.presses("✅ Book")
    anna.sees("Booked! We are glad to see you on Tuesday, March 3, 2026 at 10:30.")
    assert await anna.open_flows() == []


async def test_the_argument_changes_the_words_of_the_called_flow(anna: Customer) -> None:
    await books(anna, until="agree", persons="1")
    anna.sees("For “Potter's wheel on Mar 3, 2026” we need")
    await anna.presses("Yes")
    anna.sees("What is your name?")
    await anna.presses("✔️ Keep: Anna")
    anna.sees("Your e-mail address, Anna?")


async def test_pages_and_search(anna: Customer) -> None:
    await books(anna, until="slot")
    assert anna.last.labels[0] == "09:00 (morning)"
    await anna.presses("›")
    assert anna.last.labels[0] == "13:00 (afternoon)"
    await anna.says("evening")
    assert anna.last.labels[:2] == ["18:00 (evening)", "18:45 (evening)"]
    await anna.says("midnight")
    assert not anna.has("18:00")
    await anna.says("18:45")
    anna.sees("How many persons are you?")


async def test_the_page_is_kept_over_a_restart_and_another_flow(anna: Customer, town: Town) -> None:
    await books(anna, until="slot")
    await anna.presses("›")
    labels = anna.last.labels
    await anna.says("/sky")
    await town.restart()
    await anna.says("/cancel")
    await anna.says("/resume")
    assert anna.last.labels == labels


async def test_refusals_of_a_visit(anna: Customer) -> None:
    await books(anna, until="day")
    for day, words in (
        ("soon", "Please type a date"),
        ("today", "Please give a date after today."),
        ("2026-06-01", "We plan 30 days ahead only, and Jun 1, 2026 is later."),
    ):
        await anna.says(day)
        anna.sees(words)
        assert (await anna.conversation("studio_visit")).top.visit.step == "day"
    await anna.says("tomorrow")
    await anna.presses("10:30")
    for persons in ("0", "7", "many"):
        await anna.says(persons)
        assert (await anna.conversation("studio_visit")).top.visit.step == "persons", anna.news
    await anna.presses("➕")
    await anna.presses("Take 3")
    await anna.presses("Yes")
    await anna.says("A")
    anna.misses("Your e-mail address")
    await anna.says("Ann")
    await anna.says("ann@")
    anna.sees("This is no e-mail address.")


async def test_no_reminder_asks_nothing_more(anna: Customer) -> None:
    await books(anna, until="reminder")
    await anna.presses("No")
    anna.sees("Is everything right?", "No reminder")


async def test_no_phone_no_text_message(anna: Customer) -> None:
    await books(anna, until="phone")
    await anna.presses("Without a number")
    await anna.presses("Yes")
    await anna.presses("One week")
    assert anna.has("By e-mail")
    assert not anna.has("By text message")
    await anna.presses("By e-mail")
    anna.sees("Ann Lee, ann@example.com\n", "one week before, by email")


async def test_the_reminder_changed_there_and_back(anna: Customer) -> None:
    await books(anna)
    await changes(anna, "Reminder")
    await anna.presses("No")
    anna.sees("Is everything right?", "No reminder")
    anna.misses("one day before")
    await anna.presses("✏️ Change")
    assert not anna.has("When to remind")
    await anna.presses("Reminder: ")
    await anna.presses("Yes")
    anna.sees("How long before?")
    await anna.presses("One hour")
    await anna.presses("By e-mail")
    anna.sees("one hour before, by email")


EDITS = {
    "slot": ("Time", "presses", "09:45", "2026, 09:45"),
    "when": ("When to remind", "presses", "One week", "one week before, by sms"),
    "how": ("How to remind", "presses", "By e-mail", "one day before, by email"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=list(EDITS))
async def test_one_answer_changed(anna: Customer, edit: tuple[str, str, str, str]) -> None:
    label, way, answer, seen = edit
    await books(anna)
    await changes(anna, label)
    await getattr(anna, way)(answer)
    anna.sees("Is everything right?", seen, "Ann Lee, ann@example.com")


@pytest.mark.parametrize(
    ("label", "way", "answer", "seen"),
    [
        ("Course", "presses", "Glazing", "3 persons: €75.00"),
        ("Day", "says", "2026-03-20", "Friday, March 20, 2026, 10:30"),
        ("Persons", "says", "6", "6 persons: €270.00"),
    ],
)
async def test_what_the_called_flow_was_given_changes(
    anna: Customer, label: str, way: str, answer: str, seen: str
) -> None:
    """The arguments of `contact` are made of it, so the contact is asked again, with the old answers to keep."""
    await books(anna)
    await changes(anna, label)
    await getattr(anna, way)(answer)
    anna.sees("we need your name and e-mail address")
    await anna.presses("Yes")
    for _ in range(3):
        await anna.presses("✔️ Keep: ")
    anna.sees("Is everything right?", seen, "Ann Lee, ann@example.com, +49 30 901820")


async def test_the_contact_changed_without_a_phone_asks_how_to_remind_again(anna: Customer) -> None:
    await books(anna)
    await changes(anna, "Contact")
    await anna.presses("Yes")
    await anna.says("Bob Ray")
    await anna.says("bob@example.com")
    await anna.presses("Without a number")
    anna.sees("Where to?")
    assert not anna.has("By text message")
    await anna.presses("By e-mail")
    anna.sees("Bob Ray, bob@example.com\n", "by email")


async def test_back_through_the_called_flow(anna: Customer) -> None:
    await books(anna, until="reminder")
    for words in ("Your phone number", "Your e-mail address", "Who is the contact", "Is that all right?", "How many"):
        await anna.presses("⬅️ Back")
        anna.sees(words)
    await anna.says("1")
    await anna.presses("Yes")
    anna.sees("What is your name?")


@pytest.mark.parametrize("way", ["No", "✖️ Cancel"])
async def test_without_a_contact_there_is_no_visit(anna: Customer, way: str) -> None:
    await books(anna, until="agree")
    await anna.presses(way)
    if way != "No":
        await anna.presses("Yes")
    anna.sees("Without an address we cannot hold your places.")
    assert await anna.open_flows() == []


# --- the report -------------------------------------------------------------------------------------------

REPORT: dict[str, Any] = {
    "categories": ["light", "tree"],
    "details": "The lamp <b>fell</b> on a tree.",
    "photos": ["one.jpg", "two.jpg"],
    "place": {"latitude": 52.5, "longitude": 13.4},
    "urgency": "urgent",
    "phone": "+4930901820",
    "channel": "bot",
}


async def reports(anna: Customer, *, until: str = "check", urgent: bool = True, place: bool = True) -> None:
    """Answer up to the question `until`."""
    await anna.says("/issue")
    await anna.presses("Street light")
    await anna.presses("›")
    await anna.presses("Tree")
    await anna.presses("✅ These")
    if until == "details":
        return
    await anna.says(REPORT["details"])
    if until == "pictures":
        return
    for name in REPORT["photos"]:
        await anna.sends(name, photo=True)
    await anna.presses("✅ That's all")
    if until == "place":
        return
    await (anna.shares_location(52.5, 13.4) if place else anna.presses("I can't share it"))
    if until == "urgency":
        return
    await anna.presses("Somebody could be hurt" if urgent else "Some day")
    if urgent and until == "check":
        await anna.says("030 901820")


async def test_a_report_straight_through(anna: Customer, office: Office) -> None:
    await reports(anna)
    anna.sees(
        "Street light, Tree", "The lamp &lt;b&gt;fell&lt;/b&gt;", "2 photos", "Place: 52.5, 13.4", "+49 30 901820"
    )
    await anna.presses("📨 Send")
    anna.sees("Your ticket is <b>T-001</b>.")
    assert office.reports == [REPORT]
    assert await anna.open_flows() == []


async def test_only_an_urgent_report_asks_for_a_phone(anna: Customer, office: Office) -> None:
    await reports(anna, urgent=False, place=False)
    anna.sees("Please check your report", "No place", "Urgency: low")
    await anna.presses("📨 Send")
    anna.sees("T-001")
    nowhere = {"latitude": None, "longitude": None}
    assert office.reports == [{**REPORT, "urgency": "low", "phone": None, "place": nowhere}]


async def test_refusals_of_a_report(anna: Customer) -> None:
    await anna.says("/issue")
    await anna.presses("✅ These")
    assert (await anna.conversation("street_issue")).top.visit.step == "categories"
    for kind in ("Street light", "Road surface", "Rubbish"):
        await anna.presses(kind)
    await anna.presses("›")
    await anna.presses("Tree")
    assert "✅ Tree" not in anna.last.labels, "three at most"
    await anna.presses("✅ These")
    await anna.says("short")
    anna.sees("Please write at least 10 characters")
    await anna.says("The lamp is broken.")
    await anna.says("here")
    assert (await anna.conversation("street_issue")).top.visit.step == "pictures"
    assert not anna.has("✅ That's all"), "one at least"
    await anna.sends("huge.jpg", photo=True, claimed=11 * 1024 * 1024)
    assert not anna.has("✅ That's all")
    for number in range(6):
        await anna.sends(f"{number}.jpg", photo=True)
    await anna.presses("✅ That's all")
    await anna.presses("I can't share it")
    await anna.presses("Some day")
    anna.sees("5 photos")


async def test_less_urgent_drops_the_phone_and_more_urgent_asks_for_it(anna: Customer, office: Office) -> None:
    await reports(anna)
    await changes(anna, "Urgency")
    await anna.presses("This week")
    anna.sees("Please check your report", "Urgency: normal")
    anna.misses("901820")
    await anna.presses("✏️ Change")
    assert not anna.has("Phone: ")
    await anna.presses("Urgency: ")
    await anna.presses("Somebody could be hurt")
    anna.sees("What is your number?")
    await anna.says("+49 30 901820")
    await anna.presses("📨 Send")
    assert office.reports == [REPORT]


async def test_other_answers_changed(anna: Customer, office: Office) -> None:
    await reports(anna)
    await changes(anna, "Categories")
    await anna.says("Tree")
    await anna.says("noise")
    await anna.presses("✅ These")
    anna.sees("Street light, Noise", "2 photos")
    await changes(anna, "Photos")
    await anna.sends("three.jpg", photo=True)
    await anna.presses("✅ That's all")
    anna.sees("3 photos")
    await changes(anna, "Place")
    await anna.presses("I can't share it")
    anna.sees("No place")
    await anna.presses("📨 Send")
    assert office.reports[0]["categories"] == ["light", "noise"]
    assert office.reports[0]["photos"] == ["one.jpg", "two.jpg", "three.jpg"]


async def test_back_from_the_summary(anna: Customer, office: Office) -> None:
    await reports(anna)
    for words in ("What is your number?", "How urgent is it?", "Where is it?", "one to five photos"):
        await anna.presses("⬅️ Back")
        anna.sees(words)
    await anna.presses("✅ That's all")
    await anna.shares_location(52.5, 13.4)
    await anna.presses("Some day")
    anna.sees("Please check your report", "2 photos")
    await anna.presses("📨 Send")
    assert office.reports[0]["phone"] is None


async def test_photos_and_ticks_survive_a_restart(anna: Customer, town: Town, office: Office) -> None:
    await reports(anna, until="pictures")
    await anna.sends("one.jpg", photo=True)
    await anna.says("/sky")
    await town.restart()
    await anna.says("/cancel")
    await anna.says("/resume")
    anna.sees("one.jpg")
    await anna.sends("two.jpg", photo=True)
    await anna.presses("✅ That's all")
    await anna.shares_location(52.5, 13.4)
    await anna.presses("Somebody could be hurt")
    await anna.says("030 901820")
    await anna.presses("📨 Send")
    assert office.reports == [REPORT]


async def test_refused_corrected_and_taken(anna: Customer, office: Office) -> None:
    office.answers = [(422, {"detail": "we <do> not do trees"})]
    await reports(anna)
    await anna.presses("📨 Send")
    anna.sees("The office did not take it: we &lt;do&gt; not do trees.", "Please check your report")
    await changes(anna, "Categories")
    await anna.presses("›")
    await anna.presses("Tree")
    await anna.presses("✅ These")
    await anna.presses("📨 Send")
    anna.sees("Your ticket is <b>T-001</b>.")
    assert office.reports == [{**REPORT, "categories": ["light"]}]
    assert len(set(office.keys)) == 2, "another report, so another key"


async def test_not_found_says_whom_to_call(anna: Customer, office: Office) -> None:
    office.answers = [(404, {})]
    await reports(anna)
    await anna.presses("📨 Send")
    anna.sees("Please call +49 30 123456.", "Please check your report")


async def test_500_then_taken(anna: Customer, town: Town, office: Office) -> None:
    office.answers = [(500, {}), (500, {})]
    await reports(anna)
    await anna.presses("📨 Send")
    await town.tries_again()
    anna.sees("Your ticket is <b>T-001</b>.")
    assert office.reports == [REPORT]
    assert len(office.keys) == 3
    assert len(set(office.keys)) == 1


async def test_500_every_time_then_sent_again_after_a_restart(anna: Customer, town: Town, office: Office) -> None:
    office.answers = [(500, {})] * 3
    await reports(anna)
    await anna.presses("📨 Send")
    await town.tries_again()
    anna.sees("The office does not answer at the moment.", "Please check your report")
    await town.restart()
    await anna.presses("📨 Send")
    anna.sees("Your ticket is <b>T-001</b>.")
    assert office.reports == [REPORT]
