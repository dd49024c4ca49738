"""Playing: every kind of step does what it says, and every difference is told with its line."""

from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from engine.app import FlowsFaulty
from engine.loading.transcripts_parser import parse_text
from engine.settings import Settings
from engine.transcripts.player import play
from engine.transcripts.results import Failed, Passed, Played

FLOW = """
flow: visit
title: Visit
entry: {commands: [visit]}
data: {total: 0}
expires: 2h
expired: Closed.
steps:
  place:
    ask: location
    text: Where are you?
  phone:
    ask: phone
    text: Your number?
  picture:
    ask: photo
    text: A photo?
  tastes:
    ask: choices
    text: What do you like?
    keyboard: {a: Tea, b: Milk}
    done: That's it
  hurry:
    ask: yes_no
    text: Quick?
    timeout: 10m
    transitions: {timeout: paid}
  paid:
    text: "Please pay {{ 12.5 | text }} EUR. <b>{{ tastes | join(' + ') }}</b>"
    photo: {qr: "https://pay.example/{{ customer.name }}"}
    wait: {order.paid: thanks, after: {time: 30m, to: late}}
  thanks:
    text: "Thank you, {{ paid.from }}."
    end: completed
  late:
    text: Too late.
    end: missed
"""
ADMIN = """
flow: office
title: Office
only: [admin]
arguments: {room: text}
steps:
  hello:
    text: "Room {{ room }} for {{ customer.name }}, {{ customer.language }}."
    end: completed
"""
BOT = "bot: Test\nlanguages: [en, de]\nroles: {admin: [nobody]}\n"
WALK = """
  - says: /visit
  - bot: Where are you?
  - shares: {location: [52.5, 13.4]}
  - bot: Your number?
  - shares: {phone: "+4930901820"}
  - bot: A photo?
  - sends: {photo: house.jpg, size: 5000}
  - bot: What do you like?
    buttons: [[Tea], [Milk], [That's it], [⬅️ Back, ✖️ Cancel]]
  - presses: Milk
  - edits: What do you like?
  - presses: That's it
  - bot: Quick?
"""
PAY = WALK + '  - presses: "Yes"\n  - bot: Please pay 12.5 EUR. b\n    picture: {qr: "https://pay.example/Anna"}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "flows"
    place.mkdir()
    for name, text in {"visit": FLOW, "office": ADMIN, "bot": BOT}.items():
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    return place


async def played(folder: Path, steps: str, catalog: Catalog, head: str = "") -> Played:
    read = parse_text(f"test: A test\n{head}steps:\n{steps.lstrip(chr(10))}", "t.yaml", catalog)
    assert read.transcript is not None, read.findings
    return await play(read.transcript, settings=Settings(flows=folder), catalog=catalog)


async def passes(folder: Path, steps: str, catalog: Catalog, head: str = "") -> None:
    result = await played(folder, steps, catalog, head)
    assert result == Passed(name="A test"), str(result)


async def differs(folder: Path, steps: str, catalog: Catalog, head: str = "") -> Failed:
    result = await played(folder, steps, catalog, head)
    assert isinstance(result, Failed), result
    return result


@pytest.mark.parametrize(
    "steps",
    [
        PAY + "  - signal: {name: order.paid, payload: {from: Zoë}}\n  - bot: Thank you, Zoë.\n  - ends: completed\n",
        PAY + "  - wait: 31m\n  - bot: Too late.\n  - ends: {flow: visit, outcome: missed}\n",
        PAY + "  - timer: timeout\n  - bot: Too late.\n",
        WALK + "  - timer: timeout\n  - bot: {has: Please pay}\n",
        WALK + "  - wait: 10m\n  - bot: {has: [Please, pay, b]}\n",
        WALK + "  - timer: expires\n  - bot: Closed.\n  - ends: expired\n",
        WALK + "  - data: {place.latitude: 52.5, phone: '+4930901820', picture.name: house.jpg, picture.size: 5000}\n"
        "  - data: {picture.kind: photo, tastes: [b], hurry: null, total: 0}\n",
        WALK + "  - presses: ⬅️ Back\n  - bot: What do you like?\n",
        "  - says: /visit\n  - bot: {has: Where}\n  - says: Berlin\n  - bot: {has: ''}\n",
        "  - presses: {data: made up}\n  - notice: This button does nothing here.\n",
    ],
    ids=["signal", "late", "timer", "timeout", "wait", "expires", "data", "back", "refused", "forged"],
)  # fmt: skip
async def test_every_step_can_be_played(folder: Path, steps: str, catalog: Catalog) -> None:
    await passes(folder, steps, catalog)


