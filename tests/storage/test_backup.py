"""A backup is whole or not there, does not keep a writing bot waiting, and comes back as it was, also from an older
version."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import backup
from storage.backup import DATABASE, MANIFEST, Manifest, digest, new_folder, read_backup, snapshot, write_manifest
from storage.errors import SchemaBehind, StoreBusy, StoreError
from storage.file import latest
from storage.restore import restore_file
from storage.sqlite_store import SqliteStore
from tests.storage.contract import orders
from tests.storage.older import filled, old_file, read
from tests.storage.samples import Writer, conversation, outgoing, stepped, timer

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)


def manifest_of(file: Path, rows: dict[str, int], schema: int) -> Manifest:
    return Manifest(
        version="0", schema=schema, taken_at=NOW.isoformat(), source="sqlite", sha256=digest(file), rows=rows
    )


def back_up(database: Path, folder: Path) -> Manifest:
    with new_folder(folder) as partial:
        snapshot(database, partial / DATABASE)
        rows = dict(backup.finish(partial / DATABASE))
        manifest = manifest_of(partial / DATABASE, rows, latest())
        write_manifest(partial, manifest)
    return manifest


async def bring_back(folder: Path, database: Path, replace: bool = False) -> Path | None:
    read_backup(folder)
    return await restore_file(folder, database, at=NOW, replace=replace, before=lambda: None)


async def test_what_comes_back_is_what_was_there(tmp_path: Path) -> None:
    await filled(tmp_path / "a.db")
    manifest = back_up(tmp_path / "a.db", tmp_path / "backup")
    assert read_backup(tmp_path / "backup") == manifest
    assert {path.name for path in (tmp_path / "backup").iterdir()} == {DATABASE, MANIFEST}
    assert await bring_back(tmp_path / "backup", tmp_path / "new" / "b.db") is None
    before, after = read(tmp_path / "a.db"), read(tmp_path / "new" / "b.db")
    assert after.pop("workers") == after.pop("leases") == []
    assert {name: before[name] for name in after} == after
    store = SqliteStore(tmp_path / "new" / "b.db")
    await store.open()
    assert await store.conversation("c1") == conversation()
    assert await orders(store) == ["P-1"]
    await store.commit([Writer("terminal:bea").next(conversation("c2", "terminal:bea"))])
    await store.close()
    with closing(sqlite3.connect(tmp_path / "new" / "b.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"b.db", "b.db.lock"}


async def test_tables_of_other_plugins_go_along(tmp_path: Path) -> None:
    await filled(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute('CREATE TABLE "my shop""s" (id INTEGER PRIMARY KEY, price TEXT)')
        connection.execute('INSERT INTO "my shop""s" VALUES (7, \'1.50\')')
        connection.commit()
    assert back_up(tmp_path / "a.db", tmp_path / "backup").rows['my shop"s'] == 1
    await bring_back(tmp_path / "backup", tmp_path / "b.db")
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        assert connection.execute('SELECT * FROM "my shop""s"').fetchall() == [(7, "1.50")]


async def test_a_backup_while_a_bot_writes_is_of_one_moment_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Every commit adds one visit to the conversation and moves its revision, its timer and its message along."""
    file = tmp_path / "a.db"
    store = SqliteStore(file, synchronous="NORMAL")
    await store.open()
    filler = [Writer(f"terminal:{n}").next(conversation(f"f{n}", f"terminal:{n}")) for n in range(4000)]
    await store.commit(filler)
    writer, talk = Writer(), conversation()
    await store.commit([writer.next(talk, outbox=(outgoing("o1", 1),), timers=(timer(1),))])
    waits: list[float] = []
    ended = threading.Event()
    made: list[Manifest] = []

    def work() -> None:
        for number in range(3):
            made.append(back_up(file, tmp_path / f"backup{number}"))
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    number = 1
    while not ended.is_set() or number < 50:
        number += 1
        talk = stepped(talk, number)
        rows = {"outbox": (outgoing(f"o{number}", number),), "delivered": (f"o{number - 1}",)}
        started = time.perf_counter()
        await store.commit([writer.next(talk, timers=(timer(number),), **rows)])
        waits.append(time.perf_counter() - started)
        await asyncio.sleep(0)
    thread.join()
    await store.close()
    assert sorted(waits)[len(waits) * 9 // 10] < 0.1, "most commits do not notice it"
    assert max(waits) < 2, "nobody waits for the whole backup"
    for place in range(3):
        found = read(tmp_path / f"backup{place}" / DATABASE)
        revision = next(line for line in found["conversations"] if line[0] == "c1")[5]
        assert [line[0] for line in found["outbox"]] == [f"o{revision}"]
        assert [line[5] for line in found["timers"]] == [int(timer(revision).due.timestamp() * 1000)]
        assert next(line for line in found["chats"] if line[0] == "terminal:anna")[6] == revision


@pytest.mark.parametrize("schema", range(1, latest()))
async def test_a_backup_of_an_older_version_is_migrated_on_the_way(tmp_path: Path, schema: int) -> None:
    before = await old_file(tmp_path / "old.db", schema)
    with pytest.raises(SchemaBehind):
        back_up(tmp_path / "old.db", tmp_path / "backup")
    (tmp_path / "backup").mkdir()
    (tmp_path / "old.db").rename(tmp_path / "backup" / DATABASE)
    rows = {name: len(lines) for name, lines in before.items()}
    write_manifest(tmp_path / "backup", manifest_of(tmp_path / "backup" / DATABASE, rows, schema))
    whole = (tmp_path / "backup" / DATABASE).read_bytes()
    await bring_back(tmp_path / "backup", tmp_path / "b.db")
    after = read(tmp_path / "b.db")
    assert {name: [line[: len(lines[0])] for line in after[name]] for name, lines in before.items()} == before
    assert not list(tmp_path.glob("*.before-*")) + list(tmp_path.glob("*.restoring*"))
    assert (tmp_path / "backup" / DATABASE).read_bytes() == whole, "the backup itself stays as it is"


async def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    await filled(tmp_path / "a.db")
    back_up(tmp_path / "a.db", tmp_path / "backup")
    store = SqliteStore(tmp_path / "b.db")
    await store.open()
    await store.close()
    assert await bring_back(tmp_path / "backup", tmp_path / "b.db") is None, "an empty one is no loss"
    with pytest.raises(StoreError, match=r"not empty \(.*1 chats.*With --replace"):
        await bring_back(tmp_path / "backup", tmp_path / "b.db")
    store = SqliteStore(tmp_path / "b.db")
    await store.open()
    await store.commit([Writer("terminal:bea").next()])
    with pytest.raises(StoreBusy, match=f"in use by process {os.getpid()}"):
        await bring_back(tmp_path / "backup", tmp_path / "b.db", replace=True)
    await store.close()
    kept = await bring_back(tmp_path / "backup", tmp_path / "b.db", replace=True)
    assert kept == tmp_path / "b.db.replaced-20261121T050000Z"
    assert len(read(kept)["chats"]) == 2
    assert len(read(tmp_path / "b.db")["chats"]) == 1


async def test_a_damaged_database_is_replaced_and_kept(tmp_path: Path) -> None:
    await filled(tmp_path / "a.db")
    back_up(tmp_path / "a.db", tmp_path / "backup")
    (tmp_path / "b.db").write_bytes(b"nothing of a database" * 1000)
    with pytest.raises(StoreError, match="it cannot be read"):
        await bring_back(tmp_path / "backup", tmp_path / "b.db")
    kept = await bring_back(tmp_path / "backup", tmp_path / "b.db", replace=True)
    assert kept is not None
    assert kept.read_bytes().startswith(b"nothing of a database")
    assert len(read(tmp_path / "b.db")["chats"]) == 1


async def test_a_backup_that_is_none_is_told(tmp_path: Path) -> None:
    await filled(tmp_path / "a.db")
    folder = tmp_path / "backup"
    manifest = back_up(tmp_path / "a.db", folder)
    with pytest.raises(StoreError, match="There is something at"):
        back_up(tmp_path / "a.db", folder)
    with pytest.raises(StoreError, match=r"no manifest\.json in it"):
        read_backup(tmp_path / "nowhere")
    whole = (folder / DATABASE).read_bytes()
    (folder / DATABASE).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(StoreError, match="changed or damaged"):
        read_backup(folder)
    (folder / DATABASE).write_bytes(whole)
    for changed, words in (({"form": 2}, "newer version"), ({"schema": 99}, "newer version"), ({"rows": {}}, "not as")):
        fields = {name: getattr(manifest, name) for name in manifest.__struct_fields__}
        write_manifest(folder, Manifest(**{**fields, **changed}))
        with pytest.raises(StoreError, match=words):
            read_backup(folder)
    for text in (b"", b"{}", b"\xff\x00", b'{"form": "x"}', b"[]"):
        (folder / MANIFEST).write_bytes(text)
        with pytest.raises(StoreError, match="is damaged"):
            read_backup(folder)


async def test_a_damaged_database_makes_no_backup(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    await filled(file)
    whole = bytearray(file.read_bytes())
    whole[8192 : 8192 + 600] = b"\xaa" * 600
    file.write_bytes(whole)
    with pytest.raises(StoreError, match=r"damaged|malformed"):
        back_up(file, tmp_path / "backup")
    assert not list(tmp_path.glob("backup*"))


def test_no_database_and_no_room(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database at"):
        back_up(tmp_path / "a.db", tmp_path / "backup")
    assert list(tmp_path.iterdir()) == [], "nothing is made on the way"
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        back_up(tmp_path / "a.db", tmp_path / "file" / "backup")


def test_a_folder_in_the_way_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / "backup.partial").mkdir()
    (tmp_path / "backup.partial" / "my thesis.txt").write_text("!")
    with pytest.raises(StoreError, match="is in the way"):
        back_up(tmp_path / "a.db", tmp_path / "backup")
    assert (tmp_path / "backup.partial" / "my thesis.txt").exists()


KILLED = """
import os, pathlib, signal, sys
from storage import backup

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

place = pathlib.Path(sys.argv[1])
moment = sys.argv[2]
if moment == "rename":
    pathlib.Path.rename = die
else:
    setattr(backup, moment, die)
from tests.storage.test_backup import back_up
import tests.storage.test_backup as module
if hasattr(module, moment):
    setattr(module, moment, die)
back_up(place / "a.db", place / "backup")
"""


@pytest.mark.parametrize("moment", ["snapshot", "digest", "write_manifest", "_sync_all", "rename"])
async def test_killed_in_the_middle_only_a_partial_one_is_left(tmp_path: Path, moment: str) -> None:
    await filled(tmp_path / "a.db")
    before = read(tmp_path / "a.db")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), moment], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup.partial"]
    with pytest.raises(StoreError, match="cut short"):
        read_backup(tmp_path / "backup.partial")
    back_up(tmp_path / "a.db", tmp_path / "backup")
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup"]
    assert read(tmp_path / "a.db") == before


