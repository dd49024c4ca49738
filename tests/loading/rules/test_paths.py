"""The graph: what is reached, what leads to an end, and what is no fault although it looks like one."""

import pytest

from tests.loading.rules.bench import HEAD, check, codes, steps

NAME = "name:\n  ask: text\n  text: Your name?\n"
SIZE = "size:\n  ask: choice\n  text: Which?\n  keyboard: {small: Small, large: Large}\n"

CART = """cart:
  ask: choice
  text: Cart
  redraw: true
  keyboard:
    from: print3d.services
    value: option.id
    buttons: [{text: "➖", trigger: less, if: option.name}, {text: "{{ option.name }} ➕", trigger: more}]
    rows: [[{text: Back, trigger: back}]]
"""

CLEAN = {
    "a quiz that goes around": NAME + "again:\n  ask: yes_no\n  text: Again?\n  transitions: {yes: name, no: done}\n",
    "all options named: nothing goes on below": SIZE
    + "  transitions: {small: done, large: more}\nmore:\n  text: More.\n",
    "conditions fall through to the step below": NAME
    + "  transitions: [{if: answer == 'Anna', to: done}]\nmore:\n  text: More.\n",
    "buttons without a transition go on below": "hello:\n  text: Hello!\n  keyboard: [[{text: Go, trigger: go}]]\n",
    "a wait for nothing but the time": "pay:\n  text: Pay.\n  keyboard: [[{text: Go, trigger: done}]]\n  wait:\n"
    "    after: {time: 30m, to: late}\nlate:\n  text: Too late.\n",
    "retry of a failed action by the customer": "look:\n  do: http.get\n  with: {url: https://example.org}\n"
    "  transitions: {ok: done, not_found: done, refused: done, failed: sorry}\n"
    "sorry:\n  text: That did not work.\n  keyboard: [[{text: Again, trigger: again}]]\n  transitions: {again: look}\n",
    "editing after the final step": NAME
    + "pay:\n  text: Paid.\n  final: true\nage:\n  ask: integer\n  text: Age?\n"
    + "sure:\n  ask: choice\n  text: Sure?\n  keyboard: [[{text: Yes, trigger: sure}, {text: Change, edit: [age]}]]\n",
    "a step of the same name in another flow": "name:\n  text: Hello.\n",
    "a timeout that leads on": NAME + "  timeout: 10m\n  transitions: {timeout: done}\n",
    "a way of its own for a timer that comes late": NAME
    + "  timeout: 10m\n  transitions: {timeout: done, timeout_late: sorry}\nsorry:\n  text: Sorry.\n",
    "a skipped timer where an answer leads on": NAME
    + "  timeout: {after: 10m, late: skip}\n  transitions: {timeout: done}\n",
    "two buttons of one trigger, one of them for some": "hello:\n  text: Hi!\n  keyboard:\n"
    "    - [{text: Go, trigger: go, if: customer.name}, {text: Go on, trigger: go, if: not customer.name}]\n",
    "options with buttons, all named: nothing goes on below": CART
    + "  transitions: {more: done, less: more, back: done}\nmore:\n  text: More {{ cart.name }}.\n",
    "a button of an option that goes on below": CART
    + "  transitions: {more: done}\nmore:\n  text: More {{ cart.name if cart != 'back' else '' }}.\n",
    "a source that cannot answer": "service:\n  ask: choice\n  text: Which?\n"
    "  keyboard: {from: print3d.services, text: '{{ option.name }}', value: option.id}\n"
    "  transitions: {failed: done}\n",
}

