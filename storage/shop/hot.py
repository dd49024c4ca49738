"""The opt-in hot mode: the private key of one order, for the operator's eyes, once and with an entry in the books.

The key is derived when it is asked for and is in no row, no log, no message and no repr. Statements over an open
transaction: whoever shows the key commits first.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from engine.actions.context import Transaction
from engine.core.records import record
from storage.shop import wallets
from storage.shop.keys import accounts, base58, bech32, bip32, evm, native, practice, slip10
from storage.shop.keys.errors import KeyTrouble
from storage.shop.settings import ChainSetting, ChainSettings

IN_CHAT: Final = "A key is never shown in a chat: messages are kept. Type on the bot's machine: stepgram keys reveal {}"
"""What an action answers that is asked for a key."""
AUDITED: Final = "reveal_key"
"""How the books call it."""
_WIF: Final = {("BTC", True): 0x80, ("LTC", True): 0xB0, ("BTC", False): 0xEF, ("LTC", False): 0xEF}
REASON: Final = 500
"""So many letters of a reason are kept."""


class Shown:
    """A private key on its way to the operator's eyes. Only `text` tells it; its repr does not."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "<private key>"

    def text(self) -> str:
        """The key as wallets read it: WIF, 0x…, or Base58 of 64 bytes."""
        return self._text


@record
class Revealed:
    """The key of one order, entered in the books."""

    order: str
    asset: str
    address: str
    path: str
    key: Shown


@record
class NotRevealed:
    """It is not shown, and why."""

    reason: str


async def reveal(
    work: Transaction,
    order: str,
    *,
    who: str,
    reason: str,
    now: datetime,
    chains: ChainSettings,
    environment: Mapping[str, str],
    again: bool = False,
) -> Revealed | NotRevealed:
    """The private key of an order's address. `who` and `reason` are written down with it.

    Once for each order; a second time only with `again`, which is written down, too. The key is derived before the
    entry is made, and fits the address that the customer was shown, else there is no entry and no key.
    """
    if not reason.strip():
        return NotRevealed(reason="say why: --reason “…”")
    await work.execute("UPDATE pay_invoices SET version = version WHERE order_id = ?", (order,))
    rows = await work.query("SELECT asset, address, path FROM pay_invoices WHERE order_id = ?", (order,))
    if not rows:
        return NotRevealed(reason=f"order {order} has no address")
    asset, address, path = (str(rows[0][name]) for name in ("asset", "address", "path"))
    chain = chains.of(asset)
    before = await work.query(
        "SELECT who FROM pay_audit WHERE order_id = ? AND what = ? ORDER BY id DESC LIMIT 1", (order, AUDITED)
    )
    if before and not again:
        return NotRevealed(reason=f"this key was shown before, to {before[0]['who']}; to see it again: --again")
    if path == practice.PATH or chain is None or chain.hot is None:
        return NotRevealed(reason=_elsewhere(asset, path))
    try:
        key = _key(asset, address, path, chain, environment)
    except KeyTrouble as trouble:
        return NotRevealed(reason=str(trouble))
    await work.execute(
        "INSERT INTO pay_audit (at, who, what, order_id, reason) VALUES (?, ?, ?, ?, ?)",
        (int(now.timestamp() * 1000), who[:128], AUDITED, order, reason.strip()[:REASON]),
    )
    return Revealed(order=order, asset=asset, address=address, path=path, key=key)


def _elsewhere(asset: str, path: str) -> str:
    if path == practice.PATH:
        return "this is a practice address: nobody has a key to it"
    return f"this machine has no key of {asset}: it is in your wallet, at the path {path.split('@', maxsplit=1)[0]}"


def _key(asset: str, address: str, path: str, chain: ChainSetting, environment: Mapping[str, str]) -> Shown:
    """The key of an address. Raises KeyTrouble, above all when it is not the key of that very address."""
    where, _, account = path.partition("@")
    found, shown = _derived(asset, where, chain, environment)
    if found != address:
        raise KeyTrouble(
            f"the encrypted seed is not the one of this address: that is of account {account}, at the path {where}"
        )
    return shown


def _derived(asset: str, where: str, chain: ChainSetting, environment: Mapping[str, str]) -> tuple[str, Shown]:
    """The address at a path, and its key. Raises KeyTrouble."""
    if asset == "SOL":
        pair = slip10.Secret.of(wallets.seed(asset, chain, environment)).down(where)
        public = native.public_ed25519(pair.secret)
        return base58.encode(public), Shown(base58.encode(pair.secret + public))
    private = bip32.Private.of(wallets.seed(asset, chain, environment)).down(where, native.public)
    address = _address(asset, private.public(native.public).point, chain)
    return address, Shown(_written(asset, private.secret, main=chain.network == "main"))


def _address(asset: str, point: bytes, chain: ChainSetting) -> str:
    if asset == "ETH":
        return evm.encode(evm.account_of(native.plain(point)))
    return bech32.encode(accounts.hrp_of(asset, chain.network, chain.hrp), native.hash160(point))


def _written(asset: str, secret: bytes, *, main: bool) -> str:
    if asset == "ETH":
        return f"0x{secret.hex()}"
    return base58.encode_checked(bytes([_WIF[asset, main]]) + secret + b"\x01")
