"""The command line: `stepgram run · chat · check · explain · test · draw · schema`. Parses, hands over, tells errors.

Imports nothing heavy at the top: `--help` and `--version` answer at once. What a command does is in `cli_*`.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

USAGE = 2
"""Exit code for wrong usage and for everything that keeps a command from working."""


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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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


def main(arguments: Sequence[str] | None = None) -> None:
    """The `stepgram` command: runs and leaves the process with the exit code. Never shows a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
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
