"""What the processes of one test run share: worked out by the first that asks, read by the others.

Only for results that are text and the same for whoever works them out.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, work: Callable[[], str]) -> str:
    """The text that `work` gives, once per run; processes that ask meanwhile wait for it. When `work` raises, the
    next to ask tries again."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return work()
    folder = factory.getbasetemp().parent  # of all processes of this run
    with _lock(folder / f"{name}.lock"):
        kept = folder / f"{name}.txt"
        if not kept.exists():
            fresh = folder / f"{name}.new"
            fresh.write_text(work(), encoding="utf-8")
            fresh.replace(kept)
        return kept.read_text(encoding="utf-8")


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Among processes; it goes with its process, however that ends."""
    import fcntl  # not on every system; only the crash suite asks, and that needs Linux

    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
