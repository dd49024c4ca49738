"""The bytes of files: uploaded ones lie in a temporary folder, patterns are made while they are read. Nothing large is
in memory."""

import hashlib
import tempfile
from bisect import bisect_right
from pathlib import Path
from typing import Protocol

from tests.telegram.server.refusal import Refusal

MAX_PART = 512 * 1024
MAX_PARTS = 4000


class Blob(Protocol):
    size: int

    def read(self, offset: int, limit: int) -> bytes:
        """At most `limit` bytes from `offset`; fewer at the end."""
        ...


class Pattern:
    """`size` bytes that are made when they are read, the same each time and different in every 32-byte block."""

    def __init__(self, size: int, seed: str = "") -> None:
        self.size = size
        self._seed = seed.encode()

    def read(self, offset: int, limit: int) -> bytes:
        end = min(self.size, offset + limit)
        first = offset // 4096
        made = b"".join(self._page(number) for number in range(first, -(-end // 4096)))
        return made[offset - first * 4096 : max(0, end - first * 4096)]

    def _page(self, number: int) -> bytes:
        return hashlib.shake_128(self._seed + number.to_bytes(8, "little")).digest(4096)

    def sha256(self) -> str:
        total = hashlib.sha256()
        for offset in range(0, self.size, 1 << 20):
            total.update(self.read(offset, 1 << 20))
        return total.hexdigest()


class Given:
    """Bytes a test hands over."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, limit: int) -> bytes:
        return self._data[offset : offset + limit]


class Upload:
    """Parts of one file as they come, in any order, appended to one file on disk; complete it is a blob."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[int, tuple[int, int]] = {}
        self._end = 0
        self._starts: list[int] = []
        self.size = 0

    def put(self, part: int, data: bytes) -> None:
        if not 0 <= part < MAX_PARTS:
            raise Refusal(400, "FILE_PART_INVALID")
        if len(data) > MAX_PART:
            raise Refusal(400, "FILE_PART_TOO_BIG")
        with self._path.open("ab") as file:
            file.write(data)
        self._places[part] = (self._end, len(data))
        self._end += len(data)

    def complete(self, parts: int) -> None:
        """Checks the parts as Telegram does: all there, and of one size but for the last."""
        missing = next((number for number in range(parts) if number not in self._places), None)
        if missing is not None:
            raise Refusal(400, f"FILE_PART_{missing}_MISSING" if self._places else "FILE_PARTS_INVALID")
        lengths = [self._places[number][1] for number in range(parts)]
        if len(set(lengths[:-1])) > 1:
            raise Refusal(400, "FILE_PART_SIZE_CHANGED")
        self._starts, self.size = [], 0
        for length in lengths:
            self._starts.append(self.size)
            self.size += length

    def read(self, offset: int, limit: int) -> bytes:
        wanted = min(limit, self.size - offset)
        data = b""
        with self._path.open("rb") as file:
            while len(data) < wanted:
                part = bisect_right(self._starts, offset + len(data)) - 1
                inside = offset + len(data) - self._starts[part]
                place, length = self._places[part]
                file.seek(place + inside)
                data += file.read(min(length - inside, wanted - len(data)))
        return data


class Uploads:
    """The uploads under way, by account and the client's file id."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="loopback-telegram-")
        self._open: dict[tuple[int, int], Upload] = {}
        self._made = 0

    def put(self, account: int, file_id: int, part: int, data: bytes) -> None:
        upload = self._open.get((account, file_id))
        if upload is None:
            self._made += 1
            upload = self._open[account, file_id] = Upload(Path(self._folder.name) / str(self._made))
        upload.put(part, data)

    def take(self, account: int, file_id: int, parts: int, md5: str) -> Blob:
        """The finished file; its parts are used up. `md5` is empty for a big file."""
        upload = self._open.get((account, file_id))
        if upload is None:
            raise Refusal(400, "FILE_PARTS_INVALID")
        upload.complete(parts)
        if md5 and hashlib.md5(upload.read(0, upload.size)).hexdigest() != md5:
            raise Refusal(400, "MD5_CHECKSUM_INVALID")
        del self._open[account, file_id]
        return upload

    def close(self) -> None:
        self._folder.cleanup()
