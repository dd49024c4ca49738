"""What is signed, and what a signature forgives."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.service.signing import MOST_SIGNATURES, TOLERANCE, is_signed, read_header, sign, signed_text

SECRET = "s" * 32
NOW = 1_800_000_000


def test_the_header_is_what_the_guide_says() -> None:
    expected = hmac.new(SECRET.encode(), b'1800000000./signals/pay/77/settled.{"a":1}', hashlib.sha256).hexdigest()
    assert sign(SECRET, NOW, "/signals/pay/77/settled", b'{"a":1}') == f"t=1800000000,v1={expected}"


@pytest.mark.parametrize("away", [0, TOLERANCE, -TOLERANCE])
def test_a_signature_is_good_for_five_minutes_both_ways(away: int) -> None:
    assert read_header(f"t={NOW - away},v1=ab", NOW) == (NOW - away, ("ab",))


@pytest.mark.parametrize("away", [TOLERANCE + 1, -TOLERANCE - 1, NOW])
def test_one_that_is_older_or_from_the_future_is_not(away: int) -> None:
    assert "5 minutes" in str(read_header(f"t={NOW - away},v1=ab", NOW))


@pytest.mark.parametrize(
    "header",
    ["", "v1=ab", "t=5", f"t={NOW},t={NOW},v1=ab", f"t={NOW}", "t=,v1=", f"t=-{NOW},v1=ab", f"t={NOW},v1=xyz", "\0",
     f"t=0x{NOW},v1=ab", f"t={'9' * 100},v1=ab", f"T={NOW};v1=ab"],
)  # fmt: skip
def test_a_header_of_another_form_is_told_so(header: str) -> None:
    assert isinstance(read_header(header, NOW), str)


def test_several_signatures_and_several_secrets_fit_when_one_pair_does() -> None:
    text = signed_text(NOW, "/x", b"body")
    good = sign(SECRET, NOW, "/x", b"body").partition("v1=")[2]
    header = read_header(f"t={NOW},v1={'0' * 64}, v1={good.upper()}", NOW)
    assert not isinstance(header, str)
    moment, found = header
    assert moment == NOW
    assert is_signed(["o" * 32, SECRET], found, text)
    assert not is_signed(["o" * 32], found, text)
    assert not is_signed([SECRET], found[:1], text)
    assert not is_signed([], found, text)
    many = read_header(f"t={NOW}," + ",".join(["v1=ab"] * 1000), NOW)
    assert len(many[1]) <= MOST_SIGNATURES


@given(
    position=st.integers(0, 200), change=st.integers(1, 255), which=st.sampled_from(["moment", "path", "body", "hex"])
)
def test_one_changed_byte_anywhere_is_noticed(position: int, change: int, which: str) -> None:
    path, body = "/signals/pay/77/settled", b'{"amount": "12.50", "currency": "EUR"}'
    signature = sign(SECRET, NOW, path, body).partition("v1=")[2]
    moment = NOW
    match which:
        case "moment":
            moment += change
        case "path":
            at = position % len(path)
            path = path[:at] + chr(ord(path[at]) ^ (change % 127 + 1)) + path[at + 1 :]
        case "body":
            at = position % len(body)
            body = body[:at] + bytes([body[at] ^ change]) + body[at + 1 :]
        case _:
            at = position % len(signature)
            signature = signature[:at] + ("0" if signature[at] != "0" else "1") + signature[at + 1 :]
    assert not is_signed([SECRET], [signature], signed_text(moment, path, body))
