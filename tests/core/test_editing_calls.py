"""Edit and return with called flows and files: what they did is taken back once, what they asked is offered again."""

from tests.core.editor import ASK, CATALOG, edit, flow, started
from tests.core.walker import Walker

CALLED = f"""flow: g
arguments: {{who: text}}
steps:
  street:
{ASK}Street
  town:
{ASK}Town
  book:
    do: shop.order
    with: {{what: street}}
    undo: {{do: shop.cancel, with: {{order: result.id}}}}
  ok:
{ASK}OK?
  the_end:
    end: {{outcome: known, result: {{street: street, town: town}}}}
"""
CALLER = f"""  name:
{ASK}Name
  place:
    call: g
    with: {{who: name}}
  note:
{ASK}Note
"""


def with_call() -> Walker:
    walker = Walker([flow(CALLER, "name, place, note"), CALLED], CATALOG).start().say("Ada")
    walker.say("Main St").say("Krk").outcome("placed", id=1).say("ok").say("n")
    assert walker.step == "home"
    return walker


def test_a_called_flow_that_an_edit_does_not_touch() -> None:
    walker = edit(with_call(), "note").say("m")
    assert walker.step == "home"
    assert walker.all_undone == []


def test_a_called_flow_whose_argument_changed_is_asked_again() -> None:
    walker = edit(with_call(), "name").say("Bob")
    assert walker.frame.flow == "g"
    assert walker.undone == ["shop.cancel"]
    assert walker.button("n:keep").text.endswith("Main St")
    walker.press("n:keep").press("n:keep")
    walker.comes_back(next(i for i in reversed(walker.invokes) if i.name == "shop.order"), "placed", id=2)
    walker.press("n:keep")
    assert walker.step == "home"
    walker.cancel()
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 1}, {"order": 2}]


def test_a_called_flow_is_edited_itself() -> None:
    walker = with_call().press("Edit").press("e:place")
    assert (walker.frame.flow, walker.step) == ("g", "street")
    walker.say("Side St").press("n:keep")
    walker.comes_back(next(i for i in reversed(walker.invokes) if i.name == "shop.order"), "placed", id=2)
    walker.press("n:keep")
    assert walker.step == "home"
    assert walker.data["place"] == {"street": "Side St", "town": "Krk"}
    assert [past.step for past in walker.frame.trail] == ["name", "place", "note"]
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 1}]
    walker.cancel()
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 1}, {"order": 2}]


def test_a_called_flow_edited_with_the_same_result() -> None:
    walker = with_call().press("Edit").press("e:place").press("n:keep").press("n:keep")
    walker.comes_back(next(i for i in reversed(walker.invokes) if i.name == "shop.order"), "placed", id=2)
    walker.press("n:keep")
    assert walker.step == "home"
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 2}]
    walker.cancel()
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 2}, {"order": 1}]


def test_the_edit_of_a_called_flow_left_backwards() -> None:
    walker = with_call()
    before, trail = walker.data, walker.frame.trail
    walker.press("Edit").press("e:place").say("Side St")
    assert walker.step == "town"
    walker.back().back()
    assert walker.step == "home"
    assert walker.data == before
    assert walker.frame.trail == trail
    assert walker.frame.edit is None
    assert walker.all_undone == []


def test_an_edit_inside_a_called_flow() -> None:
    inner = flow(f"  a:\n{ASK}A\n  b:\n{ASK}B\n    validators: [{{contains: '{{{{ a }}}}'}}]\n", "a, b").replace(
        "flow: f", "flow: g"
    )
    outer = f"flow: f\nsteps:\n  first:\n{ASK}F\n  c:\n    call: g\n  last:\n{ASK}L\n  the_end:\n    end: completed\n"
    walker = Walker([outer, inner], CATALOG).start().say("f").say("1").say("12")
    edit(walker, "a").say("2")
    assert walker.step == "b"
    walker.press("n:keep")
    assert walker.step == "home"
    walker.press("Go")
    assert walker.step == "last"
    walker.back()
    assert walker.step == "home"
    assert walker.data == {"a": "2", "b": "12"}


def test_files_are_there_again_in_an_edit() -> None:
    steps = f"  a:\n{ASK}A\n  files:\n    ask: files\n    text: F\n    each: {{do: up.load, with: {{file: file}}}}\n"
    walker = started(steps, "a, files").say("1").send("x.stl").outcome("ready", id=1).press("x:ok")
    edit(walker, "files")
    assert "✅ x.stl" in walker.text
    walker.send("y.stl").outcome("ready", id=2).press("x:ok")
    assert walker.data["files"] == ({"id": 1}, {"id": 2})
    assert walker.step == "home"


def test_progress_in_an_edit_is_that_of_the_step() -> None:
    walker = (
        started(f"  a:\n{ASK}A\n  b:\n{ASK}B\n  c:\n{ASK}C\n", "a, b, c", "progress: true\n").say("1").say("2").say("3")
    )
    edit(walker, "b")
    assert walker.text.startswith("Step 2 of 3")
