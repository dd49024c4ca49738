"""The browser chat: its journal, its people, its settings. Made by Tortoise from `storage.models`; never changed."""
# ruff: noqa: RUF012

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("stepgram", "0001_initial")]

    operations = [
        ops.CreateModel(
            name="JournalRow",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("chat", fields.CharField(max_length=128)),
                ("at", fields.BigIntField()),
                ("kind", fields.CharField(max_length=32)),
                ("key", fields.CharField(unique=True, max_length=200)),
                ("conversation", fields.CharField(max_length=12)),
                ("surface", fields.CharField(max_length=64)),
                ("payload", fields.BinaryField()),
                ("revision", fields.BigIntField()),
                ("handled", fields.IntField()),
            ],
            options={
                "table": "journal",
                "app": "stepgram",
                "indexes": [
                    Index(fields=["chat", "id"], name="journal_chat"),
                    Index(fields=["chat", "surface", "id"], name="journal_surface"),
                    Index(fields=["handled", "at"], name="journal_handled"),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PageValue",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("value", fields.TextField(unique=False)),
            ],
            options={"table": "page_values", "app": "stepgram", "pk_attr": "name"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PersonRow",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=24)),
                ("name", fields.TextField(unique=False)),
                ("language", fields.CharField(max_length=16)),
                ("roles", fields.TextField(unique=False)),
                ("phone", fields.CharField(max_length=32)),
                ("seen_at", fields.BigIntField()),
            ],
            options={"table": "people", "app": "stepgram", "pk_attr": "id"},
            bases=["Model"],
        ),
    ]
