"""The table of codes: every code of form has an example that gives exactly it, and one that is clean."""

import re

import pytest

from engine.actions.discovery import builtin_catalog
from engine.loading import codes_form
from engine.loading.codes import CODES
from engine.loading.library import load, load_texts
from engine.loading.rendering import render_text

WITHOUT_EXAMPLE = ("F0110", "F0905")
"""Findings about which files there are; their cases are below."""


def found(text):
    name = "bot.yaml" if text.startswith("bot:") else "a.yaml"
    return load_texts({name: text}, builtin_catalog()).report


@pytest.mark.parametrize("code", codes_form.CODES, ids=lambda code: code.code)
def test_every_code_has_its_case(code):
    if code.code in WITHOUT_EXAMPLE:
        assert code.bad_example == ""
        return
    report = found(code.bad_example)
    assert {one.code for one in report.findings} == {code.code}, render_text(report)
    assert {one.severity for one in report.findings} == {code.severity}
    assert found(code.good_example).findings == ()


def test_a_file_that_is_not_there(tmp_path):
    loaded = load([tmp_path / "none.yaml"], builtin_catalog(), environment={})
    assert [one.code for one in loaded.report.findings] == ["F0110"]


def test_two_files_for_the_bot():
    loaded = load_texts({"bot.yaml": "bot: a\n", "other.yaml": "bot: b\n"}, builtin_catalog())
    assert [(one.code, one.span.file) for one in loaded.report.findings] == [("F0905", "other.yaml")]
    assert loaded.bot.name == "a"


def test_the_table_is_whole():
    assert list(CODES) == sorted(CODES)
    for name, code in CODES.items():
        assert name == code.code
        assert re.fullmatch(r"F0[1-9]\d\d", name)
        assert code.title
        assert len(code.explanation) > 20


def test_findings_use_only_codes_of_the_table():
    from pathlib import Path

    root = Path(codes_form.__file__).parent
    used = {
        code for path in root.rglob("*.py") for code in re.findall(r'"(F0\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert used == set(CODES)
