"""The engine's own sentences: none missing, none left over, the same in every language, within Telegram's limits."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from string import Formatter

import pytest

from engine.core.expressions import Formats
from engine.core.wording import Wording
from engine.loading.rules.markup import faults, visible
from engine.runtime.desk import Desk
from engine.runtime.locales import FOLDER, LocaleError, messages, wordings
from tests.core.walker import NOON
from tests.locales.used_keys import BY_HAND, NOTICED_BY_HAND, PRESSED_BY_HAND, expressions, uses

LANGUAGES = ("en", "de", "ru")
TEXTS: Mapping[str, Mapping[str, str]] = {language: messages(FOLDER / f"{language}.yaml") for language in LANGUAGES}
ENGLISH = TEXTS["en"]
SENTENCES = [(language, key) for language in LANGUAGES for key in TEXTS[language]]

SAMPLES: Mapping[str, object] = {
    # the longest that the engine puts there; where that is a whole message, something usual
    "accept": ".stl, .3mf, .obj, .step",
    "bar": "▓▓▓░░░░░░",
    "command": "a" * 32,
    "commands": "/order – Order a print\n/help – Help",
    "count": 1000,
    "currency": "EUR",
    "date": "31 Dec 2026",
    "example": "31.12.2026",
    "last": "31 Dec 2026",
    "length": 4096,
    "limit": "€1,234,567,890.50",
    "max": 4096,
    "min": 1000,
    "n": 1_000_000,
    "name": "x" * 56,
    "nearest": "order",
    "reason": "the part is thinner than 0.4 mm",
    "search": "w" * 100,
    "text": "@",
    "title": "<b>Order a print</b>",
    "titles": "<b>Order a print</b>, Pay",
    "total": 12,
    "value": "v" * 40,
    "values": "red, green, blue",
}

SAME_EVERYWHERE = {"desk.menu_line"}
"""Sentences without a word in them."""


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def written_out(language: str, key: str) -> str:
    """The sentence with every place filled in."""
    sentence = TEXTS[language][key]
    names = places(sentence)
    said = Wording(language=language, messages=TEXTS[language]).say(key, **{name: SAMPLES[name] for name in names})
    assert not names or said != sentence, f"{language}: {key} does not format: {sentence}"
    return said


# --- the source and the English -----------------------------------------------------------------------------


def test_every_key_of_the_source_can_be_read() -> None:
    unread = [f"engine/{use.file}:{use.line}: {use.expression}" for use in uses() if use.keys is None]
    assert unread == [], "write these out in BY_HAND of tests/locales/used_keys.py"
    assert len(uses()) > 90


def test_the_table_of_the_source_is_not_out_of_date() -> None:
    files = {file for file, _ in BY_HAND}
    written = {(file, expression) for file in files for expression in expressions(file)}
    assert sorted(set(BY_HAND) - written) == []


def used() -> set[str]:
    return {key for use in uses() for key in use.keys or ()}


def test_no_sentence_is_missing() -> None:
    missing = sorted(f"engine/{u.file}:{u.line}: {key}" for u in uses() for key in (u.keys or set()) - set(ENGLISH))
    assert missing == []


def test_no_sentence_is_left_over() -> None:
    assert sorted(set(ENGLISH) - used()) == []


def test_every_place_of_a_sentence_is_filled_in_where_it_is_said() -> None:
    empty = sorted(
        f"engine/{use.file}:{use.line}: {key} needs {', '.join(sorted(places(ENGLISH[key]) - use.places))}"
        for use in uses()
        if use.places is not None
        for key in (use.keys or frozenset()) & set(ENGLISH)
        if not places(ENGLISH[key]) <= use.places
    )
    assert empty == []


# --- every language -----------------------------------------------------------------------------------------


def test_these_are_the_languages() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_same_keys_in_the_same_order(language: str) -> None:
    assert list(TEXTS[language]) == list(ENGLISH)


@pytest.mark.parametrize(("language", "key"), SENTENCES)
def test_a_sentence_is_whole(language: str, key: str) -> None:
    sentence = TEXTS[language][key]
    assert sentence.strip() == sentence != ""
    assert "  " not in sentence
    assert places(sentence) == places(ENGLISH[key])
    said = written_out(language, key)
    assert "{" not in said
    assert list(faults(said)) == []
    assert visible(said).strip()


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_nothing_is_left_in_english(language: str) -> None:
    same = {key for key, text in TEXTS[language].items() if text == ENGLISH[key]}
    assert same == SAME_EVERYWHERE


def test_russian_is_written_in_russian() -> None:
    bare = {key: re.sub(r"\{[^}]*\}", "", text) for key, text in TEXTS["ru"].items()}
    assert {key for key, text in bare.items() if not re.search(r"[а-яё]", text)} == SAME_EVERYWHERE


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_button_keeps_its_sign(language: str) -> None:
    for key in pressed():
        sign = re.match(r"\W+ ", ENGLISH[key])
        assert TEXTS[language][key].startswith(sign[0] if sign else ""), key


# --- Telegram's limits --------------------------------------------------------------------------------------


def pressed() -> set[str]:
    return {key for use in uses() if use.pressed for key in use.keys or ()} | PRESSED_BY_HAND


def noticed() -> set[str]:
    return {key for use in uses() if use.noticed for key in use.keys or ()} | NOTICED_BY_HAND


def test_buttons_and_notices_are_found() -> None:
    assert {"button.back", "button.keep", "desk.continue", "cancel.yes", "keyboard.clear_search"} <= pressed()
    assert {"button.old", "choices.too_few", "busy", "desk.finished", "files.checking"} <= noticed()
    assert not pressed() & noticed()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_button_holds_its_text(language: str) -> None:
    long = {key: said for key in pressed() if len(said := written_out(language, key)) > 64}
    assert long == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_buttons_side_by_side_are_short(language: str) -> None:
    for key in ("button.back", "button.cancel", "desk.continue", "desk.drop", "desk.restart"):
        assert len(TEXTS[language][key]) <= 16, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_is_short_and_plain(language: str) -> None:
    for key in sorted(noticed()):
        said = written_out(language, key)
        assert len(said) <= 200, key
        assert not set("<>&") & set(said), f"{key}: a notice shows markup as it is written"


# --- words that a customer may type -------------------------------------------------------------------------


def listed(language: str, key: str) -> list[str]:
    return TEXTS[language][key].split(",")


@pytest.mark.parametrize("language", LANGUAGES)
def test_typed_words_can_be_found(language: str) -> None:
    yes, no = listed(language, "answer.yes_words"), listed(language, "answer.no_words")
    days = [TEXTS[language]["day.today"], TEXTS[language]["day.tomorrow"]]
    for words in (yes, no, days):
        assert words == [word.strip().casefold() for word in words]
        assert all(words)
        assert len(set(words)) == len(words)
    assert not set(yes) & set(no)
    assert TEXTS[language]["answer.yes"].casefold() in yes
    assert TEXTS[language]["answer.no"].casefold() in no


# --- the desk and the loader --------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_desk_speaks_the_language(language: str) -> None:
    desk = Desk(
        wording=wordings([language])[language],
        title=lambda flow: f"<b>{flow}</b>",
        startable=[("print", "order"), ("help", "help")],
    )
    said = [
        desk.nothing_open().text,
        desk.unknown_command("ordr").text,
        desk.outdated("print", "order").text,
        desk.outdated("print", None).text,
        desk.waiting("print").text,
        desk.second_start("print").text,
    ]
    for text in said:
        assert list(faults(text)) == []
        assert "{" not in text
    assert "/order – <b>print</b>\n/help – <b>help</b>" in said[0]
    assert "/order" in said[1].splitlines()[0]
    assert "/order" in said[2]
    assert "/" not in visible(said[3])
    assert desk.finished().text == TEXTS[language]["desk.finished"]


def test_a_language_nobody_wrote_is_said_in_english() -> None:
    spoken = wordings(["pl", "de"])
    assert list(spoken) == ["pl", "de", "en"]
    assert spoken["pl"].say("button.back") == ENGLISH["button.back"]
    assert spoken["de"].say("button.back") == "⬅️ Zurück"
    assert spoken["de"].language == "de"


def test_what_a_language_does_not_say_is_said_in_english(tmp_path: Path) -> None:
    (tmp_path / "en.yaml").write_text("a:\n  b: one {n}\n  b.c: two\nd: three\n", encoding="utf-8")
    (tmp_path / "de.yaml").write_text("a:\n  b: eins {n}\n", encoding="utf-8")
    spoken = wordings(["de"], tmp_path)["de"]
    assert [spoken.say("a.b", n=1), spoken.say("a.b.c"), spoken.say("d"), spoken.say("e")] == [
        "eins 1", "two", "three", "e",
    ]  # fmt: skip


@pytest.mark.parametrize("written", ["", "a: [1, 2]\n", "a: one\na: two\n"])
def test_a_file_that_is_no_texts_is_named(written: str, tmp_path: Path) -> None:
    path = tmp_path / "en.yaml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(LocaleError, match=r"en\.yaml"):
        messages(path)


def test_a_date_in_a_sentence_ends_with_one_full_stop() -> None:
    for language in LANGUAGES:
        formats = Formats(language=language, currency="EUR", time_zone="UTC", now=NOON)
        shown = formats.date(date(2026, 12, 31))
        wording = Wording(language=language, messages=TEXTS[language])
        for key, place in (
            ("refused.after", "date"),
            ("refused.before", "date"),
            ("refused.within_days", "last"),
            ("answer.minimum", "limit"),
            ("answer.maximum", "limit"),
        ):
            said = wording.say(key, **{place: shown})
            assert shown in said
            assert ".." not in said
