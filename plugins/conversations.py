"""What a customer has open, what they may start, which language they speak: for flows such as `start` and `language`.

Transactional: it only reads the context and asks the engine; no network, no tables.
"""

from dataclasses import dataclass

from engine.actions import Context, Refusal, action, source


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A conversation that is not over."""

    id: str
    flow: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A flow that the customer may start."""

    flow: str
    title: str
    command: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The flow begins as soon as this conversation lets it."""

    flow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The conversation is being cancelled."""

    flow: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """There is nothing to do: it is over already, or is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language that the bot speaks."""

    code: str
    name: str
    """In that language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """It is spoken from now on."""

    language: str


@source(transactional=True, name="open")
async def open_(context: Context) -> list[Open]:
    """The customer's conversations that are not over, without the one that asks."""
    return [
        Open(id=item.id, flow=item.flow, title=item.title)
        for item in context.open_conversations
        if item.id != context.conversation
    ]


@source(transactional=True)
async def menu(context: Context) -> list[Entry]:
    """The flows that the customer may start, in the order of the menu."""
    return [Entry(flow=item.flow, title=item.title, command=item.command) for item in context.menu]


@action(transactional=True)
async def start(context: Context, *, flow: str) -> Started:
    """Start another flow for this customer, one of those they may start.

    Args:
        flow: The flow's name, such as `choice.flow`.
    """
    if flow not in {item.flow for item in context.menu}:
        raise Refusal(f"this customer may not start the flow “{flow}”")
    context.start(flow)
    return Started(flow=flow)


@action(transactional=True)
async def cancel(context: Context, *, conversation: str) -> Cancelled | Gone:
    """Cancel one of the customer's open conversations.

    Args:
        conversation: Its id, from `conversations.open`.
    """
    found = next((item for item in context.open_conversations if item.id == conversation), None)
    if found is None or found.id == context.conversation:
        return Gone()
    context.cancel(conversation)
    return Cancelled(flow=found.flow, title=found.title)


@source(transactional=True)
async def languages(context: Context) -> list[Language]:
    """The bot's languages, each by its own name."""
    return [Language(code=code, name=_name(code)) for code in context.languages]


@action(transactional=True)
async def speak(context: Context, *, language: str) -> Spoken | Gone:
    """Speak another of the bot's languages with this customer from now on.

    Args:
        language: Its code, from `conversations.languages`; an empty text: as their Telegram says.
    """
    if language and language not in context.languages:
        return Gone()
    context.speak(language)
    return Spoken(language=language)


def _name(code: str) -> str:
    from babel import Locale

    name = Locale.parse(code).get_display_name(code) or code
    return name[:1].upper() + name[1:]
