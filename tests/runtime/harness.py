"""A bot on a memory store with a clock turned by hand, and a customer's screen to look at."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.actions.offers import Action, Source
from engine.app import App, build
from engine.core.effects import Notice, Say, Show
from engine.core.events import TextReceived
from engine.runtime.clock import ManualClock
from engine.runtime.identity import SeededIds
from engine.runtime.outbox import callback_data, decode
from engine.runtime.ports import Envelope, Outgoing, Store
from engine.runtime.routing import CallbackPressed, Command
from engine.settings import Settings
from storage.memory import MemoryStore

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class Screen:
    """A channel that keeps what it delivers; `down` makes it fail."""

    def __init__(self) -> None:
        self.rows: list[Outgoing] = []
        self.down = False
        self.attempts = 0

    async def deliver(self, outgoing: Outgoing) -> None:
        self.attempts += 1
        if self.down:
            raise ConnectionError("no network")
        self.rows.append(outgoing)

    def effects(self, chat: str) -> list[Show | Say | Notice]:
        return [decode(row).effect for row in self.rows if row.chat == chat]

    def texts(self, chat: str) -> list[str]:
        return [effect.text for effect in self.effects(chat)]


class Bot:
    """The app and one customer, who types and presses what is on show."""

    def __init__(self, app: App, screen: Screen, clock: ManualClock, chat: str = "terminal:anna") -> None:
        self.app = app
        self.screen = screen
        self.clock = clock
        self.chat = chat
        self.count = 0

    async def send(
        self, what: object, *, chat: str | None = None, update: str | None = None, language: str | None = None
    ) -> bool:
        self.count += 1
        number = update or f"u{self.count}"
        good = await self.app.handle(
            Envelope(chat=chat or self.chat, update=number, what=what, name="Anna", language=language)
        )
        await self.app.run_due()
        return good

    async def types(self, text: str, **more: str) -> bool:
        return await self.send(TextReceived(at=self.clock.now(), text=text), **more)

    async def command(self, name: str, payload: str = "", **more: str) -> bool:
        return await self.send(Command(name=name, payload=payload), **more)

    def button(self, label: str, chat: str | None = None) -> str:
        """Callback data of the newest button with that text."""
        for row in reversed(self.screen.rows):
            effect = decode(row).effect
            if row.chat != (chat or self.chat) or not isinstance(effect, Show):
                continue
            for press in (press for line in effect.rows for press in line):
                if label in press.text:
                    return callback_data(row.surface, effect.draw, press.code)
        raise AssertionError(f"no button {label!r} in {self.screen.texts(chat or self.chat)}")

    async def press(self, label: str, **more: str) -> bool:
        return await self.send(CallbackPressed(data=self.button(label)), **more)

    @property
    def last(self) -> str:
        return self.screen.texts(self.chat)[-1]

    async def turn(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.app.run_due()


def assemble(
    folder: Path,
    flows: dict[str, str],
    *,
    offers: Catalog | None = None,
    store: Store | None = None,
    screen: Screen | None = None,
    clock: ManualClock | None = None,
    seed: int = 1,
    environment: dict[str, str] | None = None,
    **more: Any,
) -> Bot:
    place = folder / "flows"
    place.mkdir(exist_ok=True)
    for name, text in flows.items():
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    screen = screen or Screen()
    clock = clock or ManualClock(START)
    known = discover(entry_points=False)
    if offers is not None:
        known = Catalog(
            actions={**known.actions, **offers.actions},
            sources={**known.sources, **offers.sources},
            validators=known.validators,
        )
    app = build(
        Settings(flows=place, files=folder / "files"),
        channel=screen,
        store=store or MemoryStore(),
        clock=clock,
        ids=SeededIds(seed),
        catalog=known,
        environment=environment or {},
        **more,
    )
    return Bot(app, screen, clock)


def offering(namespace: str, *offers: Action | Source) -> Catalog:
    """A catalog of actions and sources defined in a test, named as if they stood in a plugin `namespace`."""
    actions, sources = {}, {}
    for offer in offers:
        name = f"{namespace}.{offer.signature.name.rpartition('.')[2]}"
        if isinstance(offer, Action):
            actions[name] = replace(offer.signature, name=name)
        else:
            sources[name] = replace(offer.signature, name=name)
    return Catalog(actions=actions, sources=sources)
