"""A small JSON-RPC client of the tests' own, so that the product's client is not tested with itself."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any


class Refused(Exception):
    """The node's own error."""


class Rpc:
    """Blocking calls to a node on this machine."""

    def __init__(self, url: str, user: str = "", password: str = "") -> None:
        self.url = url
        self._headers = {"content-type": "application/json"}
        if user:
            self._headers["authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def __call__(self, method: str, *params: object, path: str = "") -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
        answer = self.send("POST", path, body)
        if answer.get("error") is not None:
            raise Refused(f"{method}: {answer['error']}")
        return answer["result"]

    def send(self, verb: str, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(self.url + path, data=body, headers=self._headers, method=verb)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as trouble:
            text = trouble.read()
            try:
                return json.loads(text)
            except ValueError:
                raise Refused(f"{verb} {path}: {trouble.code} {text[:200]!r}") from None
