"""Database files as older versions of Stepgram left them: the old tables, made by the old migrations, with rows in
every one. Only builders, no tests."""

import importlib
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage import file as storage_file
from storage.file import latest, migrate
from storage.sqlite_store import SqliteStore
from tests.shop.samples import ROWS, insert
from tests.storage.contract import ADD_ORDER
from tests.storage.journal_contract import entry, person
from tests.storage.samples import Writer, conversation, outgoing, pending, timer, visit

OURS = Path(storage_file.__file__).parent / "migrations"
EVERYTHING = Writer().next(
    conversation(),
    visits=(visit("entered"),),
    outbox=(outgoing("o1", 1),),
    timers=(timer(1),),
    pending=(pending(1),),
    seen=("u1",),
)
"""A commit with a row for every table that commits write."""
SHARING = (
    "INSERT INTO signals (update_id, flow, key, name, payload, at) VALUES ('s1', 'order', 'k', 'paid', x'7b7d', 5)",
    "INSERT INTO inbox (chat, bucket, update_id, payload, at) VALUES ('terminal:anna', 7, 'l1', x'7b7d', 5)",
    "INSERT INTO workers (id, joined, until) VALUES ('w', 1, 2)",
    "INSERT INTO leases (bucket, worker) VALUES (7, 'w')",
)


@contextmanager
def migrations(folder: Path, until: int, **more: str) -> Iterator[str]:
    """The name of a package with the migrations up to this number, and `more` ones: name and text."""
    name = f"migrations_until_{until}_{len(more)}"
    package = folder / "packages" / name
    package.mkdir(parents=True, exist_ok=True)
    for module in OURS.glob("*.py"):
        if not module.name[:4].isdigit() or int(module.name[:4]) <= until:
            (package / module.name).write_text(module.read_text())
    for title, text in more.items():
        (package / f"{title}.py").write_text(text)
    sys.path.insert(0, str(package.parent))
    importlib.invalidate_caches()
    try:
        yield name
    finally:
        sys.path.remove(str(package.parent))
        for module in [module for module in sys.modules if module.split(".")[0] == name]:
            del sys.modules[module]


async def filled(file: Path) -> None:
    """A file of the newest schema with a row in every table."""
    store = SqliteStore(file)
    await store.open()
    await store.commit([EVERYTHING])
    await store.journal.append(entry("a"))
    await store.journal.keep(person("anna"))
    await store.journal.set_value("clock", "5")
    async with store.transaction() as transaction:
        await transaction.execute(ADD_ORDER, ("P-1", "k"))
        await transaction.execute(
            "INSERT INTO print_files (ref, idempotency_key, name, size, created_at) VALUES ('r', 'k', 'n', 1, 1)"
        )
        for statement in SHARING:
            await transaction.execute(statement)
        for table in ROWS:
            await transaction.execute(*insert(table))
    await store.close()


async def old_file(file: Path, schema: int) -> dict[str, list[tuple[object, ...]]]:
    """A file of this old schema with a row in every table of it, and what is in it."""
    assert 0 < schema < latest()
    newest = file.with_name("newest.db")
    await filled(newest)
    with migrations(file.parent, schema) as package:
        await migrate(file, package)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS newest", (str(newest),))
        for table in tables(connection):
            names = ", ".join(f'"{line[1]}"' for line in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM newest.{table}")
        connection.execute("DETACH newest")
        found = contents(connection)
    newest.unlink()
    newest.with_name("newest.db.lock").unlink()
    assert all(found.values())
    return found


def tables(connection: sqlite3.Connection) -> list[str]:
    """Our tables, without those of SQLite and of Tortoise."""
    names = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return [name for (name,) in names if not name.startswith(("sqlite_", "tortoise_"))]


def contents(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of ours."""
    return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables(connection)}


def read(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(file)) as connection:
        return contents(connection)
