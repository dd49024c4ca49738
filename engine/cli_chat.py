"""`stepgram chat`: puts app, terminal and script together. No dialog logic here."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from engine.app import App, build
from engine.channels.terminal import Console, TerminalChannel
from engine.channels.terminal_lines import lines_from, lines_of
from engine.channels.terminal_live import converse, greeting
from engine.channels.terminal_script import Player
from engine.channels.terminal_session import Customer, Session
from engine.channels.terminal_text import Style
from engine.cli_logging import log_to_stderr
from engine.cli_settings import coloured, environment, flows_of, settings
from engine.runtime.clock import ManualClock, SystemClock
from engine.settings import Settings, SettingsError

_CUSTOMER: Final = re.compile(r"[\w.@+-]{1,48}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """The options of `stepgram chat`, as click parsed them."""

    flow: str | None = None
    script: Path | None = None
    customer: str = "me"
    name: str | None = None
    language: str | None = None
    database: Path | None = None
    flows: Path | None = None
    transcript: bool = False
    virtual_clock: bool = False
    patience: float = 60.0


def talk(options: ChatOptions) -> int:
    """Run one sitting; the exit code. Raises what `engine.cli_errors` knows."""
    if _CUSTOMER.fullmatch(options.customer) is None:
        raise SettingsError("--customer takes at most 48 letters, digits and . @ + - _, such as anna.")
    found = settings(flows=options.flows, database=options.database)
    flows_of(found)
    script = _script(options.script)
    log_to_stderr(found.log_level if environment().get("STEPGRAM_LOG_LEVEL") else "ERROR")
    try:
        return asyncio.run(_sit(options, found, script))
    except asyncio.CancelledError:
        return 143
    except KeyboardInterrupt:
        if script is not None or not sys.stdin.isatty():
            return 130
        click.echo("\nSee you. Everything is kept: the same command goes on where you were.")
        return 0


def _script(path: Path | None) -> list[str] | None:
    """The script's lines; None when the inputs come from standard input."""
    if path is None or str(path) == "-":
        return None
    try:
        return [line.removesuffix("\r") for line in path.read_text(encoding="utf-8-sig").split("\n")]
    except UnicodeDecodeError:
        raise SettingsError(f"The script {path} is not UTF-8 text: please save it as such.") from None


async def _sit(options: ChatOptions, found: Settings, script: list[str] | None) -> int:
    live = script is None and options.script is None and sys.stdin.isatty() and not options.transcript
    colours = live and coloured()
    console = Console(sys.stdout, style=Style(ansi=colours), interactive=live)
    customer = Customer(id=options.customer, name=options.name or options.customer, language=options.language)
    channel = TerminalChannel(chat=customer.chat, console=console)
    clock = ManualClock(datetime.now(UTC).replace(microsecond=0)) if options.virtual_clock else SystemClock()
    app = build(found, channel=channel, clock=clock, environment=environment())
    session = Session(
        customer=customer, engine=app, store=app.store, files=app.files, clock=clock, screen=channel.screen
    )
    lines = lines_of(sys.stdin.fileno()) if script is None else lines_from(script)
    _end_on_sigterm()
    await app.start()
    try:
        async with aclosing(lines):
            if live:
                return await _live(app, session, console, lines, options.flow)
            name = options.script.name if options.script else "-"
            player = Player(session=session, console=console, script=name, patience=options.patience)
            return await player.play(lines, flow=options.flow)
    finally:
        console.leave()
        await app.stop()


async def _live(app: App, session: Session, console: Console, lines: AsyncIterator[str], flow: str | None) -> int:
    roles = app.library.roles(session.customer.id)
    commands = [command for _, command in app.library.startable(roles)]
    console.write(greeting(app.library.bot.name, commands))
    await converse(session, console, lines, flow=flow)
    console.write("See you. Everything is kept: the same command goes on where you were.")
    return 0


def _end_on_sigterm() -> None:
    """A polite kill ends the sitting the way Ctrl-C does (where the system has such signals)."""
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
