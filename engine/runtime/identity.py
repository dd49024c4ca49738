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
        return "".join(secrets.choice(ALPHABET) for _ in range(10))

    def file(self) -> str:
        """24 characters, 124 bits."""
        return "".join(secrets.choice(ALPHABET) for _ in range(24))


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
