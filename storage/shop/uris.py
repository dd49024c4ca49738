"""Payment links that wallets open: BIP21 (`bitcoin:`, `litecoin:`), EIP-681 (`ethereum:`), Solana Pay (`solana:`).

Pure. Amounts are integers in minor units, written as plain decimals: never float, never with an exponent.
"""

from typing import Final
from urllib.parse import quote

from engine.core.values import minor_digits

_SCHEMES: Final = {"BTC": "bitcoin", "LTC": "litecoin", "ETH": "ethereum", "SOL": "solana"}


def uri(asset: str, address: str, amount: int, *, label: str = "", chain_id: int | None = None) -> str:
    """The link to pay `amount` (minor units, above 0) to `address`.

    `label`: what the wallet shows as the receiver; EIP-681 has no place for it. `chain_id`: ETH only, 1 when not
    given. Raises ValueError for an amount of 0 or less and for an asset without such links.
    """
    scheme = _SCHEMES.get(asset)
    if scheme is None:
        raise ValueError(f"there are no payment links for {asset}")
    if amount <= 0:
        raise ValueError(f"a payment of {amount} {asset} cannot be asked for")
    if asset == "ETH":
        return f"{scheme}:{address}@{chain_id or 1}?value={amount}"
    tail = f"&label={quote(label, safe='')}" if label else ""
    return f"{scheme}:{address}?amount={plain(amount, asset)}{tail}"


def plain(amount: int, asset: str) -> str:
    """Minor units as a plain decimal of the asset: 1250000 BTC units are `0.0125`. Raises ValueError below 0."""
    if amount < 0:
        raise ValueError(f"{amount} is below 0")
    digits = minor_digits(asset)
    padded = str(amount).rjust(digits + 1, "0")
    whole, part = (padded[:-digits], padded[-digits:].rstrip("0")) if digits else (padded, "")
    return f"{whole}.{part}" if part else whole
