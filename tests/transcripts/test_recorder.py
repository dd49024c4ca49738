"""“Save as test”: what was had in the browser chat becomes a file that passes, whatever was typed there."""

from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from engine.channels.web.rigs import Fail, Outcome
from engine.transcripts.recorder import file_name, kept
from storage.sqlite_store import SqliteStore
from tests.transcripts.sitting import Sitting

ORDERED = (
    "FDM", "Zoë", "zoe@example.com", "Skip", "file:cube.stl", "That's all", "PLA", "Standard", "30 %", "Red", "Pickup",
)  # fmt: skip
TYPED = ("Zoë", "zoe@example.com")


async def order(one: Sitting, *, until: str = "") -> None:
    await one.says("/order")
    for answer in ORDERED:
        if answer == until:
            return
        if answer in TYPED:
            await one.says(answer)
        elif answer.startswith("file:"):
            await one.sends(answer.removeprefix("file:"))
        else:
            await one.presses(answer)


def saved_text(flows: Path, name: str = "a_test") -> str:
    return (flows / "tests" / f"{name}.yaml").read_text(encoding="utf-8")


async def test_an_order_is_saved_and_passes(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog, pause=3.7) as zoe:
        await order(zoe)
        await zoe.presses("✅ Order")
        saved = await zoe.save("A test")
        assert saved.ok
        assert saved.passed
        text = saved_text(flows)
        assert "wait:" not in text
        assert "print3d.create_order:" in text


async def test_back_edit_contact_and_a_press_on_an_older_message(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog, pause=1.2) as zoe:
        await order(zoe, until="Skip")
        await zoe.presses("⬅️ Back")
        await zoe.says("zoe@elsewhere.example")
        await zoe.shares("+4930901820")
        await zoe.sends("cube.stl")
        await zoe.sends("plate <1>.3mf", mime="application/octet-stream")
        await zoe.sends("virus.exe")
        await zoe.presses("❌ cube.stl")
        for label in ("That's all", "PLA", "Standard", "30 %", "Red", "Pickup", "Change something", "Material", "PETG"):
            await zoe.presses(label)
        await zoe.taps(await zoe.button("FDM"))
        saved = await zoe.save()
        assert saved.ok, saved.text
        text = saved_text(flows)
        assert 'shares: {phone: "+4930901820"}' in text
        assert "sends: {file: plate <1>.3mf, size: 3000, mime: application/octet-stream}" in text or "mime" not in text


async def test_an_order_that_expired_by_the_turned_clock(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog, pause=20) as zoe:
        await order(zoe, until="Skip")
        await zoe.turns(23 * 3600)
        await zoe.presses("Skip")
        await zoe.turns(24 * 3600)
        saved = await zoe.save()
        assert saved.ok, saved.text
        text = saved_text(flows)
        assert "- wait: 23h\n" in text
        assert "- wait: 1d\n" in text
        assert "- ends: {flow: print_order, outcome: expired}\n" in text


