"""Entries of a browser chat's journal become a transcript: what was done, what came back, what the bot said. Pure."""

import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from engine.actions.invoke import ROWS
from engine.channels.web.entries import (
    Contact,
    Location,
    Noticed,
    Pressed,
    Received,
    Said,
    Shown,
    Text,
    is_web_address,
    payload_of,
)
from engine.core.codec import load_data
from engine.loading.transcripts import (
    FAILURES,
    TIMERS,
    Bot,
    Button,
    Customer,
    Expectation,
    Fails,
    Fires,
    Given,
    Gives,
    Lists,
    Notices,
    Presses,
    PressesData,
    Says,
    Sends,
    SharesLocation,
    SharesPhone,
    Signals,
    Step,
    Transcript,
    Waits,
    Wanted,
)
from engine.loading.transcripts_values import labelled, readable
from engine.runtime.journal import Entry
from engine.transcripts.phone import Drawing, Phone
from engine.transcripts.screen import again

_OWN: Final = "conversations."
"""Actions and sources that only look at the chat, or ask the engine for something: they run for real in a test too."""
_DRAWN: Final = frozenset({"drawn", "redrawn"})
_LEAST: Final = timedelta(milliseconds=200)
"""A shorter pause before something the bot said is the work, not the time."""
_BEFORE: Final = frozenset({"text", "press", "file", "photo", "contact", "location", "timer", "signal"})


class Pauses(StrEnum):
    """How the time of the conversation is kept."""

    TURNED = "turned"
    """Only the workshop's clock counts, as far as it was turned."""
    REACHED = "reached"
    """At every turn of the workshop's clock the test's clock comes to the same time."""
    INPUTS = "inputs"
    """Every pause is kept, but for those in which an action was at work."""
    ALL = "all"


