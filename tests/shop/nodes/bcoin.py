"""BTC: a real bcoin node on its regtest network, and what it lacks of Bitcoin Core's wallet before it."""

import secrets
import shutil
from pathlib import Path

from storage.shop.keys import bech32
from tests.shop.nodes.asking import Rpc
from tests.shop.nodes.bcoin_front import Front
from tests.shop.nodes.running import CACHE, NoNode, Running, free_port

INSTALL = (
    "run `.ci/nodes`; it needs node and npm, and installs bcoin 1.0.2 with leveldown 5.6.0 into "
    "~/.cache/stepgram-nodes/bcoin"
)
KEY = "testkey-of-bcoin"


class Bcoin:
    """One chain with a rich wallet `rich`. Nothing is mined by itself. Needs blocks beyond 432 for segwit."""

    def __init__(self, folder: Path) -> None:
        script = CACHE / "bcoin" / "node_modules" / "bcoin" / "bin" / "node"
        node = shutil.which("node")
        if node is None or not script.exists():
            raise NoNode(f"there is no bcoin on this machine: {INSTALL}")
        port, wallet = free_port(), free_port()
        command = [
            node, str(script), "--network=regtest", "--memory=true", f"--prefix={folder}", "--http-host=127.0.0.1",
            f"--http-port={port}", "--listen=false", "--max-outbound=1", "--no-dns", "--index-tx=true",
            "--index-address=true", f"--api-key={KEY}", "--workers=false", "--wallet-http-host=127.0.0.1",
            f"--wallet-http-port={wallet}", f"--wallet-api-key={KEY}",
        ]  # fmt: skip
        self.running = Running(command, folder, environment={"NODE_BACKEND": "js"}, cwd=CACHE / "bcoin")
        self.rpc = Rpc(f"http://127.0.0.1:{port}/", "x", KEY)
        self.wallet = Rpc(f"http://127.0.0.1:{wallet}", "x", KEY)
        self.running.wait(lambda: self.rpc("getblockcount") == 0 and self.wallet.send("GET", "/wallet"))
        self.wallet.send("PUT", "/wallet/rich", b'{"witness": true}')
        self.home = self.wallet.send("POST", "/wallet/rich/address", b'{"account": "default"}')["address"]
        self.mine(500)
        self.front = Front(self.rpc)
        self.url = self.front.url

    def stop(self) -> None:
        self.front.stop()
        self.running.stop()

    def address(self) -> str:
        return bech32.encode("rb", secrets.token_bytes(20))

    def mine(self, blocks: int = 1) -> None:
        self.rpc("generatetoaddress", blocks, self.home)

    def pay(self, address: str, amount: int) -> str:
        body = f'{{"rate": 10000, "outputs": [{{"address": "{address}", "value": {amount}}}]}}'
        answer = self.wallet.send("POST", "/wallet/rich/send", body.encode())
        if "hash" not in answer:
            raise AssertionError(answer)
        return str(answer["hash"])

    def undo(self, blocks: int) -> None:
        """The newest blocks are gone, and bcoin forgets their transactions: they do not wait again."""
        height = self.rpc("getblockcount")
        self.rpc("invalidateblock", self.rpc("getblockhash", height - blocks + 1))
