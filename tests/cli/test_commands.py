"""Every command of `stepgram` but the chat's details: what it prints and how it ends."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cli import cli
from engine.cli_settings import coloured
from tests.cli.running import Running, get
from tests.cli.terminal import HELLO, project, stepgram

BROKEN = HELLO.replace("ask: text", "aks: text")


def case_check(folder: Path) -> None:
    project(folder)
    done = stepgram(folder, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2 files: nothing to mend.\n"


def case_explain(folder: Path) -> None:
    done = stepgram(folder, "explain", "f0101")
    assert done.returncode == 0
    assert done.stdout.startswith("F0101")
    listed = stepgram(folder, "explain")
    assert listed.returncode == 0
    assert "F0101" in listed.stdout
    assert len(listed.stdout.splitlines()) > 20


def case_schema(folder: Path) -> None:
    done = stepgram(folder, "schema")
    assert done.returncode == 0
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/draft/2020-12")


def case_draw(folder: Path) -> None:
    project(folder)
    assert stepgram(folder, "draw").stdout.startswith("hello  Say hello")
    assert stepgram(folder, "draw", "hello").stdout.startswith("flowchart TD\n")


def case_texts(folder: Path) -> None:
    project(folder)
    assert stepgram(folder, "texts").stdout.startswith("The bot speaks only “en”.")


def case_chat(folder: Path) -> None:
    project(folder)
    assert stepgram(folder, "chat", given="/hello\nAnna\n1\n").returncode == 0


def case_run(folder: Path) -> None:
    project(folder)
    with Running(folder, "--port", "0") as bot:
        assert get(bot.address() + "health") == (200, "ok")
        assert bot.end() == 0


def case_test(folder: Path) -> None:
    project(folder)
    tests = folder / "flows" / "tests"
    tests.mkdir()
    (tests / "hello.yaml").write_text("test: Hello\nsteps:\n  - says: /nothing\n  - bot: {has: ''}\n", encoding="utf-8")
    done = stepgram(folder, "test")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.endswith("1 test: 1 passed.\n")


def case_work(folder: Path) -> None:
    project(folder)
    done = stepgram(folder, "work")
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr


def case_migrate(folder: Path) -> None:
    made = stepgram(folder, "migrate", "--database", "a.db")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("There was no database: an empty one with schema ")
    assert stepgram(folder, "migrate", "--database", "a.db").stdout.startswith("Nothing to do: a.db has schema ")


def case_backup(folder: Path) -> None:
    stepgram(folder, "migrate", "--database", "a.db")
    done = stepgram(folder, "backup", "b", "--database", "a.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The backup is b: 0 conversations of 0 chats, 0 received files.\n")


def case_restore(folder: Path) -> None:
    case_backup(folder)
    done = stepgram(folder, "restore", "b", "--database", "c.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Restored into c.db: 0 conversations of 0 chats")


def case_store(folder: Path) -> None:
    stepgram(folder, "migrate", "--database", "a.db")
    done = stepgram(folder, "store", "--database", "a.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("The database is sound.\n")


def case_signal(folder: Path) -> None:
    project(folder)
    stepgram(folder, "migrate", "--database", "a.db")
    done = stepgram(folder, "signal", "hello", "7", "paid", "--database", "a.db", "--wait", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "stepgram: No step of “hello” waits for a signal.\n"


CASES: dict[str, Callable[[Path], None]] = {
    "migrate": case_migrate,
    "backup": case_backup,
    "restore": case_restore,
    "store": case_store,
    "signal": case_signal,
    "check": case_check,
    "explain": case_explain,
    "schema": case_schema,
    "test": case_test,
    "draw": case_draw,
    "texts": case_texts,
    "chat": case_chat,
    "run": case_run,
    "work": case_work,
}


def test_every_command_has_a_case() -> None:
    assert set(cli.commands) == set(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_command(name: str, tmp_path: Path) -> None:
    CASES[name](tmp_path)


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_command_and_option_has_help(name: str, tmp_path: Path) -> None:
    done = stepgram(tmp_path, name, "--help")
    assert done.returncode == 0
    assert len(done.stdout) > 150


def test_version_and_help_are_quick(tmp_path: Path) -> None:
    assert stepgram(tmp_path, "--version").stdout.startswith("stepgram, version ")
    program = "import sys; from engine.cli import execute; execute(['--help']); print(len(sys.modules), *sys.modules)"
    program += "; import time; assert time.process_time() < 3"  # its own time: others may be at work, too
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    heavy = {"ruamel.yaml", "jsonschema", "tortoise", "transitions", "aiohttp", "babel", "jinja2", "msgspec"}
    assert not heavy & set(done.stdout.split())


def test_wrong_usage(tmp_path: Path) -> None:
    assert stepgram(tmp_path, "chekc").returncode == 2
    assert stepgram(tmp_path, "check", "--form", "xml").returncode == 2
    missing = stepgram(tmp_path, "check", "no/such/folder")
    assert missing.returncode == 2
    assert "no/such/folder" in missing.stderr


def test_findings_of_a_broken_flow(tmp_path: Path) -> None:
    project(tmp_path, hello=BROKEN)
    done = stepgram(tmp_path, "check")
    assert done.returncode == 1
    assert "flows/hello.yaml:6:5" in done.stdout
    assert "aks" in done.stdout
    assert "\x1b" not in done.stdout
    assert "1 error" in done.stdout
    read = json.loads(stepgram(tmp_path, "check", "--format", "json").stdout)
    assert "flows/hello.yaml" in json.dumps(read)
    github = stepgram(tmp_path, "check", "--format", "github", "flows/hello.yaml")
    assert github.returncode == 1
    assert "::error file=flows/hello.yaml,line=6" in github.stdout


def test_an_unknown_code_gets_the_nearest(tmp_path: Path) -> None:
    done = stepgram(tmp_path, "explain", "F0110x")
    assert done.returncode == 2
    assert "F01" in done.stderr


def test_the_schema_file_is_written_and_compared(tmp_path: Path) -> None:
    assert stepgram(tmp_path, "schema", "--output", "s.json").returncode == 0
    assert stepgram(tmp_path, "schema", "--output", "s.json", "--check").returncode == 0
    (tmp_path / "s.json").write_text("{}")
    stale = stepgram(tmp_path, "schema", "--output", "s.json", "--check")
    assert (stale.returncode, "stepgram schema --output s.json" in stale.stderr) == (1, True)
    assert stepgram(tmp_path, "schema", "--check").returncode == 1


@pytest.mark.parametrize("name", ["check", "chat", "run"])
def test_an_empty_folder_is_told_what_is_missing(name: str, tmp_path: Path) -> None:
    done = stepgram(tmp_path, name)
    assert done.returncode == 2
    assert "no folder of flows at “flows”" in done.stderr
    assert "STEPGRAM_FLOWS" in done.stderr


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text("flow: hello\n", encoding="utf-8")
    done = stepgram(tmp_path, "chat", STEPGRAM_FLOWS="hello.yaml")
    assert (done.returncode, "“hello.yaml” is a file." in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_colours(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], wanted: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert coloured() is wanted


def test_run_with_half_of_the_telegram_settings(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / ".env").write_text("TELEGRAM_API_ID=12\n")
    done = stepgram(tmp_path, "run")
    assert done.returncode == 2
    assert "TELEGRAM_API_HASH and TELEGRAM_BOT_TOKEN must be set" in done.stderr


def test_a_bad_setting_is_one_sentence(tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "chat", STEPGRAM_LOG_LEVEL="LOUD")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "STEPGRAM_LOG_LEVEL" in done.stderr


def test_an_unknown_error_is_one_line_and_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import engine.cli_check as c, engine.cli, sys\n"
        "def burn(*a, **k): raise RuntimeError('the\\nkettle boils')\n"
        "c.check_flows = burn\n"
        "sys.exit(engine.cli.execute(['check']))"
    )
    root = Path(__file__).parents[2]
    for debug in ("", "1"):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, env={"STEPGRAM_DEBUG": debug},
            check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert ("Traceback" in done.stderr) == bool(debug)
        if not debug:
            assert done.stderr.splitlines()[0].endswith("RuntimeError: the kettle boils")
            assert "STEPGRAM_DEBUG=1" in done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    project(tmp_path)
    done = subprocess.run(
        f"{sys.executable} -m engine explain | head -n 1",
        shell=True, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
