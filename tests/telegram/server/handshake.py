"""The key exchange: req_pq_multi, req_DH_params, set_client_DH_params, as the library does it (RSA without RSA_PAD)."""

import hashlib
import os
import time
from io import BytesIO

from pyrogram import raw
from pyrogram.crypto import aes, prime
from pyrogram.raw.core import TLObject

from tests.telegram.server import keys
from tests.telegram.server.accounts import Key

PQ = 1229739323 * 1402015859
GENERATOR = 3


def _sha1(*parts: bytes) -> bytes:
    return hashlib.sha1(b"".join(parts)).digest()


class Handshake:
    """The exchange of one connection. `answer` gives the reply to each step; the last step's new key is in `key`."""

    def __init__(self) -> None:
        self.key: Key | None = None
        self._nonce = 0
        self._server_nonce = os.urandom(16)
        self._new_nonce = b""
        self._aes_key = b""
        self._aes_iv = b""
        self._secret = int.from_bytes(os.urandom(256), "big")

    def answer(self, query: TLObject) -> TLObject:
        if isinstance(query, raw.functions.ReqPqMulti):
            return self._pq(query)
        if isinstance(query, raw.functions.ReqDHParams):
            return self._parameters(query)
        return self._finish(query)

    @property
    def _nonces(self) -> dict[str, int]:
        return {"nonce": self._nonce, "server_nonce": int.from_bytes(self._server_nonce, "little", signed=True)}

    def _pq(self, query: TLObject) -> TLObject:
        self._nonce = query.nonce
        pq = PQ.to_bytes(8, "big")
        return raw.types.ResPQ(**self._nonces, pq=pq, server_public_key_fingerprints=[keys.FINGERPRINT])

    def _parameters(self, query: TLObject) -> TLObject:
        data = pow(int.from_bytes(query.encrypted_data, "big"), keys.PRIVATE, keys.MODULUS).to_bytes(256, "big")[-255:]
        inner = TLObject.read(BytesIO(data[20:]))
        new, mine = inner.new_nonce.to_bytes(32, "little", signed=True), self._server_nonce
        self._new_nonce = new
        self._aes_key = _sha1(new, mine) + _sha1(mine, new)[:12]
        self._aes_iv = _sha1(mine, new)[12:] + _sha1(new, new) + new[:4]
        answer = raw.types.ServerDHInnerData(
            **self._nonces,
            g=GENERATOR,
            dh_prime=prime.CURRENT_DH_PRIME.to_bytes(256, "big"),
            g_a=pow(GENERATOR, self._secret, prime.CURRENT_DH_PRIME).to_bytes(256, "big"),
            server_time=int(time.time()),
        ).write()
        answer = _sha1(answer) + answer
        answer += os.urandom(-len(answer) % 16)
        return raw.types.ServerDHParamsOk(
            **self._nonces, encrypted_answer=aes.ige256_encrypt(answer, self._aes_key, self._aes_iv)
        )

    def _finish(self, query: TLObject) -> TLObject:
        inner = TLObject.read(BytesIO(aes.ige256_decrypt(query.encrypted_data, self._aes_key, self._aes_iv)[20:]))
        secret = pow(int.from_bytes(inner.g_b, "big"), self._secret, prime.CURRENT_DH_PRIME).to_bytes(256, "big")
        self.key = Key(secret)
        seal = _sha1(self._new_nonce, b"\1", _sha1(secret)[:8])[-16:]
        return raw.types.DhGenOk(**self._nonces, new_nonce_hash1=int.from_bytes(seal, "little", signed=True))
