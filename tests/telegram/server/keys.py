"""The server's RSA key. It protects nothing: it is public, made for these tests, and only clients led to loopback are
told of it."""

import hashlib

from pyrogram.crypto import rsa

P = int(
    "d6ec7e28a38be9fcc19e682374527641c585e6d6d633dc1e43856e9bcb7b46a68f13918f0ab56f6c89063de50efbf301"
    "3189911c71a7381f911866a247f32506288d43a9a36a92e6ed8101e7ea0a09fa2832c5f5fd7a1f5daf5f277dd6c01576"
    "aed04e165c07cedb2ad38eac432941a62e96c49a5af02b7f383e61553d1a2765",
    16,
)
Q = int(
    "ce4ead2973c07042e2a4098b379312f923a1b3858e1335d759ae3fc8600d4d911c18ff743f9cf3edd3e240f1e2905455"
    "0f93ba4c9952b5aa69afd6e0244b5110a575f8c1e5788160d8846d00c98aa6a468deca710d3a9f38248abed9121fce6f"
    "fa6c1ef477152477e8d325e08fcf34c346d358d99c7937f55c0720c097c31111",
    16,
)
MODULUS = P * Q
EXPONENT = 65537
PRIVATE = pow(EXPONENT, -1, (P - 1) * (Q - 1))


def _tl_bytes(number: int) -> bytes:
    """A number as TL `bytes`: its length, itself, zeros up to a multiple of four."""
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    head = bytes([len(raw)]) if len(raw) < 254 else b"\xfe" + len(raw).to_bytes(3, "little")
    return head + raw + bytes(-(len(head) + len(raw)) % 4)


FINGERPRINT = int.from_bytes(
    hashlib.sha1(_tl_bytes(MODULUS) + _tl_bytes(EXPONENT)).digest()[-8:], "little", signed=True
)


def trust() -> None:
    """Makes the library of this process accept the key in a key exchange."""
    rsa.server_public_keys[FINGERPRINT] = rsa.PublicKey(MODULUS, EXPONENT)


def distrust() -> None:
    rsa.server_public_keys.pop(FINGERPRINT, None)
