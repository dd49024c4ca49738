"""Short marks that tell one wording of a text from another. Pure."""

import hashlib
from typing import Final

_LETTERS: Final = 6


def fingerprint(text: str) -> str:
    """Six small letters. How the text is broken into lines does not count."""
    number = int.from_bytes(hashlib.sha256(" ".join(text.split()).encode()).digest()[:8], "big")
    letters = []
    for _ in range(_LETTERS):
        number, letter = divmod(number, 26)
        letters.append(chr(ord("a") + letter))
    return "".join(letters)


def mark(source: str, translation: str) -> str:
    """What is noted of a translation: the source that it was made from, and how it was worded then."""
    return f"{fingerprint(source)}-{fingerprint(translation)}"
