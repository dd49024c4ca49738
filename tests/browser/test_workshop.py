"""The workshop pane in a real browser: what it shows of a conversation, and what its tools do to it."""

import asyncio
import os
import re
import sys

import pytest
from playwright.async_api import expect

from tests.browser.conftest import ROOT, shot
from tests.browser.screen import Screen, to_files, to_summary

NUMBER = re.compile(r"P-\d{6}-\w{4}")
PARCEL = """
flow: parcel
title: A parcel
entry: {commands: [parcel]}
key: customer.id
expires: 2h
steps:
  ready:
    wait: {parcel.ready: collected}
    text: We tell you when your parcel is here.
    timeout: 1h
    transitions: {timeout: late}
  collected:
    text: "It is here, in box {{ ready.box | default('?') }}."
    end: completed
  late:
    ask: text
    text: It is late. What shall we do?
  thanks:
    text: Thank you.
    end: completed
"""


@pytest.fixture
def model(tmp_path):
    file = tmp_path / "bracket.stl"
    file.write_bytes(b"solid bracket\nendsolid bracket\n" * 200)
    return file


async def arrive(visit, server) -> Screen:
    screen = Screen(await visit(server.address))
    await screen.ready()
    await screen.opens_workshop()
    return screen


async def stands_at(screen: Screen, step: str) -> None:
    await expect(screen.by("diagram").locator(".step.current")).to_have_attribute("data-step", step)


async def rigs(screen: Screen, action: str, kind: str, **fields: str | bool) -> None:
    """Sets how the next call goes, as a hand does it."""
    await screen.by("rig-action").select_option(action)
    await screen.by("rig-kind").select_option(kind)
    for name, value in fields.items():
        field = screen.by(f"rig-{name}")
        match value:
            case bool():
                await field.set_checked(value)
            case _ if name == "outcome":
                await field.select_option(value)
            case _:
                await field.fill(value)
    await screen.by("rig-apply").click()
    await expect(screen.by("rigs")).to_contain_text(action)


