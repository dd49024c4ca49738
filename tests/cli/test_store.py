"""`stepgram store`: how the database is, in sentences and for a program."""

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.cli_store import sentences
from storage.health import Failing, Health
from tests.cli.terminal import stepgram
from tests.storage.older import filled

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)


def ago(**time: float) -> int:
    return int((NOW - timedelta(**time)).timestamp() * 1000)


def test_sentences() -> None:
    calm = sentences("a.db", Health(schema=3, rows={"chats": 0}, size=0), NOW)
    assert calm == [
        "a.db: 0.0 MiB, schema 3.",
        "  nothing in it yet",
        "Messages that wait to be delivered: none.",
        "Signals that wait for a conversation: none.",
        "Calls of actions that fail again and again: none.",
        "The database is sound.",
    ]
    busy = Health(
        schema=3,
        rows={"chats": 12, "outbox": 2, "signals": 1, "timers": 0},
        size=5 * 2**20,
        free=2 * 2**20,
        oldest_message=ago(days=3, hours=2),
        oldest_signal=ago(seconds=100),
        failing=(Failing(name="http.post", calls=4, attempts=9),),
        damage="row 3 missing from index",
    )
    told = sentences("the PostgreSQL database shop on here", busy, NOW)
    assert told == [
        "The PostgreSQL database shop on here: 5.0 MiB, of which 2.0 MiB are free, schema 3.",
        "  chats    12",
        "  outbox   2",
        "  signals  1",
        "Messages that wait to be delivered: 2, the oldest for 3 days.",
        "Signals that wait for a conversation: 1, the oldest for 100 seconds.",
        "Calls of actions that fail again and again:",
        "  http.post: 4 waiting, tried up to 9 times",
        "The database is damaged: row 3 missing from index. Stop the bot and restore a backup.",
    ]


def test_a_file_as_json(tmp_path: Path) -> None:
    asyncio.run(filled(tmp_path / "a.db"))
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("UPDATE pending_calls SET attempt = 5")
        connection.commit()
    done = stepgram(tmp_path, "store", "--json", "--database", "a.db")
    assert (done.returncode, done.stderr) == (0, "")
    read = json.loads(done.stdout)
    assert read["rows"]["chats"] == 1
    assert read["failing"] == [{"name": "http.post", "calls": 1, "attempts": 5}]
    assert (read["damage"], read["place"]) == ("", "a.db")
    assert read["oldest_signal"] == 5


def test_what_is_wrong(tmp_path: Path) -> None:
    none = stepgram(tmp_path, "store")
    assert (none.returncode, "There is no database at data/stepgram.sqlite3 yet." in none.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
    asyncio.run(filled(tmp_path / "a.db"))
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'timers_due'").fetchone()
        connection.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'signals_key'", (page,))
        connection.commit()
    done = stepgram(tmp_path, "store", "--database", "a.db")
    assert done.returncode == 1
    assert "The database is damaged:" in done.stdout


def test_on_postgresql(tmp_path: Path, database_url: str) -> None:
    told = stepgram(tmp_path, "store", "--unnamed-files", "tell", DATABASE_URL=database_url)
    assert (told.returncode, told.stdout.startswith("0 files of 0.0 MiB in data/files")) == (0, True)
    done = stepgram(tmp_path, "store", DATABASE_URL=database_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The PostgreSQL database ")
    assert "postgres:" not in done.stdout


def test_received_files_that_nothing_names(tmp_path: Path) -> None:
    asyncio.run(filled(tmp_path / "a.db"))
    named, kept, young, gone = ("nkyg"[number] * 24 for number in range(4))
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("UPDATE print_files SET ref = ?", (named,))
        connection.commit()
    for ref in (named, kept, young, gone):
        file = tmp_path / "files" / ref[:2] / ref
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x" * 2**20)
        if ref != young:
            os.utime(file, (1, 1))
    (tmp_path / "files" / "kk" / f"{kept}.kept").touch()
    (tmp_path / "files" / "gg" / "my own.txt").touch()
    os.utime(tmp_path / "files" / "gg" / "my own.txt", (1, 1))
    told = stepgram(tmp_path, "store", "--database", "a.db", "--unnamed-files", "tell")
    assert told.returncode == 0
    assert told.stdout.startswith("1 files of 1.0 MiB in files that nothing in a.db names.")
    assert len(list((tmp_path / "files").glob("??/*"))) == 6
    done = stepgram(tmp_path, "store", "--database", "a.db", "--unnamed-files", "delete")
    assert (done.returncode, done.stdout.startswith("Deleted: 1 files")) == (0, True)
    left = {path.name for path in (tmp_path / "files").glob("??/*")}
    assert left == {named, kept, f"{kept}.kept", young, "my own.txt"}
    assert stepgram(tmp_path, "store", "--database", "b.db", "--unnamed-files", "delete").returncode == 2
    assert {path.name for path in (tmp_path / "files").glob("??/*")} == left
