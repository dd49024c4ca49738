"""What a customer has open and what they may start: for flows such as `start`, `cancel` and `help`.

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
