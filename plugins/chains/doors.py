"""Makes the driver that the settings of an asset ask for. The node's address comes from the environment."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from plugins.chains.driver import Driver, WrongNodeError
from storage.shop.settings import ChainSetting

if TYPE_CHECKING:
    from aiohttp import ClientSession

WALLET: Final = "stepgram"
"""The watch-only wallet that is made in a Bitcoin Core node when its address names none."""
_WALLET: Final = re.compile(r"(.+?)/wallet/([A-Za-z0-9_.-]{1,64})/?")


def of_wallet(url: str) -> tuple[str, str]:
    """A Bitcoin Core address without its wallet, and the wallet: `http://…:8332/wallet/shop2` for one of one's own."""
    found = _WALLET.fullmatch(url)
    return (found[1], found[2]) if found else (url, WALLET)


def open_driver(
    asset: str, chain: ChainSetting, *, http: "Callable[[], ClientSession]", environment: Mapping[str, str]
) -> Driver:
    """A driver that is not connected yet. Raises WrongNodeError when the variable holds no address."""
    from plugins.chains.bitcoin_rpc import BitcoinRpc
    from plugins.chains.electrum import Electrum
    from plugins.chains.electrum_line import address, dial
    from plugins.chains.ethereum import Ethereum
    from plugins.chains.jsonrpc import Endpoint
    from plugins.chains.solana import Solana

    url = environment.get(chain.node, "").strip()
    if not url:
        raise WrongNodeError(f"{asset} has no node: set the variable {chain.node} to the node's address")
    what = f"the {asset} node ({chain.node})"
    match chain.via:
        case "bitcoin":
            bare, wallet = of_wallet(url)
            return BitcoinRpc(Endpoint(http(), bare, what=what), asset=asset, network=chain.network, wallet=wallet)
        case "electrum":
            where = address(url, what)
            return Electrum(
                lambda told: dial(where, what=what, told=told), what=what, asset=asset, network=chain.network
            )
        case "ethereum":
            return Ethereum(Endpoint(http(), url, what=what), network=chain.network, chain_id=chain.chain_id)
        case "solana":
            return Solana(Endpoint(http(), url, what=what), network=chain.network)
        case "practice":
            raise WrongNodeError(f"{asset} is for practice: it has no node")
