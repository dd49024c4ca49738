"""The browser chat from end to end: inputs in, entries out, through reloads, restarts and repeated frames."""

import asyncio
from pathlib import Path

import pytest

from engine.channels.web.entries import Text
from engine.core.effects import Notice
from engine.runtime.outbox import compose
from engine.runtime.ports import Envelope
from tests.channels.web.site import START, Site, memory, new_id


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_chat_from_the_command_to_the_end(tmp_path: Path, kind: str) -> None:
    async with Site(tmp_path, store=memory if kind == "memory" else None) as site:
        page = await site.page()
        welcome = page.last("welcome")
        assert welcome["bot"] == "Print & <shop>"
        assert welcome["languages"] == ["en", "de"]
        assert welcome["roles"] == ["admin", "packer"]
        assert {"command": "order", "title": "Order & go"} in welcome["commands"]
        assert {"name": "order", "title": "Order & go"} in welcome["flows"]
        assert "team" not in [entry["command"] for entry in welcome["commands"]]
        assert welcome["person"]["name"] == "Customer 1"
        assert (welcome["workshop"], welcome["older"], welcome["version"]) == (False, False, "1.2.3")
        assert welcome["clock"] == {"now": "2026-03-02T09:00:00Z", "offset": 0.0}

        await page.says("/order")
        question = await page.sees("Name?")
        assert (question["from"], question["kind"], question["accepts"]) == ("bot", "show", ["text"])
        await page.says("<img src=x onerror=alert(1)>")
        asked = await page.sees("Colours, &lt;img src=x onerror=alert(1)&gt;?")
        mine = next(entry for entry in page.entries.values() if entry["kind"] == "text" and "<img" in entry["text"])
        assert mine["from"] == "customer"
        key = await page.presses("Red")
        notice = await page.until("notice", id=key)
        assert (notice["text"], notice["alert"]) == ("", False)
        ticked = await page.sees("Colours", revision=2)
        assert (ticked["id"], ticked["revision"]) == (asked["id"], 2)
        assert ticked["rows"][0][0]["text"] == "✅ Red"
        await page.presses("Done")
        await page.sees("Bye &lt;img")
        assert "press" not in {entry["kind"] for entry in page.entries.values()}


async def test_the_same_input_is_handled_once(site: Site) -> None:
    page, key = await site.page(), new_id()
    await page.says("/order")
    await page.sees("Name?")
    for _ in range(3):
        await page.says("Ada", key)
    await page.sees("Colours, Ada?")
    again = await site.page(page.id)
    await again.says("Ada", key)
    await again.says("is this taken as a colour")
    await again.sees("Please")
    assert page.texts().count("Ada") == 1
    assert key in [entry.get("input") for entry in page.entries.values()]
    assert sum("Colours" in text for text in page.texts()) == 1


async def test_what_was_not_acknowledged_is_sent_again_after_a_break(site: Site) -> None:
    page, key = await site.page(), new_id()
    await page.says("/order")
    await page.sees("Name?")
    await page.send(type="text", id=key, text="Ada")
    page.socket._response.connection.transport.abort()  # type: ignore[union-attr] # the network breaks
    back = await site.page(page.id)
    await back.says("Ada", key)
    await back.sees("Colours, Ada?")
    assert back.texts().count("Ada") == 1


async def test_reload_and_restart_lose_nothing(site: Site) -> None:
    page = await site.page()
    await page.says("/order")
    await page.sees("Name?")
    before = page.texts()
    await page.close()
    page = await site.page()
    assert page.person["name"] == "Customer 1"
    assert page.texts() == before
    await site.restart()
    page = await site.page(page.id)
    assert page.texts() == before
    await page.says("Ada")
    await page.sees("Colours, Ada?")
    await site.restart()
    page = await site.page(page.id)
    await page.presses("Blue")
    ticked = await page.sees("Colours", revision=2)
    assert (ticked["revision"], ticked["rows"][1][0]["text"]) == (2, "✅ Blue")
    assert sum("Colours" in text for text in page.texts()) == 1


