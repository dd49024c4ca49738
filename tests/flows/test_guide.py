"""The product owner's guide is true: every YAML block checks clean, and every key of the language is shown."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.core.machine import compile_flows
from engine.loading.codes import CODES
from engine.loading.library import Loaded, load, load_texts
from engine.loading.parser_questions import ASK_KINDS
from engine.loading.parser_types import TYPE_NAMES
from engine.loading.rendering import render_text
from engine.loading.rules import limits
from engine.loading.transcripts_parser import STEP_KEYS, parse_text
from engine.loading.translations_writing import Update, fresh
from engine.settings import Settings
from engine.transcripts.player import play
from engine.transcripts.results import Passed
from tests.core.walker import Walker, world_of
from tests.flows.guide import (
    HEAD,
    Block,
    action_rows,
    blocks,
    catalog,
    files,
    filter_rows,
    framed,
    guide,
    plain,
    rows_of_tests,
    source_rows,
    validator_rows,
)
from tests.flows.language import every_key, used

ENVIRONMENT = {"STAFF_IDS": "17, 18", "API_TOKEN": "secret"}
FLOWS = [block for block in blocks() if block.whole]
PIECES = [block for block in blocks() if block.mark and not block.mark.startswith("wrong")]
TRANSCRIPTS = [block for block in blocks() if block.transcript]
LOCALES = [block for block in blocks() if block.locale]
WRONG = [block for block in blocks() if block.mark.startswith("wrong")]


def loaded(texts: dict[str, str]) -> Loaded:
    return load_texts(texts, catalog(), environment=ENVIRONMENT)


def shown(found: Loaded) -> str:
    return render_text(found.report, found.texts)


def test_every_yaml_block_is_of_a_kind_that_is_checked() -> None:
    bots = [block for block in blocks() if block.bot]
    assert len(bots) == 1
    assert len(blocks()) == guide().count("```yaml")
    assert len(FLOWS) + len(PIECES) + len(WRONG) + len(TRANSCRIPTS) + len(LOCALES) + len(bots) == len(blocks())


def test_the_whole_flows_of_the_guide_make_one_clean_bot() -> None:
    found = loaded(files())
    assert found.report.findings == (), shown(found)
    assert {flow.name for flow in found.flows} == {plain(block.text)["flow"] for block in FLOWS}
    compile_flows(found.flows, found.bot, catalog())


@pytest.mark.parametrize("block", PIECES, ids=lambda block: block.name)
def test_a_piece_is_clean_in_the_smallest_flow(block: Block) -> None:
    found = loaded({**files(), "piece.yaml": framed(block)})
    declares = block.mark == HEAD  # a head alone has no steps that could use its data
    own = [one for one in found.report.findings if one.span.file == "piece.yaml"]
    assert [one for one in own if not (declares and one.code == "F0615")] == [], shown(found)
    compile_flows(found.flows, found.bot, catalog())


def test_the_guide_s_picture_is_looked_for_beside_the_flow(tmp_path: Path) -> None:
    (block,) = [block for block in PIECES if "{file: logo.png}" in block.text]
    for name, text in {**files(), "piece.yaml": framed(block)}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    def codes() -> list[str]:
        return [one.code for one in load(tmp_path, catalog(), environment=ENVIRONMENT).report.findings]

    assert codes() == ["F0314"]
    (tmp_path / "logo.png").write_bytes(b"")
    assert codes() == []


@pytest.mark.parametrize("block", WRONG, ids=lambda block: block.name)
def test_a_wrong_example_says_what_the_guide_shows(block: Block) -> None:
    found = loaded({block.mark.removeprefix("wrong: "): block.text})
    assert found.report.errors
    assert shown(found).strip() == block.shown.strip()


@pytest.mark.parametrize("block", TRANSCRIPTS, ids=lambda block: block.name)
def test_a_transcript_is_one(block: Block) -> None:
    read = parse_text(block.text, block.name, catalog())
    assert read.transcript is not None, [f"{one.span}: {one.message}" for one in read.findings]


def test_the_translation_of_the_first_flow() -> None:
    """Made as the guide says, whole as the guide shows it, and read by a German customer."""
    made, whole = LOCALES
    bot, hello = "bot: My shop\nlanguages: [en, de]\n", files()["hello.yaml"]
    (flow,) = loaded({"hello.yaml": hello}).flows
    update = Update(name="locales/de.yaml", source="en", flows=[flow])
    assert fresh(update, heading=made.text.splitlines()[:1]) == made.text
    found = loaded({"bot.yaml": bot, "hello.yaml": hello, "locales/de.yaml": whole.text})
    assert found.report.findings == (), shown(found)
    walk = Walker(hello, catalog(), world=world_of(formats_language="de"))
    walk.programs = compile_flows(found.flows, found.bot, catalog())
    assert walk.start().text == "Wie heißen Sie?"
    assert walk.say("Anna").shows[1].text == "Schön, Sie kennenzulernen, <b>Anna</b>!"


async def test_the_first_transcript_of_the_guide_passes(tmp_path: Path) -> None:
    for name, text in files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    read = parse_text(TRANSCRIPTS[0].text, "hello.yaml", catalog())
    assert read.transcript is not None
    played = await play(read.transcript, settings=Settings(flows=tmp_path), catalog=catalog(), environment=ENVIRONMENT)
    assert played == Passed(name="Somebody says hello")


def test_every_step_of_a_transcript_is_shown() -> None:
    steps = [step for block in TRANSCRIPTS for step in plain(block.text)["steps"]]
    assert set(STEP_KEYS) - {key for step in steps for key in step} == set()
    assert [key for key in STEP_KEYS if f"`{key}: " not in section("Tests")] == []


# --- nothing is left out ------------------------------------------------------------------------------------


def trees() -> list[tuple[str, object]]:
    """Everything right in the guide: ("flow" or "bot", its tree)."""
    whole = [("bot" if block.bot else "flow", block.text) for block in blocks() if block.bot or block.whole]
    return [(kind, plain(text)) for kind, text in [*whole, *(("flow", framed(block)) for block in PIECES)]]


def test_every_key_of_the_language_is_shown_in_an_example() -> None:
    seen = {key for kind, tree in trees() for key in used(kind, tree)}
    assert sorted(set(every_key()) - seen) == []


def test_every_kind_of_question_is_shown_in_an_example() -> None:
    asked = {step.get("ask") for kind, tree in trees() if kind == "flow" for step in tree["steps"].values()}  # type: ignore[index]
    assert set(ASK_KINDS) - asked == set()


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", guide(), re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def test_the_table_of_keys_has_every_key() -> None:
    table = section("All keys")
    missing = [f"{part} · {key}" for part, key in every_key() if f"| {part} | `{key}` |" not in table]
    assert missing == []


@pytest.mark.parametrize(
    ("title", "rows"),
    [
        ("All filters", [*filter_rows(), *rows_of_tests()]),
        ("All validators", [*validator_rows()]),
        ("Actions: calling other systems", [*action_rows("http", "conversations"), *source_rows("conversations")]),
        ("Questions", [f"| `{kind}` |" for kind in ASK_KINDS]),
        ("Data, scores and loops", [f"`{name}`" for name in TYPE_NAMES]),
        ("Entry and roles", [f"`/{command}`" for command in sorted(limits.RESERVED_COMMANDS)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_table_is_the_code_s(title: str, rows: list[str]) -> None:
    assert [row for row in rows if row not in section(title)] == []


def test_the_limits_are_the_code_s() -> None:
    table = section("Limits")
    callback = limits.CALLBACK_BYTES - limits.CALLBACK_HEAD - 2
    numbers = (
        limits.TEXT_MOST, limits.CAPTION_MOST, limits.BUTTON_MOST, limits.BUTTON_SHOWN, limits.BUTTONS,
        limits.PER_ROW, limits.MOST_COMMANDS, limits.MENU_TITLE, callback,
    )  # fmt: skip
    assert [number for number in numbers if not re.search(rf"\b{number}\b", table)] == []


def test_every_code_in_the_guide_exists() -> None:
    assert set(re.findall(r"F0\d{3}", guide())) - set(CODES) == set()


def test_every_link_inside_the_guide_leads_somewhere() -> None:
    heads = {
        re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^#+ (.*)$", guide(), re.MULTILINE)
    }
    assert [link for link in re.findall(r"\]\(#([^)]*)\)", guide()) if link not in heads] == []


# --- and the flows work -------------------------------------------------------------------------------------


def arguments(walk: Walker) -> Any:
    """What the newest open call was given."""
    return walk.last_call().arguments


def walker(first: str) -> Walker:
    """A customer at the start of one of the guide's flows; the others are there to be called."""
    found = loaded(files())
    texts = files()
    others = [texts[f"{flow.name}.yaml"] for flow in found.flows if flow.name != first]
    walk = Walker([texts[f"{first}.yaml"], *others], catalog(), bot=found.bot)
    walk.world = replace(walk.world, settings=found.bot.settings)
    return walk


