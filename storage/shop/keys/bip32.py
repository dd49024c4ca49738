"""BIP32: an account's public key read and its children made; a private key's children, for the offline tools. Pure.

Reading refuses private keys and seed phrases: a server has no use for them. No message holds a part of a key.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from engine.core.records import record
from storage.shop.keys import base58, curve
from storage.shop.keys.errors import KeyTrouble

HARDENED: Final = 2**31
_PUBLIC: Final = {
    "0488b21e": ("xpub", "main"), "04b24746": ("zpub", "main"), "019da462": ("Ltub", "main"),
    "01b26ef6": ("Mtub", "main"), "043587cf": ("tpub", "test"), "045f1cf6": ("vpub", "test"),
    "0436f6e1": ("ttub", "test"),
}  # fmt: skip
_PRIVATE: Final = {
    "0488ade4": "xprv", "049d7878": "yprv", "04b2430c": "zprv", "019d9cfe": "Ltpv", "01b26792": "Mtpv",
    "04358394": "tprv", "044a4e28": "uprv", "045f18bc": "vprv", "0436ef7d": "ttpv", "0295b005": "Yprv",
    "02aa7a99": "Zprv", "024285b5": "Uprv", "02575048": "Vprv",
}  # fmt: skip
_OTHER: Final = {
    "049d7cb2": "ypub, for addresses that begin with 3",
    "044a5262": "upub, for addresses that begin with 2",
    "0295b43f": "Ypub, for several signers",
    "02aa7ed3": "Zpub, for several signers",
    "024289ef": "Upub, for several signers",
    "02575483": "Vpub, for several signers",
}
_ALLOWED: Final = {
    "BTC": {"main": {"xpub", "zpub"}, "test": {"tpub", "vpub"}},
    "LTC": {"main": {"xpub", "zpub", "Ltub", "Mtub"}, "test": {"tpub", "vpub", "ttub"}},
    "ETH": {"main": {"xpub"}, "test": {"tpub", "xpub"}},
}
_ACCOUNTS: Final = {"BTC": "m/84'/0'/0'", "LTC": "m/84'/2'/0'", "ETH": "m/44'/60'/0'"}
_TESTS: Final = {"BTC": "m/84'/1'/0'", "LTC": "m/84'/1'/0'", "ETH": "m/44'/60'/0'"}


@record
class Node:
    """A public key with its chain code: children can be made of it, nothing can be spent with it."""

    point: bytes
    """33 bytes."""
    chain: bytes
    number: int = 0
    """The account's own number, without the mark of hardening."""

    @property
    def name(self) -> str:
        """What distinguishes this account from any other: 16 hexadecimal digits."""
        return hashlib.sha256(self.point + self.chain).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"<account {self.name}>"


def account_path(asset: str, network: str, number: int = 0) -> str:
    """The path of an account as wallets write it: `m/84'/0'/0'`."""
    return f"{(_ACCOUNTS if network == 'main' else _TESTS)[asset][:-2]}{number}'"


def read_account(text: str, *, asset: str, network: str) -> Node:
    """The account's public key of BTC, LTC or ETH, from `xpub…` and its relatives.

    `network`: main, test or regtest. Raises KeyTrouble, with a sentence that has no part of the key in it.
    """
    written = text.strip()
    wanted = f"Put the account's public key there, that of {account_path(asset, network)}: wallets show it as xpub"
    if len(written.split()) > 1:
        raise KeyTrouble(f"it holds several words, as a seed phrase has: whoever reads it owns the money. {wanted}")
    try:
        data = base58.decode_checked(written)
    except ValueError as error:
        raise KeyTrouble(f"it holds no key: {error}. {wanted}") from None
    version = data[:4].hex()
    if version in _PRIVATE:
        raise KeyTrouble(
            f"it holds a private key ({_PRIVATE[version]}): whoever reads it owns the money. Take it away. {wanted}"
        )
    if len(data) != 78:
        raise KeyTrouble(f"it holds {len(data)} bytes, and a public key of an account has 78. {wanted}")
    _check_kind(version, asset=asset, network=network, wanted=wanted)
    return _account(data, wanted)