async def test_inputs_that_were_kept_and_not_handled_are_handled_after_a_restart(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await site.page()
    chat = page.chat
    held: list[Envelope] = []

    async def swallow(envelope: Envelope) -> bool:
        held.append(envelope)
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(site.app.runtime, "handle", swallow)
    for text in ("/order", "Ada", "Nobody"):
        await page.says(text)
    assert len(held) == 3
    await site.restart()
    page = await site.page(page.id)
    await page.sees("Colours, Ada?")
    await page.sees("Please")
    async with asyncio.timeout(40):
        while await site.store.journal.unhandled():
            await asyncio.sleep(0.01)
    assert all(entry.handled for entry in await site.store.journal.entries(chat))
    assert page.texts()[:3] == ["/order", "Ada", "Nobody"]


async def test_a_handled_input_whose_mark_was_lost_is_not_handled_twice(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_args: object) -> None:
        return None

    monkeypatch.setattr(type(site.store.journal), "handled", lost)
    page = await site.page()
    await page.says("/order")
    await page.sees("Name?")
    assert len(await site.store.journal.unhandled()) == 1
    monkeypatch.undo()
    await site.restart()
    async with asyncio.timeout(40):
        while await site.store.journal.unhandled():
            await asyncio.sleep(0.01)
    page = await site.page(page.id)
    await page.says("Ada")
    await page.sees("Colours, Ada?")
    assert page.texts() == ["/order", "Name?", "Ada", "Colours, Ada?"]


async def test_two_tabs_of_one_person_see_the_same(site: Site) -> None:
    one = await site.page()
    two = await site.page(one.id)
    await one.says("/order")
    await two.sees("Name?")
    await two.says("Ada")
    await one.sees("Colours, Ada?")
    key = await one.presses("Red")
    await one.until("notice", id=key)
    await one.sees("Colours", revision=2)
    await two.sees("Colours", revision=2)
    assert two.count("notice") == 0
    assert two.count("ack") == 1
    assert one.texts() == two.texts() == ["/order", "Name?", "Ada", "Colours, Ada?"]
    ids = sorted(one.entries)
    assert [one.entries[key] for key in ids] == [two.entries[key] for key in ids]


async def test_a_notice_for_a_tab_that_is_gone_goes_to_all_of_the_person(site: Site) -> None:
    page = await site.page()
    await page.says("/order")
    await page.sees("Name?")
    await page.says("Ada")
    await page.sees("Colours")
    key = await page.presses("Red")
    other = await site.page(page.id)
    await page.close()
    notice = Notice(text="Taken", alert=True)
    await site.channel.deliver(
        compose(notice, chat=other.chat, sequence=9**9, conversation=None, at=START, reply_to=f"{other.chat}:{key}")
    )
    assert (await other.until("notice", id=key))["alert"] is True


async def test_two_people_do_not_see_each_other(site: Site) -> None:
    anna = await site.page()
    bert = await site.page()
    assert anna.id != bert.id
    assert bert.person["name"] == "Customer 2"
    for text in ("/order", "Anna"):
        await anna.says(text)
        await bert.says(text.replace("Anna", "Bert"))
    await anna.sees("Colours, Anna?")
    await bert.sees("Colours, Bert?")
    assert not any("Bert" in text for text in anna.texts())
    await bert.inputs("press", data=anna.button("Red"))
    notice = await bert.until("notice")
    assert notice["text"]
    assert (await anna.sees("Colours"))["revision"] == 1


async def test_commands_are_read_as_telegram_reads_them(site: Site) -> None:
    page = await site.page()
    await page.says("/ORDER@some_bot")
    await page.sees("Name?")
    await page.says("/ no command")
    await page.sees("Colours, / no command?")
    await page.says("/start promo")
    await page.sees("Order")


async def test_older_entries_come_page_by_page(site: Site) -> None:
    page = await site.page()
    for number in range(230):
        await site.server.lobby.inputs.enter(page.chat, new_id(), "text", Text(text=f"{number}"))
    async with asyncio.timeout(40):
        while await site.store.journal.unhandled():
            await asyncio.sleep(0.05)
    later = await site.page(page.id)
    assert later.last("welcome")["older"] is True
    assert later.last("entries")["older"] is True
    oldest = min(later.entries)
    await later.send(type="older", before=oldest)
    older = await later.until("entries", prepend=True)
    assert all(entry["id"] < oldest for entry in older["entries"])
    while older["older"]:
        count = len(later.messages)
        await later.send(type="older", before=min(later.entries))
        older = await later.until("entries", after=count, prepend=True)
    assert [text for text in later.texts() if text.isdigit()] == [str(number) for number in range(230)]
    known = await site.page(page.id, known=min(later.entries) + 5)
    assert min(known.entries) <= min(later.entries) + 5
