"""The process killed with SIGKILL after every input and at odd moments, then started again: nothing lost or doubled."""

import asyncio
import os
import random
import re
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.backend import Backend
from tests.cli.terminal import surroundings
from tests.journeys.order import DOCUMENT as ORDERED
from tests.journeys.shop import ROOT
from tests.print_flows import print_flows

LONG = bool(os.environ.get("STEPGRAM_LONG"))
SEEDS = tuple(range(12)) if LONG else (1,)
LATEST = 1.5
"""Seconds after its start: a run that has said nothing until then is killed."""
QUIET = 0.4
"""Seconds: a run that has spoken and then says nothing for so long has nothing left to say, and is killed."""
INPUTS = (
    "/order",
    "1",
    "Zoë O'Neill",
    "zoe@example.com",
    "+49 30 901820",
    "/file cube.stl",
    "/file plate.3mf",
    "#3",
    "2",
    "2",
    "2",
    "3",
    "2",
    "Am Hafen 1, 20457 Hamburg",
    "#1",
)
THANKS = "Thank you! Your order is NL-00001."
DOCUMENT = {
    **ORDERED,
    "specifications": {
        **ORDERED["specifications"],
        "files_info": [
            {"id": "f1", "name": "cube.stl", "size": 5000},
            {"id": "f2", "name": "plate.3mf", "size": 300000},
        ],
    },
}
_NUMBER = re.compile(r"^#\d+ (\(updated\) )?")
_EARLIER = re.compile(r"^\(\d+ lines? (was|were) played by an earlier run\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """When a run is killed, `pause` seconds after: the echo of input `after` (from 1), the first answer to it
    (`answered`), or so many printed `lines`. The run gets no input behind `after`. At the latest when it is quiet.
    """

    after: int = len(INPUTS)
    answered: bool = False
    lines: int | None = None
    pause: float = 0.0

    def falls(self, lines: Sequence[str]) -> bool:
        if self.lines is not None:
            return len(lines) >= self.lines
        echoes = [index for index, line in enumerate(lines) if line.startswith("> ")]
        if not echoes or _played_earlier(lines) + len(echoes) < self.after:
            return False
        return not self.answered or echoes[-1] < len(lines) - 1


def _played_earlier(lines: Sequence[str]) -> int:
    """How many of the inputs an earlier run had played, as this run says."""
    for line in lines:
        if _EARLIER.match(line):
            return int(line[1:].split(" ")[0])
    return 0


@dataclass(slots=True, kw_only=True)
class Run:
    """One process, from its start to its end: what it printed, and how it ended."""

    code: int
    lines: list[str]

    @property
    def blocks(self) -> list[str]:
        """The bot's messages, without their numbers on this screen."""
        found: list[list[str]] = []
        for line in self.lines:
            if not line or line.startswith("> ") or _EARLIER.match(line):
                continue
            if line.startswith("   ") and found:
                found[-1].append(line)
            else:
                found.append([_NUMBER.sub("", line)])
        return ["\n".join(block) for block in found]


@dataclass(slots=True, kw_only=True)
class Story:
    """All runs of one script on one database."""

    folder: Path
    backend: Backend
    runs: list[Run] = field(default_factory=list)

    def prepared(self) -> "Story":
        self.folder.mkdir()
        (self.folder / "cube.stl").write_bytes(b"c" * 5000)
        (self.folder / "plate.3mf").write_bytes(b"p" * 300_000)
        return self

    async def started(self) -> asyncio.subprocess.Process:
        environment = surroundings(
            API_BASE_URL=self.backend.url,
            STEPGRAM_FLOWS=str(print_flows()),
            STEPGRAM_PLUGINS=str(ROOT / "plugins"),
        )
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", "chat", "--script", "-", "--database", "shop.sqlite3",
            cwd=self.folder, env=environment, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def run(self, blow: Blow | None = None) -> Run:
        """One process, killed by `blow` or left to come to its end."""
        process = await self.started()
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.create_task(process.stderr.read())
        given = INPUTS if blow is None else INPUTS[: blow.after]
        process.stdin.write(("\n".join(given) + "\n").encode())
        if blow is None:
            process.stdin.close()  # the script is over; else it waits for more, and is killed meanwhile
        later = asyncio.get_running_loop().call_later
        killers = [] if blow is None else [later(LATEST, _kill, process)]
        lines: list[str] = []
        async with asyncio.timeout(60):
            while raw := await process.stdout.readline():
                lines.append(raw.decode().rstrip("\n"))
                if blow is None:
                    continue
                if len(killers) == 1 and blow.falls(lines):
                    killers.append(later(blow.pause, _kill, process))
                if len(killers) == 1:
                    killers[0].cancel()
                    killers[0] = later(QUIET, _kill, process)
            code = await process.wait()
        for killer in killers:
            killer.cancel()
        said = (await errors).decode()
        assert "Traceback" not in said, said
        assert code in (0, -signal.SIGKILL), (code, said, lines)
        self.runs.append(Run(code=code, lines=lines))
        return self.runs[-1]

    @property
    def over(self) -> bool:
        """Whether a run has come to its end: the next one would play the script anew.

        One may be killed in the moment between noting that and leaving.
        """
        return bool(self.runs) and (self.runs[-1].code == 0 or self._noted())

    def _noted(self) -> bool:
        database = self.folder / "shop.sqlite3"
        if not database.exists():
            return False
        with closing(sqlite3.connect(database)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if "seen_updates" not in tables:
                return False
            return bool(connection.execute("SELECT 1 FROM seen_updates WHERE id LIKE 'script-%:end'").fetchall())

    async def finished(self) -> None:
        """Start it again until it comes to its end by itself."""
        while not self.over:
            await self.run()


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()


def check_told(story: Story, expected: Sequence[str]) -> None:
    """Every message of a run without kills came, in order; what came twice came right after a start, and was new."""
    told: list[str] = []
    for run in story.runs:
        fresh = False
        for block in run.blocks:
            place = len(told)
            if place < len(expected) and block == expected[place]:
                told.append(block)
                fresh = True
                continue
            assert not fresh, f"repeated in the middle of a run:\n{block}"
            assert block in told[-3:], f"neither the next message nor one of the last:\n{block}\nafter:\n{told[-3:]}"
    assert told == list(expected)


def check_done(backend: Backend) -> None:
    assert backend.orders == [DOCUMENT]
    assert [(file.name, file.size) for file in backend.uploads] == [("cube.stl", 5000), ("plate.3mf", 300_000)]


async def unkilled(folder: Path) -> Sequence[str]:
    """What the bot says when nobody kills it."""
    async with Backend() as backend:
        story = Story(folder=folder / "whole", backend=backend).prepared()
        assert (await story.run()).code == 0
        check_done(backend)
        blocks = story.runs[0].blocks
        assert blocks[-1].startswith(THANKS) or THANKS in blocks[-1]
        return blocks


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    return asyncio.run(unkilled(tmp_path_factory.mktemp("unkilled")))


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_after_every_input(tmp_path: Path, backend: Backend, expected: Sequence[str], seed: int) -> None:
    chance = random.Random(seed)
    story = Story(folder=tmp_path / "shop", backend=backend).prepared()
    for number in range(1, len(INPUTS) + 1):
        if not story.over:
            pause = chance.choice((0, 0, 0.01, 0.05))
            await story.run(Blow(after=number, answered=chance.random() < 0.5, pause=pause))
    await story.finished()
    assert sum(run.code != 0 for run in story.runs) >= len(INPUTS) // 2
    check_done(backend)
    check_told(story, expected)


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_at_odd_moments(tmp_path: Path, backend: Backend, expected: Sequence[str], seed: int) -> None:
    chance = random.Random(seed)
    backend.slow = 0.03
    story = Story(folder=tmp_path / "shop", backend=backend).prepared()
    for _ in range(40 if LONG else 10):
        if not story.over:
            await story.run(Blow(lines=chance.randint(1, 25), pause=chance.uniform(0, 0.03)))
    await story.finished()
    check_done(backend)
    check_told(story, expected)


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_while_the_backend_is_asked(
    tmp_path: Path, backend: Backend, expected: Sequence[str], seed: int
) -> None:
    """Around the two uploads and the order, where two sides have to agree."""
    chance = random.Random(seed)
    backend.slow = 0.15
    story = Story(folder=tmp_path / "shop", backend=backend).prepared()
    for number in (6, 7, 15):
        await story.run(Blow(after=number, pause=chance.uniform(0, 0.3)))
        if not story.over:
            await story.run(Blow(after=number, lines=1, pause=chance.uniform(0, 0.3)))
    await story.finished()
    check_done(backend)
    check_told(story, expected)