def _check_kind(version: str, *, asset: str, network: str, wanted: str) -> None:
    if version in _OTHER:
        raise KeyTrouble(f"it holds a {_OTHER[version]}. {wanted}, zpub or vpub")
    kind, at_home = _PUBLIC.get(version, ("", ""))
    if not kind:
        raise KeyTrouble(f"it holds a key of a kind that is not known (it begins with {version}). {wanted}")
    allowed = _ALLOWED[asset]["main" if network == "main" else "test"]
    if kind not in allowed:
        where = "the main network" if at_home == "main" else "a test network"
        raise KeyTrouble(
            f"it holds a {kind}, a key of {where}; for {asset} with network: {network} it is {_either(allowed)}"
        )


def _either(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))


def _account(data: bytes, wanted: str) -> Node:
    depth, number, chain, point = data[4], int.from_bytes(data[9:13]), data[13:45], data[45:]
    if depth != 3:
        raise KeyTrouble(f"it holds a key of depth {depth}, and an account's has depth 3. {wanted}")
    if number < HARDENED:
        raise KeyTrouble(f"it holds a key that is not of an account: its number is not hardened. {wanted}")
    try:
        curve.read(point)
    except ValueError as error:
        raise KeyTrouble(f"{error}. {wanted}") from None
    return Node(point=point, chain=chain, number=number - HARDENED)


def child(node: Node, index: int, shift: Callable[[bytes, bytes], bytes]) -> Node:
    """The public child `index` (not hardened). `shift(point, number)` is one of two implementations of the curve.

    Raises ValueError for the one index in 2^127 that has no child.
    """
    if not 0 <= index < HARDENED:
        raise ValueError(f"there is no child {index} of a public key")
    digest = hmac.digest(node.chain, node.point + index.to_bytes(4), hashlib.sha512)
    if int.from_bytes(digest[:32]) >= curve.ORDER:
        raise ValueError(f"there is no child {index}")
    return Node(point=shift(node.point, digest[:32]), chain=digest[32:])


def shifted(point: bytes, by: bytes) -> bytes:
    """`shift` in plain Python, for the second way."""
    return curve.compressed(curve.shifted(curve.read(point), int.from_bytes(by)))


class Private:
    """A private key with its chain code, for offline tools and the hot mode. Its repr tells nothing."""

    __slots__ = ("chain", "secret")

    def __init__(self, secret: bytes, chain: bytes) -> None:
        self.secret = secret
        self.chain = chain

    def __repr__(self) -> str:
        return "<private key>"

    @staticmethod
    def of(seed: bytes) -> "Private":
        """The master key of a seed. Raises KeyTrouble for the one seed in 2^127 that has none."""
        digest = hmac.digest(b"Bitcoin seed", seed, hashlib.sha512)
        if not 0 < int.from_bytes(digest[:32]) < curve.ORDER:
            raise KeyTrouble("this seed has no master key: make another")
        return Private(digest[:32], digest[32:])

    def child(self, index: int, public: Callable[[bytes], bytes]) -> "Private":
        """The private child; from HARDENED on a hardened one. `public(secret)` gives the 33 bytes of a public key."""
        data = b"\0" + self.secret if index >= HARDENED else public(self.secret)
        digest = hmac.digest(self.chain, data + index.to_bytes(4), hashlib.sha512)
        number = (int.from_bytes(digest[:32]) + int.from_bytes(self.secret)) % curve.ORDER
        if int.from_bytes(digest[:32]) >= curve.ORDER or number == 0:
            raise KeyTrouble(f"there is no child {index}")
        return Private(number.to_bytes(32), digest[32:])

    def down(self, path: str, public: Callable[[bytes], bytes]) -> "Private":
        """The key at a path such as `m/84'/0'/0'/0/7`."""
        found = self
        for part in path.split("/")[1:]:
            found = found.child(int(part.rstrip("'")) + (HARDENED if part.endswith("'") else 0), public)
        return found

    def public(self, public: Callable[[bytes], bytes], *, number: int = 0) -> Node:
        """The public half."""
        return Node(point=public(self.secret), chain=self.chain, number=number)


def written(node: Node, *, parent: bytes, kind: str = "0488b21e") -> str:
    """An account's public key as text: xpub, or the kind with those four bytes. `parent`: the fingerprint of the key
    above it, the first four bytes of that key's hash."""
    head = bytes.fromhex(kind) + b"\x03" + parent + (node.number + HARDENED).to_bytes(4)
    return base58.encode_checked(head + node.chain + node.point)
