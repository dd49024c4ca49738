"""Commands of plugins: found when nothing built in has the name, listed by `--help`, never in a built-in's place."""

from pathlib import Path

import click
import pytest

from engine.actions import CommandOffer, PluginError, SignatureError, cli_command
from engine.actions.discovery import discover
from engine.cli import cli, execute

PLUGIN = '''
import click

from engine.actions import cli_command


@click.group()
def till():
    """Counts money."""


@till.command()
@click.argument("amount", type=int)
def count(amount: int) -> int:
    """Counts."""
    click.echo(f"counted {amount}")
    return amount


command = cli_command(till, name="till", summary="Counts money.")


def late():
    @click.command()
    def closing():
        """Closes."""
        click.echo("closed")

    return closing


closing = cli_command(late, name="closing", summary="Closes the till.")
run = cli_command(till, name="run")
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "till.py").write_text(PLUGIN)
    monkeypatch.setenv("STEPGRAM_PLUGINS", str(tmp_path))
    monkeypatch.setattr(cli, "_found", None)
    return tmp_path


def test_a_plugins_command_runs_and_gives_its_exit_code(folder: Path, capsys) -> None:
    assert execute(["till", "count", "3"]) == 3
    assert capsys.readouterr().out == "counted 3\n"
    assert execute(["closing"]) == 0
    assert capsys.readouterr().out == "closed\n"


def test_help_lists_them(folder: Path, capsys) -> None:
    assert execute(["--help"]) == 0
    said = capsys.readouterr().out
    listed = said.partition("Commands of plugins:")[2]
    lines = [line.split(maxsplit=1) for line in listed.strip().splitlines()]
    assert ["closing", "Closes the till."] in lines
    assert ["till", "Counts money."] in lines
    assert "run" not in [name for name, *_ in lines]


def test_what_is_built_in_stays(folder: Path, capsys) -> None:
    assert execute(["run", "--help"]) == 0
    assert "Counts money" not in capsys.readouterr().out


def test_what_nobody_has_is_told(folder: Path, capsys) -> None:
    assert execute(["tilll"]) == 2
    assert "No such command" in capsys.readouterr().err


def test_a_broken_plugin_does_not_break_the_help(folder: Path, capsys) -> None:
    (folder / "broken.py").write_text("import nothing_of_that_name\n")
    assert execute(["--help"]) == 0
    assert "check" in capsys.readouterr().out
    assert execute(["till"]) == 2
    assert "broken.py" in capsys.readouterr().err


def test_two_of_one_name_are_refused(folder: Path) -> None:
    (folder / "other.py").write_text(PLUGIN)
    with pytest.raises(PluginError, match=r"the command “[a-z]+” is offered twice"):
        discover([folder], entry_points=False)


@pytest.mark.parametrize("name", ["", "Big", "two words", "-x", "a--b"])
def test_a_name_that_nobody_can_type_is_refused(name: str) -> None:
    with pytest.raises(SignatureError, match="no name for a command"):
        cli_command(lambda: click.Command("x"), name=name)


def test_a_command_has_its_own_name() -> None:
    offered = cli_command(click.Command("count-up"))
    assert isinstance(offered, CommandOffer)
    assert (offered.name, offered.load().name) == ("count-up", "count-up")
