"""How far an account's addresses were given out, in a small file that no backup of the database puts back.

Written and synced to disk before the address leaves; read-modify-write belongs under the lock of the account's row.
Holds numbers and hashes of order ids, never a key.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Final

import msgspec

from engine.core.records import record

FOLDER: Final = "addresses"
_REMEMBERED: Final = 64
"""So many orders, the latest, whose number is remembered: a transaction that is done again gets the same address."""


@record
class Mark:
    """What the file says of one account."""

    next: int = 0
    """No number below this one is free."""
    latest: Mapping[str, int] = field(default_factory=dict)
    """Hash of the order → the number it was given, the latest ones."""


class BadMark(Exception):  # noqa: N818 - says what was found
    """The file cannot be read or written; the message says which, why and what to do."""


def path_of(data: Path, asset: str, account: str) -> Path:
    """Where the mark of an account lies."""
    return data / FOLDER / f"{asset}-{account}.json"


def read(data: Path, asset: str, account: str) -> Mark:
    """The mark of an account; a fresh one when nothing was given out yet. Raises BadMark: it is never guessed."""
    file = path_of(data, asset, account)
    try:
        raw = msgspec.json.decode(file.read_bytes(), type=_Written)
    except FileNotFoundError:
        return Mark()
    except (OSError, msgspec.DecodeError) as error:
        raise BadMark(
            f"{file} cannot be read ({type(error).__name__}). It says which addresses of {asset} were given out: put it"
            f' back, or write {{"next": N}} into it, with N above every number that was ever given out'
        ) from error
    return Mark(next=max(0, raw.next), latest=raw.latest)


def write(data: Path, asset: str, account: str, mark: Mark) -> bool:
    """Put the mark on disk, whole or not at all, synced. It only grows: False when somebody else has written down as
    much or more meanwhile, and nothing is changed. Raises BadMark."""
    file = path_of(data, asset, account)
    fresh = file.with_suffix(".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _alone(file.with_suffix(".lock")):
            if read(data, asset, account).next >= mark.next:
                return False
            with fresh.open("wb") as stream:
                stream.write(msgspec.json.encode(_Written(next=mark.next, latest=dict(mark.latest))))
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(file)
            _sync_folder(file.parent)
            return True
    except OSError as error:
        raise BadMark(
            f"{file} cannot be written ({error.strerror}): no address of {asset} is given out before it is"
        ) from error


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One writer at a time: also when an action was cancelled whose writing still goes on in its thread."""
    if os.name != "posix":
        yield
        return
    import fcntl

    with lock.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # ends with the handle
        yield


def given(mark: Mark, number: int, key: str) -> Mark:
    """The mark after `number` was given to the order `key`."""
    name = _hash(key)
    latest = [*((order, at) for order, at in mark.latest.items() if order != name), (name, number)][-_REMEMBERED:]
    return Mark(next=max(mark.next, number + 1), latest=dict(latest))


def number_of(mark: Mark, key: str) -> int | None:
    """The number that this order was given, when it is one of the latest."""
    return mark.latest.get(_hash(key))


class _Written(msgspec.Struct, omit_defaults=True):
    next: int
    latest: dict[str, int] = {}


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
