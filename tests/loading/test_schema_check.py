"""What is wrong in the form of a file: one precise finding each, at the key or value in question."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.actions.catalog import Catalog
from engine.loading.library import load_texts
from tests.loading.reading import brief, faults, step_faults

END = "steps:\n  s: {end: completed}\n"


@pytest.mark.parametrize(
    ("text", "expected", "suggestion"),
    [
        ("expirs: 24h", ("F0201", 2, 1), "expires"),
        ("expires: 24", ("F0203", 2, 10), None),
        ("expires: 24 hours", ("F0205", 2, 10), None),
        ("expires: ", ("F0203", 2, 1), None),
        ("progress: yes", ("F0203", 2, 11), None),
        ("expires: |\n  5m", ("F0205", 2, 1), None),
        ("second_start: resum", ("F0204", 2, 15), "resume"),
        ("entry: {comands: [a]}", ("F0201", 2, 9), "commands"),
        ("entry: {commands: a}", ("F0203", 2, 19), None),
        ("entry: {commands: []}", ("F0207", 2, 19), None),
        ("entry: {deep_link: {nme: a}}", ("F0201", 2, 21), "name"),
        ("only: 5", ("F0203", 2, 7), None),
        ("data: [a]", ("F0203", 2, 7), None),
        ("data: {A b: 1}", ("F0205", 2, 8), None),
        ("arguments: {a: 5}", ("F0203", 2, 16), None),
        ("retention: always", ("F0205", 2, 12), None),
        ("title: [a]", ("F0203", 2, 8), None),
        ("title: ''", ("F0207", 2, 8), None),
    ],
)
def test_keys_of_a_flow(text, expected, suggestion):
    found = faults(f"flow: f\n{text}\n{END}")
    assert brief(found) == [expected]
    assert found[0].suggestion == suggestion
    assert found[0].expected


@pytest.mark.parametrize(
    ("text", "expected", "suggestion"),
    [
        ("ask: text\ntxt: x", ("F0201", 5, 5), "text"),
        ("ask: text", ("F0202", 4, 5), None),
        ("ask: chioce\ntext: x", ("F0204", 4, 10), "choice"),
        ("ask: \ntext: x", ("F0204", 4, 5), None),
        ("ask: text\ntext: x\nmax_size: 5 MB", ("F0206", 6, 5), None),
        ("ask: file\ntext: x\nmax_size: 50", ("F0203", 6, 15), None),
        ("ask: file\ntext: x\nmax_size: big", ("F0205", 6, 15), None),
        ("ask: file\ntext: x\naccept: [stl]", ("F0205", 6, 14), None),
        ("ask: files\ntext: x\ncount: {min: a}", ("F0203", 6, 18), None),
        ("ask: files\ntext: x\neach: {with: {a: b}}", ("F0202", 6, 5), None),
        ("ask: integer\ntext: x\nmin: a", ("F0203", 6, 10), None),
        ("ask: text\ntext: x\nvalidators: {length: 3}", ("F0203", 6, 17), None),
        ("ask: text\ntext: x\nvalidators: [{message: x}]", ("F0207", 6, 18), None),
        ("ask: text\ntext: x\nvalidators: [{a: 1, b: 2}]", ("F0207", 6, 18), None),
        ("ask: text\ntext: x\nsave: Contact Name", ("F0205", 6, 11), None),
        ("ask: choice\ntext: x\nkeyboard: {}", ("F0207", 6, 15), None),
        ("ask: choice\ntext: x\nkeyboard: a", ("F0203", 6, 15), None),
        ("ask: choice\ntext: x\nkeyboard: {a: }", ("F0203", 6, 16), None),
        ("ask: choice\ntext: x\nkeyboard: {a: {txt: A}}", ("F0201", 6, 20), "text"),
        ("ask: choice\ntext: x\nkeyboard: {fom: a.b, text: y}", ("F0201", 6, 16), "from"),
        ("ask: choice\ntext: x\nkeyboard: {option: {a: A}}", ("F0201", 6, 16), "options"),
        ("ask: choice\ntext: x\nkeyboard: {a: A, columns: 2}", ("F0201", 6, 22), None),
        ("ask: choice\ntext: x\nkeyboard: {from: a.b, txet: y}", ("F0201", 6, 27), "text"),
        ("ask: choice\ntext: x\nkeyboard: {from: A B}", ("F0205", 6, 22), None),
        ("ask: choice\ntext: x\nkeyboard: {from: a.b, items: c}", ("F0209", 6, 27), None),
        ("ask: choice\ntext: x\nkeyboard: {items: c, with: {a: b}}", ("F0206", 6, 26), None),
        ("ask: choice\ntext: x\nkeyboard: {from: a.b, buttons: [{text: A}]}", ("F0202", 6, 37), None),
        ("ask: choice\ntext: x\nkeyboard: {from: a.b, buttons: []}", ("F0207", 6, 36), None),
        (
            "ask: choice\ntext: x\nkeyboard: {from: a.b, buttons: [{text: A, trigger: b, url: c}]}",
            ("F0201", 6, 59),
            None,
        ),
        (
            "ask: choice\ntext: x\nkeyboard: {from: a.b, text: x, buttons: [{text: A, trigger: b}]}",
            ("F0209", 6, 27),
            None,
        ),
        (
            "ask: choice\ntext: x\nkeyboard: {items: c, columns: 2, buttons: [{text: A, trigger: b}]}",
            ("F0209", 6, 26),
            None,
        ),
        ("ask: choice\ntext: x\nkeyboard: {options: {a: A}, buttons: [{text: A, trigger: b}]}", ("F0206", 6, 33), None),
        ("text: x\nredraw: 5m", ("F0203", 5, 13), None),
        ("ask: choice\ntext: x\nkeyboard: {items: [a]}", ("F0203", 6, 23), None),
        ("ask: choice\ntext: x\nkeyboard: {from: a.b, page: 0}", ("F0207", 6, 33), None),
        ("ask: choice\ntext: x\nkeyboard: [[]]", ("F0207", 6, 16), None),
        ("ask: choice\ntext: x\nkeyboard: [{text: a, trigger: b}]", ("F0203", 6, 16), None),
        ("ask: choice\ntext: x\nkeyboard: [[{text: a}]]", ("F0209", 6, 17), None),
        ("ask: choice\ntext: x\nkeyboard: [[{text: a, trigger: b, url: c}]]", ("F0209", 6, 17), None),
        ("ask: choice\ntext: x\nkeyboard: [[{text: a, triger: b, url: c}]]", ("F0201", 6, 27), "trigger"),
        ("text: x\ntransitions: {next: {too: last}}", ("F0201", 5, 26), "to"),
        ("text: x\ntransitions: {next: {text: y}}", ("F0202", 5, 19), None),
        ("text: x\ntransitions: {next: }", ("F0203", 5, 19), None),
        ("text: x\ntransitions: {next: []}", ("F0207", 5, 25), None),
        ("text: x\ntransitions: {next: {to: last, set: {A: 1}}}", ("F0205", 5, 42), None),
        ("text: x\nphoto: {}", ("F0207", 5, 12), None),
        ("text: x\nphoto: {qrr: a}", ("F0201", 5, 13), "qr"),
        ("text: x\nphoto: {file: ../../etc/passwd}", ("F0205", 5, 19), None),
        ("text: [a]", ("F0203", 4, 11), None),
        ("txt: x", ("F0201", 4, 5), "text"),
        ("{}", ("F0202", 4, 5), None),
        ("do: a.b\nretry: {frist: 2s}", ("F0201", 5, 13), "first"),
        ("do: a.b\nretry: {attempts: 0}", ("F0207", 5, 23), None),
        ("do: a.b\ntimeout: 5 min", ("F0205", 5, 14), None),
        ("do: a.b\ntimeout: 0", ("F0207", 5, 14), None),
        ("do: A B", ("F0205", 4, 9), None),
        ("do: a.b\nwith: [a]", ("F0203", 5, 11), None),
        ("do: a.b\nundo: {do: a.c, wiht: {x: y}}", ("F0201", 5, 21), "with"),
        ("do: a.b\nundo: {do: a.c, afer: x}", ("F0201", 5, 21), "after"),
        ("do: a.b\nundo: {do: a.c, after: []}", ("F0207", 5, 28), None),
        ("ask: file\ntext: x\neach: {do: a.c, after: x}", ("F0201", 6, 21), None),
        ("do: a.b\ntext: x", ("F0206", 5, 5), None),
        ("wait: {paid: {text: x}}", ("F0202", 4, 12), None),
        ("wait: {paid: last, until: {to: last}}", ("F0202", 4, 24), None),
        ("wait: {paid: last, after: {time: soon, to: last}}", ("F0205", 4, 38), None),
        ("wait: {Pa id: last}", ("F0205", 4, 12), None),
        ("call: x\nwth: {a: b}", ("F0201", 5, 5), "with"),
        ("end: Completed!", ("F0205", 4, 10), None),
        ("end: {outcom: a}", ("F0201", 4, 11), "outcome"),
        ("do: a.b\nend: x", ("F0209", 5, 5), None),
        ("ask: text\ntext: x\nwait: {a: b}", ("F0209", 6, 5), None),
    ],
)
def test_keys_of_a_step(text, expected, suggestion):
    found = step_faults(text)
    assert [one for one in brief(found) if one[0] != "F0206"] == [expected] or brief(found) == [expected]
    mine = next(one for one in found if one.code == expected[0])
    assert mine.suggestion == suggestion


def test_all_findings_at_once_each_once():
    found = faults(
        "flow: Bad name\nexpirs: 24h\nprogress: maybe\nsteps:\n  a:\n    ask: txt\n    text: x\n  b:\n    ask: text\n"
        "    text: [x]\n    save: 5\n  c: {end: 5}\n  D: {end: x}\n  e:\n"
    )
    assert sorted(brief(found)) == [
        ("F0201", 2, 1), ("F0203", 3, 11), ("F0203", 10, 11), ("F0203", 11, 11), ("F0203", 12, 12), ("F0203", 14, 3),
        ("F0204", 6, 10), ("F0205", 1, 7), ("F0205", 13, 3),
    ]  # fmt: skip


def test_a_key_of_another_kind_says_where_it_belongs():
    found = step_faults("ask: text\ntext: x\nmax_size: 5 MB")[0]
    assert "text" in found.message
    assert "ask: files" in found.expected


def test_sizes_that_would_take_long_are_refused():
    many = "".join(f"  s{number}: {{text: x}}\n" for number in range(501))
    assert brief(faults(f"flow: f\nsteps:\n{many}")) == [("F0207", 2, 1)]
    options = ", ".join(f"o{number}: x" for number in range(501))
    assert brief(step_faults(f"ask: choice\ntext: x\nkeyboard: {{{options}}}")) == [("F0207", 6, 15)]
    assert brief(faults(f"flow: f\narguments: {{a: '{'?' * 8000}', b: '{'list of ' * 800}text'}}\n{END}")) == [
        ("F0207", 2, 17),
        ("F0207", 2, 8024),
    ]


def test_root_faults():
    assert brief(faults("steps: {}\n")) == [("F0202", 1, 1), ("F0207", 1, 8)]
    assert brief(faults("flow: f\nsteps: [a]\n")) == [("F0203", 2, 8)]
    assert brief(faults("flow: f\n")) == [("F0202", 1, 1)]
    assert brief(faults(f"flw: f\n{END}")) == [("F0201", 1, 1)]


WORDS = (
    "ask text choice keyboard a from do wait end with to if rows transitions until time 5 1h true null options call "
    "photo qr type list_of_text validators message each set data {{x}}"
)
words = st.sampled_from(["", "list of text", *WORDS.split()])
trees = st.recursive(
    words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=25,
)


def _flow_style(tree):
    if isinstance(tree, list):
        return "[" + ", ".join(map(_flow_style, tree)) + "]"
    if isinstance(tree, dict):
        return "{" + ", ".join(f"'{key}': {_flow_style(value)}" for key, value in tree.items()) + "}"
    return tree if tree not in ("", "{{x}}") else f"'{tree}'"


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.dictionaries(words, trees, max_size=5), min_size=1), trees)
def test_no_tree_raises(steps, data):
    text = f"flow: f\ndata: {_flow_style(data)}\nsteps: {_flow_style(steps)}\n"
    loaded = load_texts({"a.yaml": text}, Catalog())
    assert loaded.report.findings or loaded.flows


@pytest.mark.parametrize(
    ("day", "suggestion"), [("sta", "sat"), ("close", "closed"), ("time_zon", "time_zone"), ("Saturday", None)]
)
def test_a_misspelled_key_of_working_hours_is_the_only_finding(day, suggestion):
    found = faults(f"bot: b\nhours:\n  shop:\n    mon-fri: 09:00-18:00\n    {day}: 10:00-14:00\n")
    assert brief(found) == [("F0201", 5, 5)]
    assert found[0].suggestion == suggestion
    assert found[0].expected == "closed, time_zone; mon, tue, wed, thu, fri, sat, sun, or several days such as mon-fri"


def test_a_misspelled_until_is_not_taken_for_a_signal():
    found = faults("flow: f\nsteps:\n  s:\n    wait:\n      paid: s\n      untill: {time: now, to: s}\n")
    assert brief(found) == [("F0201", 6, 7)]
    assert found[0].suggestion == "until"


@pytest.mark.parametrize("key", ["hours: shop", "late: skip"])
def test_keys_of_a_time_limit_at_the_step_are_told_where_they_belong(key):
    found = faults(f"flow: f\nsteps:\n  s:\n    wait: {{paid: s}}\n    {key}\n")
    assert brief(found) == [("F0201", 5, 5)]
    assert "timeout: {after: 2h, " in (found[0].expected or "")
