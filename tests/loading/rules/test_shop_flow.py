"""The second flow of the language's design, written out: transactional actions, undo, signals, a moment, a picture."""

from collections.abc import Mapping

import pytest

from engine.actions.catalog import ActionSignature, Catalog, Parameter
from engine.core.types import (
    DATETIME,
    INTEGER,
    MONEY,
    TEXT,
    ListType,
    OptionalType,
    RecordType,
    TextType,
    ValueType,
)
from engine.loading.library import load_texts


def record(name: str, **fields: ValueType) -> RecordType:
    return RecordType(name=name, fields=fields)


def action(
    name: str, outcomes: Mapping[str, RecordType], *, transactional: bool = True, **parameters: ValueType
) -> ActionSignature:
    async def nothing() -> None:
        return None

    return ActionSignature(
        name=name,
        doc=name,
        parameters=tuple(
            Parameter(name=given, type=kind, required=not isinstance(kind, OptionalType))
            for given, kind in parameters.items()
        ),
        outcomes=outcomes,
        transactional=transactional,
        function=nothing,
    )


LINE = record("line", service=TEXT, quantity=INTEGER)
CART = record("cart", total=MONEY, lines=ListType(item=LINE))
COIN = TextType(choices=frozenset({"BTC", "ETH"}))
CATALOG = Catalog(
    actions={
        made.name: made
        for made in (
            action("shop.read_cart", {"cart": CART, "empty": record("empty")}),
            action(
                "shop.place_order",
                {
                    "order": record("order", id=TEXT, expires_at=DATETIME),
                    "short": record("short", lines=ListType(item=LINE)),
                    "open_order": record("open_order", id=TEXT),
                },
                cart=CART,
                currency=COIN,
                hold_for=TEXT,
            ),
            action("shop.cancel_order", {"cancelled": record("cancelled")}, order=OptionalType(inner=TEXT)),
            action(
                "payments.create_invoice",
                {"invoice": record("invoice", amount=TEXT, address=TEXT, uri=TEXT)},
                transactional=False,
                order=TEXT,
                currency=COIN,
            ),
        )
    }
)
BOT = "bot: Shop\nsettings:\n  order_timeout: 30m\n"
FLOW = """\
flow: checkout
title: Checkout
entry: {commands: [checkout]}
key: order.id
steps:
  cart:
    do: shop.read_cart
    save: cart
    transitions: {empty: nothing_to_pay}

  currency:
    ask: choice
    text: "Total <b>{{ cart.total | money }}</b>. How do you pay?"
    keyboard: {BTC: ₿ Bitcoin, ETH: Ξ Ethereum}

  reserve:
    do: shop.place_order
    with: {cart: cart, currency: currency, hold_for: settings.order_timeout}
    save: order
    undo: {do: shop.cancel_order, with: {order: result.id}}
    transitions:
      short: reduced
      open_order: already_open

  invoice:
    do: payments.create_invoice
    with: {order: order.id, currency: currency}
    save: invoice
    final: true
    transitions: {failed: sorry}

  pay:
    text: |
      Send exactly <code>{{ invoice.amount }}</code> {{ currency }} to
      <code>{{ invoice.address }}</code>
      Time left: {{ order.expires_at | countdown }}
    photo: {qr: invoice.uri}
    refresh: 1m
    wait:
      payment.settled: paid
      until: {time: order.expires_at, to: late}
    keyboard: [[{text: Cancel the order, trigger: cancel_order}]]
    transitions: {cancel_order: late}

  paid:
    text: Payment received.
    end: completed

  late:
    text: The order is cancelled.
    end: expired

  sorry:
    text: Please try again later.
    end: failed

  reduced:
    text: |
      There is less than you asked for:
      {% for line in order.lines %}{{ line.service }}: {{ line.quantity }}
      {% endfor %}
    transitions: currency

  already_open:
    text: Order {{ order.id }} waits to be paid.
    end: completed

  nothing_to_pay:
    text: Your cart is empty.
    end: completed
"""


def found(flow: str) -> list[tuple[str, int]]:
    report = load_texts({"bot.yaml": BOT, "checkout.yaml": flow}, CATALOG).report
    return [(finding.code, finding.span.line) for finding in report.findings]


def test_it_is_clean() -> None:
    report = load_texts({"bot.yaml": BOT, "checkout.yaml": FLOW}, CATALOG).report
    assert [f"{finding.span} {finding.message}" for finding in report.findings] == []


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("settings.order_timeout", "settings.ordertimeout", "F0605", 18),
        ("hold_for: settings.order_timeout", "hold_for: cart", "F0403", 18),
        ("result.id", "result.number", "F0605", 20),
        ("      short: reduced\n", "", "F0404", 17),
        ("    transitions: {failed: sorry}\n", "", "F0406", 26),
        ("time: order.expires_at", "time: order.id", "F0611", 41),
        ("{cancel_order: late}", "{cancel: late}", "F0303", 43),
        ("qr: invoice.uri", "qr: invoice.url", "F0605", 37),
        ("{{ order.id }} waits", "{{ order.expires_at }} waits", "F0605", 65),
        ("key: order.id", "key: order.expires_at", "F0612", 4),
        ("payment.settled: paid", "payment.settled: payed", "F0301", 40),
        ("ETH: Ξ Ethereum", "DOGE: Ð Dogecoin", "F0403", 18),
    ],
)
def test_one_fault(old: str, new: str, code: str, line: int) -> None:
    assert old in FLOW
    assert (code, line) in found(FLOW.replace(old, new))
