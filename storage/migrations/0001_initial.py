"""The first tables. Made by Tortoise from `storage.models`; never changed afterwards."""
# ruff: noqa: RUF012

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="ChatRow",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ("front", fields.CharField(null=True, max_length=12)),
                ("aside", fields.TextField(unique=False)),
                ("name", fields.TextField(unique=False)),
                ("username", fields.TextField(null=True, unique=False)),
                ("language", fields.CharField(max_length=16)),
                ("revision", fields.BigIntField()),
            ],
            options={"table": "chats", "app": "stepgram", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ConversationRow",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=12)),
                ("chat", fields.CharField(max_length=128)),
                ("flow", fields.CharField(max_length=128)),
                ("status", fields.CharField(max_length=16)),
                ("key", fields.TextField(null=True, unique=False)),
                ("revision", fields.BigIntField()),
                ("started_at", fields.BigIntField()),
                ("touched_at", fields.BigIntField()),
                ("expires_at", fields.BigIntField(null=True)),
                ("finished_at", fields.BigIntField(null=True)),
                ("data", fields.BinaryField()),
            ],
            options={
                "table": "conversations",
                "app": "stepgram",
                "indexes": [
                    Index(fields=["chat", "finished_at"], name="conversations_chat"),
                    Index(fields=["flow", "key", "finished_at"], name="conversations_key"),
                    Index(fields=["expires_at"], name="conversations_expires"),
                    Index(fields=["flow", "finished_at"], name="conversations_finished"),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxRow",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("chat", fields.CharField(max_length=128)),
                ("sequence", fields.BigIntField()),
                ("kind", fields.CharField(max_length=16)),
                ("payload", fields.BinaryField()),
                ("surface", fields.CharField(max_length=64)),
                ("created_at", fields.BigIntField()),
            ],
            options={"table": "outbox", "app": "stepgram", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PendingCallRow",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("conversation", fields.CharField(max_length=12)),
                ("chat", fields.CharField(max_length=128)),
                ("call", fields.CharField(max_length=64)),
                ("purpose", fields.CharField(max_length=16)),
                ("name", fields.CharField(max_length=128)),
                ("arguments", fields.BinaryField()),
                ("retry", fields.BinaryField()),
                ("timeout", fields.FloatField(null=True)),
                ("attempt", fields.IntField()),
                ("due", fields.BigIntField()),
            ],
            options={
                "table": "pending_calls",
                "app": "stepgram",
                "unique_together": (("conversation", "call"),),
                "indexes": [Index(fields=["due"], name="pending_calls_due")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PrintFile",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("ref", fields.TextField(unique=False)),
                ("idempotency_key", fields.CharField(unique=True, max_length=128)),
                ("name", fields.TextField(unique=False)),
                ("size", fields.BigIntField()),
                ("created_at", fields.BigIntField()),
            ],
            options={"table": "print_files", "app": "stepgram", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PrintOrder",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("number", fields.CharField(unique=True, max_length=64)),
                ("idempotency_key", fields.CharField(unique=True, max_length=128)),
                ("chat", fields.CharField(max_length=128)),
                ("document", fields.TextField(unique=False)),
                ("status", fields.CharField(max_length=32)),
                ("created_at", fields.BigIntField()),
            ],
            options={"table": "print_orders", "app": "stepgram", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SeenUpdate",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ("at", fields.BigIntField()),
            ],
            options={
                "table": "seen_updates",
                "app": "stepgram",
                "indexes": [Index(fields=["at"], name="seen_updates_at")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TimerLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("conversation", fields.CharField(max_length=12)),
                ("chat", fields.CharField(max_length=128)),
                ("visit", fields.IntField()),
                ("name", fields.CharField(max_length=64)),
                ("due", fields.BigIntField()),
            ],
            options={
                "table": "timers",
                "app": "stepgram",
                "unique_together": (("conversation", "visit", "name"),),
                "indexes": [Index(fields=["due"], name="timers_due")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="VisitLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("conversation", fields.CharField(max_length=12)),
                ("at", fields.BigIntField()),
                ("visit", fields.IntField()),
                ("step", fields.TextField(unique=False)),
                ("kind", fields.TextField(unique=False)),
                ("detail", fields.TextField(unique=False)),
            ],
            options={
                "table": "visits",
                "app": "stepgram",
                "indexes": [Index(fields=["conversation"], name="visits_conversation")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
    ]