def test_the_first_flow_says_hello() -> None:
    walk = walker("hello").start().say("Ada <3")
    assert walk.text == "Nice to meet you, <b>Ada &lt;3</b>!"
    assert walk.finish.outcome == "completed"


def test_the_quiz_counts_and_starts_again() -> None:
    walk = walker("capitals").start()
    assert "Question 1 of 3" in walk.text
    assert "capital of Poland" in walk.text
    walk.press("Warsaw")
    assert walk.said == ["✅ Right!"]
    assert "Question 2 of 3. Your score: 1" in walk.text
    walk.press("Porto")
    assert walk.said == ["❌ No. It was Lisbon."]
    walk.back()
    assert "Question 2 of 3" in walk.text
    walk.press("Lisbon").press("Bergen")
    assert "<b>2</b> of 3 points (67%)" in walk.text
    assert "Well done." in walk.text
    walk.press("🔁 Once more")
    assert "Question 1 of 3. Your score: 0" in walk.text
    walk.press("Warsaw").press("Lisbon").press("Oslo")
    assert "Perfect!" in walk.text
    walk.press("✅ Enough")
    assert walk.finish.outcome == "completed"


def test_the_appointment_has_pages_and_calls_for_the_contact() -> None:
    walk = walker("appointment").start().press("Friday")
    assert walk.labels[:2] == [["8 am", "9 am"], ["10 am", "11 am"]]
    walk.press("›")
    assert walk.labels[0] == ["1 pm", "2 pm"]
    walk.press("2 pm")
    assert walk.text == "For your appointment we need your name. Is that all right?"
    walk.press("Yes").say("Ada").skip()
    assert walk.text == "Fri at 14:00 for Ada."
    walk.press("✏️ Change").press("Day")
    walk.press("Monday")
    assert walk.text == "Which time?", "the options of the time depend on the day"
    walk.press("›").press("2 pm")
    assert walk.text == "Mon at 14:00 for Ada."
    walk.press("✅ Book it")
    assert walk.text == "See you then, Ada!"
    assert walk.finish.outcome == "completed"


