"""Which lines belong to a step, and the pane's own pages over HTTP."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from engine.actions.discovery import discover
from engine.channels.web.sources import step_lines
from engine.loading.library import load_texts
from tests.channels.web.workshop_room import BUY, Room, room
from tests.runtime.flows import ORDER

COMMENTED = """\
flow: talk
title: Talk
entry: {commands: [talk]}

steps:
  # What they are called.
  # Not checked.
  name:
    ask: text
    text: |
      Your name?

      # not a comment

  # -- a heading --

  # How old?
  age:
    ask: integer
    text: How old?
    # about the timeout
    timeout: 5m
    transitions: {timeout: late}
  late: {text: Late., end: late}

  # The end.
  done:
    text: Thanks.
    end: completed

# A last word.
expires: 1h
"""


def lines(text: str) -> dict[str, str]:
    """Step → its lines, as the pane would show them."""
    (flow,) = load_texts({"talk.yaml": text}, discover(entry_points=False)).flows
    every = text.splitlines()
    return {step: "\n".join(every[part["from"] - 1 : part["to"]]) for step, part in step_lines(flow, text).items()}


def test_comments_above_a_step_belong_to_it_and_trailing_ones_do_not():
    found = lines(COMMENTED)
    assert found["name"] == (
        "  # What they are called.\n  # Not checked.\n  name:\n    ask: text\n    text: |\n      Your name?\n\n"
        "      # not a comment"
    )
    assert found["age"].startswith("  # How old?\n  age:")
    assert found["age"].endswith("    transitions: {timeout: late}")
    assert "    # about the timeout" in found["age"]
    assert found["late"] == "  late: {text: Late., end: late}"
    assert found["done"] == "  # The end.\n  done:\n    text: Thanks.\n    end: completed"


def test_windows_line_ends_and_a_missing_last_one():
    assert lines(COMMENTED.replace("\n", "\r\n").rstrip())["late"] == "  late: {text: Late., end: late}"
    short = "flow: a\ntitle: A\nentry: {commands: [a]}\nsteps:\n  one: {text: Hi., end: completed}"
    assert lines(short) == {"one": "  one: {text: Hi., end: completed}"}


def test_a_flow_on_one_line_has_steps_on_that_line():
    text = 'flow: a\ntitle: A\nentry: {commands: [a]}\nsteps: {one: {text: "Hi.", end: completed}}\n'
    assert lines(text) == {"one": text.splitlines()[3]}


def test_a_text_shorter_than_the_flow_says_is_survived():
    (flow,) = load_texts({"talk.yaml": COMMENTED}, discover(entry_points=False)).flows
    assert step_lines(flow, "") == {}


@pytest.fixture
async def here(tmp_path) -> Room:
    made = await room(tmp_path, {"buy": BUY, "order": ORDER})
    yield made
    await made.close()


@pytest.fixture
async def client(here) -> TestClient:
    app = web.Application()
    app.add_routes(here.workshop.routes())
    async with TestClient(TestServer(app)) as opened:
        yield opened


async def test_the_source_of_a_live_flow(client, here):
    answer = await client.get("/source/buy.json")
    assert answer.status == 200
    read = await answer.json()
    assert read["text"] == BUY
    assert read["file"].endswith("buy.yaml")
    assert read["version"] == here.bot.app.library.programs["buy"].version
    place = read["steps"]["place"]
    assert BUY.splitlines()[place["from"] - 1] == "  # The order itself."
    assert set(read["steps"]) == set(here.bot.app.library.programs["buy"].nodes)


async def test_a_broken_file_leaves_the_source_of_what_is_live(client, here, tmp_path):
    (tmp_path / "flows" / "buy.yaml").write_text("flow: [")
    await here.bot.app.reload()
    assert (await (await client.get("/source/buy.json")).json())["text"] == BUY


async def test_a_diagram_is_drawn_once_per_version(client, here, tmp_path):
    for _ in range(3):
        answer = await client.get("/diagram/order.svg")
        assert answer.content_type == "image/svg+xml"
        assert await answer.text() == "<svg>order</svg>"
    assert here.drawn == ["order"]
    (tmp_path / "flows" / "order.yaml").write_text(ORDER.replace("Name?", "Who?"))
    await here.bot.app.reload()
    await client.get("/diagram/order.svg")
    assert here.drawn == ["order", "order"]


@pytest.mark.parametrize(
    "path",
    [
        "/source/nothing.json", "/diagram/nothing.svg", "/source/..%2f..%2fetc%2fpasswd.json", "/source/bot.yaml.json",
        "/diagram/%3Cscript%3E.svg", "/source/%00.json", "/diagram/../buy.svg", "/source/buy.yaml",
    ],
)  # fmt: skip
async def test_names_that_are_no_flows_are_not_found(client, path):
    answer = await client.get(path)
    assert answer.status == 404
    assert "<script>" not in await answer.text()


async def test_a_diagram_that_cannot_be_drawn_is_said(client, here, monkeypatch):
    def broken(_):
        raise RuntimeError("no")

    monkeypatch.setattr(here.workshop._pages, "_draw", broken)
    assert (await client.get("/diagram/buy.svg")).status == 500
