"""Options from sources and lists, pages, search; collections of files that are checked as they come."""

from datetime import date
from typing import Any

import pytest

from engine.core import listing
from engine.core.conversation import Phase
from engine.core.keyboard import rows_from
from tests.core.asking import CATALOG, one
from tests.core.walker import Walker

# --- options from a source ----------------------------------------------------------------------------------

LISTED = """    ask: choice
    keyboard: {from: shop.list, text: '{{ option.name }}', value: option.id, page: 2, search: true, empty: Sold out.}"""
FIVE = [{"id": f"p{n}", "name": name} for n, name in enumerate(["Ash", "Birch", "Cedar", "Ebony", "Fir"])]


def test_a_source_is_asked_then_drawn() -> None:
    walker = one(LISTED)
    assert walker.shows == []
    assert walker.phase is Phase.FETCHING
    assert walker.last_call().page == ("", 0, 2)
    assert walker.say("hurry").said == ["One moment, I am still working on your last step."]
    walker.rows(FIVE)
    assert walker.labels[:3] == [["Ash"], ["Birch"], ["1/3", "›"]]
    assert walker.press("Birch").data == {"q": FIVE[1]}


def test_pages_of_a_source() -> None:
    walker = one(LISTED).rows(FIVE).press("›")
    assert walker.last_call().page == ("", 2, 2)
    walker.rows(FIVE)
    assert walker.shown.edit
    assert walker.labels[:3] == [["Cedar"], ["Ebony"], ["‹", "2/3", "›"]]
    assert walker.press("2/3").effects == ()
    walker.press("›").rows(FIVE[:1])
    assert walker.labels[0] == ["Ash"]
    assert walker.visit.page == 0


def test_a_source_that_pages_itself() -> None:
    walker = one(LISTED).rows(FIVE[:2], total=5, paged=True).press("›").rows(FIVE[2:4], total=5, paged=True)
    assert walker.labels[:3] == [["Cedar"], ["Ebony"], ["‹", "2/3", "›"]]
    walker.press("›").rows([], total=4, paged=True)
    assert walker.last_call().page == ("", 0, 2)
    assert walker.rows(FIVE[:2], total=4, paged=True).press("Ash").data == {"q": FIVE[0]}


def test_a_source_that_counts_wrongly() -> None:
    walker = one(LISTED).rows(FIVE[:2], total=0, paged=True)
    assert walker.press("Ash").data == {"q": FIVE[0]}


def test_search() -> None:
    walker = one(LISTED).rows(FIVE)
    assert "Type a word to search." in walker.text
    walker.say("<r>")
    assert walker.last_call().page == ("<r>", 0, 2)
    walker.rows(FIVE)
    assert "Nothing found for “&lt;r&gt;”" in walker.text
    walker.press("S").rows(FIVE)
    walker.say("ir").rows(FIVE)
    assert walker.labels[:2] == [["Birch"], ["Fir"]]
    assert not walker.shown.edit
    assert walker.say("fir").data == {"q": FIVE[4]}


def test_an_empty_source() -> None:
    walker = one(LISTED).rows([])
    assert walker.text == "Sold out."


def test_a_broken_source_can_be_tried_again() -> None:
    walker = one(LISTED).fail(reason="database is away")
    assert walker.phase is Phase.BROKEN
    assert walker.text == "The list could not be fetched. Nothing is lost. Please try again in a moment."
    assert walker.say("Ash").said[0].startswith("The last step did not work yet.")
    walker.interrupted()
    walker.press("🔁 Try again").rows(FIVE)
    assert walker.press("Ash").over


def test_rows_that_come_late_or_twice_change_nothing() -> None:
    walker = one(LISTED)
    first = walker.last_call()
    walker.rows(FIVE).press("›")
    before = walker.conversation
    walker.comes_back(first, "rows", rows=(), total=0)
    assert walker.conversation == before
    assert walker.effects == ()


def test_a_press_on_a_list_that_has_changed() -> None:
    walker = one(LISTED).rows(FIVE)
    first = walker.shown
    walker.press("›").rows(FIVE)
    assert walker.press_code("r:0", first).notices == ["The list has changed. Please choose from the newest one."]
    assert walker.press_code("r:9").notices == ["The list has changed. Please choose from the newest one."]
    assert walker.press_code("r:x").notices