async def plays(server, *files) -> tuple[int, str]:
    """`stepgram test` on these files: its exit code and what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine", "test", *map(str, files),
        cwd=server.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "STEPGRAM_FLOWS": str(server.flows), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()


async def test_the_pane_shows_where_it_stands_the_way_and_what_each_line_gave(serve, visit):
    screen = await arrive(visit, await serve())
    await to_files(screen)
    await stands_at(screen, "phone")
    await expect(screen.by("workshop-status")).to_contain_text("phone")
    diagram = screen.by("diagram")
    for step in ("service", "name", "email"):
        await expect(diagram.locator(f'[data-step="{step}"]')).to_have_class(re.compile(r"\bwalked\b"))
    await expect(diagram.locator('[data-step="files"]')).not_to_have_class(re.compile(r"\bwalked\b"))
    await expect(diagram.locator(".edge.walked")).to_have_count(3)

    source = screen.by("step-source")
    await expect(source).to_be_hidden()
    await diagram.locator('[data-step="name"]').click()
    await expect(source).to_contain_text("text: What is your name?")
    await expect(source).to_contain_text("contact.name")
    await diagram.locator('[data-step="name"]').click()
    await expect(source).to_be_hidden()

    await expect(screen.by("answers")).to_contain_text("Anna Weber")
    await expect(screen.by("evaluations")).to_contain_text(re.compile(r"print_order\.yaml:\d+"))
    await screen.by("evaluations").locator("summary").first.click()
    await screen.by("evaluations").locator(".ws-place").first.click()
    await expect(source).to_be_visible()
    await shot(screen.page, "10-workshop-lines")

    await screen.presses("Back")
    await stands_at(screen, "email")


async def test_timers_and_signals_come_when_the_pane_says_now(serve, visit):
    server = await serve({"parcel": PARCEL})
    screen = await arrive(visit, server)
    await screen.says("/parcel")
    await screen.reads("We tell you")
    await stands_at(screen, "ready")
    signal = screen.by("signal")
    await expect(signal).to_contain_text("parcel.ready")
    await signal.locator("textarea").fill("{no json")
    await screen.by("signal-send").click()
    await expect(signal.get_by_role("alert")).to_be_visible()
    await signal.locator("textarea").fill('{"box": "B7"}')
    await screen.by("signal-send").click()
    await screen.reads("in box B7")

    await screen.says("/parcel")
    await screen.reads("We tell you")
    await expect(screen.by("timers").get_by_test_id("timer-now")).to_have_count(1)
    await screen.by("clock-30m").click()
    await expect(screen.by("timers").locator("li").first).to_contain_text(re.compile(r"in (29|30) min"))
    await screen.by("timers").get_by_test_id("timer-now").first.click()
    await screen.reads("It is late")
    await stands_at(screen, "late")
    await shot(screen.page, "11-workshop-waiting")

    await screen.by("clock-next").click()
    await screen.reads(re.compile("closed|over|expired"))
    await expect(screen.by("workshop-status")).to_contain_text("closed: nobody went on with it in time")


async def test_the_next_call_goes_as_the_pane_says_and_all_of_it_becomes_a_test(serve, visit, model):
    server = await serve()
    screen = await arrive(visit, server)
    await to_files(screen)
    await screen.presses("Skip")
    await to_summary(screen, model)
    await rigs(screen, "print3d.create_order", "fail", reason="The machine burns.", final=True)
    await screen.presses("✅ Order")
    await expect(screen.answers.filter(has_text="The shop does not answer")).to_have_count(1)
    await screen.reads("Please check your order")
    await expect(screen.by("rigs").locator("li")).to_have_count(0)

    await rigs(screen, "print3d.create_order", "outcome", outcome="rejected", value='{"reason": "We are full."}')
    await screen.presses("✅ Order")
    await expect(screen.answers.filter(has_text="The shop refused the order: We are full.")).to_have_count(1)
    await screen.reads("Please check your order")

    await rigs(screen, "print3d.create_order", "slow", seconds="1")
    await screen.presses("✅ Order")
    await screen.reads(NUMBER)
    await shot(screen.page, "12-workshop-over")

    await screen.by("save-name").fill("Full, then it works")
    await screen.by("save-test").click()
    await expect(screen.by("save-result")).to_have_attribute("data-state", "passed")
    saved = server.flows / "tests" / "full_then_it_works.yaml"
    text = saved.read_text(encoding="utf-8")
    assert "reason: We are full." in text
    assert "presses: ✅ Order" in text
    code, printed = await plays(server, saved)
    assert code == 0, printed
    assert "1 passed" in printed


async def test_a_fault_shows_when_it_is_saved_and_the_mend_goes_live(serve, visit):
    server = await serve()
    screen = await arrive(visit, server)
    await screen.says("/order")
    await screen.reads("Which service")
    file = server.flows / "print_order.yaml"
    sound = file.read_text(encoding="utf-8")
    line = 1 + sound[: sound.index("    save: contact.name")].count("\n")
    file.write_text(sound.replace("    save: contact.name", "    saev: contact.name"), encoding="utf-8")
    finding = screen.by("finding").filter(has_text="saev")
    await expect(finding).to_contain_text(f"print_order.yaml:{line}")
    await expect(finding).to_contain_text("save")
    await shot(screen.page, "13-workshop-finding")
    await screen.presses("FDM")
    await screen.reads("What is your name?")

    file.write_text(sound.replace("Where do we send the confirmation?", "Which address is for the bill?"), "utf-8")
    await expect(finding).to_have_count(0)
    for warned in await screen.by("finding").all():  # the translations, which have the sentence as it was
        await expect(warned).to_contain_text("has changed since this was translated")
    await expect(screen.by("findings")).to_contain_text("live")
    await screen.says("Anna")
    await screen.reads("Which address is for the bill?")

    mended = sound.replace("  email:\n", "  mail:\n").replace("name, email, phone", "name, mail, phone")
    file.write_text(mended, encoding="utf-8")
    await expect(screen.by("diagram").locator('[data-step="mail"]')).to_be_visible()
    await expect(screen.by("workshop-status")).to_contain_text("“email”, which is not in the file any more")
    (server.flows / "parcel.yaml").write_text(PARCEL, encoding="utf-8")
    await expect(screen.by("flow-select").locator("option", has_text="A parcel")).to_have_count(1)
    await screen.says("anna@example.com")
    await expect(screen.answers.filter(has_text="cannot go on from where you were")).to_have_count(1)
    await screen.says("/parcel")
    await screen.reads("We tell you when your parcel is here.")
    await stands_at(screen, "ready")


async def test_a_restart_keeps_the_clock_and_tabs_do_not_touch_each_other(serve, visit):
    server = await serve()
    anna = await arrive(visit, server)
    ben = await arrive(visit, server)
    await to_files(anna, "Anna Weber")
    await ben.says("/order")
    await ben.reads("Which service")
    await stands_at(anna, "phone")
    await stands_at(ben, "service")
    await expect(ben.by("answers")).not_to_contain_text("Anna")
    await rigs(ben, "print3d.create_order", "fail", final=True)
    await expect(anna.by("rigs").locator("li")).to_have_count(0)

    await ben.by("timers").get_by_test_id("timer-now").first.click()
    await ben.reads("was open for a day")
    await anna.reads("Your phone number")
    await stands_at(anna, "phone")

    await anna.by("clock-30m").click()
    await expect(anna.by("clock")).to_contain_text("30 min")
    await expect(ben.by("clock")).to_contain_text("30 min")
    await server.kill()
    await expect(anna.by("connection")).to_be_visible()
    await server.start()
    await expect(anna.by("connection")).to_be_hidden()
    await expect(anna.by("clock")).to_contain_text("30 min")
    await stands_at(anna, "phone")
    await anna.by("clock-real").click()
    await expect(anna.by("clock")).to_contain_text("real time")
