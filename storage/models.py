"""The tables of the store, as Tortoise models: what migrations are made from.

Moments are epoch milliseconds. There are no foreign keys: the store deletes what hangs on a row itself, in
the same transaction. The hot path (`storage.statements`) does not go through these classes. They carry
comments, not docstrings: Tortoise copies a docstring into the table's SQL and splits it at semicolons.
"""

from typing import ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from storage.models_payments import (  # noqa: F401 - Tortoise finds them here
    PayAuditLine,
    PayCase,
    PayChain,
    PayIndex,
    PayInvoice,
    PayLedgerLine,
    PayPoolAddress,
    PayQuote,
    PayRate,
    PayRefund,
)
from storage.models_shop import (  # noqa: F401 - Tortoise finds them here
    ShopCartLine,
    ShopCategory,
    ShopCustomer,
    ShopGood,
    ShopOrder,
    ShopOrderLine,
    ShopProduct,
    ShopReservation,
)

TORTOISE_ORM = {
    "connections": {"default": "sqlite://:memory:"},
    "apps": {
        "stepgram": {
            "models": ["storage.models"],
            "migrations": "storage.migrations",
            "default_connection": "default",
        }
    },
}
"""For developers: `tortoise -c storage.models.TORTOISE_ORM makemigrations` after a change here."""


# `engine.runtime.ports.Chat`.
class ChatRow(Model):
    id = fields.CharField(max_length=128, primary_key=True)
    front = fields.CharField(max_length=12, null=True)
    aside = fields.TextField()
    """JSON list of conversation ids."""
    name = fields.TextField()
    username = fields.TextField(null=True)
    language = fields.CharField(max_length=16)
    revision = fields.BigIntField()

    class Meta:
        table = "chats"


# `engine.core.conversation.Conversation`: the whole of it in `data`, beside it what is searched for.
class ConversationRow(Model):
    id = fields.CharField(max_length=12, primary_key=True)
    chat = fields.CharField(max_length=128)
    flow = fields.CharField(max_length=128)
    status = fields.CharField(max_length=16)
    key = fields.TextField(null=True)
    revision = fields.BigIntField()
    started_at = fields.BigIntField()
    touched_at = fields.BigIntField()
    expires_at = fields.BigIntField(null=True)
    """NULL once it is finished."""
    finished_at = fields.BigIntField(null=True)
    data = fields.BinaryField()
    """JSON by engine.core.codec."""
    began = fields.BigIntField(db_default=0)
    """The chat's revision at which it began: the order of those that began in one millisecond."""

    class Meta:
        table = "conversations"
        indexes: ClassVar = [
            Index(fields=["chat", "finished_at"], name="conversations_chat"),
            Index(fields=["flow", "key", "finished_at"], name="conversations_key"),
            Index(fields=["expires_at"], name="conversations_expires"),
            Index(fields=["flow", "finished_at"], name="conversations_finished"),
        ]


# A line of the visit log; only ever added, and deleted with its conversation.
class VisitLine(Model):
    id = fields.BigIntField(primary_key=True)
    conversation = fields.CharField(max_length=12)
    at = fields.BigIntField()
    visit = fields.IntField()
    step = fields.TextField()
    kind = fields.TextField()
    detail = fields.TextField()

    class Meta:
        table = "visits"
        indexes: ClassVar = [Index(fields=["conversation"], name="visits_conversation")]


# `engine.runtime.ports.Outgoing`, until it is delivered.
class OutboxRow(Model):
    id = fields.CharField(max_length=64, primary_key=True)
    chat = fields.CharField(max_length=128)
    sequence = fields.BigIntField()
    kind = fields.CharField(max_length=16)
    payload = fields.BinaryField()
    surface = fields.CharField(max_length=64)
    created_at = fields.BigIntField()

    class Meta:
        table = "outbox"
        indexes: ClassVar = [Index(fields=["chat", "sequence"], name="outbox_chat")]


# `engine.runtime.ports.TimerRow`, until it is handled.
class TimerLine(Model):
    id = fields.BigIntField(primary_key=True)
    conversation = fields.CharField(max_length=12)
    chat = fields.CharField(max_length=128)
    visit = fields.IntField()
    name = fields.CharField(max_length=64)
    due = fields.BigIntField()

    class Meta:
        table = "timers"
        unique_together: ClassVar = (("conversation", "visit", "name"),)
        indexes: ClassVar = [Index(fields=["due"], name="timers_due")]


# `engine.runtime.ports.PendingCall`, until its outcome is handled.
class PendingCallRow(Model):
    id = fields.BigIntField(primary_key=True)
    conversation = fields.CharField(max_length=12)
    chat = fields.CharField(max_length=128)
    call = fields.CharField(max_length=64)
    purpose = fields.CharField(max_length=16)
    name = fields.CharField(max_length=128)
    arguments = fields.BinaryField()
    retry = fields.BinaryField()
    timeout = fields.FloatField(null=True)
    attempt = fields.IntField()
    due = fields.BigIntField()

    class Meta:
        table = "pending_calls"
        unique_together: ClassVar = (("conversation", "call"),)
        indexes: ClassVar = [Index(fields=["due"], name="pending_calls_due")]


