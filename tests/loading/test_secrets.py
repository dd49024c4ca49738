"""Secrets in YAML are found; what merely looks long is not. No finding repeats a secret."""

import pytest

from engine.loading.secrets import check_secrets
from tests.loading.reading import document

BOT_TOKEN = "123456789:" + "AAE" + "x7Qw9" * 7
KEY = "sk_live_" + "4eC39HqLyjWDarjtT1"


def codes(text, *, bot=False):
    found = check_secrets(document(text), bot=bot)
    for one in found:
        assert BOT_TOKEN not in str(one)
        assert KEY not in str(one)
    return [(one.code, one.span.line, one.span.column) for one in found]


@pytest.mark.parametrize(
    "value",
    [
        BOT_TOKEN,
        KEY,
        f"Write to {BOT_TOKEN} please",
        "ghp_" + "a1B2" * 9,
        "AKIA" + "ABCDEFGH12345678",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc123def",
        "Bearer 0123456789abcdef",
        "'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b'",
        "Zm9vYmFyQmF6MTIzNDU2Nzg5MEFCQ0RFRkdISUo=",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_tokens(value):
    assert codes(f'a:\n  b: ["{value}"]\n') == [("F0801", 2, 8)]


@pytest.mark.parametrize(
    "value",
    [
        "https://example.com/a/very/long/path/with/12345678901234567890",
        "a_very_long_name_of_something_with_42_words_in_it",
        "Bearer {{ secrets.api }}",
        "print3d.create_order_with_a_long_name_indeed",
        "The number of your order is 12345678901234567890.",
        "12345678901234567890123456789012",
        "10:30",
        "bc1q",
        "order.reference == 'ABC-1234'",
    ],
)
def test_what_is_no_token(value):
    assert codes(f'a: "{value}"\n') == []


@pytest.mark.parametrize("style", ["|", ">", "|-", "|2"])
def test_a_token_in_a_block_is_shown_on_its_own_line(style):
    assert codes(f"a:\n  text: {style}\n    Hello!\n\n    Write to {BOT_TOKEN} please.\n") == [("F0801", 5, 14)]


def test_a_token_in_a_text_of_several_lines_is_shown_on_its_own_line():
    assert codes(f'a:\n  text: "Hello!\n    Write to {BOT_TOKEN}\n    please."\n') == [("F0801", 3, 14)]


def test_telling_keys():
    assert codes("settings: {password: hunter2, api_key: abcd, token: env:TOKEN}\n", bot=True) == [
        ("F0802", 1, 22), ("F0802", 1, 40),
    ]  # fmt: skip
    assert codes("with: {password: contact.password, token: \"'hunter2'\", secret: '{{ secrets.x }}'}\n") == [
        ("F0802", 1, 44)
    ]
    assert codes("settings: {tokens: 500, password_length: 8, secret: 12}\n", bot=True) == []


def test_secrets_are_names_of_variables():
    assert codes("bot: x\nsecrets: {a: API_TOKEN, b: hunter2, c: api_token}\n", bot=True) == [
        ("F0803", 2, 28),
        ("F0803", 2, 40),
    ]
    found = check_secrets(document("bot: x\nsecrets: {stripe_key: hunter2}\n"), bot=True)
    assert "STRIPE_KEY" in found[0].expected
    assert "hunter2" not in str(found[0].message) + str(found[0].expected)
