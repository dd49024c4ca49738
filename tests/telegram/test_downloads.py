"""Files of customers over the loopback server: whole or not at all, never in memory, never by their name."""

import asyncio
import hashlib
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from engine.channels.telegram import downloads
from engine.runtime.outbox import decode
from tests.telegram.receiving_rig import Rig, chat_of, until
from tests.telegram.server import Account, TelegramServer

MB = 1024 * 1024


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "FIRST_PAUSE", 0.02)


async def received(rig: Rig, count: int = 1) -> list[dict[str, Any]]:
    await until(lambda: len(rig.desk.files()) >= count)
    await rig.settled()
    return rig.desk.files()


def digest(path: Path) -> str:
    value = hashlib.sha256()
    with path.open("rb") as source:
        while piece := source.read(MB):
            value.update(piece)
    return value.hexdigest()


class TestWhole:
    async def test_a_document(self, server: TelegramServer, bot: Account, tmp_path: Path, customer) -> None:
        async with Rig(server, bot, tmp_path) as rig:
            anna = await customer("Anna")
            data = bytes(range(256)) * 5000  # more than a piece
            await anna.sends_file(data, name="part.stl")
            (file,) = await received(rig)
            assert (file["name"], file["size"], file["kind"]) == ("part.stl", len(data), "document")
            assert rig.files.path(file["ref"]).read_bytes() == data
            assert len(rig.kept()) == 1

    async def test_a_photo(self, server: TelegramServer, bot: Account, tmp_path: Path, customer) -> None:
        from tests.channels.web.site import PNG

        async with Rig(server, bot, tmp_path) as rig:
            anna = await customer("Anna")
            await anna.sends_photo(PNG)
            (file,) = await received(rig)
            assert (file["kind"], file["mime"]) == ("photo", "image/jpeg")
            assert rig.files.path(file["ref"]).read_bytes() == PNG

    async def test_an_album_is_single_files_in_order(
        self, server: TelegramServer, bot: Account, tmp_path: Path, customer
    ) -> None:
        async with Rig(server, bot, tmp_path) as rig:
            anna = await customer("Anna")
            await anna.sends_album([(b"a" * 100, "a.stl"), (b"b" * 100, "b.stl"), (b"c" * 100, "c.stl")])
            assert [file["name"] for file in await received(rig, 3)] == ["a.stl", "b.stl", "c.stl"]

    async def test_thirty_megabytes_with_flat_memory(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        blob = server.pattern(30 * MB + 123)
        async with Rig(server, bot, tmp_path) as rig:
            server.post(anna, bot, blob=server.pattern(1000), name="warm.up")
            await received(rig, 1)
            tracemalloc.start()
            try:
                server.post(anna, bot, blob=blob, name="big.stl")
                _, file = await received(rig, 2)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert file["size"] == 30 * MB + 123
            assert digest(rig.files.path(file["ref"])) == blob.sha256()
            assert peak < 16 * MB, f"{peak / MB:.1f} MB"

    @pytest.mark.parametrize(
        "name",
        [
            "../../../etc/passwd",
            "..\\..\\x.stl",
            "/abs.stl",
            "a\x00b.stl",
            "CON",
            "x" * 3000,
            "\u202egpj.exe",
            "..",
            "",
        ],
    )
    async def test_a_hostile_name_never_becomes_a_path(
        self, server: TelegramServer, bot: Account, tmp_path: Path, name: str
    ) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            before = {path for path in tmp_path.rglob("*") if path.is_file()}
            server.post(anna, bot, blob=b"data", name=name)
            (file,) = await received(rig)
            assert "/" not in file["name"]
            assert "\\" not in file["name"]
            assert file["name"].isprintable()
            assert 0 < len(file["name"]) <= 200
            new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
            assert [path for path in new if "files" in path.parts] == [rig.files.path(file["ref"])]


class TestTrouble:
    async def test_a_short_part_is_fetched_again(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        blob = server.pattern(3 * MB + 7)
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.short_part(bytes_left=1000, skip=1, times=1)
            server.post(anna, bot, blob=blob, name="part.stl")
            (file,) = await received(rig)
            assert digest(rig.files.path(file["ref"])) == blob.sha256()
            assert not [path for path in rig.kept() if path.suffix]

    async def test_a_part_that_fails_is_fetched_again(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        blob = server.pattern(3 * MB + 7)
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.fail("upload.GetFile", 400, "OFFSET_INVALID", skip=2, times=1)
            server.post(anna, bot, blob=blob, name="part.stl")
            (file,) = await received(rig)
            assert digest(rig.files.path(file["ref"])) == blob.sha256()

    async def test_a_dropped_line_in_the_middle(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        blob = server.pattern(5 * MB)
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.drop_line("upload.GetFile", skip=2, times=1)
            server.post(anna, bot, blob=blob, name="part.stl")
            await until(rig.desk.files, 60)
            (file,) = rig.desk.files()
            assert digest(rig.files.path(file["ref"])) == blob.sha256()

    async def test_an_expired_reference_is_renewed(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        async with rig:
            pass
        server.post(anna, bot, "hello")
        server.post(anna, bot, blob=b"data" * 100, name="part.stl")
        rig.desk.gates[chat_of(anna)] = asyncio.Event()
        async with rig:
            await until(lambda: rig.desk.begun)
            server.expire_references()
            rig.desk.gates[chat_of(anna)].set()
            (file,) = await received(rig)
            assert rig.files.path(file["ref"]).read_bytes() == b"data" * 100

    async def test_a_file_that_never_comes_whole_is_told_and_settled(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        server.meet(bot, anna)
        async with Rig(server, bot, tmp_path) as rig:
            fault = server.faults.short_part(bytes_left=0, times=None)
            rig.mouth.fails = 1
            server.post(anna, bot, blob=b"data" * 100, name="a<b>.stl")
            server.post(anna, bot, "and now?")
            await until(lambda: rig.desk.envelopes)
            assert rig.desk.of(chat_of(anna)) == ["and now?"]
            assert fault.hits == downloads.TRIES
            assert not rig.kept()
            (told,) = rig.mouth.delivered
            assert "files.lost" in decode(told).effect.text  # type: ignore[union-attr]
            assert "a&lt;b&gt;.stl" in decode(told).effect.text  # type: ignore[union-attr]
            await rig.settled()
            await asyncio.sleep(0.4)
            assert not await rig.store.journal.unhandled()

    async def test_a_deleted_message_is_told(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        server.meet(bot, anna)
        rig = Rig(server, bot, tmp_path)
        async with rig:
            pass
        rig.desk.gates[chat_of(anna)] = asyncio.Event()
        server.post(anna, bot, "hello")
        server.post(anna, bot, blob=b"data", name="part.stl")
        async with rig:
            await until(lambda: rig.desk.begun)
            server.expire_references()
            bot.box.clear()
            rig.desk.gates[chat_of(anna)].set()
            await until(lambda: rig.mouth.delivered)
            assert not rig.desk.files()

    async def test_a_full_disk_is_told(
        self, server: TelegramServer, bot: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anna = server.add_customer("Anna")
        server.meet(bot, anna)
        async with Rig(server, bot, tmp_path) as rig:

            async def full(stream: object, limit: object = None) -> None:
                raise OSError("no space left")

            monkeypatch.setattr(rig.files, "put", full)
            server.post(anna, bot, blob=b"data", name="part.stl")
            await until(lambda: rig.mouth.delivered)

    async def test_too_large_for_a_bot_is_told_and_not_fetched(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        server.meet(bot, anna)
        async with Rig(server, bot, tmp_path) as rig:
            server.post(anna, bot, blob=server.pattern(2001 * MB), name="huge.stl")
            await until(lambda: rig.mouth.delivered)
            assert "files.too_big" in decode(rig.mouth.delivered[0]).effect.text  # type: ignore[union-attr]
            assert not server.count("upload.GetFile")


class TestBesideOthers:
    async def test_order_within_a_chat_with_a_slow_download_in_the_middle(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna, ben = server.add_customer("Anna"), server.add_customer("Ben")
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.slow("upload.GetFile", 1.0)
            server.post(anna, bot, "before")
            server.post(anna, bot, blob=b"data", name="part.stl")
            server.post(anna, bot, "after")
            for number in range(3):
                server.post(ben, bot, f"m{number}")
            await until(lambda: len(rig.desk.of(chat_of(ben))) == 3, 0.9)
            assert rig.desk.of(chat_of(anna)) == ["before"]
            await until(lambda: len(rig.desk.envelopes) == 6)
            assert rig.desk.of(chat_of(anna)) == ["before", "(part.stl)", "after"]

    async def test_progress_is_told_and_the_customer_sees_that_somebody_is_at_work(
        self, server: TelegramServer, bot: Account, tmp_path: Path, customer
    ) -> None:
        async with Rig(server, bot, tmp_path) as rig:
            anna = await customer("Anna")
            server.faults.slow("upload.GetFile", 0.4, times=None)
            server.post(anna.account, bot, blob=server.pattern(2 * MB + 10), name="part.stl")
            await received(rig)
            total = 2 * MB + 10
            assert rig.progress == [(anna.chat, done, total) for done in (MB, 2 * MB, total)]
            assert "typing" in anna.actions

    async def test_four_at_once_over_all_chats(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        people = [server.add_customer(f"C{number}") for number in range(8)]
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.slow("upload.GetFile", 1.0, times=None)
            begun = asyncio.get_running_loop().time()
            for account in people:
                server.post(account, bot, blob=account.first_name.encode() * 100, name="part.stl")
            await until(lambda: server.count("upload.GetFile") == 4)
            await asyncio.sleep(0.2)
            assert server.count("upload.GetFile") == 4
            files = await received(rig, 8)
            assert asyncio.get_running_loop().time() - begun < 8 * 1.0
            assert len({file["ref"] for file in files}) == 8


class TestOnce:
    async def test_a_file_that_was_fetched_before_a_crash_is_not_fetched_again(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            rig.desk.gates[chat_of(anna)] = asyncio.Event()
            server.post(anna, bot, blob=b"data", name="part.stl")
            await until(lambda: rig.desk.begun)
            await rig.crash()
            rig.desk.gates.clear()
            await rig.begin()
            (file,) = await received(rig)
            assert rig.files.path(file["ref"]).read_bytes() == b"data"
            assert server.count("upload.GetFile") == 1
            assert len(rig.kept()) == 1

    async def test_a_file_in_the_middle_of_a_crash_is_fetched_anew(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        blob = server.pattern(4 * MB)
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.slow("upload.GetFile", 0.3, times=2)
            server.post(anna, bot, blob=blob, name="part.stl")
            await until(lambda: server.count("upload.GetFile") == 2)
            await rig.crash()
            await rig.begin()
            (file,) = await received(rig)
            assert digest(rig.files.path(file["ref"])) == blob.sha256()

    async def test_a_repeated_update_does_not_fetch_its_file_again(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        from pyrogram import raw

        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            server.post(anna, bot, blob=b"data", name="part.stl")
            await received(rig)
            await asyncio.sleep(0.4)
            again = raw.types.Updates(updates=[bot.log[-1].update], users=[], chats=[], date=1, seq=0)
            await rig.receiver.received(again)
            await asyncio.sleep(0.5)
            assert server.count("upload.GetFile") == 1
            assert len(rig.kept()) == 1
