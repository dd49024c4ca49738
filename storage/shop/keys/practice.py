"""Addresses to practise with: made from a hash, so nobody has a key to them, of networks that no real wallet pays to.

Never for real money. Pure.
"""

import hashlib

from storage.shop.keys import base58, bech32, evm

PATH = "practice"
"""What stands in place of a derivation path."""


def address(asset: str, key: str) -> str:
    """The practice address of one order: bcrt1…, rltc1…, 0x…, or Base58. The same key gives the same address.

    Raises ValueError for an asset without practice.
    """
    digest = hashlib.sha256(f"stepgram practice:{asset}:{key}".encode()).digest()
    match asset:
        case "BTC":
            return bech32.encode("bcrt", digest[:20])
        case "LTC":
            return bech32.encode("rltc", digest[:20])
        case "ETH":
            return evm.encode(digest[:20])
        case "SOL":
            return base58.encode(digest)
        case _:
            raise ValueError(f"there is no practice with {asset}")