async def test_a_flow_without_a_command_for_a_role(folder: Path, catalog: Catalog) -> None:
    head = "customer: {name: Zoë, language: de, roles: [admin]}\n"
    steps = "  - starts: office\n    with: {room: A 1}\n"
    await passes(folder, steps + "  - bot: Room A 1 for Zoë, de.\n", catalog, head)
    refused = await differs(folder, steps + "  - bot: Room A 1 for Anna, en.\n", catalog)
    assert refused.span.line == 5
    assert "+ bot: " in "\n".join(refused.lines)


async def test_a_role_that_the_bot_does_not_know_is_said(folder: Path, catalog: Catalog) -> None:
    head = "customer: {name: Anna, roles: [admn]}\n"
    refused = await differs(folder, "  - says: /visit\n  - bot: Where are you?\n", catalog, head)
    assert (refused.span.line, refused.message) == (1, "bot.yaml has no role “admn”: there is “admin”")


@pytest.mark.parametrize(
    ("steps", "line", "message", "lines"),
    [
        ("  - says: /visit\n  - bot: Where?\n", 4, "the bot says something else:",
         ["- bot: Where?", "+ bot: Where are you?"]),
        ("  - says: /visit\n", 3, "after the last step the bot also says:", ["+ bot: Where are you?"]),
        ("  - says: /visit\n  - says: x\n", 4, "before this step the bot also says:", ["+ bot: Where are you?"]),
        ("  - says: /visit\n  - bot: {has: Where}\n  - bot: More\n", 5,
         "this does not come; the conversation is at the step “place” of “visit”:", ["- bot: More"]),
        ("  - bot: Hello\n", 3, "this does not come, and no conversation is open:", ["- bot: Hello"]),
        ("  - says: /visit\n  - edits: Where are you?\n", 4, "the bot says something else:",
         ["- edits: Where are you?", "+ bot: Where are you?"]),
        ("  - says: /visit\n  - bot: Where are you?\n    buttons: []\n", 4, "the bot says something else:",
         ["  bot: Where are you?", "- buttons: []", "+ buttons: [[✖️ Cancel]]"]),
        ("  - says: /visit\n  - bot: Where are you?\n  - presses: Go\n", 5,
         "there is no button “Go”; those of the newest message: “✖️ Cancel”", []),
        ("  - presses: Go\n", 3, "there is no button “Go”; those of the newest message: none", []),
        ("  - says: /visit\n  - bot: {has: Where}\n  - notice: Hm\n", 5, "this does not come;", ["- notice: Hm"]),
        ("  - says: /visit\n  - bot: {has: Where}\n  - ends: completed\n", 5, "no conversation has ended so;",
         ["- ends: completed"]),
        ("  - data: {a: 1}\n", 3, "no conversation has begun yet", []),
        ("  - signal: x\n", 3, "no conversation takes the signal “x”", []),
        ("  - signal: {name: x, flow: visit, key: '1'}\n", 3, "no step of “visit” waits for the signal “x”", []),
        ("  - signal: {name: x, flow: vsit, key: '1'}\n", 3, "there is no flow “vsit”", []),
        ("  - timer: timeout\n", 3, "no timer “timeout” is pending", []),
        (WALK + "  - data: {phone: '1', total: 0}\n", 17, "the data is something else:",
         ['- data: {phone: "1", total: 0}', '+ data: {phone: "+4930901820", total: 0}']),
        (WALK + "  - timer: expires\n  - bot: Closed.\n  - ends: completed\n", 19, "no conversation has ended so:",
         ["- ends: completed", "+ ends: {flow: visit, outcome: expired}"]),
    ],
)  # fmt: skip
async def test_a_difference(
    folder: Path, steps: str, line: int, message: str, lines: list[str], catalog: Catalog
) -> None:
    found = await differs(folder, steps, catalog)
    if "data: {phone" in steps or "Closed" in steps:
        line = 2 + steps.strip("\n").count("\n") + 1
    assert found.span.line == line, str(found)
    assert found.message.startswith(message), str(found)
    assert all(wanted in found.lines for wanted in lines), str(found)
    assert str(found).startswith(f"t.yaml:{line}: ")