@dataclass(kw_only=True)
class _Teller:
    pauses: Pauses
    now: datetime
    """Where the clock of the transcript stands."""
    drawn: frozenset[str]
    """Keys of the messages whose every drawing is in the journal."""
    steps: list[Step] = field(default_factory=list)
    phone: Phone = field(default_factory=Phone)
    actions: dict[str, list[Given]] = field(default_factory=dict)
    real: set[str] = field(default_factory=set)
    """Names that are to run for real."""
    worked: bool = False
    """Whether an action has come back since the last step."""

    def tell(self, entry: Entry) -> None:
        if entry.kind == "called":
            self._called(entry)
            return
        if entry.kind == "clock":
            self._clock(entry)
            return
        steps = self._steps(entry)
        if steps:
            self._wait(entry)
            self.worked = False
        for step in steps:
            if isinstance(step, Bot) and again(self.steps[-1] if self.steps else None, step) and self._waited():
                self.steps.pop()
            self.steps.append(step)

    def _waited(self) -> bool:
        """Whether time has passed since anybody did something."""
        return isinstance(
            next((step for step in reversed(self.steps) if not isinstance(step, Expectation)), None), Waits
        )

    # --- time -----------------------------------------------------------------------------------------------

    def _wait(self, entry: Entry) -> None:
        if self.pauses in (Pauses.TURNED, Pauses.REACHED):
            return
        expected = entry.kind not in _BEFORE
        if expected and (entry.at - self.now < _LEAST or (self.worked and self.pauses is Pauses.INPUTS)):
            return
        self._until(entry.at, Decimal("0.001"))

    def _until(self, at: datetime, step: Decimal) -> None:
        left = Decimal((at - self.now) // timedelta(microseconds=1)) / 1_000_000
        seconds = (left / step).to_integral_value(ROUND_CEILING) * step
        if seconds > 0:
            self.steps.append(Waits(seconds=seconds))
            self.now += timedelta(microseconds=int(seconds * 1_000_000))

    def _clock(self, entry: Entry) -> None:
        seconds = _json(entry).get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
            return
        after = entry.at + timedelta(seconds=seconds)
        match self.pauses:
            case Pauses.TURNED:
                self._until(self.now + timedelta(seconds=seconds), Decimal(1))
            case Pauses.REACHED:
                self._until(after, Decimal(1))
            case _:
                self._until(after, Decimal("0.001"))

    # --- what was done and said -----------------------------------------------------------------------------

    def _steps(self, entry: Entry) -> list[Step]:
        if entry.kind in ("timer", "signal"):
            return _pushed(entry)
        if entry.kind in _DRAWN or (entry.kind == "show" and f"{entry.key}:drawn" not in self.drawn):
            shown = payload_of(replace(entry, kind="show"))
            return [self._shown(entry, shown)] if isinstance(shown, Shown) else []
        return [] if entry.kind == "show" else self._plain(entry)

    def _plain(self, entry: Entry) -> list[Step]:
        match payload_of(entry):
            case Text(text=text) if entry.kind == "text":
                return [Says(text=text)]
            case Pressed(data=data):
                return [self._press(data)]
            case Contact(phone=phone):
                return [SharesPhone(phone=phone)]
            case Location(latitude=latitude, longitude=longitude):
                return [SharesLocation(latitude=Decimal(str(latitude)), longitude=Decimal(str(longitude)))]
            case Received() as file:
                return [_sent(file)]
            case Said(html=html):
                self.phone.text()
                return [Bot(text=Wanted(exact=readable(html)))]
            case Noticed(text=text, alert=alert) if text:
                return [Notices(text=Wanted(exact=readable(text)), alert=alert)]
            case _:
                return []

    def _press(self, data: str) -> Step:
        named = self.phone.named(data)
        if named is None:
            return PressesData(data=data)
        label, message, number = named
        return Presses(button=label, message=message, number=number)

    def _shown(self, entry: Entry, shown: Shown) -> Step:
        surface = f"{entry.conversation}.{shown.over or shown.visit}"
        presses = [button for row in shown.rows for button in row if not button.url]
        drawing = Drawing(surface=surface, buttons=tuple((labelled(one.text), one.data) for one in presses))
        place = self.phone.draw(drawing, edit=entry.kind == "redrawn")
        rows = tuple(tuple(Button(text=labelled(one.text)) for one in row) for row in shown.rows)
        picture = shown.photo
        if picture is not None and picture[0] == "value" and not is_web_address(picture[1]):
            picture = None  # a kept file: its name is another one every time
        return Bot(
            text=Wanted(exact=readable(shown.html)),
            buttons=rows or None,
            picture=picture,
            edit=place is not None,
            message=place or 1,
        )

    # --- what actions gave ----------------------------------------------------------------------------------

    def _called(self, entry: Entry) -> None:
        self.worked = True
        try:
            called: Any = load_data(entry.payload)
            name, given = str(called["name"]), _given(called)
        except (ValueError, TypeError, KeyError, ArithmeticError):
            return
        if name.startswith(_OWN) or called.get("asked") or given is None:
            self.real.add(name)
        self.actions.setdefault(name, [])
        if given is not None:
            self.actions[name].append(given)

    def told(self) -> Mapping[str, tuple[Given, ...]]:
        """What the transcript says of actions."""
        return {name: _folded(given) for name, given in self.actions.items() if name not in self.real and given}


def tell(entries: Sequence[Entry], *, name: str, customer: Customer, pauses: Pauses) -> Transcript:
    """The transcript of a conversation; `entries` in their order, not empty."""
    start = entries[0].at
    if pauses in (Pauses.TURNED, Pauses.REACHED):
        start = start.replace(microsecond=0)
    drawn = frozenset(entry.key for entry in entries if entry.kind in _DRAWN)
    teller = _Teller(pauses=pauses, now=start, drawn=drawn)
    for entry in entries:
        teller.tell(entry)
    return Transcript(name=name, customer=customer, start=start, actions=teller.told(), steps=tuple(teller.steps))


def _json(entry: Entry) -> Mapping[str, Any]:
    try:
        read = msgspec.json.decode(entry.payload)
    except msgspec.MsgspecError:
        return {}
    return read if isinstance(read, dict) else {}


def _pushed(entry: Entry) -> list[Step]:
    """A button of the workshop: a timer fired, a signal sent."""
    more = _json(entry)
    name = more.get("name")
    if entry.kind == "timer":
        return [Fires(name=name)] if name in TIMERS else []
    if not isinstance(name, str) or not name:
        return []
    payload = load_data(msgspec.json.encode(more.get("payload") or {}))
    return [Signals(name=name, payload=payload if isinstance(payload, dict) else {})]


def _sent(file: Received) -> Step:
    photo = file.kind == "photo"
    usual = "image/jpeg" if photo else mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Sends(name=file.name, size=file.size, photo=photo, mime=None if file.mime == usual else file.mime)


def _given(called: Mapping[str, Any]) -> Given | None:
    """What one attempt gave; None when the journal does not have it whole."""
    value = called["value"]
    if called.get("cut"):
        return None
    if not called["outcome"]:
        kind = value.get("kind")
        reason = str(value.get("reason") or "")
        return Fails(kind=kind if kind in FAILURES else "error", reason=reason, final=not value.get("retry", True))
    if called.get("source") or called["outcome"] == ROWS:
        total = value.get("total") if value.get("paged") else None
        return Lists(rows=tuple(value["rows"]), total=total)
    return Gives(outcome=str(called["outcome"]), value=dict(value))


def _folded(given: Iterable[Given]) -> tuple[Given, ...]:
    """Without repetitions at the end: the last answer stands for every later call."""
    kept = list(given)
    while len(kept) > 1 and kept[-1] == kept[-2]:
        kept.pop()
    return tuple(kept)
