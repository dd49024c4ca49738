"""Where ids come from: secure random ones, or repeatable ones from a seed for tests. No time here."""

import random
import secrets
import string
from typing import Final, Protocol

ALPHABET: Final = string.ascii_lowercase + string.digits


class IdSource(Protocol):
    """Gives ids that nobody can guess and that do not repeat."""

    def conversation(self) -> str:
        """10 characters of a-z and 0-9: short enough for callback data."""
        ...

    def file(self) -> str:
        """24 characters of a-z and 0-9: the ref of a kept file."""
        ...


class SecretIds:
    """Ids from the operating system's randomness."""

    def conversation(self) -> str:
        """10 characters, 51 bits."""
        return _letters(10)

    def file(self) -> str:
        """24 characters, 124 bits."""
        return _letters(24)


def _letters(count: int) -> str:
    """Asks the system once for all of them: 64 bits more than they hold, so that none is likelier than another."""
    number = secrets.randbits(count * 6 + 64)
    found = []
    for _ in range(count):
        number, index = divmod(number, len(ALPHABET))
        found.append(ALPHABET[index])
    return "".join(found)


class SeededIds:
    """The same ids in the same order for the same seed; for tests and transcripts, never for customers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def conversation(self) -> str:
        """10 characters."""
        return "".join(self._random.choices(ALPHABET, k=10))

    def file(self) -> str:
        """24 characters."""
        return "".join(self._random.choices(ALPHABET, k=24))