FAULTY = {
    "a late way without a time limit": (NAME + "  transitions: {timeout_late: done}\n", ["F0509"]),
    "only a late way": (NAME + "  timeout: 10m\n  transitions: {timeout_late: done}\n", ["F0508"]),
    "hours that nobody knows": (
        NAME + "  timeout: {after: 1h, hours: shop}\n  transitions: {timeout: done}\n",
        ["F0315"],
    ),
    "a skipped timer that was the only way on": (
        "pause:\n  text: Wait.\n  keyboard: [[{text: Go, url: https://example.org}]]\n"
        "  timeout: {until: now, late: {grace: 1h, then: skip}}\n  transitions: {timeout: done}\n",
        ["F0516"],
    ),
    "a button called like the late way": (
        "hello:\n  text: Hi!\n  keyboard: [[{text: Go, trigger: timeout_late}]]\n",
        ["F0507", "F0511"],
    ),
    "below a step that always goes elsewhere": (NAME + "  transitions: done\nmore:\n  text: More.\n", ["F0501"]),
    "all options lead elsewhere": (SIZE + "  transitions: {small: done, large: done}\nmore:\n  text: M.\n", ["F0501"]),
    "two steps that only lead to each other": (
        "one:\n  ask: text\n  text: One?\n  transitions: two\ntwo:\n  ask: text\n  text: Two?\n  transitions: one\n",
        ["F0501", "F0502"],
    ),
    "an action that repeats itself for ever": (
        "look:\n  do: http.get\n  with: {url: https://example.org}\n"
        "  transitions: {ok: done, not_found: done, refused: done, failed: look}\n",
        ["F0504"],
    ),
    "editing what lies before the final step": (
        NAME
        + "pay:\n  text: Paid.\n  final: true\n"
        + "sure:\n  ask: choice\n  text: Sure?\n"
        + "  keyboard: [[{text: Yes, trigger: sure}, {text: Change, edit: [name]}]]\n",
        ["F0505"],
    ),
    "a choice of nothing but links": (
        "hello:\n  ask: choice\n  text: Hi!\n  keyboard: [[{text: Go, url: https://example.org}]]\n",
        ["F0510"],
    ),
    "a button called like an option": (
        "size:\n  ask: choice\n  text: Which?\n"
        "  keyboard: {options: {small: Small}, rows: [[{text: Small, trigger: small}]]}\n",
        ["F0511"],
    ),
    "a button called like a word of the engine": (
        "hello:\n  text: Hi!\n  keyboard: [[{text: Go, trigger: answered}]]\n",
        ["F0511"],
    ),
    "buttons that nobody can press": (
        "hello:\n  text: Hi!\n  end: completed\n  keyboard: [[{text: Go, trigger: go}]]\n",
        ["F0501", "F0512"],
    ),
    "options with buttons, all named, and a step below": (
        CART + "  transitions: {more: done, less: done, back: done}\nmore:\n  text: More.\n",
        ["F0501"],
    ),
    "a transition that no button of an option fires": (CART + "  transitions: {mor: done}\n", ["F0303"]),
    "a button of an option called like one below": (CART.replace("trigger: back", "trigger: more"), ["F0511"]),
    "an option's button called like a word of the engine": (
        CART.replace("trigger: less", "trigger: failed"),
        ["F0511"],
    ),
    "buttons of options that are ticked": (CART.replace("ask: choice", "ask: choices"), ["F0512"]),
    "a field that a row does not have": (CART.replace("{{ option.name }} ➕", "{{ option.nmae }}"), ["F0605"]),
    "a condition of an option's button": (CART.replace("if: option.name", "if: option.nmae"), ["F0605"]),
    "rows that nothing identifies": (CART.replace("    value: option.id\n", ""), ["F0616"]),
    "too many buttons on a page": (CART.replace("    value", "    page: 50\n    value"), ["F0708"]),
    "an option's button that is too long": (CART.replace("{{ option.name }} ➕", "x" * 65), ["F0706"]),
    "a trigger that is too long for its place": (CART.replace("trigger: less", "trigger: " + "x" * 38), ["F0710"]),
    "more ticks than options": (
        "sizes:\n  ask: choices\n  text: Which?\n  keyboard: {small: Small, large: Large}\n  min: 3\n",
        ["F0513"],
    ),
}


@pytest.mark.parametrize("text", CLEAN.values(), ids=CLEAN.keys())
def test_clean(text: str) -> None:
    assert [f"{finding.code} {finding.message}" for finding in steps(text)] == []


@pytest.mark.parametrize(("text", "expected"), FAULTY.values(), ids=FAULTY.keys())
def test_faulty(text: str, expected: list[str]) -> None:
    found = steps(text)
    assert sorted(codes(found)) == expected, [str(finding) for finding in found]


WAITS = "  pay:\n    text: Pay.\n    wait:\n      payment.settled: done\n      after: {time: 30m, to: late}\n"
WAITS += "  late:\n    text: Too late.\n  done:\n    end: completed\n"


def test_signals_find_a_conversation_by_its_key() -> None:
    assert codes(check(HEAD + WAITS)) == ["F0517"]
    assert codes(check(HEAD.replace("steps:", "key: customer.id\nsteps:") + WAITS)) == []


def test_a_flow_that_is_only_called_is_found_by_its_callers_key() -> None:
    called = HEAD.replace("flow: example", "flow: called").replace("entry: {commands: [example]}\n", "") + WAITS
    caller = HEAD + "  go:\n    call: called\n  done:\n    end: completed\n"
    found = check(f"# file: one.yaml\n{called}# file: two.yaml\n{caller}")
    assert [(one.code, one.span.file) for one in found] == [("F0517", "two.yaml")]
    keyed = caller.replace("steps:", "key: customer.id\nsteps:")
    assert codes(check(f"# file: one.yaml\n{called}# file: two.yaml\n{keyed}")) == []


def test_flows_that_call_each_other() -> None:
    one = HEAD.replace("example", "one") + "  go:\n    call: two\n  done:\n    text: D.\n    end: completed\n"
    two = one.replace("flow: one", "flow: two").replace("[one]", "[two]").replace("call: two", "call: one")
    found = check(f"# file: one.yaml\n{one}# file: two.yaml\n{two}")
    assert [(finding.code, finding.span.file, finding.span.line) for finding in found] == [
        ("F0506", "one.yaml", 6),
        ("F0506", "two.yaml", 6),
    ]


def test_a_misspelt_target_brings_no_second_finding() -> None:
    text = (
        "hello:\n  ask: text\n  text: Hi?\n  transitions: lats\n"
        "other:\n  text: O.\n  transitions: done\nlast:\n  text: L.\n"
    )
    (finding,) = steps(text)
    assert (finding.code, finding.suggestion) == ("F0301", "last")


def test_many_steps_are_quick() -> None:
    from time import perf_counter

    body = "".join(
        f"  s{n}:\n    ask: choice\n    text: Step {n}?\n    keyboard: {{a: A, b: B}}\n"
        f"    transitions: {{a: s{n + 1}, b: s{max(0, n - 1)}}}\n"
        for n in range(200)
    )
    begun = perf_counter()
    assert check(HEAD + body + "  s200:\n    text: Done.\n    end: completed\n") == ()
    assert perf_counter() - begun < 10
