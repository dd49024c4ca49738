"""BIP39: entropy to words, words to the seed, and the checksum that finds a mistyped word. Pure; randomness comes in.

Nothing here may be logged; no message holds a word.
"""

import hashlib
import unicodedata
from typing import Final

from storage.shop.keys.errors import KeyTrouble
from storage.shop.keys.words import WORDS

_NUMBERS: Final = {word: number for number, word in enumerate(WORDS)}
LENGTHS: Final = (12, 15, 18, 21, 24)


def words_of(entropy: bytes) -> str:
    """16 to 32 bytes of entropy as 12 to 24 words. Raises ValueError for another length."""
    if len(entropy) not in (16, 20, 24, 28, 32):
        raise ValueError(f"{len(entropy)} bytes of entropy make no phrase")
    bits = len(entropy) // 4
    number = int.from_bytes(entropy) << bits | _checksum(entropy, bits)
    count = (len(entropy) * 8 + bits) // 11
    return " ".join(WORDS[number >> 11 * place & 2047] for place in reversed(range(count)))


def check(phrase: str) -> str:
    """The phrase with single spaces. Raises KeyTrouble when it cannot be one: a wrong word is named by its place."""
    words = unicodedata.normalize("NFKD", phrase).lower().split()
    if len(words) not in LENGTHS:
        raise KeyTrouble(f"a seed phrase has 12, 15, 18, 21 or 24 words, and this one has {len(words)}")
    number = 0
    for place, word in enumerate(words, 1):
        if word not in _NUMBERS:
            raise KeyTrouble(f"word {place} is not one of the 2,048 words of BIP39: it is mistyped")
        number = number << 11 | _NUMBERS[word]
    bits = len(words) // 3
    entropy = (number >> bits).to_bytes(bits * 4)
    if number & ((1 << bits) - 1) != _checksum(entropy, bits):
        raise KeyTrouble("the phrase's checksum is wrong: a word is mistyped, or two changed places")
    return " ".join(words)


def seed_of(phrase: str, password: str = "") -> bytes:
    """The 64 bytes of a phrase. Takes some milliseconds, as it must. Raises KeyTrouble as `check` does."""
    salt = unicodedata.normalize("NFKD", f"mnemonic{password}").encode()
    return hashlib.pbkdf2_hmac("sha512", check(phrase).encode(), salt, 2048)


def _checksum(entropy: bytes, bits: int) -> int:
    return hashlib.sha256(entropy).digest()[0] >> (8 - bits)
