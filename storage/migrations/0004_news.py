"""Signals that reach people whose conversation is over. Made by Tortoise from `storage.models`; never changed."""
# ruff: noqa: RUF012

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("stepgram", "0003_sharing")]

    operations = [
        ops.AddField(
            model_name="SignalLine",
            name="chat",
            field=fields.CharField(max_length=128, db_default=""),
        ),
        ops.AddField(
            model_name="SignalLine",
            name="otherwise",
            field=fields.CharField(max_length=128, db_default=""),
        ),
    ]
