"""The tables of payments and blockchains, as Tortoise models. Part of `storage.models`.

Moments are epoch milliseconds. Fiat money is whole minor units; amounts of coins are texts of digits, because wei
need more than 64 bits. Private keys are in no table.
"""

from typing import ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model


# A price in a coin that a customer was promised, until a moment.
class PayQuote(Model):
    id = fields.CharField(max_length=20, primary_key=True)
    asset = fields.CharField(max_length=16)
    currency = fields.CharField(max_length=8)
    total = fields.BigIntField()
    amount = fields.TextField()
    rate = fields.TextField()
    at = fields.BigIntField()
    until = fields.BigIntField()

    class Meta:
        table = "pay_quotes"
        indexes: ClassVar = [Index(fields=["until"], name="pay_quotes_until")]


# The last rate that each source has told.
class PayRate(Model):
    id = fields.BigIntField(primary_key=True)
    asset = fields.CharField(max_length=16)
    currency = fields.CharField(max_length=8)
    rate = fields.TextField()
    source = fields.CharField(max_length=64)
    at = fields.BigIntField()

    class Meta:
        table = "pay_rates"
        unique_together: ClassVar = (("asset", "currency", "source"),)


class PayInvoice(Model):
    id = fields.BigIntField(primary_key=True)
    order_id = fields.CharField(max_length=20, unique=True)
    customer = fields.CharField(max_length=128)
    chat = fields.CharField(max_length=128)
    asset = fields.CharField(max_length=16)
    address = fields.CharField(max_length=128)
    path = fields.CharField(max_length=64)
    amount = fields.TextField()
    total = fields.BigIntField()
    currency = fields.CharField(max_length=8)
    rate = fields.TextField()
    created_at = fields.BigIntField()
    expires_at = fields.BigIntField()
    monitor_until = fields.BigIntField()
    status = fields.CharField(max_length=16)
    flags = fields.TextField()
    """Words with commas between them."""
    received = fields.TextField()
    confirmed = fields.TextField()
    extended = fields.IntField()
    warned = fields.IntField()
    policy = fields.TextField()
    """JSON: the settings of payments as they were when it was made."""
    due_at = fields.BigIntField(null=True)
    """When it must be judged next, also if nothing happens."""
    version = fields.BigIntField()

    class Meta:
        table = "pay_invoices"
        unique_together: ClassVar = (("asset", "address"),)
        indexes: ClassVar = [
            Index(fields=["due_at"], name="pay_invoices_due"),
            Index(fields=["asset", "monitor_until"], name="pay_invoices_watched"),
            Index(fields=["customer"], name="pay_invoices_customer"),
        ]
        constraints: ClassVar = [
            CheckConstraint(check="total >= 0", name="pay_invoices_total"),
            CheckConstraint(
                check="status IN ('new', 'processing', 'settled', 'expired', 'cancelled', 'invalid')",
                name="pay_invoices_known",
            ),
        ]


# A fact about money on its way. Only ever added.
class PayLedgerLine(Model):
    id = fields.BigIntField(primary_key=True)
    invoice_id = fields.BigIntField(null=True)
    asset = fields.CharField(max_length=16)
    address = fields.CharField(max_length=128)
    txid = fields.CharField(max_length=128)
    position = fields.CharField(max_length=64)
    kind = fields.CharField(max_length=16)
    amount = fields.TextField()
    height = fields.BigIntField(null=True)
    block = fields.CharField(max_length=128, null=True)
    at = fields.BigIntField()
    source = fields.CharField(max_length=64)
    key = fields.CharField(max_length=400, unique=True)

    class Meta:
        table = "pay_ledger"
        indexes: ClassVar = [
            Index(fields=["invoice_id"], name="pay_ledger_invoice"),
            Index(fields=["asset", "address"], name="pay_ledger_address"),
        ]
        constraints: ClassVar = [
            CheckConstraint(
                check="kind IN ('seen', 'included', 'withdrawn', 'manual', 'webhook')", name="pay_ledger_known"
            )
        ]


class PayRefund(Model):
    id = fields.BigIntField(primary_key=True)
    invoice_id = fields.BigIntField()
    asset = fields.CharField(max_length=16)
    amount = fields.TextField()
    reason = fields.TextField()
    status = fields.CharField(max_length=16)
    at = fields.BigIntField()
    closed_at = fields.BigIntField(null=True)
    note = fields.TextField()
    key = fields.CharField(max_length=200, unique=True)

    class Meta:
        table = "pay_refunds"
        indexes: ClassVar = [
            Index(fields=["status", "at"], name="pay_refunds_status"),
            Index(fields=["invoice_id"], name="pay_refunds_invoice"),
        ]
        constraints: ClassVar = [
            CheckConstraint(check="status IN ('due', 'credited', 'refunded', 'kept')", name="pay_refunds_known")
        ]


# A question about an order that a person must answer.
class PayCase(Model):
    id = fields.BigIntField(primary_key=True)
    order_id = fields.CharField(max_length=20)
    invoice_id = fields.BigIntField(null=True)
    kind = fields.CharField(max_length=32)
    text = fields.TextField()
    status = fields.CharField(max_length=16)
    at = fields.BigIntField()
    closed_at = fields.BigIntField(null=True)
    answer = fields.TextField()
    key = fields.CharField(max_length=200, unique=True)

    class Meta:
        table = "pay_cases"
        indexes: ClassVar = [
            Index(fields=["status", "at"], name="pay_cases_status"),
            Index(fields=["order_id"], name="pay_cases_order"),
        ]
        constraints: ClassVar = [CheckConstraint(check="status IN ('open', 'closed')", name="pay_cases_known")]


# How far each chain was followed.
class PayChain(Model):
    asset = fields.CharField(max_length=16, primary_key=True)
    height = fields.BigIntField()
    block = fields.CharField(max_length=128)
    tip_at = fields.BigIntField()
    polled_at = fields.BigIntField()
    cursor = fields.TextField()

    class Meta:
        table = "pay_chains"


# Addresses that were made beforehand, for chains whose addresses only a private key can make.
class PayPoolAddress(Model):
    id = fields.BigIntField(primary_key=True)
    asset = fields.CharField(max_length=16)
    account = fields.CharField(max_length=64)
    position = fields.BigIntField()
    address = fields.CharField(max_length=128, unique=True)
    invoice_id = fields.BigIntField(null=True)

    class Meta:
        table = "pay_pool"
        unique_together: ClassVar = (("asset", "account", "position"),)


# The next index of each account's addresses.
class PayIndex(Model):
    id = fields.BigIntField(primary_key=True)
    asset = fields.CharField(max_length=16)
    account = fields.CharField(max_length=128)
    next = fields.BigIntField()

    class Meta:
        table = "pay_indexes"
        unique_together: ClassVar = (("asset", "account"),)
        constraints: ClassVar = [CheckConstraint(check="next >= 0", name="pay_indexes_next")]


# What somebody of the team did by hand. Only ever added.
class PayAuditLine(Model):
    id = fields.BigIntField(primary_key=True)
    at = fields.BigIntField()
    who = fields.CharField(max_length=128)
    what = fields.CharField(max_length=64)
    order_id = fields.CharField(max_length=20)
    reason = fields.TextField()

    class Meta:
        table = "pay_audit"
        indexes: ClassVar = [Index(fields=["order_id"], name="pay_audit_order")]
