"""SLIP-10 for Ed25519: hardened children of a seed, for Solana's addresses. Pure.

There is no public derivation: a server without the seed has a pool of addresses instead.
"""

import hashlib
import hmac
from typing import Final

HARDENED: Final = 2**31


class Secret:
    """An Ed25519 secret with its chain code. Its repr tells nothing."""

    __slots__ = ("chain", "secret")

    def __init__(self, digest: bytes) -> None:
        self.secret = digest[:32]
        self.chain = digest[32:]

    def __repr__(self) -> str:
        return "<secret>"

    @staticmethod
    def of(seed: bytes) -> "Secret":
        """The master secret of a seed."""
        return Secret(hmac.digest(b"ed25519 seed", seed, hashlib.sha512))

    def child(self, number: int) -> "Secret":
        """The hardened child; `number` without the mark of hardening. Raises ValueError when it is too large."""
        if not 0 <= number < HARDENED:
            raise ValueError(f"there is no child {number}")
        data = b"\0" + self.secret + (number + HARDENED).to_bytes(4)
        return Secret(hmac.digest(self.chain, data, hashlib.sha512))

    def down(self, path: str) -> "Secret":
        """The secret at a path such as `m/44'/501'/7'/0'`. Raises ValueError for a part that is not hardened."""
        found = self
        for part in path.split("/")[1:]:
            if not part.endswith("'"):
                raise ValueError(f"{path}: Ed25519 has hardened children only")
            found = found.child(int(part[:-1]))
        return found
