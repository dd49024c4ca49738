"""What holds for every test."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgres import database_url, empty_database_url, migrated_template, postgres_server  # noqa: F401 - fixtures
from tests.sparing import Sparing

settings.register_profile("same", derandomize=True)
if not os.environ.get("STEPGRAM_LONG"):
    # the same examples every time: a build fails for what was changed; new examples are looked for in the long run
    settings.load_profile("same")

ROOT = Path(__file__).resolve().parent
UNSPARED = tuple(ROOT / name for name in ("benchmarks", "storage/test_file.py", "storage/test_backup.py", "loading"))
"""These tests are about the very things that the others get from the shelf."""

LONGEST = tuple(
    ROOT / name
    for name in (
        "chaos/test_chaos.py",
        "channels/web/test_kill_page.py",
        "telegram/test_crash.py",
        "telegram/test_crowd.py",
        "journeys/test_kill.py",
    )
)
"""These begin first: one that began last would keep the other processes waiting for it."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """`pytest` alone, for the whole suite, works on all cores; much of it waits, so there is one process more.

    Paths, `-n`, `--pdb` and a missing pytest-xdist mean what they always mean.
    """
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    options = config.option
    asked = getattr(options, "numprocesses", 0) is not None or options.usepdb or options.collectonly
    if whole and not asked and not hasattr(config, "workerinput"):
        options.numprocesses = (os.cpu_count() or 1) + 1
        options.dist = "worksteal"


def pytest_configure() -> None:
    """Hundreds of tests start Stepgram as a process: each would compile all of its modules again."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path not in LONGEST)


@pytest.fixture(scope="session")
def sparing() -> Sparing:
    return Sparing()


@pytest.fixture(autouse=True)
def spared(request: pytest.FixtureRequest, sparing: Sparing) -> Iterator[None]:
    """The same file is not read again for every test, and an empty database is not migrated again."""
    if any(request.path.is_relative_to(folder) for folder in UNSPARED):
        yield
        return
    with sparing.at_work():
        yield


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that ran inside the test's own process has set the log up for itself: not for the tests after it."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in list(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)
