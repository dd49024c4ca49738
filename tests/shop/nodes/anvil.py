"""ETH: anvil, a real EVM chain that can be stopped, reorganised and asked for blocks."""

import secrets
from pathlib import Path
from typing import Any

from storage.shop.keys import evm
from tests.shop.nodes.asking import Rpc
from tests.shop.nodes.running import Running, free_port, program

INSTALL = "run `.ci/nodes`, or `npm install --prefix ~/.cache/stepgram-nodes/anvil @foundry-rs/anvil@1.7.1`"
FORWARD = "600f80600b6000396000f36000600060006000346000355af100"
"""A contract that sends on what it gets, to the address that it is called with: an internal transfer."""
MINT = (
    "603b80600b6000396000f3"
    "602035600052600035337fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60206000a300"
)
"""A contract that says `Transfer(caller, first argument, second argument)`, as a token does."""


class Anvil:
    """One chain with ten rich accounts. Nothing is mined by itself."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # the program that npm puts on the PATH is a script which starts this one
        path = program("anvil", cached="anvil/node_modules/@foundry-rs/anvil-*/bin/anvil", install=INSTALL)
        command = [path, "--host", "127.0.0.1", "--port", str(self.port), "--chain-id", "31337", "--no-mining"]
        self.running = Running([*command, "--silent"], folder)
        self.rpc = Rpc(self.url)
        self.running.wait(lambda: self.rpc("eth_blockNumber"))
        self.accounts: list[str] = self.rpc("eth_accounts")
        self._contracts: dict[str, str] = {}
        self.mine(3)

    def stop(self) -> None:
        self.running.stop()

    def address(self) -> str:
        return evm.encode(secrets.token_bytes(20))

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def pay(self, address: str, amount: int, **more: Any) -> str:
        return str(
            self.rpc("eth_sendTransaction", {"from": self.accounts[0], "to": address, "value": hex(amount), **more})
        )

    def contract(self, code: str) -> str:
        """Its address; deployed once."""
        if code not in self._contracts:
            made = self.rpc("eth_sendTransaction", {"from": self.accounts[1], "data": "0x" + code, "gas": hex(500_000)})
            self.mine()
            self._contracts[code] = self.rpc("eth_getTransactionReceipt", made)["contractAddress"]
        return self._contracts[code]

    def forward(self, address: str, amount: int) -> str:
        """An internal transfer: no transaction has `address` as its target."""
        data = "0x" + address[2:].lower().rjust(64, "0")
        wish = {"from": self.accounts[0], "to": self.contract(FORWARD), "value": hex(amount), "data": data}
        return str(self.rpc("eth_sendTransaction", {**wish, "gas": hex(200_000)}))

    def mint(self, address: str, amount: int) -> str:
        """An event as of a token, to `address`."""
        data = "0x" + address[2:].lower().rjust(64, "0") + hex(amount)[2:].rjust(64, "0")
        wish = {"from": self.accounts[0], "to": self.contract(MINT), "data": data, "gas": hex(200_000)}
        return str(self.rpc("eth_sendTransaction", wish))

    def sweep(self, address: str) -> None:
        """The owner takes all of it."""
        self.rpc("anvil_impersonateAccount", address)
        balance = int(self.rpc("eth_getBalance", address, "latest"), 16)
        wish = {"from": address, "to": self.accounts[2], "value": hex(balance - 10**15), "gas": hex(21_000)}
        self.rpc("eth_sendTransaction", wish)
        self.mine()
