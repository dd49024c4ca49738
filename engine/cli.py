"""The command line: every `stepgram` command. Parses, hands over, tells errors.

Imports nothing heavy at the top: `--help` and `--version` answer at once. What a command does is in `cli_*`.
"""

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from engine.cli_plugins import PluginGroup

USAGE = 2
"""Exit code for wrong usage and for everything that keeps a command from working."""
_STARTING = 50_000
"""New objects until the collector looks for garbage. A start makes many and throws few away: with Python's 700 a
tenth of it would go into looking."""


def _version() -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version("stepgram")
    except importlib.metadata.PackageNotFoundError:
        return "not installed, run from its source"


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"stepgram, version {_version()}")
        context.exit()


@click.group(cls=PluginGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Dialogs in YAML, actions in Python, durable by default.

    Begin with `stepgram check`, then try your flows with `stepgram chat`.
    """


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option("--no-color", is_flag=True, help="Plain text even on a terminal.")
def check(paths: tuple[Path, ...], form: str, no_color: bool) -> int:
    """Check flows and tell everything that is wrong with them.

    PATHS are folders or YAML files; without any, the folder of flows (STEPGRAM_FLOWS, else `flows`).
    Exit code 1 when there are errors; warnings do not count.
    """
    from engine.cli_check import check_flows
    from engine.cli_settings import coloured

    return check_flows(paths, form=form, colour=not no_color and coloured())


@cli.command()
@click.argument("code", required=False)
def explain(code: str | None) -> int:
    """Explain a finding's CODE, such as F0101; without one, list all."""
    from engine.cli_check import explain_code, list_codes

    return list_codes() if code is None else explain_code(code)


@cli.command()
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file instead of the screen."
)
@click.option("--check", "compare", is_flag=True, help="Only tell whether the file is current (exit code 1: no).")
def schema(output: Path | None, compare: bool) -> int:
    """Print the JSON Schema of flow files, for editors.

    The actions, sources and validators of all plugins found are in it, with their descriptions.
    """
    from engine.cli_check import check_schema, write_schema

    return check_schema(output) if compare else write_schema(output)


@cli.command()
@click.option("--flow", metavar="NAME", help="Start this flow at once.")
@click.option(
    "--script",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Play a file of inputs (- for a pipe) and print what happens.",
)
@click.option("--customer", default="me", show_default=True, metavar="ID", help="Who you are to the bot.")
@click.option("--name", metavar="NAME", help="Your name; without one, the customer's id.")
@click.option("--language", metavar="L", help="Your language, such as en or de.")
@click.option("--database", type=click.Path(path_type=Path, dir_okay=False), help="The SQLite file.")
@click.option("--flows", type=click.Path(path_type=Path, file_okay=False), help="The folder of flows.")
@click.option("--transcript", is_flag=True, help="Plain text, with what you typed: as for a pipe.")
@click.option("--virtual-clock", is_flag=True, help="Time stands still until /wait 31m turns it.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0, max=86400),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a script waits for work that is being tried again.",
)
def chat(**options: object) -> int:
    """Talk to your bot here, on the same engine as in production.

    From a pipe or with --script the inputs are played; exit code 0 when the last conversation ended, 1 when it
    did not, 2 when an input cannot be carried out.
    """
    from engine.cli_chat import ChatOptions, talk

    if options["flow"] and options["script"]:
        raise click.UsageError("Give --flow or --script, not both.")
    return talk(ChatOptions(**options))  # type: ignore[arg-type]  # click checked the types above


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--no-color", is_flag=True, help="Plain text even on a terminal.")
def test(paths: tuple[Path, ...], no_color: bool) -> int:
    """Play the tests of the flows: conversations that must go as they are written down.

    PATHS are transcripts or folders of them; without any, the folder `tests` beside the flows. Exit code 1 when the
    bot does something else, 2 when there is no test or one cannot be read.
    """
    from engine.cli_settings import coloured
    from engine.cli_test import run_tests

    return run_tests(paths, colour=not no_color and coloured())


