"""What a chain says about our addresses: transfers, the tip, a watcher's report. Values only.

Nothing here knows an invoice, a database or a node.
"""

from datetime import datetime
from typing import Final

from engine.core.records import record

BALANCE: Final = "balance:"
"""So begin the names of transfers that were not read from transactions, but from an address's balance."""


@record
class Transfer:
    """Money that reached an address."""

    asset: str
    """The coin that was really sent: a token on an ETH address has its own name here."""
    address: str
    txid: str
    position: str
    """Which part of the transaction: output, log or instruction index, as text. `txid` and it name a transfer."""
    amount: int
    """Minor units (satoshi, wei, lamport), never negative."""
    height: int | None
    """The block's height; None while it is in no block."""
    block: str | None
    """The block's hash; None while it is in no block, or not known."""


@record
class Tip:
    """The newest block that a node knows."""

    asset: str
    height: int
    block: str
    at: datetime
    """When the block was made (aware, UTC). A stuck node is known by it."""


@record
class Report:
    """What a watcher found in one round."""

    asset: str
    tip: Tip
    transfers: tuple[Transfer, ...]
    complete: tuple[str, ...]
    """Addresses of which `transfers` is the whole present truth: what is missing there was withdrawn."""


@record
class Watched:
    """An address that a watcher has to look at."""

    address: str
    invoice: int
    created_at: datetime
    expected: int
    """Minor units that are due."""
    needed: int
    """Confirmations until the payment counts."""
    received: int
    """Minor units known so far."""
