"""How long it takes until something is there: the first answer of `stepgram chat`, a check, 100 flows loaded."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from engine.actions.catalog import Catalog
from engine.core.machine import compile_flows
from engine.loading.library import Loaded, load_texts
from engine.loading.source import read_text
from tests.benchmarks.figures import Figure, Size, interleaved, middle
from tests.benchmarks.work import ORDER, Shop

_ROOT = Path(__file__).resolve().parents[2]
_PYTHON = (sys.executable, "-m", "engine")
_FIRST = "Which service"


def _environment(place: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEPGRAM_", "API_BASE"))}
    place.mkdir(parents=True, exist_ok=True)
    return {**kept, "STEPGRAM_DATABASE": str(place / "chat.db"), "STEPGRAM_FILES": str(place / "files")}


def first_answer(place: Path) -> float:
    """Milliseconds from starting `stepgram chat` in an empty folder of data to its answer to /order."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [*_PYTHON, "chat"], cwd=_ROOT, env=_environment(place), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("/order\n")
        process.stdin.flush()
        answered = any(_FIRST in line for line in process.stdout)
        spent = time.perf_counter() - begun
        process.stdin.close()
        process.stdout.read()
    assert answered, "the chat did not ask its first question"
    return spent * 1e3


def check_shipped(place: Path) -> float:
    """Milliseconds of `stepgram check` over the shipped flows, the process included."""
    begun = time.perf_counter()
    done = subprocess.run(
        [*_PYTHON, "check"], cwd=_ROOT, env=_environment(place), capture_output=True, text=True, check=False
    )
    spent = time.perf_counter() - begun
    assert done.returncode == 0, done.stdout + done.stderr
    return spent * 1e3


def python_alone() -> float:
    """Milliseconds of a Python that does nothing."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import asyncio"], check=True)
    return (time.perf_counter() - begun) * 1e3


def many(count: int) -> dict[str, str]:
    """So many print orders under different names."""
    return {
        f"order{number}.yaml": ORDER.replace("flow: print_order", f"flow: order{number}").replace(
            "[order]", f"[order{number}]"
        )
        for number in range(count)
    }


def load_and_check(texts: dict[str, str], catalog: Catalog) -> Loaded:
    """All of them without a finding."""
    loaded = load_texts(texts, catalog)
    assert loaded.report.ok, loaded.report.findings
    return loaded


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def library(size: Size) -> list[Figure]:
    """Loading, checking and compiling many flows, beside only reading their YAML."""
    texts, catalog = many(size.checked), Shop().catalog()
    whole, compiled, read = [], [], []
    for _ in range(max(1, size.rounds // 3)):
        read.append(timed(lambda: [read_text(text, name) for name, text in texts.items()]))
        whole.append(timed(lambda: load_and_check(texts, catalog)))
        loaded = load_and_check(texts, catalog)
        compiled.append(timed(partial(compile_flows, loaded.flows, loaded.bot, catalog)))
    name = f"{size.checked} flows of 13 steps"
    return [
        Figure(name=f"{name}: load and check / read their YAML", value=middle(whole), unit="ms", floor=middle(read)),
        Figure(name=f"{name}: compile / read their YAML", value=middle(compiled), unit="ms", floor=middle(read)),
    ]


def figures(place: Path, size: Size) -> list[Figure]:
    """The command line beside a Python that does nothing."""
    folders = iter(range(1_000))
    first, checked, alone = interleaved(
        size.rounds,
        (
            lambda: first_answer(place / f"cold{next(folders)}"),
            lambda: check_shipped(place / f"check{next(folders)}"),
            python_alone,
        ),
    )
    return [
        _whole("cold start: first answer of chat", first, alone, 1500),
        _whole("check of the shipped flows", checked, alone, 2000),
    ]


def _whole(name: str, value: float, alone: float, goal: float) -> Figure:
    return Figure(name=f"{name} / bare Python", value=value, unit="ms", floor=alone, goal=goal, absolute=True)
