"""Quotes, invoices, the ledger of payments, chains. From `storage.models_payments`; never changed."""
# ruff: noqa: RUF012

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from storage.checked import CreateChecked


class Migration(migrations.Migration):
    dependencies = [("stepgram", "0005_shop")]

    operations = [
        CreateChecked(
            name="PayQuote",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=20)),
                ("asset", fields.CharField(max_length=16)),
                ("currency", fields.CharField(max_length=8)),
                ("total", fields.BigIntField()),
                ("amount", fields.TextField(unique=False)),
                ("rate", fields.TextField(unique=False)),
                ("at", fields.BigIntField()),
                ("until", fields.BigIntField()),
            ],
            options={
                "table": "pay_quotes",
                "app": "stepgram",
                "indexes": [Index(fields=["until"], name="pay_quotes_until")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="PayRate",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("asset", fields.CharField(max_length=16)),
                ("currency", fields.CharField(max_length=8)),
                ("rate", fields.TextField(unique=False)),
                ("source", fields.CharField(max_length=64)),
                ("at", fields.BigIntField()),
            ],
            options={
                "table": "pay_rates",
                "app": "stepgram",
                "unique_together": (("asset", "currency", "source"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="PayInvoice",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("order_id", fields.CharField(unique=True, max_length=20)),
                ("customer", fields.CharField(max_length=128)),
                ("chat", fields.CharField(max_length=128)),
                ("asset", fields.CharField(max_length=16)),
                ("address", fields.CharField(max_length=128)),
                ("path", fields.CharField(max_length=64)),
                ("amount", fields.TextField(unique=False)),
                ("total", fields.BigIntField()),
                ("currency", fields.CharField(max_length=8)),
                ("rate", fields.TextField(unique=False)),
                ("created_at", fields.BigIntField()),
                ("expires_at", fields.BigIntField()),
                ("monitor_until", fields.BigIntField()),
                ("status", fields.CharField(max_length=16)),
                ("flags", fields.TextField(unique=False)),
                ("received", fields.TextField(unique=False)),
                ("confirmed", fields.TextField(unique=False)),
                ("extended", fields.IntField()),
                ("warned", fields.IntField()),
                ("policy", fields.TextField(unique=False)),
                ("due_at", fields.BigIntField(null=True)),
                ("version", fields.BigIntField()),
            ],
            options={
                "table": "pay_invoices",
                "app": "stepgram",
                "unique_together": (("asset", "address"),),
                "indexes": [
                    Index(fields=["due_at"], name="pay_invoices_due"),
                    Index(fields=["asset", "monitor_until"], name="pay_invoices_watched"),
                    Index(fields=["customer"], name="pay_invoices_customer"),
                ],
                "constraints": [
                    CheckConstraint(check="total >= 0", name="pay_invoices_total"),
                    CheckConstraint(
                        check="status IN ('new', 'processing', 'settled', 'expired', 'cancelled', 'invalid')",
                        name="pay_invoices_known",
                    ),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="PayLedgerLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("invoice_id", fields.BigIntField(null=True)),
                ("asset", fields.CharField(max_length=16)),
                ("address", fields.CharField(max_length=128)),
                ("txid", fields.CharField(max_length=128)),
                ("position", fields.CharField(max_length=64)),
                ("kind", fields.CharField(max_length=16)),
                ("amount", fields.TextField(unique=False)),
                ("height", fields.BigIntField(null=True)),
                ("block", fields.CharField(null=True, max_length=128)),
                ("at", fields.BigIntField()),
                ("source", fields.CharField(max_length=64)),
                ("key", fields.CharField(unique=True, max_length=400)),
            ],
            options={
                "table": "pay_ledger",
                "app": "stepgram",
                "indexes": [
                    Index(fields=["invoice_id"], name="pay_ledger_invoice"),
                    Index(fields=["asset", "address"], name="pay_ledger_address"),
                ],
                "constraints": [
                    CheckConstraint(
                        check="kind IN ('seen', 'included', 'withdrawn', 'manual', 'webhook')", name="pay_ledger_known"
                    )
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="PayRefund",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("invoice_id", fields.BigIntField()),
                ("asset", fields.CharField(max_length=16)),
                ("amount", fields.TextField(unique=False)),
                ("reason", fields.TextField(unique=False)),
                ("status", fields.CharField(max_length=16)),
                ("at", fields.BigIntField()),
                ("closed_at", fields.BigIntField(null=True)),
                ("note", fields.TextField(unique=False)),
                ("key", fields.CharField(unique=True, max_length=200)),
            ],
            options={
                "table": "pay_refunds",
                "app": "stepgram",
                "indexes": [
                    Index(fields=["status", "at"], name="pay_refunds_status"),
                    Index(fields=["invoice_id"], name="pay_refunds_invoice"),
                ],
                "constraints": [
                    CheckConstraint(check="status IN ('due', 'credited', 'refunded', 'kept')", name="pay_refunds_known")
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="PayCase",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("order_id", fields.CharField(max_length=20)),
                ("invoice_id", fields.BigIntField(null=True)),
                ("kind", fields.CharField(max_length=32)),
                ("text", fields.TextField(unique=False)),
                ("status", fields.CharField(max_length=16)),
                ("at", fields.BigIntField()),
                ("closed_at", fields.BigIntField(null=True)),
                ("answer", fields.TextField(unique=False)),
                ("key", fields.CharField(unique=True, max_length=200)),
            ],
            options={
                "table": "pay_cases",
                "app": "stepgram",
                "indexes": [
                    Index(fields=["status", "at"], name="pay_cases_status"),
                    Index(fields=["order_id"], name="pay_cases_order"),
                ],
                "constraints": [CheckConstraint(check="status IN ('open', 'closed')", name="pay_cases_known")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="PayChain",
            fields=[
                ("asset", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("height", fields.BigIntField()),
                ("block", fields.CharField(max_length=128)),
                ("tip_at", fields.BigIntField()),
                ("polled_at", fields.BigIntField()),
                ("cursor", fields.TextField(unique=False)),
            ],
            options={
                "table": "pay_chains",
                "app": "stepgram",
                "pk_attr": "asset",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="PayPoolAddress",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("asset", fields.CharField(max_length=16)),
                ("account", fields.CharField(max_length=64)),
                ("position", fields.BigIntField()),
                ("address", fields.CharField(unique=True, max_length=128)),
                ("invoice_id", fields.BigIntField(null=True)),
            ],
            options={
                "table": "pay_pool",
                "app": "stepgram",
                "unique_together": (("asset", "account", "position"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="PayIndex",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("asset", fields.CharField(max_length=16)),
                ("account", fields.CharField(max_length=128)),
                ("next", fields.BigIntField()),
            ],
            options={
                "table": "pay_indexes",
                "app": "stepgram",
                "unique_together": (("asset", "account"),),
                "constraints": [CheckConstraint(check="next >= 0", name="pay_indexes_next")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="PayAuditLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("at", fields.BigIntField()),
                ("who", fields.CharField(max_length=128)),
                ("what", fields.CharField(max_length=64)),
                ("order_id", fields.CharField(max_length=20)),
                ("reason", fields.TextField(unique=False)),
            ],
            options={
                "table": "pay_audit",
                "app": "stepgram",
                "indexes": [Index(fields=["order_id"], name="pay_audit_order")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
    ]
