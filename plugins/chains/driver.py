"""What every watcher of a chain offers, and how it says that a node is in trouble.

No protocol of any node stands here, and no sentence here may hold a password.
"""

from collections.abc import Sequence
from typing import Protocol

from storage.shop.transfers import Report, Tip, Watched


class NodeError(Exception):
    """The node cannot be used now. The text is one sentence for the operator, without any credential."""


class WrongNodeError(NodeError):
    """The node will not become right by waiting: another network, a refused password, an answer of something else."""


class Driver(Protocol):
    """Looks at addresses through one node."""

    async def tip(self) -> Tip:
        """The newest block of the node. Raises NodeError."""
        ...

    async def look(self, watched: Sequence[Watched]) -> Report:
        """What the node knows of these addresses now.

        Every address is in `complete`, or is left out because the node said nothing certain about it. Repeating it
        without news gives an equal report. Raises NodeError, and then nothing is known to have changed.
        """
        ...

    async def used(self, addresses: Sequence[str]) -> set[str]:
        """Which of these addresses were ever used: none of them may be given out again. Raises NodeError."""
        ...

    def memory(self) -> str:
        """What must be kept over a restart so that the next report names the same transfers alike; may be empty."""
        ...

    def remember(self, memory: str) -> None:
        """Take back what `memory` gave. What cannot be read is passed over: then everything is looked up anew."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...
