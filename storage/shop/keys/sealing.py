"""A seed encrypted with AES-256-GCM, bound to its place, its coin and its key: moved elsewhere, it does not open. Pure.

Randomness comes in by parameter. No message and no repr has a part of a seed or of a key.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final

from storage.shop.keys.errors import KeyTrouble, MissingLibraries

PREFIX: Final = "sealed1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
SEED_BYTES: Final = 64
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class SealingKeys:
    """The keys that open seeds, by their ids; the first one seals. Its repr tells nothing."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    def __repr__(self) -> str:
        return f"<sealing keys {', '.join(self._keys)}>"

    @property
    def present(self) -> str:
        """The id of the key that seals."""
        return next(iter(self._keys))

    def get(self, name: str) -> bytes:
        """The key with this id. Raises KeyTrouble."""
        if name not in self._keys:
            raise KeyTrouble(f"the seed is sealed with the key “{name}”, which is not among {', '.join(self._keys)}")
        return self._keys[name]


def read_keys(text: str) -> SealingKeys:
    """`id:key,id:key`, as `write_key` writes them, the present one first. Raises KeyTrouble."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, written = part.partition(":")
        if not _ID.fullmatch(name) or name in keys:
            raise KeyTrouble("each key is written id:key, with an id of its own: letters, digits, - and _")
        keys[name] = _decoded(written, f"the key “{name}”")
        if len(keys[name]) != KEY_BYTES:
            raise KeyTrouble(f"the key “{name}” has {len(keys[name])} bytes, not {KEY_BYTES}")
    if not keys:
        raise KeyTrouble("it holds no key: make one with `stepgram keys encrypt --new-key`")
    return SealingKeys(keys)


def write_key(name: str, key: bytes) -> str:
    """A key as `id:key`. Raises KeyTrouble for an id that cannot be written so, ValueError for another length."""
    if not _ID.fullmatch(name):
        raise KeyTrouble("a key's id has 1 to 32 letters, digits, - and _")
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    return f"{name}:{base64.b64encode(key).decode()}"


def seal(seed: bytes, keys: SealingKeys, *, place: str, asset: str, nonce: bytes) -> str:
    """A seed of 64 bytes, encrypted. `place`: where it is kept, the name of its variable. `nonce`: 12 random bytes.

    Raises MissingLibraries without the extra, ValueError for other lengths.
    """
    if len(seed) != SEED_BYTES or len(nonce) != NONCE_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, and a nonce {NONCE_BYTES}")
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise MissingLibraries from error
    name = keys.present
    sealed = AESGCM(keys.get(name)).encrypt(nonce, seed, _bound(place, asset, name))
    return f"{PREFIX}:{name}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(text: str, keys: SealingKeys, *, place: str, asset: str) -> bytes:
    """The seed. Raises KeyTrouble when it was sealed for another place or coin, with another key, or was altered."""
    prefix, name, blob = [*text.strip().split(":"), "", ""][:3]
    if prefix != PREFIX or text.count(":") != 2:
        raise KeyTrouble("it holds no encrypted seed: make it with `stepgram keys encrypt`, never put the seed itself")
    raw = _decoded(blob, "the encrypted seed")
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise MissingLibraries from error
    try:
        seed = AESGCM(keys.get(name)).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(place, asset, name))
    except (InvalidTag, ValueError):
        raise KeyTrouble(
            f"the encrypted seed does not open: it was made for another variable than {place}, for another coin than"
            f" {asset}, with another key, or it was altered"
        ) from None
    if len(seed) != SEED_BYTES:
        raise KeyTrouble("what was encrypted is no seed")
    return seed


def _bound(place: str, asset: str, name: str) -> bytes:
    """What the seed is bound to, besides its key: table, row, coin, id of the key."""
    return f"environment:{place}:{asset}:{name}".encode()


def _decoded(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyTrouble(f"{what} is not written in base64: a letter is missing or mistyped") from None
