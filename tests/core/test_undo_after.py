"""An undo belongs to outcomes: those under `after:`, else those that no transition names, else every one."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.core.types import RecordType
from tests.core.walker import Walker, action, catalog_of

FLOW = """
flow: order
steps:
  who: {{ask: text, text: Who?}}
  place:
    do: shop.place
    undo: {{do: shop.drop, with: {{id: result.id}}{after}}}
    transitions: {transitions}
  sure:
    ask: yes_no
    text: Sure?
  done: {{end: completed}}
"""
OUTCOMES = {name: RecordType(name=name, fields={}) for name in ("created", "kept", "refused")}
CATALOG = catalog_of(actions={"shop.place": replace(action(), outcomes=OUTCOMES), "shop.drop": action("id")})


def walker(after: str, transitions: str) -> Walker:
    return Walker(FLOW.format(after=after, transitions=transitions), CATALOG).start().say("Ada")


@pytest.mark.parametrize(
    ("after", "transitions", "undone"),
    [
        ("", "{kept: sure, refused: sure, failed: who}", ["created"]),
        ("", "{created: sure, kept: sure, refused: sure, failed: who}", ["created", "kept", "refused"]),
        (", after: [created, kept]", "{created: sure, kept: sure, refused: sure}", ["created", "kept"]),
        (", after: refused", "{kept: sure, refused: sure}", ["refused"]),
    ],
)
def test_only_what_belongs_to_the_outcome_is_undone(after: str, transitions: str, undone: Sequence[str]) -> None:
    for outcome in OUTCOMES:
        gone = walker(after, transitions).outcome(outcome, id=f"{outcome}-1").cancel()
        assert [call.arguments["id"] for call in gone.all_undone] == ([f"{outcome}-1"] if outcome in undone else [])
        back = walker(after, transitions).outcome(outcome, id="x").back()
        assert len(back.all_undone) == (outcome in undone)


def test_failed_is_never_undone() -> None:
    assert walker("", "{created: sure, kept: sure, refused: sure, failed: who}").fail().cancel().all_undone == []


def test_an_action_that_comes_back_late_is_undone_after_its_outcomes_only() -> None:
    for outcome, expected in (("created", ["new"]), ("refused", [])):
        late = walker("", "{kept: sure, refused: sure}").cancel()
        late.comes_back(late.invokes[0], outcome, id="new")
        assert [call.arguments["id"] for call in late.all_undone] == expected
