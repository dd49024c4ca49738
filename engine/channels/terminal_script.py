"""Plays a script of inputs: line by line, each once, and on from where a killed run stopped.

Every line has an update id made of the script's name, the customer, the run and all lines so far, so a
repeated run with the same database skips what is committed. A run that came to its end is marked; the next
is a new one.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace

from engine.channels.terminal import Console
from engine.channels.terminal_input import Nothing, Quit, Waited, Wrong, goes_on, is_comment, join, parse
from engine.channels.terminal_session import NotHandled, Session
from engine.runtime.clock import ManualClock
from engine.runtime.ports import Commit, Overtaken

ENDED, NOT_ENDED, BROKEN = 0, 1, 2
"""Exit codes: the last conversation is over; it is not; a line of the script is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One input of a script; `number` is the place of its first line, from 1."""

    number: int
    text: str


async def script_lines(raw: AsyncIterator[str]) -> AsyncIterator[Line]:
    """Inputs of a script: comments and empty lines left out, continued lines put together."""
    number, start, parts = 0, 0, list[str]()
    async for text in raw:
        number += 1
        if not parts:
            if not text.strip() or is_comment(text):
                continue
            start = number
        parts.append(text)
        if not goes_on(text):
            yield Line(number=start, text=join(parts))
            parts = []
    if parts:
        yield Line(number=start, text=join(parts))


class Marks:
    """The update ids of one run of a script."""

    def __init__(self, *, script: str, customer: str, run: int, first: str) -> None:
        self._hash = hashlib.sha256(f"{script}\0{customer}\0{run}\0".encode())
        self.end = f"script-{self._digest(first)}:end"

    def next(self, line: Line) -> str:
        """The id of this line, which depends on all lines before it too."""
        self._hash.update(f"{line.number}\0{line.text}\0".encode())
        return f"script-{self._hash.hexdigest()[:16]}:{line.number}"

    def _digest(self, first: str) -> str:
        copy = self._hash.copy()
        copy.update(first.encode())
        return copy.hexdigest()[:16]


class Player:
    """Plays the lines of one script in a session."""

    def __init__(self, *, session: Session, console: Console, script: str, patience: float) -> None:
        self._session = session
        self._console = console
        self._script = script
        self._patience = patience
        self._skipped = 0
        self._played = 0
        self._marks: Marks | None = None

    async def play(self, lines: AsyncIterator[str], *, flow: str | None = None) -> int:
        """Play everything and return the exit code. `flow` is started before the first line."""
        try:
            if flow is not None:
                await self._open(Line(number=0, text=f"flow {flow}"), flow)
            async for line in script_lines(lines):
                code = await self._line(line)
                if code is not None:
                    return code
            return await self._finish()
        except NotHandled:
            await self._settle()
            self._console.write("(the bot could not take this input; playing the script again goes on here)")
            return NOT_ENDED

    async def _open(self, line: Line, flow: str) -> None:
        update = (await self._run_of(line)).next(line)
        if await self._session.store.seen(update):
            self._skipped += 1
            return
        self._played += 1
        await self._session.start(flow, update)
        await self._settle()

    async def _line(self, line: Line) -> int | None:
        """Play one line; the exit code when the script is over with it."""
        update = (await self._run_of(line)).next(line)
        given = parse(line.text, buttons_only=False)
        if isinstance(given, Waited) and await self._turned(given):
            return None
        if await self._session.store.seen(update):
            self._skipped += 1
            return None
        await self._come_back()
        given = parse(line.text, buttons_only=self._session.screen.buttons_only)
        self._console.echo(line.text)
        if isinstance(given, Quit):
            return await self._finish()
        wrong = await self._session.send(given, update)
        if wrong is not None:
            return self._broken(line, wrong)
        self._played += not isinstance(given, Nothing | Waited)
        await self._settle()
        return None

    async def _turned(self, given: Waited) -> bool:
        """A wait among lines that were played in an earlier run only turns the clock."""
        clock = self._session.clock
        if not isinstance(clock, ManualClock) or self._played or not self._skipped:
            return False
        clock.advance(given.seconds)
        return True

    def _broken(self, line: Line, wrong: Wrong) -> int:
        self._console.write(f"{self._script}:{line.number}: {wrong.message}")
        return BROKEN

    async def _come_back(self) -> None:
        """Before the first line that is played: what an earlier run left open is drawn again."""
        if self._played:
            return
        if self._skipped:
            lines = "1 line was" if self._skipped == 1 else f"{self._skipped} lines were"
            self._console.write(f"({lines} played by an earlier run)")
        await self._settle()  # what was under way when the earlier run stopped comes in first
        if not self._session.screen.messages:
            await self._session.resume()
            await self._settle()

    async def _run_of(self, line: Line) -> Marks:
        """The ids of the first run of this script that has not come to its end."""
        if self._marks is None:
            run = 1
            self._marks = self._marks_of(run, line)
            while await self._session.store.seen(self._marks.end):
                run += 1
                self._marks = self._marks_of(run, line)
        return self._marks

    def _marks_of(self, run: int, line: Line) -> Marks:
        return Marks(script=self._script, customer=self._session.customer.chat, run=run, first=line.text)

    async def _settle(self) -> bool:
        quiet = await self._session.settle(self._patience)
        if not quiet:
            self._console.write("(some work is still being tried again; going on)")
        return quiet

    async def _finish(self) -> int:
        if not await self._settle():
            return NOT_ENDED
        await self._mark_end()
        if not self._played and not self._skipped:
            self._console.write("(the script has no inputs: nothing was played)")
            return NOT_ENDED
        if not self._skipped and self._session.screen.conversation is None:
            self._console.write("(no flow was started)")
            return NOT_ENDED
        if await self._session.ended():
            return ENDED
        self._console.write("(the script is over, the conversation is not)")
        return NOT_ENDED

    async def _mark_end(self) -> None:
        """Note that this run came to its end, so that playing the script again is a new run."""
        store = self._session.store
        while self._marks is not None and not await store.seen(self._marks.end):
            chat = await store.chat(self._session.customer.chat)
            if chat is None:
                return
            marked = replace(chat, revision=chat.revision + 1)
            with suppress(Overtaken):  # a timer fired meanwhile: once more
                await store.commit([Commit(chat=marked, seen=(self._marks.end,), at=self._session.clock.now())])
