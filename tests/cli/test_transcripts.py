"""`stepgram test`: a line for each transcript, the differences, a summary, an exit code."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli import cli

FLOW = "flow: hi\ntitle: Hi\nentry: {commands: [hi]}\nsteps:\n  hello: {text: Hello!, end: completed}\n"
GOOD = "test: It says hello\nsteps:\n  - says: /hi\n  - bot: Hello!\n"


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "flows"
    (folder / "tests").mkdir(parents=True)
    (folder / "hi.yaml").write_text(FLOW)
    monkeypatch.setenv("STEPGRAM_FLOWS", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["test", *arguments], standalone_mode=False)


def test_all_pass(flows: Path) -> None:
    (flows / "tests" / "a.yaml").write_text(GOOD)
    (flows / "tests" / "deep").mkdir()
    (flows / "tests" / "deep" / "b.yml").write_text(GOOD)
    result = run()
    assert result.return_value == 0, result.output
    assert result.output.count("passed  ") == 2
    assert result.output.endswith("2 tests: 2 passed.\n")


def test_one_differs_and_one_cannot_be_read(flows: Path) -> None:
    (flows / "tests" / "a.yaml").write_text(GOOD.replace("Hello!", "Hi!"))
    assert run().return_value == 1
    (flows / "tests" / "b.yaml").write_text("test: x\nsteps:\n  - say: /hi\n")
    result = run()
    assert result.return_value == 2
    assert "a.yaml:4: the bot says something else:" in result.output
    assert "- bot: Hi!" in result.output
    assert "+ bot: Hello!" in result.output
    assert "b.yaml:3:5: error F0951" in result.output
    assert result.output.endswith("2 tests: 0 passed, 1 failed, 1 cannot be read.\n")


def test_one_file_by_name(flows: Path) -> None:
    (flows / "tests" / "a.yaml").write_text(GOOD)
    (flows / "tests" / "b.yaml").write_text("nonsense")
    assert run(str(flows / "tests" / "a.yaml")).return_value == 0


def test_nothing_to_test(flows: Path) -> None:
    result = run()
    assert result.return_value == 2
    assert "There are no tests in" in result.output


def test_a_path_that_is_not_there(flows: Path) -> None:
    from engine.settings import SettingsError

    assert isinstance(run("nowhere").exception, SettingsError)


def test_flows_with_errors(flows: Path) -> None:
    from engine.app import FlowsFaulty

    (flows / "tests" / "a.yaml").write_text(GOOD)
    (flows / "hi.yaml").write_text("flow: hi\n")
    assert isinstance(run().exception, FlowsFaulty)