# An update of a channel that was handled: a repeated one is dropped. Kept for seven days.
class SeenUpdate(Model):
    id = fields.CharField(max_length=128, primary_key=True)
    at = fields.BigIntField()

    class Meta:
        table = "seen_updates"
        indexes: ClassVar = [Index(fields=["at"], name="seen_updates_at")]


# `engine.runtime.ports.SignalRow`, until a conversation handles it.
class SignalLine(Model):
    id = fields.BigIntField(primary_key=True)
    """Never given twice, also when the newest row was deleted."""
    update_id = fields.CharField(max_length=128, unique=True)
    flow = fields.CharField(max_length=128)
    key = fields.TextField()
    name = fields.CharField(max_length=128)
    payload = fields.BinaryField()
    at = fields.BigIntField()
    chat = fields.CharField(max_length=128, db_default="")
    otherwise = fields.CharField(max_length=128, db_default="")
    """The flow that begins in `chat` when no conversation takes the signal."""

    class Meta:
        table = "signals"
        indexes: ClassVar = [Index(fields=["flow", "key", "id"], name="signals_key")]


# `engine.runtime.sharing.Letter`: an update that one worker received and another one handles.
class LetterRow(Model):
    id = fields.BigIntField(primary_key=True)
    chat = fields.CharField(max_length=128)
    bucket = fields.IntField()
    update_id = fields.CharField(max_length=128, unique=True)
    payload = fields.BinaryField()
    at = fields.BigIntField()

    class Meta:
        table = "inbox"
        indexes: ClassVar = [Index(fields=["bucket", "id"], name="inbox_bucket")]


# A worker process that shares the store, by the name of this start of it; `until` is the end of its lease.
class WorkerRow(Model):
    id = fields.CharField(max_length=64, primary_key=True)
    joined = fields.BigIntField()
    until = fields.BigIntField()

    class Meta:
        table = "workers"


# A bucket of chats (`engine.runtime.sharing.bucket_of`) and the worker that has it.
class LeaseRow(Model):
    bucket = fields.IntField(primary_key=True, generated=False)
    worker = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "leases"


# `engine.runtime.journal.Entry`: a line of a chat in the browser.
class JournalRow(Model):
    id = fields.BigIntField(primary_key=True)
    """Never given twice, also when the newest entry was deleted."""
    chat = fields.CharField(max_length=128)
    at = fields.BigIntField()
    kind = fields.CharField(max_length=32)
    key = fields.CharField(max_length=200, unique=True)
    conversation = fields.CharField(max_length=12)
    surface = fields.CharField(max_length=64)
    payload = fields.BinaryField()
    revision = fields.BigIntField()
    handled = fields.IntField()
    """0: an input that the engine has not taken yet."""

    class Meta:
        table = "journal"
        indexes: ClassVar = [
            Index(fields=["chat", "id"], name="journal_chat"),
            Index(fields=["chat", "surface", "id"], name="journal_surface"),
            Index(fields=["handled", "at"], name="journal_handled"),
        ]


# `engine.runtime.journal.Person`: somebody who uses the chat in the browser.
class PersonRow(Model):
    id = fields.CharField(max_length=24, primary_key=True)
    name = fields.TextField()
    language = fields.CharField(max_length=16)
    roles = fields.TextField()
    """JSON list of words."""
    phone = fields.CharField(max_length=32)
    seen_at = fields.BigIntField()

    class Meta:
        table = "people"


# A setting of the page in the browser itself.
class PageValue(Model):
    name = fields.CharField(max_length=64, primary_key=True)
    value = fields.TextField()

    class Meta:
        table = "page_values"


# An order of the print shop, where no backend of its own is set up (`plugins.print3d`).
class PrintOrder(Model):
    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(max_length=64, unique=True)
    idempotency_key = fields.CharField(max_length=128, unique=True)
    chat = fields.CharField(max_length=128)
    document = fields.TextField()
    """JSON as the backend would get it."""
    status = fields.CharField(max_length=32)
    created_at = fields.BigIntField()

    class Meta:
        table = "print_orders"


# A file a customer sent to the print shop; the bytes lie in the file store under `ref`.
class PrintFile(Model):
    id = fields.BigIntField(primary_key=True)
    ref = fields.TextField()
    idempotency_key = fields.CharField(max_length=128, unique=True)
    name = fields.TextField()
    size = fields.BigIntField()
    created_at = fields.BigIntField()

    class Meta:
        table = "print_files"