@cli.command()
@click.option("--write", multiple=True, metavar="LANGUAGE", help="Bring the file of this language up to the flows.")
@click.option("--flows", type=click.Path(path_type=Path, file_okay=False), help="The folder of flows.")
def texts(**options: object) -> int:
    """Tell which texts of the flows lack a translation, per language: missing, stale, unused.

    --write adds those that are missing to `locales/LANGUAGE.yaml` beside the flows, with the text to be translated as
    a comment, and marks stale ones; the rest of the file stays as it is. Exit code 1 when something is left to do.
    """
    from engine.cli_texts import TextsOptions, tell_texts

    return tell_texts(TextsOptions(**options))  # type: ignore[arg-type]  # click checked the types above


@cli.command()
@click.argument("flow", required=False)
@click.option("--format", "form", type=click.Choice(["mermaid", "svg", "png"]), help="Else by the name of --output.")
@click.option("--output", type=click.Path(path_type=Path), help="Write to this file; with --all, into this folder.")
@click.option("--all", "every", is_flag=True, help="One file per flow, into `diagrams` beside the flows.")
@click.option("--check", "compare", is_flag=True, help="Only tell whether the files are current (exit code 1: no).")
@click.option("--current", metavar="STEP", help="Light this step.")
@click.option("--dark", is_flag=True, help="Dark colours; without it an SVG follows its reader's setting.")
def draw(**options: object) -> int:
    """Draw the diagram of a FLOW; without one, list the flows.

    Mermaid on the screen, else SVG, PNG or Mermaid as the output file is called. Exit code 1 when flows have errors.
    """
    from engine.cli_draw import DrawOptions
    from engine.cli_draw import draw as drawn

    return drawn(DrawOptions(**options))  # type: ignore[arg-type]  # click checked the types above


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Where the page listens; 0: any free port.")
@click.option("--database", type=click.Path(path_type=Path, dir_okay=False), help="The SQLite file.")
@click.option("--flows", type=click.Path(path_type=Path, file_okay=False), help="The folder of flows.")
@click.option("--browser/--no-browser", default=None, help="Open the page, or only print its address.")
@click.option("--page/--no-page", default=None, help="With Telegram settings: serve the page, too.")
def run(**options: object) -> int:
    """Run the bot: in Telegram when its settings are there, else a page in the browser with a workshop beside it.

    The page listens on this machine only. Flows that are saved go live at once; what is wrong with one is told, and
    the old one stays. In the terminal instead: `stepgram chat`.
    """
    from engine.cli_run import RunOptions, run_bot

    return run_bot(RunOptions(**options), _version())  # type: ignore[arg-type]  # click checked the types above


@cli.command()
@click.option("--flows", type=click.Path(path_type=Path, file_okay=False), help="The folder of flows.")
def work(flows: Path | None) -> int:
    """Lend a hand to a bot that `stepgram run` serves on the same PostgreSQL database (DATABASE_URL).

    Start as many as you like, on one machine or several: each takes its share of the conversations, and the others
    take it over when it ends.
    """
    from engine.cli_run import lend_a_hand

    return lend_a_hand(flows)


@cli.command()
@click.option("--database", type=click.Path(path_type=Path, dir_okay=False), help="The SQLite file.")
@click.option("--check", is_flag=True, help="Only tell (exit code 1: there is something to migrate).")
def migrate(**options: object) -> int:
    """Bring the database to the newest schema, after an upgrade of Stepgram.

    Stop the bot first. All data is kept. A SQLite file is migrated as a copy, and stays beside it as it was. Killed in
    the middle, nothing is changed: type it again.
    """
    from engine.cli_migrate import MigrateOptions, migrate_database

    return migrate_database(MigrateOptions(**options))  # type: ignore[arg-type]  # click checked the types above


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--database", type=click.Path(path_type=Path, dir_okay=False), help="The SQLite file.")
def backup(**options: object) -> int:
    """Write a backup into FOLDER, which must not exist: the database, the received files, a manifest.

    The bot may run meanwhile and is not kept waiting. The database is written as one SQLite file, also when it is
    PostgreSQL. FOLDER appears when it is whole.
    """
    from engine.cli_backup import BackupOptions, back_up

    return back_up(BackupOptions(**options), _version())  # type: ignore[arg-type]  # click checked the types above


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--database", type=click.Path(path_type=Path, dir_okay=False), help="The SQLite file.")
@click.option("--replace", is_flag=True, help="Also where there is data already; that is kept beside it.")
def restore(**options: object) -> int:
    """Bring a backup from FOLDER back, into an empty database: SQLite, or PostgreSQL with DATABASE_URL.

    Stop the bot first. So this is also the way from SQLite to PostgreSQL and back. A backup of an older version is
    migrated on the way. Killed in the middle, type it again.
    """
    from engine.cli_backup import RestoreOptions, restore_backup

    return restore_backup(RestoreOptions(**options))  # type: ignore[arg-type]  # click checked the types above


