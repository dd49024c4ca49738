"""`stepgram migrate`, and what the others say about a database of an older version."""

import asyncio
from pathlib import Path

import pytest

from storage.file import latest
from tests.cli.terminal import project, stepgram
from tests.storage.older import filled, migrations, old_file, read


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A project whose database is of the first version."""
    project(tmp_path)
    (tmp_path / "data").mkdir()
    asyncio.run(old_file(tmp_path / "data" / "stepgram.sqlite3", 1))
    return tmp_path


@pytest.mark.parametrize("command", [["run"], ["chat"], ["backup", "b"], ["store"]])
def test_an_older_database_is_refused_with_what_to_type(old: Path, command: list[str]) -> None:
    before = read(old / "data" / "stepgram.sqlite3")
    done = stepgram(old, *command)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"has schema 1, and this version of Stepgram works with {latest()}" in done.stderr
    assert "Type `stepgram migrate`; all data is kept." in done.stderr
    assert read(old / "data" / "stepgram.sqlite3") == before
    assert not (old / "b").exists()


def test_the_command_names_the_database_that_was_named(old: Path) -> None:
    (old / "data" / "stepgram.sqlite3").rename(old / "my shop.db")
    for command in ("run", "chat"):
        done = stepgram(old, command, "--database", "my shop.db")
        assert "Type `stepgram migrate --database 'my shop.db'`; all data is kept." in done.stderr
        known = stepgram(old, command, STEPGRAM_DATABASE="my shop.db")
        assert "Type `stepgram migrate`; all data is kept." in known.stderr
    elsewhere = stepgram(old, "chat", "--database", "my shop.db", DATABASE_URL="postgresql://nobody@127.0.0.1/none")
    assert "Type `stepgram migrate --database 'my shop.db'`" in elsewhere.stderr


def test_migrating_and_going_on(old: Path) -> None:
    before = read(old / "data" / "stepgram.sqlite3")
    told = stepgram(old, "migrate", "--check")
    assert (told.returncode, told.stderr) == (1, "")
    assert "has schema 1, this version works with" in told.stdout
    assert "type `stepgram migrate`" in told.stdout
    done = stepgram(old, "migrate")
    assert (done.returncode, done.stderr) == (0, "")
    kept = f"stepgram.sqlite3.before-{latest():04d}"
    assert done.stdout.startswith(f"Done: data/stepgram.sqlite3 has schema {latest()}, before it had 1.")
    assert kept in done.stdout
    assert read(old / "data" / kept) == before
    assert stepgram(old, "migrate", "--check").returncode == 0
    assert stepgram(old, "migrate").stdout.startswith("Nothing to do")
    assert stepgram(old, "chat", given="/hello\nAnna\n1\n").returncode == 0


def test_nothing_there_yet_and_too_new(tmp_path: Path) -> None:
    none = stepgram(tmp_path, "migrate", "--check")
    assert (none.returncode, "There is no database yet" in none.stdout) == (0, True)
    assert list(tmp_path.iterdir()) == [], "telling makes nothing"
    asyncio.run(filled(tmp_path / "a.db"))
    with migrations(tmp_path, latest(), **{f"{latest() + 1:04d}_more": MORE.replace("LAST", LAST)}) as package:
        asyncio.run(newer(tmp_path / "a.db", package))
    for command in (["migrate"], ["migrate", "--check"], ["store"], ["backup", "b"]):
        done = stepgram(tmp_path, *command, "--database", "a.db")
        assert done.returncode == 2
        assert "written by a newer version of Stepgram" in done.stderr


async def newer(file: Path, package: str) -> None:
    from storage.file import migrate

    await migrate(file, package)


def _last() -> str:
    from tests.storage.older import OURS

    return max(module.stem for module in OURS.glob("0*.py"))


LAST = _last()
MORE = """
from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("stepgram", "LAST")]
    operations = [ops.AddField(model_name="PrintOrder", name="paid", field=fields.BigIntField(db_default=0))]
"""


def test_a_running_bot_keeps_its_schema(tmp_path: Path) -> None:
    from tests.cli.running import Running

    project(tmp_path)
    with Running(tmp_path, "--port", "0", "--no-browser") as bot:
        bot.address()
        done = stepgram(tmp_path, "migrate")
        assert done.returncode == 2
        assert "is in use by process" in done.stderr
        assert bot.end() == 0


def test_on_postgresql(tmp_path: Path, empty_database_url: str) -> None:
    from storage.postgres_file import migrate

    with migrations(tmp_path, 2) as package:
        asyncio.run(migrate(empty_database_url, package))
    project(tmp_path)
    refused = stepgram(tmp_path, "chat", DATABASE_URL=empty_database_url)
    assert (refused.returncode, "Type `stepgram migrate`; all data is kept." in refused.stderr) == (2, True)
    assert stepgram(tmp_path, "migrate", "--check", DATABASE_URL=empty_database_url).returncode == 1
    done = stepgram(tmp_path, "migrate", DATABASE_URL=empty_database_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"has schema {latest()}, before it had 2.\n" in done.stdout
    assert stepgram(tmp_path, "chat", given="/hello\nAnna\n1\n", DATABASE_URL=empty_database_url).returncode == 0
