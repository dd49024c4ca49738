"""What the core may know of the world around a conversation, handed in with every event."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.hours import Hours
from engine.core.values import Value
from engine.core.wording import Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The customer, the chat, the bot's settings, and how to speak to this customer.

    `customer` and `chat` are records of `engine.core.types.CUSTOMER` and `CHAT`.
    """

    customer: Mapping[str, Value]
    chat: Mapping[str, Value]
    settings: Mapping[str, Value] = field(default_factory=dict)
    wording: Wording
    formats_language: str = "en"
    currency: str = "EUR"
    time_zone: str = "UTC"
    hours: Mapping[str, Hours] = field(default_factory=dict)
    """The calendars of working hours, by name."""
    region: str | None = None
    """Country of telephone numbers typed without +."""
