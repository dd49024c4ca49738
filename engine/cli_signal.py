"""`stepgram signal`: tells a conversation from outside that something happened, while the bot runs or not."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from engine.actions.discovery import discover
from engine.cli_settings import coloured, environment, flows_of, settings
from engine.core.early import awaited
from engine.core.model import Flow
from engine.core.payloads import read_of
from engine.core.values import Value
from engine.loading.findings import nearest
from engine.runtime.clock import SystemClock
from engine.runtime.identity import SecretIds
from engine.runtime.ports import NewSignal
from engine.runtime.sending import LARGEST_PAYLOAD, Sent, UnfitSignal, new_signal, payload_of, update_of
from engine.settings import Settings

LATE: Final = 1
"""Exit code for a signal that nobody will get, and for flows with errors."""
USAGE: Final = 2
LOOK: Final = 0.05
"""Seconds between two looks whether it was delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalOptions:
    """As on the command line."""

    flow: str
    key: str
    name: str
    data: Sequence[str] = field(default=())
    """`name=value`."""
    text: str | None = None
    """The payload as JSON; `-`: on standard input."""
    update: str | None = None
    database: Path | None = None
    flows: Path | None = None
    wait: float = 3.0


class Wrong(Exception):  # noqa: N818 - says what it is
    """The command line does not fit the flows; the message is for a person."""


def send_signal(options: SignalOptions) -> int:
    """Send it and tell what became of it: 0 it is with the bot, 1 nobody gets it, 2 it could not be sent. Raises what
    `engine.cli_errors` knows."""
    found = settings(flows=options.flows, database=options.database)
    flows = _flows(found)
    if flows is None:
        return LATE
    try:
        _check_names(flows, options)
        payload = _payload(options)
        signal = new_signal(
            flow=options.flow,
            key=options.key,
            name=options.name,
            payload=payload,
            update=update_of(options.update or SecretIds().file()),
            at=SystemClock().now(),
        )
    except (Wrong, UnfitSignal) as error:
        click.echo(f"stepgram: {error}", err=True)
        return USAGE
    _warn(flows, options, payload)
    if found.database_url is not None:
        sent, opened = asyncio.run(_by_server(found, signal, options.wait))
    else:
        sent, opened = _by_file(found.database, signal, options.wait)
    click.echo(_told(sent, opened, options))
    return LATE if sent is Sent.LATE else 0


# --- what is sent -----------------------------------------------------------------------------------------


def _flows(found: Settings) -> Mapping[str, Flow] | None:
    """The flows by name; None: they have errors, which were printed."""
    from engine.loading.library import load
    from engine.loading.rendering import render

    loaded = load(flows_of(found), discover([found.plugins]), environment=environment())
    if loaded.report.ok:
        return {flow.name: flow for flow in loaded.flows}
    click.echo(render(loaded, colour=coloured()), color=coloured())
    return None


def _check_names(flows: Mapping[str, Flow], options: SignalOptions) -> None:
    if options.flow not in flows:
        raise Wrong(f"There is no flow “{options.flow}”.{_near(options.flow, flows)}")
    known = awaited(flows.__getitem__, [options.flow])
    if options.name in known:
        if flows[options.flow].key is None:
            raise Wrong(f"“{options.flow}” has no `key:` in its file, so no signal finds its conversations.")
        return
    if not known:
        raise Wrong(f"No step of “{options.flow}” waits for a signal.")
    there = ", ".join(f"“{name}”" for name in sorted(known))
    near = _near(options.name, known) or f" It waits for {there}."
    raise Wrong(f"No step of “{options.flow}” waits for the signal “{options.name}”.{near}")


def _near(name: str, known: Mapping[str, object] | frozenset[str]) -> str:
    found = nearest(name, known)
    return f" Did you mean “{found}”?" if found else ""


def _payload(options: SignalOptions) -> Mapping[str, Value]:
    if options.text is not None:
        text = sys.stdin.buffer.read(LARGEST_PAYLOAD + 1) if options.text == "-" else options.text
        return payload_of(text)
    payload: dict[str, Value] = {}
    for part in options.data:
        name, equals, value = part.partition("=")
        if not equals or not name.isidentifier():
            raise Wrong(f"--data takes NAME=VALUE such as amount=12.50, not “{part}”.")
        payload[name] = _value(value)
    return payload


def _value(text: str) -> Value:
    """A number, `true`, `false` or `null` as JSON has it; everything else is text as it stands."""
    try:
        value: Value = payload_of(f'{{"value": {text}}}')["value"]
    except UnfitSignal:
        return text
    return text if isinstance(value, str | list | dict) else value


def _warn(flows: Mapping[str, Flow], options: SignalOptions, payload: Mapping[str, Value]) -> None:
    missing = sorted(read_of(flows.__getitem__, options.flow, options.name) - payload.keys())
    if missing:
        names = ", ".join(f"“{name}”" for name in missing)
        told = f"the flow reads {names} of this signal, and it is not in what you send. It is sent all the same."
        click.echo(f"stepgram: {told}", err=True)


# --- what becomes of it -----------------------------------------------------------------------------------


def _by_file(database: Path, signal: NewSignal, wait: float) -> tuple[Sent, bool]:
    from storage import outside

    outside.check(database)
    opened, known = outside.standing(database, signal.flow, signal.key)
    if not outside.keep(database, signal):
        return Sent.DUPLICATE, opened
    end = time.monotonic() + wait
    while waits := outside.waits(database, signal):
        if time.monotonic() >= end:
            break
        time.sleep(LOOK)
    return _became(waits=waits, opened=opened, known=known), opened


async def _by_server(found: Settings, signal: NewSignal, wait: float) -> tuple[Sent, bool]:
    from engine.app import store_of

    store = store_of(found)
    await store.open()
    try:
        opened = await store.by_key(signal.flow, signal.key) is not None
        known = opened or await store.ended_by_key(signal.flow, signal.key) is not None
        if not await store.keep_signal(signal):
            return Sent.DUPLICATE, opened
        end = time.monotonic() + wait
        while waits := not await store.seen(signal.update):
            if time.monotonic() >= end:
                break
            await asyncio.sleep(LOOK)
        return _became(waits=waits, opened=opened, known=known), opened
    finally:
        await store.close()


def _became(*, waits: bool, opened: bool, known: bool) -> Sent:
    if known and not opened:
        return Sent.LATE
    return Sent.KEPT if waits else Sent.DELIVERED


def _told(sent: Sent, opened: bool, options: SignalOptions) -> str:
    to = f"the conversation of “{options.flow}” with the key {json.dumps(options.key, ensure_ascii=False)}"
    match sent:
        case Sent.DELIVERED:
            return f"Delivered to {to}."
        case Sent.DUPLICATE:
            return "A signal with this id was sent before: nothing is done again."
        case Sent.LATE:
            return f"Too late: {to} is over. The signal is dropped."
        case _ if opened:
            return f"Kept: {to} gets it as soon as the bot runs and has time for it."
        case _:
            return f"Kept for seven days: there is no conversation of “{options.flow}” with this key yet."
