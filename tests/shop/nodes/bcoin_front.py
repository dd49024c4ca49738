"""Bitcoin Core's watch-only wallet over bcoin's index of addresses: bcoin's own wallet does not speak that dialect.

What is told of the chain, of blocks and transactions is bcoin's; only its form is made here. Not Bitcoin Core.
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.shop.nodes.asking import Refused, Rpc

PASSED_ON = frozenset({"getblockchaininfo", "getblockhash", "getblockheader", "getmempoolentry"})


class Front:
    """Listens on 127.0.0.1 until it is stopped."""

    def __init__(self, node: Rpc) -> None:
        self._node = node
        self._watched: set[str] = set()
        self._loaded = False
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                calls = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body = json.dumps([front.answer(call) for call in calls]).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        method, params = call["method"], call["params"]
        own: Callable[..., Any] | None = getattr(self, f"do_{method}", None)
        try:
            if method in PASSED_ON:
                result = self._node(method, *params)
            elif own is not None:
                result = own(*params)
            else:
                return {"id": call["id"], "result": None, "error": {"code": -32601, "message": "Method not found"}}
        except Refused as trouble:
            return {"id": call["id"], "result": None, "error": {"code": -5, "message": str(trouble)}}
        return {"id": call["id"], "result": result, "error": None}

    def do_listwallets(self) -> list[str]:
        return ["stepgram"] if self._loaded else []

    def do_loadwallet(self, name: str) -> dict[str, str]:
        self._loaded = True
        return {"name": name}

    def do_getwalletinfo(self) -> dict[str, object]:
        return {"private_keys_enabled": False, "descriptors": False}

    def do_getnetworkinfo(self) -> dict[str, object]:
        return {"version": 250_000}

    def do_getaddressinfo(self, address: str) -> dict[str, object]:
        return {"iswatchonly": address in self._watched}

    def do_importmulti(self, wishes: list[dict[str, Any]], _options: object) -> list[dict[str, bool]]:
        self._watched |= {wish["scriptPubKey"]["address"] for wish in wishes}
        return [{"success": True} for _ in wishes]

    def do_listsinceblock(self, block: str, *_: object) -> dict[str, Any]:
        tip = self._node("getblockcount")
        since = self._node("getblockheader", block)["height"] if block else -1
        rows = [row for address in sorted(self._watched) for row in self._rows(address, tip)]
        return {"transactions": [row for row in rows if row.get("blockheight", tip + 1) > since], "lastblock": ""}

    def _rows(self, address: str, tip: int) -> list[dict[str, Any]]:
        found = []
        for tx in self._node.send("GET", f"tx/address/{address}"):
            for position, output in enumerate(tx["outputs"]):
                if output["address"] != address:
                    continue
                row = {
                    "address": address,
                    "category": "receive",
                    "amount": output["value"] / 10**8,
                    "vout": position,
                    "confirmations": 0,
                    "txid": tx["hash"],
                }
                if tx["height"] >= 0:
                    place = {"blockheight": tx["height"], "blockhash": tx["block"]}
                    row |= {"confirmations": tip - tx["height"] + 1, **place}
                found.append(row)
        return found
