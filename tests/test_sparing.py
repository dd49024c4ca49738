"""What the tests get from the shelf is what they would get without it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.loading.source import read_text
from storage import file
from storage.sqlite_store import SqliteStore
from tests.sparing import Sparing

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = {
    path.name: path.read_text(encoding="utf-8")
    for folder in ("flows", "engine/locales")
    for path in (ROOT / folder).glob("*.yaml")
}
ODD = {
    "nothing": "",
    "not yaml": "a: [1",
    "twice": "a: 1\na: 2\n",
    "a list": "- 1\n",
    "an anchor": "a: &x {b: 1.50}\nc: *x\n",
    "a block": "a: |\n  one\n  two\n",
}


@pytest.mark.parametrize(("name", "text"), [*SHIPPED.items(), *ODD.items()], ids=[*SHIPPED, *ODD])
def test_a_file_from_the_shelf_is_the_file(name: str, text: str) -> None:
    sparing = Sparing()
    for called in (name, "/another/name.yaml", name, "third.yaml"):
        assert sparing.read(text, called) == read_text(text, called)


async def test_a_database_from_the_shelf_is_the_database(
    tmp_path: Path, sparing: Sparing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def content(database: Path) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(database)) as connection:
            pragmas = [connection.execute(f"PRAGMA {name}").fetchone() for name in PRAGMAS]
            return [*pragmas, *connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name")]

    for name, migrate in (("real", sparing.migrate), ("one", sparing.migrated), ("two", sparing.migrated)):
        monkeypatch.setattr(file, "_migrate", migrate)
        store = SqliteStore(tmp_path / f"{name}.sqlite3")
        await store.open()
        await store.close()
    real = content(tmp_path / "real.sqlite3")
    assert content(tmp_path / "one.sqlite3") == content(tmp_path / "two.sqlite3") == real
    assert len(real) > len(PRAGMAS) + 5
    assert file.version(tmp_path / "two.sqlite3") == file.latest()


PRAGMAS = ("application_id", "user_version", "journal_mode", "auto_vacuum", "page_size", "encoding")
