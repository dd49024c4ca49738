"""`stepgram run`: the bot in Telegram, or with its page in the browser, until somebody ends it."""

import asyncio
import gc
import os
import signal
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import msgspec

from engine.cli_logging import log_to_stderr
from engine.cli_settings import environment, flows_of, settings
from engine.loading.library import Loaded
from engine.loading.rendering import render_text, summary
from engine.serving import Serving, serve, work
from engine.settings import Settings

_TEXT_BROWSERS: Final = ("www-browser", "links", "elinks", "lynx", "w3m")
_SERVING: Final = (700, 10, 10)
"""While customers wait the collector looks often, and a little each time. A start is given more room, see `cli`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of `stepgram run`, as click parsed them; None: what the settings say."""

    port: int | None = None
    flows: Path | None = None
    database: Path | None = None
    browser: bool | None = None
    page: bool | None = None


def run_bot(options: RunOptions, version: str) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit code. Raises what `engine.cli_errors` knows."""
    found = settings(flows=options.flows, database=options.database)
    flows_of(found)
    if found.telegram:
        found.telegram_credentials()
    found = msgspec.structs.replace(
        found,
        web_port=found.web_port if options.port is None else options.port,
        web_open=found.web_open if options.browser is None else options.browser,
        page=found.page if options.page is None else options.page,
    )
    log_to_stderr(found.log_level if environment().get("STEPGRAM_LOG_LEVEL") else "WARNING")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(found, version))
    return 0


async def _serve(found: Settings, version: str) -> None:
    ended = asyncio.Event()
    _end_on_signals(ended)
    bot = serve(found, version=version, told=_tell, environment=environment())
    places = await _started(bot, ended)
    if places is None:
        return
    try:
        click.echo(f"{bot.app.library.bot.name} is here: {' and '.join(places)}")
        click.echo(f"{len(bot.app.library.programs)} flows of {found.flows}, data in {found.place}.")
        click.echo("Saved flows go live at once. Ctrl-C ends it, and nothing is lost.")
        page = next((place for place in places if place.startswith("http")), None)
        if page and found.web_open and not found.telegram and _has_screen():
            await asyncio.to_thread(_open, page)
        await ended.wait()
    finally:
        with suppress(OSError):  # whoever read the output may have gone
            click.echo("Stopping. The next start goes on here.")
        await bot.stop()


def lend_a_hand(flows: Path | None) -> int:
    """Work behind a bot that runs elsewhere until Ctrl-C or SIGTERM; the exit code."""
    found = settings(flows=flows)
    flows_of(found)
    log_to_stderr(found.log_level if environment().get("STEPGRAM_LOG_LEVEL") else "WARNING")
    with suppress(KeyboardInterrupt):
        asyncio.run(_work(found))
    return 0


async def _work(found: Settings) -> None:
    ended = asyncio.Event()
    _end_on_signals(ended)
    hands = work(found, told=_tell, environment=environment())
    if await _started(hands, ended) is None:
        return
    try:
        click.echo(f"One more pair of hands for {hands.app.library.bot.name}, on {found.place}.")
        click.echo(f"{len(hands.app.library.programs)} flows of {found.flows}. Ctrl-C ends it; the others take over.")
        await ended.wait()
    finally:
        with suppress(OSError):
            click.echo("Stopping. The others go on.")
        await hands.stop()


async def _started(bot: Serving, ended: asyncio.Event) -> Sequence[str] | None:
    """Where the bot is; None when somebody ended it before it was anywhere: without a network that can take long."""
    starting, ending = asyncio.ensure_future(bot.start()), asyncio.ensure_future(ended.wait())
    await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return None
    places = starting.result()
    gc.collect()
    gc.freeze()  # flows and libraries stay for good: looking through them again and again would stop every customer
    gc.set_threshold(*_SERVING)
    return places


def _tell(loaded: Loaded, live: bool) -> None:
    """A file was saved: what came of it."""
    if loaded.report.findings:
        click.echo(render_text(loaded.report, dict(loaded.texts)))
        click.echo(summary(loaded.report))
    if live:
        click.echo(f"{len(loaded.flows)} flows are live.")
    elif loaded.report.ok:
        click.echo("There is no flow left in the folder: the old ones stay live.")
    else:
        click.echo("The old flows stay live until this is corrected.")


def _has_screen() -> bool:
    """Whether somebody sits before a screen here: else a browser would open in a terminal, or nowhere."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(address: str) -> None:
    with suppress(webbrowser.Error):
        browser = webbrowser.get()
        if getattr(browser, "name", "") not in _TEXT_BROWSERS:
            browser.open(address)


def _end_on_signals(ended: asyncio.Event) -> None:
    """Ctrl-C and a polite kill both end it in good order (where the system has such signals)."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(number, ended.set)
