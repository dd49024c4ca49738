"""Deliveries into the journal: each once, edits in place, nothing of another channel."""

from pathlib import Path

import pytest

from engine.channels.web.channel import WebChannel
from engine.channels.web.entries import Shown, for_page, payload_of
from engine.core.effects import Notice, Press, Say, Show
from engine.core.records import replaced
from engine.runtime.journal import Entry
from engine.runtime.outbox import UnknownKind, Visible, compose
from engine.runtime.ports import Elsewhere, Outgoing
from tests.channels.web.site import START, Page, Site


def row(page: Page, effect: Visible, sequence: int, *, reply_to: str | None = None) -> Outgoing:
    return compose(effect, chat=page.chat, sequence=sequence, conversation="abc", at=START, reply_to=reply_to)


def show(text: str, *, visit: int = 1, edit: bool = False) -> Show:
    rows = ((Press(text="Yes", code="o:yes"), Press(text="Site", url="https://example.com")),)
    return Show(visit=visit, draw=2, text=text, rows=rows, edit=edit)


async def test_a_delivery_twice_is_one_entry(site: Site) -> None:
    page = await site.page()
    for effect, number in ((show("A"), 1001), (Say(text="B"), 1002), (Notice(text="C"), 1003)):
        for _ in range(2):
            await site.channel.deliver(row(page, effect, number))
    await page.until("notice")
    await (await site.page(page.id)).sees("B")
    assert page.texts() == ["A", "B"]
    assert page.count("notice", text="C", id=None) == 1
    assert [entry.kind for entry in await site.store.journal.entries(page.chat)] == ["show", "drawn", "say", "notice"]
    shown = await page.sees("A")
    assert shown["rows"] == [[{"text": "Yes", "data": "abc.1.2.o:yes"}, {"text": "Site", "url": "https://example.com"}]]
    assert shown["conversation"] == "abc"


async def test_edits_replace_the_newest_of_their_surface(site: Site) -> None:
    page = await site.page()
    await site.channel.deliver(row(page, show("one"), 1))
    await site.channel.deliver(row(page, show("one again"), 2))
    await site.channel.deliver(row(page, show("two", edit=True), 3))
    await site.channel.deliver(row(page, show("other", visit=5, edit=True), 4))
    await page.sees("other")
    assert page.texts() == ["one", "two", "other"]


async def test_a_stay_is_drawn_in_the_message_of_an_earlier_one(site: Site) -> None:
    page = await site.page()
    await site.channel.deliver(row(page, show("one"), 1))
    for visit in (4, 7):
        drawn = replaced(show(f"one at {visit}", visit=visit, edit=True), over=1, photo=("qr", str(visit)))
        await site.channel.deliver(row(page, drawn, visit))
    shown = await page.sees("one at 7")
    assert page.texts() == ["one at 7"]
    assert shown["rows"][0][0]["data"] == "abc.7.2.o:yes"
    await site.channel.deliver(row(page, replaced(show("bare", visit=9, edit=True), over=1), 9))
    assert "picture" not in await page.sees("bare")


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_repeated_edit_never_goes_back(site: Site, restarted: bool) -> None:
    page = await site.page()
    edits = [
        row(page, show("first"), 1),
        row(page, show("second", edit=True), 2),
        row(page, show("third", edit=True), 3),
    ]
    for outgoing in edits:
        await site.channel.deliver(outgoing)
    channel = WebChannel(site.feed) if restarted else site.channel
    for outgoing in edits:
        await channel.deliver(outgoing)
    await channel.deliver(row(page, Say(text="end"), 4))
    await page.sees("end")
    entries = await site.store.journal.entries(page.chat)
    kinds = [(entry.kind, entry.revision) for entry in entries]
    assert kinds == [("show", 3), ("drawn", 1), ("redrawn", 1), ("redrawn", 1), ("say", 1)]
    assert page.texts() == ["third", "end"]
    assert [one["entry"]["html"] for one in page.messages if one["type"] == "entry"].count("second") == 1


async def test_other_channels_and_damaged_rows(site: Site) -> None:
    page = await site.page()
    good = row(page, Say(text="x"), 1)
    for chat in ("telegram:1", "terminal:anna", "website:1", "web", ""):
        with pytest.raises(Elsewhere):
            await site.channel.deliver(replaced(good, chat=chat))
    with pytest.raises(UnknownKind):
        await site.channel.deliver(replaced(good, kind="dance"))
    assert await site.store.journal.entries(page.chat) == ()


async def test_two_direct_apologies_are_two_messages(site: Site) -> None:
    page = await site.page()
    first = row(page, Say(text="Sorry"), 0)
    await site.channel.deliver(first)
    await site.channel.deliver(first)
    site.clock.advance(1)
    await site.channel.deliver(replaced(first, created_at=site.clock.now()))
    await site.channel.deliver(row(page, Say(text="end"), 7))
    await page.sees("end")
    assert page.texts() == ["Sorry", "Sorry", "end"]


async def test_somebody_who_never_opened_the_page_gets_it_later(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        page = await site.page()
        await page.close()
        await site.channel.deliver(row(page, show("While you were away"), 1))
        assert (await (await site.page(page.id)).sees("away"))["kind"] == "show"


def test_what_is_damaged_or_hidden_is_not_for_the_page() -> None:
    entry = Entry(id=1, chat="web:a", at=START, kind="show", key="k", payload=b"{}")
    for kind, payload in (
        ("show", b"{}"),
        ("show", b"\xff"),
        ("press", b'{"data":"x"}'),
        ("called", b"{}"),
        ("new", b"{}"),
    ):
        assert for_page(replaced(entry, kind=kind, payload=payload), str) is None
    system = for_page(replaced(entry, kind="clock", payload=b'{"text":"30 minutes later","more":1}'), str)
    assert system is not None
    assert (system["from"], system["text"]) == ("system", "30 minutes later")
    photo = replaced(entry, payload=b'{"html":"x","photo":["value","https://example.com/a.png"],"accepts":["contact"]}')
    assert isinstance(payload_of(photo), Shown)
    drawn = for_page(photo, lambda kind: f"Share {kind}")
    assert drawn is not None
    assert drawn["picture"] == "https://example.com/a.png"
    assert drawn["share"] == {"contact": "Share contact"}
    script = replaced(entry, payload=b'{"html":"x","photo":["value","javascript:alert(1)"]}')
    assert (for_page(script, str) or {})["picture"] == "/picture/1?r=1"