def test_the_appointment_ends_when_the_contact_is_refused() -> None:
    walk = walker("appointment").start().press("Friday").press("8 am").press("No")
    assert walk.finish.outcome == "not_booked"
    walk = walker("appointment").start().press("Friday").press("8 am").cancel()
    assert walk.finish.outcome == "not_booked"


def test_the_damage_report_sends_what_was_answered() -> None:
    walk = walker("damage").start().press("Lift").say("It does not move at all.")
    walk.send("a.jpg", kind="photo").send("b.jpg", kind="photo").press("✅ That's all").location(52.25, 21)
    assert "Lift: It does not move at all." in walk.text
    assert "2 photos: a.jpg, b.jpg" in walk.text
    walk.press("✅ Send")
    sent = arguments(walk)
    assert sent["url"] == "https://api.example.com/damage"
    assert sent["json"]["photos"] == ("a.jpg", "b.jpg")
    assert sent["json"]["title"] == "Lift of Ada"
    assert sent["json"]["source"] == "chat"
    assert sent["secret_headers"] == {"Authorization": "api_token"}
    walk.fail("timeout", "no answer in 10 s")
    assert walk.said == ["The other side does not answer (no answer in 10 s). Nothing is lost. Please try again later."]
    walk.press("✅ Send").outcome("ok", status=201, json={"number": "D-7"}, text="")
    assert walk.text == "Thank you! Your report has the number <b>D-7</b>."
    assert walk.finish.outcome == "completed"


def test_a_refused_table_gives_nothing_back() -> None:
    walk = walker("table").start().say("tomorrow").press("q:ok").outcome("refused", status=409, reason="full")
    assert walk.said == ["This does not work: full"]
    walk.cancel()
    assert walk.all_undone == []


def test_the_table_is_given_back_or_paid() -> None:
    walk = walker("table").start().say("tomorrow").press("➕").press("q:ok")
    assert arguments(walk)["json"]["guests"] == 2
    walk.outcome("ok", status=201, json={"id": "t1"}, text="")
    assert "for 2 on" in walk.text
    walk.back()
    assert [(call.name, call.arguments["url"]) for call in walk.all_undone] == [
        ("http.delete", "https://api.example.com/tables/t1")
    ]
    walk.press("q:ok").outcome("ok", status=201, json={"id": "t2"}, text="").press("Keep it")
    assert walk.shown.photo == ("qr", "pay:t2")
    walk.signal("payment.partial", rest="3 EUR")
    assert walk.said == ["Something is missing: 3 EUR"]
    walk.signal("payment.settled").wait(25 * 3600)
    assert walk.text == "Your table is ready. Sorry that it took so long!"
    assert walk.finish.outcome == "completed"
