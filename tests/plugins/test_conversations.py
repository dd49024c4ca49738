"""What is open and what may be started, asked for by flows."""

import pytest

from engine.actions import (
    ActionSignature,
    CancelConversation,
    MenuEntry,
    OpenConversation,
    Refusal,
    SourceSignature,
    Speak,
    StartFlow,
    invoke,
)
from engine.actions.discovery import builtin_catalog
from engine.actions.testing import context

CATALOG = builtin_catalog()
WORLD = {
    "open_conversations": (
        OpenConversation(id="testtest01", flow="cancel", title="Cancel"),
        OpenConversation(id="aaaaaaaaaa", flow="print_order", title="3D print order", step="email"),
    ),
    "menu": (MenuEntry(flow="print_order", title="Order", command="order"), MenuEntry(flow="faq", title="Questions")),
}


async def test_conversations_open() -> None:
    _, found = await invoke(CATALOG.sources["conversations.open"], context(**WORLD), {})  # type: ignore[arg-type]
    assert found["rows"] == ({"id": "aaaaaaaaaa", "flow": "print_order", "title": "3D print order"},)


async def test_conversations_menu() -> None:
    _, found = await invoke(CATALOG.sources["conversations.menu"], context(**WORLD), {})  # type: ignore[arg-type]
    assert found["rows"] == (
        {"flow": "print_order", "title": "Order", "command": "order"},
        {"flow": "faq", "title": "Questions", "command": None},
    )


async def test_conversations_start() -> None:
    world = context(**WORLD)  # type: ignore[arg-type]
    assert await invoke(CATALOG.actions["conversations.start"], world, {"flow": "faq"}) == ("started", {"flow": "faq"})
    with pytest.raises(Refusal, match="admin"):
        await invoke(CATALOG.actions["conversations.start"], world, {"flow": "admin"})
    assert world.requests == [StartFlow(flow="faq")]


async def test_conversations_cancel() -> None:
    world = context(**WORLD)  # type: ignore[arg-type]
    cancel = CATALOG.actions["conversations.cancel"]
    assert await invoke(cancel, world, {"conversation": "aaaaaaaaaa"}) == (
        "cancelled",
        {"flow": "print_order", "title": "3D print order"},
    )
    assert await invoke(cancel, world, {"conversation": "bbbbbbbbbb"}) == ("gone", {})
    assert await invoke(cancel, world, {"conversation": "testtest01"}) == ("gone", {})
    assert world.requests == [CancelConversation(conversation="aaaaaaaaaa")]


def test_all_of_it_is_transactional() -> None:
    offered: list[ActionSignature | SourceSignature] = [*CATALOG.actions.values(), *CATALOG.sources.values()]
    own = [signature for signature in offered if signature.name.startswith("conversations.")]
    assert [signature.transactional for signature in own] == [True] * 6


async def test_conversations_languages() -> None:
    _, found = await invoke(CATALOG.sources["conversations.languages"], context(languages=("en", "de", "ru")), {})
    assert found["rows"] == (
        {"code": "en", "name": "English"},
        {"code": "de", "name": "Deutsch"},
        {"code": "ru", "name": "Русский"},
    )


async def test_conversations_speak() -> None:
    world, speak = context(languages=("en", "de")), CATALOG.actions["conversations.speak"]
    assert await invoke(speak, world, {"language": "de"}) == ("spoken", {"language": "de"})
    assert await invoke(speak, world, {"language": ""}) == ("spoken", {"language": ""})
    assert await invoke(speak, world, {"language": "fr"}) == ("gone", {})
    assert world.requests == [Speak(language="de"), Speak(language="")]
