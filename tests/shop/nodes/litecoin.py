"""LTC, and Bitcoin Core's RPC dialect: a real litecoind on its regtest network."""

import secrets
from pathlib import Path
from typing import Any

from storage.shop.keys import bech32
from tests.shop.nodes.asking import Rpc
from tests.shop.nodes.running import Running, free_port, program

INSTALL = "run `.ci/nodes` as root, or `apt-get install --no-install-recommends litecoind`"
MINER = "/wallet/miner"


class Litecoind:
    """One chain with a rich wallet `miner`. Nothing is mined by itself."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.user, self.password = "shop", "s:e/c@r%et"
        path = program("litecoind", cached="litecoin*/bin/litecoind", install=INSTALL)
        self.command = [
            path, "-regtest", f"-datadir={folder}", "-server", f"-rpcuser={self.user}", f"-rpcpassword={self.password}",
            "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1/32", f"-rpcport={self.port}", "-listen=0", "-connect=0",
            "-dnsseed=0", "-txindex=1", "-fallbackfee=0.0002", "-printtoconsole=0", "-rpcworkqueue=64",
        ]  # fmt: skip
        self.folder = folder
        self.rpc = Rpc(f"http://127.0.0.1:{self.port}", self.user, self.password)
        self.start()
        self.rpc("createwallet", "miner")
        self.home = self.rpc("getnewaddress", path=MINER)
        self.rpc("generatetoaddress", 130, self.home)

    @property
    def url(self) -> str:
        """The address as an operator writes it."""
        return f"http://{self.user}:s%3Ae%2Fc%40r%25et@127.0.0.1:{self.port}"

    def start(self) -> None:
        self.running = Running(self.command, self.folder)
        self.running.wait(lambda: self.rpc("getblockchaininfo"))

    def stop(self) -> None:
        self.running.stop()

    def address(self) -> str:
        return bech32.encode("rltc", secrets.token_bytes(20))

    def mine(self, blocks: int = 1) -> None:
        self.rpc("generatetoaddress", blocks, self.home)

    def mine_empty(self, blocks: int = 1) -> None:
        """Blocks that leave the mempool alone."""
        for _ in range(blocks):
            self.rpc("generateblock", self.home, [])

    def pay(self, address: str, amount: int) -> str:
        return str(self.rpc("sendtoaddress", address, f"{amount // 10**8}.{amount % 10**8:08d}", path=MINER))

    def spend_elsewhere(self, txid: str) -> str:
        """The same coins to the miner instead, in a block: a double spend that won."""
        shown = self.rpc("getrawtransaction", txid, True)
        inputs = [{"txid": one["txid"], "vout": one["vout"]} for one in shown["vin"]]
        held = sum(self._value(one) for one in inputs)
        amount = f"{held - 0.001:.8f}"
        raw = self.rpc("createrawtransaction", inputs, [{self.home: amount}])
        signed = self.rpc("signrawtransactionwithwallet", raw, path=MINER)["hex"]
        self.rpc("generateblock", self.home, [signed])
        return str(self.rpc("decoderawtransaction", signed)["txid"])

    def _value(self, spent: dict[str, Any]) -> float:
        shown = self.rpc("getrawtransaction", spent["txid"], True)
        return float(shown["vout"][spent["vout"]]["value"])

    def undo(self, blocks: int) -> None:
        """The newest blocks are gone; their transactions wait again."""
        height = self.rpc("getblockcount")
        self.rpc("invalidateblock", self.rpc("getblockhash", height - blocks + 1))
