"""How findings look on paper, for programs, and on GitHub."""

import json

import pytest

from engine.actions.catalog import Catalog
from engine.diagnostics import Diagnostic, Report, Severity, Span
from engine.loading.library import load_texts
from engine.loading.rendering import FORMS, render, render_github, render_json, render_text

FLOW = """flow: f
entry: {commands: [f]}
expirs: 24h
steps:
  s:
    text: "🖨 Hello"
    end: completed
"""


def loaded(text=FLOW, name="flows/f.yaml"):
    return load_texts({name: text}, Catalog())


def finding(**changes):
    span = Span(file="a.yaml", line=1, column=4, end_line=1, end_column=6)
    values = {"code": "F0201", "severity": Severity.ERROR, "span": span, "message": "No.", **changes}
    return Diagnostic(**values)


def test_text():
    expected = """flows/f.yaml:3:1: error F0201: A flow has no key “expirs”.
  |
3 | expirs: 24h
  | ^^^^^^
  = expected: arguments, back, cancel, data, entry, expired, expires, flow, key, late, only, progress, remind, \
retention, second_start, steps, title
  = did you mean “expires”?

1 file: 1 error, 0 warnings."""
    assert render(loaded()) == expected


def test_nothing_to_say():
    assert render(loaded(FLOW.replace("expirs", "expires"))) == "1 file: nothing to mend."


def test_colours_only_when_asked():
    assert "\x1b" not in render(loaded())
    coloured = render(loaded(), colour=True)
    assert "\x1b[1;31merror F0201:\x1b[0m" in coloured


def test_the_caret_stands_under_the_place_also_behind_wide_letters():
    report = Report.of([finding(span=Span(file="a.yaml", line=1, column=6, end_line=1, end_column=9))])
    assert render_text(report, {"a.yaml": "打🚀 x abc"}).split("\n")[2:4] == ["1 | 打🚀 x abc", "  |        ^^^"]
    tab = render_text(Report.of([finding()]), {"a.yaml": "\tab\tcd"}).split("\n")
    assert tab[2:4] == ["1 |  ab cd", "  |    ^^"]


def test_a_very_long_line_is_cut_around_the_place():
    span = Span(file="a.yaml", line=1, column=5001, end_line=1, end_column=5004)
    lines = render_text(Report.of([finding(span=span)]), {"a.yaml": "x" * 5000 + "abc" + "y" * 5000}).split("\n")
    assert len(lines[2]) < 200
    at = lines[3].index("^")
    assert lines[2][at : at + 3] == "abc"


def test_a_finding_over_several_lines_marks_the_first():
    span = Span(file="a.yaml", line=1, column=4, end_line=3, end_column=2)
    assert render_text(Report.of([finding(span=span)]), {"a.yaml": "a: bcd\nx\ny"}).split("\n")[3] == "  |    ^^^"


@pytest.mark.parametrize("line", [99, 2])
def test_a_place_outside_the_text_is_no_trouble(line):
    span = Span(file="a.yaml", line=line, column=50, end_line=line, end_column=60)
    assert "No." in render_text(Report.of([finding(span=span)]), {"a.yaml": "a\n"})


def test_without_texts_only_the_messages():
    assert render_text(Report.of([finding(expected="x")])) == "a.yaml:1:4: error F0201: No.\n  = expected: x\n"


def test_nothing_in_a_file_steers_the_terminal():
    shown = render_text(Report.of([finding(message="\x1b[2J")]), {"a.yaml": "a\x1b]0;x\x07b\u202e"})
    assert not any(char in shown for char in "\x1b\x07\u202e")


def test_json():
    read = json.loads(render(loaded(), form="json"))
    assert (read["errors"], read["warnings"]) == (1, 0)
    assert read["findings"][0] == {
        "file": "flows/f.yaml", "line": 3, "column": 1, "end_line": 3, "end_column": 7, "severity": "error",
        "code": "F0201", "message": "A flow has no key “expirs”.", "suggestion": "expires",
        "expected": read["findings"][0]["expected"],
    }  # fmt: skip
    assert json.loads(render_json(Report()))["findings"] == []


def test_github():
    warned = finding(severity=Severity.WARNING, message="50% of\nit", suggestion="x", span=Span(
        file="a,b:c.yaml", line=2, column=3, end_line=2, end_column=5))  # fmt: skip
    assert render_github(Report.of([warned])) == [
        "::warning file=a%2Cb%3Ac.yaml,line=2,col=3,endLine=2,endColumn=5,title=F0201::"
        "50%25 of%0Ait%0Adid you mean “x”?"
    ]
    shown = render(loaded(), form="github").split("\n")
    assert shown[0].startswith("::error file=flows/f.yaml,line=3,col=1,")
    assert shown[-1] == "1 error, 0 warnings."


def test_another_form_is_refused():
    with pytest.raises(ValueError, match="xml"):
        render(loaded(), form="xml")


def test_a_secret_is_not_shown_again_where_it_is_found():
    text = "bot: Shop\nsettings:\n  api_token: 123456789:AAF-abcdefghijklmnopqrstuvwxyz012345\n"
    loaded = load_texts({"bot.yaml": text}, Catalog())
    assert [finding.code for finding in loaded.report.findings if finding.code.startswith("F080")]
    for form in FORMS:
        assert "abcdefghijklmnop" not in render(loaded, form=form)
    assert "api_token: •••" in render(loaded)
