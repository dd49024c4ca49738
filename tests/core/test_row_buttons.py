"""Options with several buttons: a row of them for each option, whichever is pressed keeps the option."""

from typing import Any

import pytest

from engine.core.graph.building import graph_of
from engine.core.machine import compile_flow
from tests.core.walker import Bot, Walker, action, catalog_of, flow_of, source, world_of

CATALOG = catalog_of(actions={"shop.change": action("product", "by")}, sources={"shop.list": source()})
FLOW = """flow: f
steps:
  cart:
    ask: choice
    text: Your cart
    keyboard:
      {options}
      value: option.id
      {more}
      buttons:
        - {{text: "➖", trigger: less, if: option.n > 1}}
        - {{text: "{{{{ option.name }}}} × {{{{ option.n }}}}", trigger: show}}
        - {{text: "➕", trigger: more}}
        - {{text: "🔒", trigger: lock, only: staff}}
      rows:
        - [{{text: Order, trigger: order}}]
    transitions: {{more: more, less: less, show: shown, lock: shown, order: the_end}}
  more:
    text: "More of {{{{ cart.name }}}}"
    transitions: the_end
  less:
    text: "Less of {{{{ cart.name }}}}"
    transitions: the_end
  shown:
    text: "{{{{ cart.name }}}}"
  the_end:
    end: completed
"""
LINES = [{"id": 7, "name": "Tea", "n": 1}, {"id": 8, "name": "<Bun>", "n": 2}, {"id": 9, "name": "Jam", "n": 3}]
GONE = "This choice is not open any more."
CHANGED = "The list has changed. Please choose from the newest one."


def cart(more: str = "search: true", lines: Any = LINES, **world: object) -> Walker:
    text = FLOW.format(options="from: shop.list", more=more)
    return Walker(text, CATALOG, world=world_of(**world)).start().rows(lines)


def test_every_option_is_a_row_and_conditions_see_it() -> None:
    walker = cart()
    assert walker.labels[:4] == [["Tea × 1", "➕"], ["➖", "<Bun> × 2", "➕"], ["➖", "Jam × 3", "➕"], ["Order"]]
    assert cart(customer={"id": "1", "roles": ["staff"]}).labels[0] == ["Tea × 1", "➕", "🔒"]


@pytest.mark.parametrize(("code", "said"), [("b:1:more", "More of &lt;Bun&gt;"), ("b:1:less", "Less of &lt;Bun&gt;")])
def test_a_press_keeps_the_option_and_fires_the_button_s_trigger(code: str, said: str) -> None:
    walker = cart().press_code(code)
    assert walker.over
    assert walker.data["cart"] == LINES[1]
    assert said in [show.text for show in walker.shows]


def test_a_list_of_the_conversation_is_drawn_at_once() -> None:
    head = "data:\n  lines:\n    - {id: 1, name: Tea, n: 2}\n    - {id: 2, name: Bun, n: 1}\nsteps:\n"
    text = FLOW.format(options="items: lines", more="page: 1").replace("steps:\n", head, 1)
    walker = Walker(text, CATALOG).start()
    assert walker.labels[:2] == [["➖", "Tea × 2", "➕"], ["1/2", "›"]]
    walker.press("›")
    assert walker.labels[:2] == [["Bun × 1", "➕"], ["‹", "2/2"]]
    assert walker.press("Bun × 1").data["cart"]["name"] == "Bun"


def test_a_button_that_is_typed_is_pressed_when_only_one_says_that() -> None:
    assert cart().say("bun").rows(LINES).labels[0] == ["➖", "<Bun> × 2", "➕"]  # a search
    assert cart().say("tea × 1").over
    assert cart().say("➕").rows(LINES).step == "cart"  # several say that


def test_presses_that_have_no_place_any_more() -> None:
    walker = cart("page: 2")
    first = walker.shown
    walker.press("›").rows(LINES)
    assert walker.press_code("b:0:more", first).notices == [CHANGED]
    for code in ("b:9:more", "b::more", "b:-1:more", "b:x", "b:99999:more", "r:0"):
        assert walker.press_code(code).notices == [CHANGED], code
    for code in ("b:0:steal", "b:0:lock", "b:0:", "b:0:order"):
        assert walker.press_code(code).notices == [GONE], code
    assert walker.step == "cart"


def test_a_condition_that_does_not_hold_any_more_closes_its_button() -> None:
    assert cart().press_code("b:0:less").notices == [GONE]


def test_without_a_page_no_more_are_drawn_than_telegram_takes() -> None:
    many = [{"id": n, "name": f"Thing {n}", "n": 2} for n in range(60)]
    walker = cart("search: true", many)
    assert sum(map(len, walker.labels)) <= 100
    assert ["1/3", "›"] in walker.labels


def test_the_diagram_has_a_way_for_every_button_and_none_below() -> None:
    program = compile_flow(flow_of(FLOW.format(options="from: shop.list", more=""), CATALOG), CATALOG, Bot())
    ways = {(edge.target, trigger.name) for edge in graph_of(program).edges for trigger in edge.triggers
            if edge.source == "cart"}  # fmt: skip
    assert ways == {("more", "more"), ("less", "less"), ("shown", "show"), ("shown", "lock"), ("the_end", "order")}
