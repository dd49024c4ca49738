"""Files are kept whole or not at all, and only under refs that we gave."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from engine.runtime.files import FileStore, NoSuchFile, TooLarge
from engine.runtime.identity import SeededIds


async def pieces(*chunks: bytes, broken: bool = False):
    for chunk in chunks:
        yield chunk
    if broken:
        raise ConnectionError("the line went dead")


def kept(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_is_put_can_be_read_back(tmp_path):
    files = FileStore(tmp_path, SeededIds(1))
    stored = await files.put(pieces(b"solid ", b"cube" * 50_000), limit=1_000_000)
    assert stored.size == 200_006
    assert b"".join([chunk async for chunk in files.open(stored.ref)]) == b"solid " + b"cube" * 50_000
    assert files.path(stored.ref).is_relative_to(tmp_path)
    await files.remove(stored.ref)
    await files.remove(stored.ref)
    with pytest.raises(FileNotFoundError):
        files.path(stored.ref)


async def test_a_file_over_the_limit_leaves_nothing(tmp_path):
    files = FileStore(tmp_path, SeededIds(1))
    with pytest.raises(TooLarge):
        await files.put(pieces(b"12345", b"6"), limit=5)
    assert kept(tmp_path) == []
    assert (await files.put(pieces(b"12345"), limit=5)).size == 5


async def test_a_broken_stream_leaves_nothing(tmp_path):
    with pytest.raises(ConnectionError):
        await FileStore(tmp_path, SeededIds(1)).put(pieces(b"half", broken=True))
    assert kept(tmp_path) == []


@pytest.mark.parametrize("ref", ["../../etc/passwd", "", "a" * 23, "a" * 25, "A" * 24, "a" * 23 + "\n", "/" * 24])
async def test_only_our_own_refs_lead_to_a_path(tmp_path, ref):
    with pytest.raises(NoSuchFile):
        FileStore(tmp_path, SeededIds(1)).path(ref)


async def test_what_no_conversation_names_goes_unless_it_is_kept(tmp_path):
    files = FileStore(tmp_path, SeededIds(1))
    gone, kept = [(await files.put(pieces(b"abc"))).ref for _ in range(2)]
    await files.keep(kept)
    await files.discard([gone, kept, "../../etc/passwd", "nothing", "a" * 24])
    with pytest.raises(NoSuchFile):
        files.path(gone)
    assert files.path(kept).read_bytes() == b"abc"
    with pytest.raises(NoSuchFile):
        await files.keep(gone)


async def test_what_a_killed_process_left_half_written_goes_when_it_is_old(tmp_path):
    files = FileStore(tmp_path, SeededIds(1))
    whole = await files.put(pieces(b"whole"))
    place = files.path(whole.ref)
    old, young, other = (place.with_name(name) for name in ("a" * 24 + ".part", "b" * 24 + ".part", "notes.part.txt"))
    for path in (old, young, other, place):
        path.touch()
    for path in (old, other, place):
        os.utime(path, (0, 0))
    await files.tidy(datetime.now(UTC) - timedelta(days=1))
    assert sorted(kept(tmp_path)) == sorted([place, young, other])
    await FileStore(tmp_path / "nowhere", SeededIds(1)).tidy(datetime.now(UTC))
