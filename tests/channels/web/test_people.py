"""Who a tab speaks for; names, languages, roles and phones of people."""

import asyncio
from pathlib import Path

import pytest

from engine.channels.web.people import MOST, clean_line
from engine.core.records import replaced
from tests.channels.web.site import FLOWS, START, Site, new_id


async def test_nobody_is_spoken_for_twice_unless_asked(site: Site) -> None:
    one, two = await site.page(), await site.page()
    same = await site.page(one.id)
    assert [page.person["name"] for page in (one, two, same)] == ["Customer 1", "Customer 2", "Customer 1"]
    here = [{"id": two.id, "name": "Customer 2", "here": True}, {"id": one.id, "name": "Customer 1", "here": True}]
    assert sorted(map(str, two.last("welcome")["people"])) == sorted(map(str, here))
    await two.close()
    async with asyncio.timeout(40):
        while not one.count("person") or all(entry["here"] for entry in one.last("person")["people"]):
            await asyncio.sleep(0.01)
    assert {entry["id"] for entry in one.last("person")["people"] if not entry["here"]} == {two.id}
    free = await site.page()
    assert free.id == two.id


async def test_a_new_person_and_an_unknown_one(site: Site) -> None:
    one = await site.page()
    await one.close()
    assert (await site.page("new")).person["name"] == "Customer 2"
    assert (await site.page("nobody")).id == one.id
    assert (await site.page("../../etc")).person["name"] == "Customer 3"


async def test_two_hellos_at_once_get_two_people(site: Site) -> None:
    pages = [await site.silent() for _ in range(8)]
    for page in pages:
        await page.send(type="hello", person=None, known=0)
    for page in pages:
        await page.until("entries")
    assert len({page.id for page in pages}) == 8


async def test_a_tab_can_change_to_another_person(site: Site) -> None:
    page = await site.page()
    first = page.id
    await page.says("/order")
    await page.hello("new")
    assert page.id != first
    assert not site.tabs.here(first)
    page.entries.clear()
    await page.hello(first)
    await page.sees("Name?")


async def test_the_people_are_known_after_a_restart(site: Site) -> None:
    page = await site.page()
    await page.send(type="person", name="  Zoë\n\u202e O'Neill ", roles=["admin"], phone="+49 30 901820", language="de")
    after = await page.until("person", person={
        "id": page.id, "name": "Zoë O'Neill", "language": "de", "roles": ["admin"], "phone": "+49 30 901820",
    })  # fmt: skip
    await site.restart()
    assert (await site.page()).person == after["person"]
    assert site.people.granted(f"web:{page.id}") == {"admin"}
    assert site.people.granted("telegram:900") == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " \n\t"},
        {"name": "x" * 1000},
        {"name": 7},
        {"language": "fr"},
        {"language": "../en"},
        {"roles": ["owner"]},
        {"roles": "admin"},
        {"roles": ["admin", None]},
        {"phone": "call me"},
        {"phone": "+" * 30},
        {"phone": "1" * 300},
    ],
)
async def test_a_change_that_cannot_be_changes_nothing(site: Site, wrong: dict[str, object]) -> None:
    page = await site.page()
    before = site.people.find(page.id)
    await page.send(type="person", **wrong)
    assert (await page.until("error"))["text"].endswith(".")
    assert site.people.find(page.id) == before
    assert await site.store.journal.people() == (before,)


async def test_a_role_opens_what_is_for_it_and_the_menu_says_so(site: Site) -> None:
    page = await site.page()
    await page.says("/team")
    await page.sees("Team")
    assert not any("For the team" in text for text in page.texts())
    await page.send(type="person", roles=["admin"])
    commands = await page.until("commands")
    assert {"command": "team", "title": "Team"} in commands["commands"]
    await page.says("/team")
    await page.sees("For the team")
    await page.send(type="person", roles=[])
    await page.until("commands", after=len(page.messages))
    assert {"command": "team", "title": "Team"} not in page.last("commands")["commands"]


async def test_another_language_draws_the_open_question_anew(tmp_path: Path) -> None:
    spoken = FLOWS | {
        "order": FLOWS["order"].replace('"Name?"', "\"{{ 'Wie?' if customer.language == 'de' else 'Name?' }}\"")
    }
    async with Site(tmp_path, spoken) as site:
        page = await site.page()
        await page.says("/order")
        await page.sees("Name?")
        await page.send(type="person", language="de")
        await page.sees("Wie?")
        await page.send(type="person", name="Somebody else")
        await page.says("Ada")
        await page.sees("Colours, Ada?")
        assert sum("Wie?" in text for text in page.texts()) == 1


async def test_there_is_an_end_to_new_people(site: Site) -> None:
    page = await site.page()
    known = site.people.find(page.id)
    assert known is not None
    for number in range(MOST - 1):
        await site.store.journal.keep(replaced(known, id=f"p{number}", seen_at=START))
    await site.people.load()
    other = await site.silent()
    await other.send(type="hello", person="new")
    assert "customers" in (await other.until("error"))["text"]
    await other.hello(None)
    assert len(other.last("welcome")["people"]) == 100


def test_a_line_is_clean() -> None:
    assert clean_line("a\x00b\r\nc\u2028d\u202ee\ud800", 64) == "a b c de"
    assert clean_line("é" * 100, 64) == "é" * 64
    assert clean_line("\u202e\u200b".replace("\u200b", " "), 64) == ""


async def test_on_a_full_disk_the_chat_can_be_read_and_what_is_sent_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await site.page()
    await page.says("/order")
    await page.sees("Name?")
    await page.close()
    journal = site.store.journal

    async def full(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        for name in ("keep", "append", "append_all"):
            patched.setattr(journal, name, full)
        again = await site.page(page.id)
        assert "Name?" in again.texts()
        key = new_id()
        await again.send(type="text", id=key, text="Anna")
        assert "try it again" in (await again.until("refused", id=key))["text"]
        someone = await site.silent()
        await someone.send(type="hello", person="new")
        await someone.until("error")
        assert someone.count("welcome") == 0
    await again.inputs("text", key, text="Anna")
    await again.sees("Colours, Anna?")
