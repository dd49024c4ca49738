"""Kept signals, letters between workers, who has which chats. Made by Tortoise from `storage.models`; never changed."""
# ruff: noqa: RUF012

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("stepgram", "0002_journal")]

    operations = [
        ops.CreateModel(
            name="LeaseRow",
            fields=[
                ("bucket", fields.IntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("worker", fields.CharField(null=True, max_length=64)),
            ],
            options={"table": "leases", "app": "stepgram", "pk_attr": "bucket"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LetterRow",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("chat", fields.CharField(max_length=128)),
                ("bucket", fields.IntField()),
                ("update_id", fields.CharField(unique=True, max_length=128)),
                ("payload", fields.BinaryField()),
                ("at", fields.BigIntField()),
            ],
            options={
                "table": "inbox",
                "app": "stepgram",
                "indexes": [Index(fields=["bucket", "id"], name="inbox_bucket")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SignalLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("update_id", fields.CharField(unique=True, max_length=128)),
                ("flow", fields.CharField(max_length=128)),
                ("key", fields.TextField(unique=False)),
                ("name", fields.CharField(max_length=128)),
                ("payload", fields.BinaryField()),
                ("at", fields.BigIntField()),
            ],
            options={
                "table": "signals",
                "app": "stepgram",
                "indexes": [Index(fields=["flow", "key", "id"], name="signals_key")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WorkerRow",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("joined", fields.BigIntField()),
                ("until", fields.BigIntField()),
            ],
            options={"table": "workers", "app": "stepgram", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.AddField(
            model_name="ConversationRow",
            name="began",
            field=fields.BigIntField(db_default=0),
        ),
        ops.AddIndex(
            model_name="OutboxRow",
            index=Index(fields=["chat", "sequence"], name="outbox_chat"),
        ),
    ]
