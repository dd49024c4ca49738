"""The one place where coincurve, pycryptodome and cryptography come in, when a real key is used first. Pure.

Without the extra `crypto` each function raises MissingLibraries.
"""

import hashlib

from storage.shop.keys.errors import MissingLibraries


def require() -> None:
    """Raise MissingLibraries before anything secret is at hand."""
    try:
        import coincurve  # noqa: F401
        import Crypto.Hash  # noqa: F401
        import cryptography  # noqa: F401
    except ImportError as error:
        raise MissingLibraries from error


def shifted(point: bytes, by: bytes) -> bytes:
    """A public key (33 bytes) + `by` times the base, 33 bytes. Raises ValueError at the point in infinity."""
    try:
        from coincurve import PublicKey
    except ImportError as error:
        raise MissingLibraries from error
    return PublicKey(point).add(by).format()


def public(secret: bytes) -> bytes:
    """The public key (33 bytes) of a private key. Raises ValueError for a number that is none."""
    try:
        from coincurve import PrivateKey
    except ImportError as error:
        raise MissingLibraries from error
    return PrivateKey(secret).public_key.format()


def plain(point: bytes) -> bytes:
    """A public key of 33 bytes as 64: x and y."""
    try:
        from coincurve import PublicKey
    except ImportError as error:
        raise MissingLibraries from error
    return PublicKey(point).format(compressed=False)[1:]


def public_ed25519(secret: bytes) -> bytes:
    """The public key of an Ed25519 secret."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as error:
        raise MissingLibraries from error
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def signs_ed25519(secret: bytes, public: bytes) -> bool:
    """Whether what this secret signs is accepted for that public key."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    except ImportError as error:
        raise MissingLibraries from error
    message = b"stepgram: is this the key of that address?"
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            Ed25519PrivateKey.from_private_bytes(secret).sign(message), message
        )
    except InvalidSignature:
        return False
    return True


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it."""
    try:
        from Crypto.Hash import keccak
    except ImportError as error:
        raise MissingLibraries from error
    return keccak.new(digest_bits=256, data=data).digest()


def hash160(data: bytes) -> bytes:
    """RIPEMD-160 of SHA-256."""
    try:
        from Crypto.Hash import RIPEMD160
    except ImportError as error:
        raise MissingLibraries from error
    return RIPEMD160.new(hashlib.sha256(data).digest()).digest()
