"""`stepgram signal` and signed requests against a bot in a process of its own, running and not."""

import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from engine.cli import execute
from engine.runtime.sending import LARGEST_PAYLOAD
from tests.cli.running import ROOT, Running
from tests.cli.terminal import project
from tests.flows.guide import files

SECRET = "0123456789abcdef" * 4


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the guide's flow; the working directory."""
    project(
        tmp_path, parcel=files()["parcel.yaml"], quiet="flow: quiet\nsteps:\n  a:\n    text: A\n    end: completed\n"
    )
    for name in [name for name in os.environ if name.startswith(("STEPGRAM_", "DATABASE_URL"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def signal(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and everything printed."""
    code = execute(["signal", *arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out + said.err


def talk(place: Path, *lines: str) -> None:
    """A customer in the terminal, in the same database."""
    (place / "script").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert execute(["chat", "--script", "script", "--patience", "0"]) in (0, 1)


def rows(place: Path) -> list[tuple[str, str, str, str]]:
    with closing(sqlite3.connect(place / "data" / "stepgram.sqlite3")) as connection:
        return [
            (flow, key, name, payload.decode())
            for flow, key, name, payload in connection.execute(
                "SELECT flow, key, name, payload FROM signals ORDER BY id"
            )
        ]


def test_kept_while_the_bot_does_not_run_and_taken_by_the_next_start(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(place, "/parcel", "4711")
    capsys.readouterr()
    code, said = signal(capsys, "parcel", "4711", "parcel.packed", "--data", "by=Otto", "--wait", "0", "--id", "a")
    assert (code, said.startswith("Kept: ")) == (0, True), said
    assert rows(place) == [("parcel", "4711", "parcel.packed", '{"by":"Otto"}')]
    code, said = signal(capsys, "parcel", "4711", "parcel.packed", "--id", "a", "--wait", "0")
    assert (code, "sent before" in said) == (0, True)
    code, said = signal(capsys, "parcel", "4712", "parcel.packed", "--wait", "0")
    assert (code, "seven days" in said) == (0, True)
    talk(place, "Main St 1")
    assert "Packed by Otto. Which address?" in capsys.readouterr().out
    assert [key for _, key, _, _ in rows(place)] == ["4712"]
    code, said = signal(capsys, "parcel", "4711", "parcel.sent", "--json", '{"code": 7}', "--wait", "0")
    assert code == 0
    talk(place, "/parcel")
    assert "On its way, code 7." in capsys.readouterr().out
    code, said = signal(capsys, "parcel", "4711", "parcel.sent", "--wait", "0")
    assert (code, "Too late" in said) == (1, True)


def test_what_does_not_fit_the_flows_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["chat", "--script", os.devnull]) in (0, 1)
    capsys.readouterr()
    for arguments, part in (
        (("parsel", "1", "parcel.sent"), "Did you mean “parcel”?"),
        (("parcel", "1", "parcel.send"), "Did you mean “parcel.sent”?"),
        (("parcel", "1", "paid"), "It waits for “parcel.packed”, “parcel.sent”."),
        (("quiet", "1", "paid"), "No step of “quiet” waits for a signal."),
        (("parcel", "", "parcel.sent"), "needs the key"),
        (("parcel", "1", "parcel.sent", "--data", "code"), "NAME=VALUE"),
        (("parcel", "1", "parcel.sent", "--json", "[1]"), "JSON object"),
        (("parcel", "1", "parcel.sent", "--json", "{"), "no JSON"),
        (("parcel", "1", "parcel.sent", "--json", '{"a": "' + "x" * LARGEST_PAYLOAD + '"}'), "at most"),
        (("parcel", "1", "parcel.sent", "--json", "{}", "--data", "a=1"), "not both"),
        (("parcel", "1", "parcel.sent", "--wait", "-1"), "--wait"),
        (("parcel", "1", "parcel.sent", "--database", "elsewhere.sqlite3"), "no database at elsewhere.sqlite3"),
    ):
        code, said = signal(capsys, *arguments)
        assert (code, part in said) == (2, True), said
    assert rows(place) == []
    assert not (place / "elsewhere.sqlite3").exists()


def test_what_the_flow_reads_and_is_not_sent_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["chat", "--script", os.devnull]) in (0, 1)
    capsys.readouterr()
    code, said = signal(capsys, "parcel", "1", "parcel.sent", "--data", "cod=7", "--wait", "0")
    assert (code, "the flow reads “code” of this signal" in said) == (0, True)
    code, said = signal(capsys, "parcel", "1", "parcel.sent", "--data", "code=7", "--wait", "0")
    assert (code, "reads" in said) == (0, False)


def test_a_database_of_any_name_gets_it_and_no_other_file_is_made(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "it's #1 %41?.db"
    assert execute(["migrate", "--database", name]) == 0
    before = {path.name for path in place.iterdir()}
    code, said = signal(capsys, "parcel", "1", "parcel.packed", "--wait", "0", "--database", name)
    assert (code, "seven days" in said) == (0, True), said
    assert {path.name for path in place.iterdir()} == before


def test_values_are_numbers_and_words_as_they_look(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["chat", "--script", os.devnull]) in (0, 1)
    data = ("a=12.50", "b=7", "c=007", "d=true", "e=text with = and ż", "f=[1]", 'g="x"', "h=", "i=null", "j=1, 2")
    code, _ = signal(capsys, "parcel", "1", "parcel.sent", "--wait", "0", *[x for one in data for x in ("--data", one)])
    assert code == 0
    ((*_, payload),) = rows(place)
    assert payload == (
        '{"a":{"$":"dec","v":"12.50"},"b":7,"c":"007","d":true,"e":"text with = and ż","f":"[1]","g":"\\"x\\"","h":"",'
        '"i":null,"j":"1, 2"}'
    )


def test_an_older_and_a_foreign_database_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["chat", "--script", os.devnull]) in (0, 1)
    file = place / "data" / "stepgram.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 2")
    code, said = signal(capsys, "parcel", "1", "parcel.sent")
    assert (code, "stepgram migrate" in said) == (2, True)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA application_id = 1")
    code, said = signal(capsys, "parcel", "1", "parcel.sent")
    assert (code, "another program" in said) == (2, True)


def _readme() -> str:
    """The example of the README, as it stands there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (script,) = [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "openssl dgst" in block]
    return str(script)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
def test_a_running_bot_takes_them_from_the_command_line_and_over_http(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(place, "/parcel", "4711")
    capsys.readouterr()
    with Running(
        place, "--port", "0", "--no-browser", STEPGRAM_WEBHOOK_SECRET=f"{'o' * 32},{SECRET}", STEPGRAM_WEBHOOK_PORT="0"
    ) as bot:
        found = re.search(r"signed signals at (http://127\.0\.0\.1:\d+)/signals", bot.until("signed signals"))
        assert found
        script = _readme().replace("http://127.0.0.1:8090", found[1])

        def ask(secret: str) -> str:
            return subprocess.run(
                ["bash", "-ec", script],
                env={**os.environ, "STEPGRAM_WEBHOOK_SECRET": secret},
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            ).stdout

        assert ask(SECRET) == '{"result": "delivered"}'
        assert ask(SECRET) == '{"result": "duplicate"}'
        assert "does not fit" in ask("x" * 32)
        code, said = signal(capsys, "parcel", "4711", "parcel.sent", "--data", "code=7", "--wait", "20")
        assert (code, said.startswith("Delivered to ")) == (0, True), said
        code, said = signal(capsys, "parcel", "4711", "parcel.packed", "--id", "packing-812", "--wait", "0")
        assert (code, "sent before" in said) == (0, True), "one id, whichever way it comes"
        assert bot.end() == 0


@pytest.mark.parametrize("secret", ["short", "with space " * 5, f"{'a' * 32},short"])
def test_a_short_secret_is_refused(place: Path, secret: str) -> None:
    with Running(place, "--port", "0", STEPGRAM_WEBHOOK_SECRET=secret) as bot:
        code, said = bot.ended()
    assert (code, "STEPGRAM_WEBHOOK_SECRET" in said, "32 characters" in said) == (2, True, True)
    assert secret not in said


def test_on_postgresql_it_goes_through_the_server(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    talk(place, "/parcel", "4711")
    capsys.readouterr()
    code, said = signal(capsys, "parcel", "4711", "parcel.packed", "--wait", "0", "--id", "a")
    assert (code, said.startswith("Kept: ")) == (0, True), said
    code, said = signal(capsys, "parcel", "4711", "parcel.packed", "--wait", "0", "--id", "a")
    assert (code, "sent before" in said) == (0, True)
    with Running(place, "--port", "0", "--no-browser", DATABASE_URL=database_url) as bot:
        bot.until("Ctrl-C")
        code, said = signal(capsys, "parcel", "4711", "parcel.sent", "--data", "code=7", "--wait", "20")
        assert (code, said.startswith("Delivered to ")) == (0, True), said
        assert bot.end() == 0
