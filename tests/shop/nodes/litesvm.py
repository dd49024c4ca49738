"""SOL: the real Solana runtime (LiteSVM) behind JSON-RPC. Signatures, fees and rent are real; forks are not there.

`python -m tests.shop.nodes.litesvm PORT` is the node; `Svm` starts it.
"""

import base64
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from tests.shop.nodes.asking import Rpc
from tests.shop.nodes.running import NoNode, Running, free_port

INSTALL = "run `pip install solders`"
GENESIS = "4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn"
FINAL = 31
"""So many slots behind the newest one all is final."""
RICH = 10**14


class Node:
    """What the methods of the node do."""

    def __init__(self) -> None:
        from solders.litesvm import LiteSVM

        self.svm = LiteSVM()
        self.slot = 100
        self.svm.warp_to_slot(self.slot)
        self.shown: dict[str, dict[str, Any]] = {}
        self.log: list[tuple[str, list[str], int]] = []

    def getHealth(self) -> str:
        return "ok"

    def getVersion(self) -> dict[str, object]:
        return {"solana-core": "litesvm"}

    def getGenesisHash(self) -> str:
        return GENESIS

    def getSlot(self, wish: dict[str, str] | None = None) -> int:
        return self.slot - FINAL if (wish or {}).get("commitment") == "finalized" else self.slot

    def getBlockTime(self, slot: int) -> int:
        return int(time.time())

    def getLatestBlockhash(self, _: object = None) -> dict[str, Any]:
        return self._at({"blockhash": str(self.svm.latest_blockhash()), "lastValidBlockHeight": self.slot + 150})

    def _at(self, value: object) -> dict[str, Any]:
        return {"context": {"slot": self.slot}, "value": value}

    def _balance(self, address: str) -> int:
        from solders.pubkey import Pubkey

        return self.svm.get_balance(Pubkey.from_string(address)) or 0

    def getMultipleAccounts(self, addresses: list[str], _: object = None) -> dict[str, Any]:
        if len(addresses) > 100:
            raise ValueError("Too many inputs provided; max 100")
        balances = map(self._balance, addresses)
        return self._at([{"lamports": one, "data": ["", "base64"]} if one else None for one in balances])

    def getSignaturesForAddress(self, address: str, wish: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        rows = [
            {"signature": name, "slot": slot, "err": None, "confirmationStatus": "confirmed"}
            for name, keys, slot in reversed(self.log)
            if address in keys
        ]
        return rows[: (wish or {}).get("limit", 1000)]

    def getTransaction(self, name: str, _: object = None) -> dict[str, Any] | None:
        return self.shown.get(name)

    def requestAirdrop(self, address: str, amount: int) -> str:
        from solders.pubkey import Pubkey

        return str(self.svm.airdrop(Pubkey.from_string(address), amount))

    def sendTransaction(self, raw: str, _: object = None) -> str:
        from solders.transaction import VersionedTransaction

        tx = VersionedTransaction.from_bytes(base64.b64decode(raw))
        keys = [str(key) for key in tx.message.account_keys]
        before = [self._balance(key) for key in keys]
        result = self.svm.send_transaction(tx)
        if "Failed" in type(result).__name__:
            raise ValueError(f"Transaction simulation failed: {str(result)[:200]}")
        name = str(tx.signatures[0])
        self.warp(1)
        meta = {"err": None, "preBalances": before, "postBalances": [self._balance(key) for key in keys]}
        body = {"message": {"accountKeys": keys}, "signatures": [name]}
        self.shown[name] = {"slot": self.slot, "meta": meta, "transaction": body}
        self.log.append((name, keys, self.slot))
        return name

    def warp(self, slots: int) -> int:
        """Not a method of real nodes: time passes."""
        self.slot += slots
        self.svm.warp_to_slot(self.slot)
        self.svm.expire_blockhash()
        return self.slot

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        own: Callable[..., Any] | None = None
        if not call["method"].startswith("_"):
            own = getattr(self, call["method"], None)
        head = {"jsonrpc": "2.0", "id": call.get("id")}
        if own is None:
            return {**head, "error": {"code": -32601, "message": "Method not found"}}
        try:
            return {**head, "result": own(*call.get("params", []))}
        except Exception as trouble:
            return {**head, "error": {"code": -32002, "message": str(trouble)}}


def serve(port: int) -> None:
    """For ever."""
    node = Node()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told = [node.answer(call) for call in asked] if isinstance(asked, list) else node.answer(asked)
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    class Server(HTTPServer):
        request_queue_size = 64

    Server(("127.0.0.1", port), Handler).serve_forever()


class Svm:
    """The node, and a rich customer who signs for real."""

    def __init__(self, folder: Path) -> None:
        if importlib.util.find_spec("solders") is None:
            raise NoNode(f"there is no LiteSVM on this machine: {INSTALL}")
        from solders.keypair import Keypair

        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        root = Path(__file__).resolve().parents[3]
        command = [sys.executable, "-m", "tests.shop.nodes.litesvm", str(self.port)]
        self.running = Running(command, folder, cwd=root)
        self.rpc = Rpc(self.url)
        self.running.wait(lambda: self.rpc("getHealth"))
        self.rich = Keypair()
        self.rpc("requestAirdrop", str(self.rich.pubkey()), RICH)

    def stop(self) -> None:
        self.running.stop()

    def address(self) -> str:
        from solders.keypair import Keypair

        return str(Keypair().pubkey())

    def mine(self, blocks: int = 1) -> None:
        self.rpc("warp", blocks)

    def pay(self, address: str, amount: int) -> str:
        """Raises Refused when the chain does not take it."""
        from solders.hash import Hash
        from solders.message import MessageV0
        from solders.pubkey import Pubkey
        from solders.system_program import TransferParams, transfer
        from solders.transaction import VersionedTransaction

        sender = self.rich.pubkey()
        move = transfer(TransferParams(from_pubkey=sender, to_pubkey=Pubkey.from_string(address), lamports=amount))
        newest = Hash.from_string(self.rpc("getLatestBlockhash")["value"]["blockhash"])
        message = MessageV0.try_compile(sender, [move], [], newest)
        signed = VersionedTransaction(message, [self.rich])
        return str(self.rpc("sendTransaction", base64.b64encode(bytes(signed)).decode()))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
