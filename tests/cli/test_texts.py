"""`stepgram texts`: what it tells, what it writes, how it ends. In this process, but for two real commands."""

from pathlib import Path

import click.testing
import pytest

from engine.cli import cli
from tests.cli.terminal import HELLO, project, stepgram

GERMAN = """\
texts:
  hello:
    title: Sag hallo
    name.text: Wie heißen Sie?
    colour.text: Hallo <b>{{ name }}</b>, welche Farbe?
    colour.keyboard.red: Rot
    colour.keyboard.green: Grün
    done.text: "{{ name }} mag {{ colour }}."
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project(tmp_path)
    (tmp_path / "flows" / "bot.yaml").write_text("bot: Test bot\nlanguages: [en, de]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("STEPGRAM_FLOWS", "STEPGRAM_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def texts(*arguments: str) -> tuple[int, str, str]:
    done = click.testing.CliRunner().invoke(cli, ["texts", *arguments], standalone_mode=False)
    assert done.exception is None, done.exception
    return done.return_value, done.stdout, done.stderr


def translated(folder: Path, text: str = GERMAN) -> Path:
    (folder / "flows" / "locales").mkdir(exist_ok=True)
    path = folder / "flows" / "locales" / "de.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_is_translated(folder: Path) -> None:
    code, out, _ = texts()
    assert code == 1
    assert out.splitlines()[:3] == [
        "de: 6 texts, 6 missing",
        "  missing  hello.title  Say hello",
        "  missing  hello.name.text  What is your name?",
    ]


def test_everything_is_translated(folder: Path) -> None:
    translated(folder)
    assert texts() == (0, "de: 6 texts, all translated\n", "")


def test_what_is_unused_and_stale(folder: Path) -> None:
    path = translated(folder)
    assert texts("--write", "de")[0] == 0
    (folder / "flows" / "hello.yaml").write_text(HELLO.replace("What is your name?", "Who are you?"), encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace("    title:", "    titel:", 1), encoding="utf-8")
    code, out, _ = texts()
    assert (code, out) == (
        1,
        "de: 6 texts, 1 missing, 1 stale, 1 unused\n"
        "  missing  hello.title  Say hello\n"
        "  stale    hello.name.text  Who are you?\n"
        "  unused   hello.titel\n",
    )
    code, out, err = texts("--write", "de")
    assert (code, err) == (1, "Wrote flows/locales/de.yaml.\n")
    assert "    # en: Who are you?\n    name.text:\n      stale: Wie heißen Sie?\n" in path.read_text(encoding="utf-8")
    assert not path.with_name("de.yaml.part").exists()


def test_a_new_file_is_written_once(folder: Path) -> None:
    (folder / "flows.schema.json").write_text("{}", encoding="utf-8")
    assert texts("--write", "de")[2] == "Wrote flows/locales/de.yaml.\n"
    text = (folder / "flows" / "locales" / "de.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../../flows.schema.json\n# The flows' texts in German.")
    assert texts("--write", "de")[2] == ""


def test_a_flow_s_texts_stay_in_the_file_that_has_them(folder: Path) -> None:
    more = folder / "flows" / "more" / "locales"
    more.mkdir(parents=True)
    (more / "de.yaml").write_text("texts:\n  hello:\n    title: Hallo\n", encoding="utf-8")
    assert texts("--write", "de")[2] == "Wrote flows/more/locales/de.yaml.\n"


def test_languages_that_cannot_be_written(folder: Path) -> None:
    done = stepgram(folder, "texts", "--write", "fr")
    assert done.returncode == 2
    assert "languages: [en, de, fr]" in done.stderr
    done = stepgram(folder, "texts", "--write", "en")
    assert done.returncode == 2
    assert "flows themselves" in done.stderr


def test_one_language(folder: Path) -> None:
    (folder / "flows" / "bot.yaml").write_text("bot: Test bot\n", encoding="utf-8")
    code, out, _ = texts()
    assert code == 0
    assert "only “en”" in out


def test_files_with_errors(folder: Path) -> None:
    path = translated(folder, GERMAN.replace("{{ colour }}", "{{ color }}"))
    code, out, _ = texts("--write", "de")
    assert code == 2
    assert f"{path.relative_to(folder)}:8:" in out
    assert "did you mean “colour”?" in out
    translated(folder, "texts: {hello: {title: Hallo}}\n")
    code, _, err = texts("--write", "de")
    assert code == 2
    assert "flows/locales/de.yaml:1: between { and } nothing can be added" in err
