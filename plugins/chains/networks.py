"""By which first block or number each network is known. Facts only.

`regtest` stands for every private chain: no list could have them, so there the node is believed.
"""

from collections.abc import Mapping
from typing import Final

GENESIS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("BTC", "main"): frozenset({"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"}),
    ("BTC", "test"): frozenset(
        {
            "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",  # testnet3
            "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",  # testnet4
            "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",  # signet
        }
    ),
    ("BTC", "regtest"): frozenset({"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"}),
    ("LTC", "main"): frozenset({"12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2"}),
    ("LTC", "test"): frozenset({"4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0"}),
    ("LTC", "regtest"): frozenset({"530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9"}),
    ("SOL", "main"): frozenset({"5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"}),
    ("SOL", "test"): frozenset(
        {
            "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY",  # testnet
            "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG",  # devnet
        }
    ),
}
PUBLIC: Final = frozenset().union(*(GENESIS[key] for key in GENESIS if key[1] != "regtest"))
CHAIN_IDS: Final[Mapping[str, frozenset[int]]] = {"main": frozenset({1}), "test": frozenset({11155111, 560048, 17000})}


def right_genesis(asset: str, network: str, genesis: str) -> bool:
    """Whether a node with this first block serves the network of the settings."""
    known = GENESIS.get((asset, network))
    return genesis in known if known is not None else genesis not in PUBLIC


def right_chain_id(network: str, wanted: int, found: int) -> bool:
    """Whether an Ethereum node with this number serves the network of the settings; `wanted` 0: as `network` says."""
    if wanted:
        return found == wanted
    known = CHAIN_IDS.get(network)
    return found in known if known is not None else found not in CHAIN_IDS["main"] | CHAIN_IDS["test"]