def test_ticks_survive_turning_pages() -> None:
    walker = one(LISTED.replace("choice", "choices")).rows(FIVE).press("Ash").press("›").rows(FIVE)
    walker.press("Ebony").press("‹").rows(FIVE)
    assert walker.labels[0] == ["✅ Ash"]
    walker.interrupted()
    assert walker.labels[0] == ["✅ Ash"]
    assert walker.press("x:ok").data == {"q": (FIVE[0], FIVE[3])}


def test_pages_and_search_of_fixed_options() -> None:
    walker = one(
        "    ask: choice\n"
        "    keyboard: {options: {a: Ash, b: Birch, c: Cedar, d: Fir}, columns: 2, page: 2, search: true}"
    )
    assert walker.labels[:2] == [["Ash", "Birch"], ["1/2", "›"]]
    walker.press("›")
    assert walker.labels[:2] == [["Cedar", "Fir"], ["‹", "2/2"]]
    walker.say("ir")
    assert walker.labels[:1] == [["Birch", "Fir"]]
    assert walker.press("S").labels[0] == ["Ash", "Birch"]
    assert walker.press_code("p:7").step == "q"
    assert walker.press_code("p:99999999999").notices == ["This button belongs to an earlier message."]
    assert walker.press_code("p:-1").notices == ["This button belongs to an earlier message."]
    assert walker.say("cedar").over


# --- several files ------------------------------------------------------------------------------------------

FILES = """    ask: files
    accept: [.stl]
    count: {min: 2, max: 3}
    each: {do: up.load, with: {file: file}}
    done: Enough"""


def test_files_are_checked_one_by_one() -> None:
    walker = one(FILES)
    assert walker.press_code("x:ok").notices == ["Please send at least 2."]
    walker.send("a.stl")
    assert walker.phase is Phase.ASKING
    first = walker.last_call()
    assert "⏳ a.stl" in walker.text
    walker.send("b.stl")
    second = walker.last_call()
    assert first.call != second.call
    assert walker.press("Enough").notices == ["A file is still on its way. One moment, please."]
    walker.comes_back(second, "ready", id=2)
    walker.comes_back(first, "refused", reason="<b>thin</b>")
    assert "⚠️ a.stl" in walker.text
    assert "&lt;b&gt;thin" in walker.text
    assert walker.press("Enough").notices == ["A file did not get through. Please try it again or remove it."]
    walker.press("🔁 a.stl").fail(reason="away")
    assert walker.troubles
    walker.press("🔁 a.stl").outcome("ready", id=1)
    assert walker.press("Enough").data == {"q": ({"id": 1}, {"id": 2})}


def test_files_can_be_removed_and_are_counted() -> None:
    walker = one(FILES)
    for name in ("a", "b", "c"):
        walker.send(f"{name}.stl").outcome("ready", id=name)
    assert walker.send("d.stl").said == ["That is enough: 3 files at most. Remove one to send another."]
    walker.press("❌ b.stl")
    assert "b.stl" not in walker.text
    assert walker.press_code("f:2").notices == ["This choice is not open any more."]
    assert walker.press_code("F:1").effects == ()
    assert walker.press("Enough").data["q"] == ({"id": "a"}, {"id": "c"})


def test_a_removed_files_result_never_goes_to_the_next_file() -> None:
    walker = one(FILES).send("a.stl")
    old = walker.last_call()
    walker.press("❌ a.stl").send("b.stl")
    new = walker.last_call()
    assert old.call != new.call
    walker.comes_back(old, "ready", id="a")
    assert "⏳ b.stl" in walker.text
    walker.comes_back(new, "ready", id="b")
    assert walker.visit.files[0].value == {"id": "b"}