async def test_a_link_is_compared_only_where_it_is_said(folder: Path, catalog: Catalog) -> None:
    (folder / "links.yaml").write_text(
        "flow: links\ntitle: L\nentry: {commands: [links]}\nsteps:\n  a:\n    text: See\n    keyboard:\n"
        '      - [{text: Page, url: "https://a.example/1"}, {text: Go, trigger: go}]\n    transitions: {go: b}\n'
        "  b: {text: Done., end: completed}\n",
        encoding="utf-8",
    )
    steps = "  - says: /links\n  - bot: See\n    buttons: [[{}, Go], [✖️ Cancel]]\n"
    for good in ("Page", '{text: Page, url: "https://a.example/1"}'):
        await passes(folder, steps.replace("{}", good), catalog)
    found = await differs(folder, steps.replace("{}", '{text: Page, url: "https://b.example"}'), catalog)
    assert "https://a.example/1" in str(found)


async def test_arguments_that_are_not_those_expected(catalog: Catalog) -> None:
    from tests.transcripts.sitting import ROOT

    text = (ROOT / "flows" / "tests" / "order_pickup.yaml").read_text(encoding="utf-8")
    read = parse_text(text.replace("specs.material: pla", "specs.material: abs"), "t.yaml", catalog)
    assert read.transcript is not None
    settings = Settings(flows=ROOT / "flows", plugins=ROOT / "plugins")
    found = await play(read.transcript, settings=settings, catalog=catalog)
    assert isinstance(found, Failed)
    assert found.message == "“print3d.create_order” is called with something else:"
    assert "specs.material: abs" in found.lines[0]
    assert "specs.material: pla" in found.lines[1]
    assert text.splitlines()[found.span.line - 1].strip().startswith("- outcome: created")


async def test_flows_with_errors_are_not_played(folder: Path, catalog: Catalog) -> None:
    (folder / "visit.yaml").write_text("flow: visit\n", encoding="utf-8")
    with pytest.raises(FlowsFaulty):
        await played(folder, "  - says: /visit\n", catalog)


async def test_a_large_file_is_only_said_to_be_large(folder: Path, catalog: Catalog) -> None:
    steps = WALK.replace("size: 5000", "size: 2000000000") + "  - data: {picture.size: 2000000000}\n"
    await passes(folder, steps, catalog)


PARCEL = """
flow: parcel
title: Parcel
entry: {commands: [parcel]}
key: number
steps:
  number:
    ask: text
    text: Which number?
  packed:
    text: We pack it.
    wait: {parcel.packed: done}
  done:
    text: "Packed by {{ packed.by }}."
    end: completed
"""
PACKED = "  - signal: {name: parcel.packed, flow: parcel, key: '7', payload: {by: Zoë}}\n"


async def test_a_signal_by_key_before_anybody_has_the_key_and_after_the_end(folder: Path, catalog: Catalog) -> None:
    (folder / "parcel.yaml").write_text(PARCEL, encoding="utf-8")
    early = PACKED + (
        '  - says: /parcel\n  - bot: Which number?\n  - says: "7"\n  - bot: We pack it.\n'
        "  - bot: Packed by Zoë.\n  - ends: completed\n"
    )
    await passes(folder, early, catalog)
    late = await differs(folder, early + PACKED, catalog)
    assert "too late" in late.message, str(late)
