"""What begins beside is part of a transcript: the bot says it, its buttons work, and nothing is disturbed."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine.actions import Context, action
from engine.actions.catalog import Catalog
from engine.core.values import Value
from engine.loading.transcripts_parser import parse_text
from engine.settings import Settings
from engine.transcripts.player import play
from engine.transcripts.results import Passed
from tests.runtime.harness import offering

FLOWS = {
    "order": """
flow: order
entry: {commands: [order]}
key: "'42'"
steps:
  send:
    do: news.send
    transitions: {done: name}
  name:
    ask: text
    text: Your name?
  bye:
    text: "Bye {{ name }}"
    end: completed
""",
    "order_news": """
flow: order_news
arguments: {news: text, number: integer}
steps:
  sent:
    text: "{{ news }} {{ number }}"
    keyboard: [[{text: Fine, trigger: fine}]]
    transitions: {fine: thanks}
  thanks:
    text: Thanks.
    end: completed
""",
    "team": """
flow: team
only: admin
arguments: {word: text}
steps:
  say:
    text: "Team {{ word }}"
    end: completed
""",
    "bot": "bot: Test\nlanguages: [en]\nroles: {admin: []}\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    pass


@action(transactional=True)
async def send(context: Context) -> Done:
    """Tells customer and team."""
    payload: dict[str, Value] = {"number": 7, "more": "x"}
    context.work.news("order", "42", "shipped", chat=context.chat, otherwise="order_news", payload=payload)
    context.work.tell_role("admin", "team", word="hello")
    context.work.tell("web:somebody_else", "team", word="unseen")
    return Done()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FLOWS.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("admin", [True, False])
async def test_the_bot_says_it_and_the_conversation_goes_on(folder: Path, catalog: Catalog, *, admin: bool) -> None:
    offered = replace(catalog, actions={**catalog.actions, **offering("news", send).actions})
    steps = [
        "customer: {name: Anna, roles: [admin]}" if admin else "customer: {name: Anna}",
        "steps:",
        "  - says: /order",
        "  - bot: Your name?",
        "  - bot: shipped 7",
        "    buttons: [[Fine], [✖️ Cancel]]",
        *(["  - bot: Team hello"] if admin else []),
        "  - says: Ida",
        "  - bot: Bye Ida",
        "  - ends: {flow: order, outcome: completed}",
        "  - bot: {has: order_news}",
        "  - presses: Fine",
        "  - bot: Thanks.",
        "  - ends: {flow: order_news, outcome: completed}",
    ]
    read = parse_text("\n".join(["test: A test", *steps]) + "\n", "t.yaml", offered)
    assert read.transcript is not None, read.findings
    result = await play(read.transcript, settings=Settings(flows=folder), catalog=offered)
    assert result == Passed(name="A test"), str(result)