async def test_the_clock_turned_to_the_very_moment(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        await order(zoe, until="Skip")
        await zoe.waits(12.5)
        due = await zoe.store.next_due()
        assert due is not None
        await zoe.turns((due - zoe.clock.now()).total_seconds() + 0.001)
        saved = await zoe.save()
        assert saved.ok, saved.text
        assert "- wait: 1d1s\n" in saved_text(flows), "as far as the next timer, and not one moment less"


async def test_time_that_passed_by_itself(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        await order(zoe, until="Skip")
        await zoe.waits(86400.25)
        saved = await zoe.save()
        assert saved.ok, saved.text
        assert "- wait: 1d\n" in saved_text(flows)  # the bot spoke at the very end of the day


async def test_an_expiry_by_its_button(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        await order(zoe, until="Skip")
        await zoe.fires("expires")
        saved = await zoe.save()
        assert saved.ok, saved.text
        assert "- timer: expires\n" in saved_text(flows)


async def test_failures_retries_and_chosen_outcomes(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog, pause=2) as zoe:
        await order(zoe)
        zoe.rig("print3d.create_order", Outcome(name="rejected", value={"reason": 'We are full: "sorry" #1'}))
        await zoe.presses("✅ Order")
        zoe.rig("print3d.create_order", Fail(reason="no luck", final=False))
        await zoe.presses("✅ Order")
        await zoe.tries_again()
        saved = await zoe.save()
        assert saved.ok, saved.text
        text = saved_text(flows)
        assert '{outcome: rejected, with: {reason: "We are full: \\"sorry\\" #1"}}' in text
        assert "{fails: error, reason: no luck}" in text


async def test_a_failure_for_good_and_the_press_after_it(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        await order(zoe)
        zoe.rig("print3d.create_order", Fail(reason="closed", final=True))
        await zoe.presses("✅ Order")
        await zoe.presses("✅ Order")
        saved = await zoe.save()
        assert saved.ok, saved.text
        assert "{fails: refused, reason: closed, final: true}" in saved_text(flows)


async def test_menu_cancel_and_lists_run_for_real(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        await zoe.says("/start")
        await zoe.presses("Order a 3D print")
        await zoe.presses("Resin")
        await zoe.says("/cancel")
        await zoe.presses("3D print order")
        await zoe.says("/my_orders")
        await zoe.presses("✅ Done")
        saved = await zoe.save()
        assert saved.ok, saved.text
        text = saved_text(flows)
        assert "conversations." not in text
        assert "print3d.my_orders:" in text
        assert text.index("says: /start") < text.index("says: /cancel")


async def test_the_story_begins_where_nothing_was_open(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        await zoe.says("/help")
        await order(zoe)
        await zoe.presses("✅ Order")
        await zoe.says("/order")
        await zoe.presses("FDM")
        saved = await zoe.save()
        assert saved.ok, saved.text
        text = saved_text(flows)
        assert "/help\n" not in text.split("steps:")[1].splitlines()[1]
        assert text.count("- says: ") == 1
        first = next(
            iter([one for one in await zoe.journal.entries(zoe.chat, limit=1000) if one.conversation])
        ).conversation
        whole = await zoe.save("whole", conversation=first)
        assert whole.ok, whole.text
        assert saved_text(flows, "whole").count("- says: ") == 5


@pytest.mark.parametrize(
    "text",
    [
        "yes", "null", "12", "0x1F", "1e3", "~", "- a", "a: b", "a #b", "# a", "{a: b}", "[x]", "&a", "*a",
        "!!python/object",        "'", '"', "\\", "|", ">", "%", "@", "`", "a\nb", "a\n\n  b\n", "\n a", " a ",
        "\ta", "a\tb", "😀 👩‍👩‍👧 ✔️",
        "\u202eabc", "a\u00a0b", "\u2028", "\x85", "\x00\x1b[31m", "\ufeff", "---", "...", "steps:\n  - says: x",
        "é", "? a",        "<b>&amp;</b>", "{{ customer.id }}", "/nothing", "/order extra", "=", "<<", "a:", ":a",
        "x" * 4000, "ключ: значение",
    ],
    ids=ascii,
)  # fmt: skip
async def test_whatever_is_typed(text: str, flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        await zoe.says("/order")
        await zoe.presses("FDM")
        await zoe.says(text)
        await zoe.says("Zoë")
        saved = await zoe.save()
        assert saved.ok, saved.text


async def test_two_presses_before_the_answer_came(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    """A double click: both inputs stand in the journal before what the bot says to the first."""
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        await zoe.says("/order")
        await zoe.hurries("FDM", "FDM")
        saved = await zoe.save()
        assert saved.ok, saved.text
        assert saved_text(flows).count("- presses: FDM") == 2


async def test_a_conversation_that_goes_differently_now_is_not_saved(
    flows: Path, tmp_path: Path, catalog: Catalog
) -> None:
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        await order(zoe, until="Skip")
        file = flows / "print_order.yaml"
        file.write_text(
            file.read_text(encoding="utf-8").replace("What is your name?", "Who are you?"), encoding="utf-8"
        )
        saved = await zoe.save()
        assert not saved.ok
        assert not saved.passed
        assert "What is your name?" in saved.text
        assert "Who are you?" in saved.text
        assert not (flows / "tests").exists() or list((flows / "tests").iterdir()) == []
        file.write_text("flow: print_order\nsteps: 1\n", encoding="utf-8")
        assert "errors" in (await zoe.save()).text


async def test_from_a_journal_on_disk(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    store = SqliteStore(tmp_path / "a.sqlite3", synchronous="NORMAL")
    async with Sitting(flows, tmp_path / "files", catalog, pause=1, store=store) as zoe:
        await order(zoe)
        await zoe.presses("✅ Order")
        saved = await zoe.save()
        assert saved.ok, saved.text


async def test_nothing_said_yet(flows: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(flows, tmp_path / "files", catalog) as zoe:
        assert not (await zoe.save()).ok


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("A test", "a_test"), ("../../etc/passwd", "etc_passwd"), ("", "conversation"), ("...", "conversation"),
        ("Größe: 5 €", "groe_5"), ("a/b\\c", "a_b_c"), ("Заказ", "conversation"), ("x" * 200, "x" * 60),
        ("con.yaml", "con_yaml"), ("\x00evil\n", "evil"),
    ],
)  # fmt: skip
def test_a_name_never_becomes_a_path(name: str, wanted: str) -> None:
    assert file_name(name) == wanted


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    first, second, third = (kept(tmp_path / "tests", "A", text) for text in "abc")
    assert [path.name for path in (first, second, third)] == ["a.yaml", "a-2.yaml", "a-3.yaml"]
    assert [path.read_text() for path in (first, second, third)] == ["a", "b", "c"]
    assert sorted(path.name for path in (tmp_path / "tests").iterdir()) == ["a-2.yaml", "a-3.yaml", "a.yaml"]
