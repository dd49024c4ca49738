"""What `undo: after:`, `today`, lists that grow and judged constants mean to the check; what it passes compiles."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import pytest

from engine.actions import Context, action
from engine.actions.catalog import Catalog
from engine.core.machine import compile_flows
from engine.core.model import Bot
from engine.core.program import Program
from engine.loading.library import load_texts
from tests.loading.rules.bench import DONE, HEAD, codes, shipped, steps

HOLD = """
hold:
  do: http.post
  with: {{url: https://api.example.com/holds}}
  undo: {{do: http.delete, with: {{url: "https://api.example.com/{{{{ {path} }}}}"}}{after}}}
  transitions: {{{named}not_found: done, refused: done, failed: done}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    finish: Literal["matt", "gloss"]
    colours: list[Literal["red", "blue"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted:
    pass


@action(transactional=True)
async def paint(context: Context, *, style: Style) -> Painted:
    """Paint it."""
    return Painted()


def programs(text: str, catalog: Catalog | None = None) -> Mapping[str, Program]:
    """A flow with these steps, checked and compiled."""
    known = catalog or shipped()
    body = "".join(f"  {line}\n" for line in (text.strip("\n") + "\n" + DONE).splitlines())
    loaded = load_texts({"example.yaml": HEAD + body}, known)
    assert loaded.report.findings == ()
    return compile_flows(loaded.flows, Bot(), known)


def test_a_plain_text_for_a_template_compiles() -> None:
    programs(HOLD.format(path="hold.status", after="", named=""))
    programs(
        "look:\n  do: http.get\n  with:\n    url: https://api.example.com/a b?\n    query: {q: 1 +, n: 5}\n"
        "    headers: {X-Shop: north/south, Accept: '*/*'}\n"
        "  transitions: {not_found: done, refused: done, failed: done}\n"
    )


def test_fixed_choices_stand_for_themselves_inside_records_and_lists() -> None:
    signature = replace(paint.signature, name="shop.paint")
    found = programs(
        "paint:\n  do: shop.paint\n  with: {style: {finish: matt, colours: [red, blue]}}\n",
        Catalog(actions={"shop.paint": signature}),
    )
    use = found["example"].nodes["paint"].use
    assert use is not None
    assert use.reads == frozenset()
    assert use.evaluate(None) == {"style": {"finish": "matt", "colours": ("red", "blue")}}  # type: ignore[arg-type]


# --- undo -------------------------------------------------------------------------------------------------


def test_an_undo_sees_the_results_of_its_own_outcomes_only() -> None:
    assert steps(HOLD.format(path="result.text", after="", named="")) == ()
    assert steps(HOLD.format(path="result.text", after=", after: ok", named="ok: done, ")) == ()
    (unset,) = steps(HOLD.format(path="result.text", after=", after: [ok, refused]", named="ok: done, "))
    (all_named,) = steps(HOLD.format(path="result.text", after="", named="ok: done, "))
    assert (unset.code, all_named.code) == ("F0604", "F0604")


def test_an_undo_after_an_outcome_that_does_not_exist() -> None:
    (found,) = steps(HOLD.format(path="result.status", after=", after: [ok, refusd]", named=""))
    assert (found.code, found.suggestion, found.span.line) == ("F0405", "refused", 8)
    (never,) = steps(HOLD.format(path="result.status", after=", after: failed", named=""))
    assert never.code == "F0405"


# --- days and lists ---------------------------------------------------------------------------------------


def test_bounds_of_a_date_may_count_from_today() -> None:
    day = "day:\n  ask: date\n  text: When?\n  min: {0}\n"
    for bound in ("today", "today + (7 | days)", "today - (1 | days)"):
        assert steps(day.format(bound)) == ()
    (moment,) = steps(day.format("now"))
    assert moment.code == "F0611"
    assert codes(steps(day.format("today + 7"))) == ["F0607"]
    assert steps(day.format("today") + '  validators: [{before: "{{ today + (30 | days) }}"}]\n') == ()


def test_no_step_may_be_called_today() -> None:
    assert codes(steps("today:\n  ask: text\n  text: What?\n")) == ["F0208"]


def test_a_list_grows_in_a_loop() -> None:
    head = HEAD.replace("steps:", "data: {names: {type: list of text, initial: []}}\nsteps:")
    loop = (
        "name:\n  ask: text\n  text: Who?\n"
        "  transitions: {{answered: {{to: more, set: {{names: {0}}}}}}}\n"
        'more:\n  ask: yes_no\n  text: "{{{{ names | join }}}}. More?"\n  transitions: {{yes: name}}\n'
    )
    assert steps(loop.format('"names + [answer]"'), head=head) == ()
    (single,) = steps(loop.format("names + answer"), head=head)
    assert (single.code, single.expected) == ("F0607", "a list on both sides: “+ [item]” adds one item")
    (number,) = steps(loop.format('"names + [1]"'), head=head)
    assert number.code == "F0607"
    (other,) = steps(loop.format('"[1] + [2]"'), head=head)
    assert other.code == "F0611"


# --- constants of validators ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "validator", "place", "message"),
    [
        ("text", '{pattern: "[a-z+"}', (8, 29), "at the end of"),
        ("text", '{pattern: {regex: "(a"}}', (8, 37), "missing )"),
        ("text", "{length: {min: 5, max: 2}}", (8, 19), "the least (5) is more than the most (2)"),
        ("decimal", "{range: {min: 0.5, max: 0.25}}", (8, 19), "the least (0.5)"),
        ("date", '{after: "31.12.2026"}', (8, 27), "write it as 2026-12-31"),
    ],
)
def test_constants_that_cannot_work(kind: str, validator: str, place: tuple[int, int], message: str) -> None:
    (found,) = steps(f"one:\n  ask: {kind}\n  text: One?\n  validators: [{validator}]\n")
    assert (found.code, (found.span.line, found.span.column)) == ("F0411", place)
    assert message in found.message
    assert found.expected


@pytest.mark.parametrize(
    ("kind", "validator", "expected"),
    [
        ("text", '{length: {min: "5", max: 2}}', ["F0403"]),
        ("text", '{pattern: "{{ customer.name }}"}', []),
        ("text", '{length: {min: 5, max: "{{ customer.name | count }}"}}', []),
        ("date", '{after: "{{ today }}"}', []),
    ],
)
def test_only_constants_of_the_right_type_are_judged(kind: str, validator: str, expected: list[str]) -> None:
    assert codes(steps(f"one:\n  ask: {kind}\n  text: One?\n  validators: [{validator}]\n")) == expected