def test_half_sent_files_survive_leaving_and_interruption() -> None:
    walker = Walker(
        (
            f"flow: f\nsteps:\n"
            f"  first:\n    ask: text\n    text: Name?\n"
            f"  q:\n    text: Files?\n{FILES}\n"
            f"  last:\n    ask: text\n    text: L\n"
        ),
        CATALOG,
    ).start()
    walker.say("Ada").send("a.stl").outcome("ready", id=1)
    walker.send("b.stl")
    lost = walker.last_call()
    walker.interrupted()
    assert "⏳ b.stl" in walker.text
    walker.back().press("n:keep")
    assert walker.step == "q"
    assert "✅ a.stl" in walker.text
    again = walker.last_call()
    assert again.call != lost.call
    walker.comes_back(lost, "ready", id=99)
    assert "⏳ b.stl" in walker.text
    walker.comes_back(again, "ready", id=2).press("Enough")
    assert walker.data["q"] == ({"id": 1}, {"id": 2})
    walker.back()
    assert "✅ b.stl" in walker.text
    walker.send("c.stl").outcome("ready", id=3)
    assert len({item.number for item in walker.visit.files}) == 3
    assert walker.press("Enough").data["q"] == ({"id": 1}, {"id": 2}, {"id": 3})


def test_plain_files_need_no_check() -> None:
    walker = one("    ask: files\n    count: {min: 0}")
    assert walker.button("x:ok")
    walker.send("a.bin").send("b.bin").press("x:ok")
    assert [file["name"] for file in walker.data["q"]] == ["a.bin", "b.bin"]
    assert one("    ask: photos").send("a.jpg", kind="photo").press("x:ok").over


# --- limits -------------------------------------------------------------------------------------------------


def test_limits_from_expressions() -> None:
    walker = one("    ask: date\n    min: now\n    max: settings.last", settings={"last": date(2026, 3, 4)})
    assert walker.say("2026-03-01").said[0].startswith("At least")
    assert walker.say("2026-03-05").said[0].endswith("at most, please.")
    assert walker.say("2026-03-02").over


def test_a_limit_that_is_none_is_reported_and_does_not_hold() -> None:
    walker = one("    ask: quantity\n    max: customer.name").say("500")
    assert walker.troubles
    assert walker.over


def test_prefilled_ticks() -> None:
    staff = {"id": "7", "name": "Ada", "roles": ("b", "c", "gone", 5)}
    walker = one(
        "    ask: choices\n    prefill: customer.roles\n    max: 1\n    keyboard: {a: A, b: B, c: C}", customer=staff
    )
    assert walker.labels[:3] == [["A"], ["✅ B"], ["C"]]
    assert walker.press("x:ok").data == {"q": ("b",)}


def test_of_a_very_long_list_only_the_page_is_put_into_words(monkeypatch: pytest.MonkeyPatch) -> None:
    worded: list[int] = []

    def counted(turn: Any, keys: Any, records: Any) -> Any:
        worded.append(len(records))
        return rows_from(turn, keys, records)

    monkeypatch.setattr(listing, "rows_from", counted)
    many = [{"id": str(number), "name": f"Row {number}"} for number in range(100_000)]
    walker = one(LISTED).rows(many).press("›").rows(many)
    assert worded == [2, 2]
    assert walker.visit.total == 100_000
    assert len(walker.visit.rows) == 2
    assert walker.press("Row 3").data == {"q": many[3]}


def test_a_source_that_gives_more_than_the_page_it_was_asked_for() -> None:
    walker = one(LISTED).rows(FIVE, total=5, paged=True)
    assert [row.label for row in walker.visit.rows] == [item["name"] for item in FIVE[:2]]


def test_options_that_are_all_hidden_say_so_and_leave_a_way_out() -> None:
    walker = Walker(
        """
        flow: hidden
        title: Hidden
        entry: {commands: [hidden]}
        data: {open: false}
        steps:
          name: {ask: text, text: Name?}
          pick:
            ask: choice
            text: Which one?
            keyboard: {options: {a: {text: A, if: open}, b: {text: B, if: open}}}
          over: {text: Over, end: completed}
        """
    )
    walker.start("hidden").say("Anna")
    assert walker.text == "Which one?\n\nThere is nothing to choose from at the moment."
    assert walker.codes == ["n:back", "n:cancel"]
