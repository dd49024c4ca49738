"""The shipped flows in German and Russian: whole, marked, polite, and laid out as their source is."""

import re
from functools import lru_cache

import pytest

from engine.loading.library import Loaded, load
from engine.loading.translatable import texts_of
from engine.loading.translations_state import states
from engine.loading.translations_writing import Update, updated
from tests.flows.guide import ROOT, catalog

LANGUAGES = ("de", "ru")
FAMILIAR = {
    "de": re.compile(r"\b(du|dich|dir|dein\w*|euch|euer|eure\w*)\b", re.IGNORECASE),
    "ru": re.compile(r"\b(ты|тебя|тебе|тобой|твой|твоя|твоё|твои|твоих)\b", re.IGNORECASE),
}
COMMAND = re.compile(r"(?<![\w<])/[a-z_]+")


@lru_cache
def shipped() -> Loaded:
    return load(ROOT / "flows", catalog(), environment={})


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_stale_or_unused(language: str) -> None:
    assert language in shipped().bot.languages
    open_ = [state for state in states(shipped().flows, shipped().locales, language) if not state.whole]
    assert open_ == [], f"stepgram texts --write {language}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_its_mark(language: str) -> None:
    path = ROOT / "flows" / "locales" / f"{language}.yaml"
    text = path.read_text(encoding="utf-8")
    update = Update(name=str(path), source=shipped().bot.languages[0], flows=shipped().flows)
    assert updated(text, update) == text, f"stepgram texts --write {language}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_customers_are_spoken_to_politely(language: str) -> None:
    assert [text for text in translated(language).values() if FAMILIAR[language].search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_commands_and_signs_stay(language: str) -> None:
    """A command that a text names, and the picture that a text begins with, are the same in each language."""
    sources = {f"{flow.name}.{name}": text.source for flow in shipped().flows for name, text in texts_of(flow).items()}
    for name, text in translated(language).items():
        assert set(COMMAND.findall(text)) == set(COMMAND.findall(sources[name])), name
        assert sign(text) == sign(sources[name]), name


def translated(language: str) -> dict[str, str]:
    return {
        f"{flow.name}.{name}": wording.source
        for flow in shipped().flows
        for name, text in texts_of(flow).items()
        for known, wording in text.translations
        if known == language
    }


def sign(text: str) -> str:
    first = text.lstrip()[:1]
    return "" if first.isalnum() or first in "<{»«„“\"'" else first
