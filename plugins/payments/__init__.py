"""Payments in coins: prices, invoices with an address of their own, what is paid, and what the team does about it.

Every offer is a thin door; the law and the rows lie in `storage.shop`.
"""

from typing import TYPE_CHECKING

from engine.actions import cli_command, settings
from plugins.payments.clock import keep_time
from plugins.payments.credit import pay_out, pay_with_credit
from plugins.payments.incoming import order_payment
from plugins.payments.practice import practice_confirm, practice_orders, practice_pay, practice_withdraw
from plugins.payments.prices import keep_rates
from plugins.payments.selling import choose, create_invoice, currencies, invoice, quote
from plugins.payments.team import (
    confirm_by_hand,
    differences,
    expire_now,
    open_cases,
    open_refunds,
    reconcile_all,
    refunded,
    resolve,
    reveal_key,
)
from storage.shop.policy import PaymentSettings

if TYPE_CHECKING:
    from click import Command

settings_of = settings(PaymentSettings)


def _load() -> "Command":
    from plugins.payments.command import rehearse

    return rehearse


rehearse_command = cli_command(
    _load, name="rehearse", summary="Show what the payment settings do when a payment is late, short, doubled …"
)

__all__ = [
    "choose", "confirm_by_hand", "create_invoice", "currencies", "differences", "expire_now", "invoice", "keep_rates",
    "keep_time", "open_cases", "open_refunds", "order_payment", "pay_out", "pay_with_credit",
    "practice_confirm", "practice_orders", "practice_pay",
    "practice_withdraw", "quote", "reconcile_all", "refunded",
    "rehearse_command", "resolve", "reveal_key", "settings_of",
]  # fmt: skip