RESTORE = """
import asyncio, os, pathlib, signal, sys
from storage import restore
from datetime import datetime, UTC

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

place, moment = pathlib.Path(sys.argv[1]), sys.argv[2]
before = lambda: None
if moment == "before":
    before = die
elif moment == "replace":
    pathlib.Path.replace = die
else:
    setattr(restore, moment, die)
at = datetime(2026, 11, 21, 5, tzinfo=UTC)
asyncio.run(restore.restore_file(place / "backup", place / "b.db", at=at, replace=True, before=before))
"""


@pytest.mark.parametrize("moment", ["migrated", "seal", "before", "put_in_place", "replace"])
async def test_a_restore_killed_in_the_middle_changes_nothing(tmp_path: Path, moment: str) -> None:
    await filled(tmp_path / "a.db")
    back_up(tmp_path / "a.db", tmp_path / "backup")
    store = SqliteStore(tmp_path / "b.db")
    await store.open()
    await store.commit([Writer("terminal:bea").next()])
    await store.close()
    before = read(tmp_path / "b.db")
    done = subprocess.run(
        [sys.executable, "-c", RESTORE, str(tmp_path), moment], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert read(tmp_path / "b.db") == before
    kept = await bring_back(tmp_path / "backup", tmp_path / "b.db", replace=True)
    assert kept is not None
    assert read(kept) == before
    assert not list(tmp_path.glob("*.restoring*"))


def test_of_two_backups_of_one_name_the_second_is_refused(tmp_path: Path) -> None:
    with backup.new_folder(tmp_path / "b") as folder:
        (folder / "manifest.json").write_text("first")
        with pytest.raises(StoreError, match="Another process writes"), backup.new_folder(tmp_path / "b"):
            raise AssertionError
    assert (tmp_path / "b" / "manifest.json").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
