"""What PostgreSQL holds differently from SQLite: texts without NUL, keys and ids of bounded length. Pure."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from engine.core.conversation import Conversation
from engine.runtime.ports import NewSignal
from storage import rows
from storage.errors import StoreError
from storage.rows import Line

ID_LENGTH: Final = 128
"""Characters of an update's id in its column."""
KEY_LENGTH: Final = 200
"""Characters of a key that are kept as they are: an entry of an index has at most 2,700 bytes."""
_DIGEST: Final = 64


def text(value: str) -> str:
    """The text as the database takes it: NUL, which it does not, becomes U+FFFD. Raises StoreError for half a
    surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise StoreError("A text is not valid Unicode. Refuse it where it comes in.") from error
    return value.replace("\0", "\ufffd") if "\0" in value else value


def short(value: str, length: int) -> str:
    """The text itself, or, when it is longer, its beginning and its digest: still another one for every text."""
    if len(value) <= length:
        return value
    digest = hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()
    return f"{value[: length - _DIGEST - 1]}#{digest}"


def update_id(value: str) -> str:
    """An update's id as it stands in the tables."""
    return short(value, ID_LENGTH) if len(value) > ID_LENGTH else value


def key(value: str) -> str:
    """A conversation's or signal's key as it stands in the tables. The conversation itself has it whole."""
    return short(value, KEY_LENGTH) if len(value) > KEY_LENGTH else value


def conversation_key(conversation: Conversation) -> str | None:
    return None if conversation.key is None else key(conversation.key)


def signal_line(signal: NewSignal) -> Line:
    """Every column but the id."""
    at = rows.past_ms(signal.at)
    said = (signal.name, signal.payload, at, signal.chat, signal.otherwise)
    return (update_id(signal.update), signal.flow, key(signal.key), *said)


def clean(columns: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Columns of a batch that the database refused for a text, with texts that it takes. Raises StoreError."""
    return [[text(value) if isinstance(value, str) else value for value in column] for column in columns]
