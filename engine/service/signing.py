"""Signatures of webhooks: what is signed, how it is checked. Pure; the time comes in by parameter."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

TOLERANCE: Final = 300
"""Seconds that a signature may be old, or ahead of our clock."""
MOST_SIGNATURES: Final = 8
"""`v1=` parts that are looked at: a sender that changes its secret signs with both."""
_PART: Final = re.compile(r"\s*(t|v1)=([0-9A-Fa-f]{1,128})\s*")

SIGNATURE: Final = "Stepgram-Signature"
ID: Final = "Stepgram-Id"


def signed_text(moment: int, path: str, body: bytes) -> bytes:
    """What the HMAC is taken of: the seconds, the path as it stands in the request line, the body's very bytes."""
    return f"{moment}.{path}.".encode() + body


def sign(secret: str, moment: int, path: str, body: bytes) -> str:
    """The value of the header, as a sender makes it."""
    return f"t={moment},v1={_hmac(secret, signed_text(moment, path, body))}"


def _hmac(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def read_header(header: str, now: float) -> tuple[int, tuple[str, ...]] | str:
    """The seconds and the signatures of a header, or what is wrong with it, as a sentence."""
    moments: list[str] = []
    signatures: list[str] = []
    for part in header.split(",")[: MOST_SIGNATURES + 1]:
        found = _PART.fullmatch(part)
        if found is not None:
            (moments if found[1] == "t" else signatures).append(found[2].lower())
    if len(moments) != 1 or not signatures or not moments[0].isdecimal() or len(moments[0]) > 15:
        return f"The header {SIGNATURE} must be t=SECONDS,v1=HEX."
    moment = int(moments[0])
    if abs(now - moment) > TOLERANCE:
        return f"The signature is more than {TOLERANCE // 60} minutes away from this machine's time."
    return moment, tuple(signatures)


def is_signed(secrets: Sequence[str], signatures: Sequence[str], text: bytes) -> bool:
    """Whether one of the signatures is of one of the secrets. Takes the same time whichever it is."""
    good = False
    for secret in secrets:
        expected = _hmac(secret, text)
        for signature in signatures:
            good |= hmac.compare_digest(expected, signature)
    return good