@cli.command()
@click.option("--database", type=click.Path(path_type=Path, dir_okay=False), help="The SQLite file.")
@click.option("--json", "as_json", is_flag=True, help="For a program to read.")
@click.option(
    "--unnamed-files",
    type=click.Choice(["tell", "delete"]),
    help="Received files older than two days that nothing in the database names: how many, or delete them.",
)
def store(**options: object) -> int:
    """Tell how the database is: rows, size, what waits for long, calls that keep failing, whether it is sound.

    The bot may run meanwhile. Exit code 1 when the database is damaged.
    """
    from engine.cli_store import StoreOptions, tell_store

    return tell_store(StoreOptions(**options))  # type: ignore[arg-type]  # click checked the types above


@cli.command()
@click.argument("flow")
@click.argument("key")
@click.argument("name")
@click.option("--data", multiple=True, metavar="NAME=VALUE", help="One field of the payload; may be repeated.")
@click.option("--json", "text", metavar="TEXT", help="The whole payload as a JSON object; - reads standard input.")
@click.option("--id", "update", metavar="ID", help="A signal with the same id is taken once only.")
@click.option("--database", type=click.Path(path_type=Path, dir_okay=False), help="The SQLite file.")
@click.option("--flows", type=click.Path(path_type=Path, file_okay=False), help="The folder of flows.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0, max=3600),
    default=3.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait until it is delivered.",
)
def signal(**options: object) -> int:
    """Tell the conversation of FLOW that has this KEY that something happened: the signal NAME.

    The bot may run or not: what cannot be delivered yet is kept for seven days. Exit code 1 when the conversation is
    over, 2 when the signal does not fit the flows.
    """
    from engine.cli_signal import SignalOptions, send_signal

    if options["data"] and options["text"] is not None:
        raise click.UsageError("Give --data or --json, not both.")
    return send_signal(SignalOptions(**options))  # type: ignore[arg-type]  # click checked the types above


def main(arguments: Sequence[str] | None = None) -> None:
    """The `stepgram` command: runs and leaves the process with the exit code. Never shows a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    gc.set_threshold(_STARTING)
    sys.exit(execute(arguments))


def execute(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    try:
        result = cli.main(args=arguments, prog_name="stepgram", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        _silence_output()
        return 0
    except Exception as error:
        return _tell(error)
    return result if isinstance(result, int) else 0


def _silence_output() -> None:
    """Nobody reads any more (`stepgram … | head`): let the interpreter's last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(error: Exception) -> int:
    """One sentence for a known error, one line and a hint for any other."""
    if os.environ.get("STEPGRAM_DEBUG"):
        traceback.print_exception(error)
        return USAGE
    try:
        from engine.cli_errors import sentence

        known = sentence(error)
    except Exception:  # a broken installation: then the error itself is all there is to tell
        known = None
    if known is not None:
        click.echo(known, err=True)
        return USAGE
    words = " ".join(str(error).split())[:300]
    click.echo(f"stepgram: something went wrong: {type(error).__name__}{': ' if words else ''}{words}", err=True)
    click.echo("Set STEPGRAM_DEBUG=1 and run it again to see where; that helps whoever mends it.", err=True)
    return USAGE
