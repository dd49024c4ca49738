"""Translations of flows: laid beside their texts, judged like those, found wrong at their own place."""

import time
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from engine.actions.discovery import builtin_catalog
from engine.core.conversation import Conversation, Frame, Phase, Visit
from engine.core.machine import compile_flows
from engine.core.model import Argument, Flow, Invocation, NamedArgument, Picture, Template
from engine.diagnostics import Diagnostic, Severity
from engine.loading import codes_translations
from engine.loading.code import Code
from engine.loading.documents import plain
from engine.loading.fingerprints import fingerprint, mark
from engine.loading.library import Loaded, load, load_texts
from engine.loading.plurals import forms_of
from engine.loading.rendering import render_text
from engine.loading.schema import flow_schema
from engine.loading.source import read_text
from engine.loading.translatable import changed, texts_of
from engine.loading.translations import wanted
from engine.runtime.library import Library
from tests.core.walker import NOON
from tests.loading.rules.bench import files

BOT = "bot: Shop\nlanguages: [en, de]\n"
HELLO = """\
flow: hello
title: Hello
entry: {commands: [hello]}
steps:
  name:
    ask: text
    text: What is your name?
  thanks:
    text: Thank you, {{ name }}!
    end: completed
"""
GERMAN = """\
texts:
  hello:
    title: Hallo
    name.text: Wie heißen Sie?
    thanks.text: Danke, {{ name }}!
"""
NAMED = pytest.mark.parametrize("code", codes_translations.CODES, ids=lambda code: code.code)


def loaded(german: str = GERMAN, **more: str) -> Loaded:
    texts = {"bot.yaml": BOT, "hello.yaml": HELLO, "locales/de.yaml": german}
    return load_texts({**texts, **{name.replace("__", "/") + ".yaml": text for name, text in more.items()}},
                      builtin_catalog())  # fmt: skip


def found(german: str = GERMAN, **more: str) -> tuple[Diagnostic, ...]:
    return loaded(german, **more).report.findings


def brief(findings: tuple[Diagnostic, ...]) -> list[tuple[str, str, int, int]]:
    return [(one.code, one.span.file, one.span.line, one.span.column) for one in findings]


# --- the table of codes ---------------------------------------------------------------------------------------


@NAMED
def test_the_bad_example_gives_exactly_this_code(code: Code) -> None:
    report = load_texts(files(code.bad_example), builtin_catalog()).report
    assert {one.code for one in report.findings} == {code.code}, render_text(report)
    assert {one.severity for one in report.findings} == {code.severity}
    for one in report.findings:
        assert one.message.endswith(".")
        assert one.expected or one.suggestion


@NAMED
def test_the_good_example_is_clean(code: Code) -> None:
    report = load_texts(files(code.good_example), builtin_catalog()).report
    assert report.findings == (), render_text(report)


# --- names ------------------------------------------------------------------------------------------------------


def every_template(part: object) -> list[Template]:
    """Every text in a flow but arguments of actions and pictures, however deep."""
    if isinstance(part, Template):
        return [part]
    if isinstance(part, NamedArgument | Argument | Picture):
        return []
    if isinstance(part, Invocation):
        return []
    if isinstance(part, tuple):
        return [text for one in part for text in every_template(one)]
    if is_dataclass(part):
        return [text for field in fields(part) for text in every_template(getattr(part, field.name))]
    return []


def shipped() -> list[Flow]:
    root = Path(__file__).parents[2]
    flows = load(root / "flows", builtin_catalog(), environment={}).flows
    return [*flows, *load(root / "tests" / "flows" / "unseen", builtin_catalog(), environment={}).flows]


@pytest.mark.parametrize("flow", shipped(), ids=lambda flow: flow.name)
def test_every_text_of_a_flow_has_a_name_of_its_own(flow: Flow) -> None:
    names = texts_of(flow)
    default = {id(step.keyboard.source.text) for step in flow.steps if step.keyboard and step.keyboard.source}
    texts = [text for text in every_template(flow) if id(text) not in default]
    assert {id(text) for text in texts} - {id(text) for text in names.values()} == set()
    assert changed(flow, lambda _, text: text) == flow


def test_the_names() -> None:
    text = """
flow: all
title: Title
entry: {commands: [all], menu: Menu}
expired: Expired
key: customer.id
steps:
  one:
    ask: choice
    text: Text
    label: Label
    optional: Skip
    keyboard:
      options: {"15": A little, big: Big}
      rows:
        - [{text: More, trigger: more, if: customer.name}, {text: Even more, trigger: more, if: not customer.name}]
        - [{text: Page, url: "https://example.org/{{ customer.language }}"}, {text: Again, start: all}]
    transitions: {more: {to: one, text: More is coming}}
  two:
    ask: choice
    text: Which?
    keyboard: {from: conversations.menu, text: "Start {{ option.title }}", value: option.flow, empty: Nothing, rows:
      [[{text: Change, edit: [one]}]]}
  three:
    ask: yes_no
    text: Sure?
    "yes": Of course
    "no": Never
    transitions: [{to: four, text: Good}]
  four:
    text: Waiting
    wait:
      paid: {to: five, text: Paid}
      after: {time: 1h, to: five, text: Too late}
  five:
    ask: choices
    text: Tick
    done: Enough
    keyboard: {a: A}
    validators: [{count: {max: 2}, message: Two}]
  end:
    end: completed
"""
    loaded_ = load_texts({"all.yaml": text}, builtin_catalog())
    (flow,) = loaded_.flows
    assert {name: one.source for name, one in texts_of(flow).items()} == {
        "title": "Title", "menu": "Menu", "expired": "Expired",
        "one.text": "Text", "one.label": "Label", "one.optional": "Skip",
        "one.keyboard.15": "A little", "one.keyboard.big": "Big",
        "one.keyboard.more": "More", "one.keyboard.more.2": "Even more",
        "one.keyboard.link": "Page", "one.keyboard.link.url": "https://example.org/{{ customer.language }}",
        "one.keyboard.all": "Again", "one.transitions.more": "More is coming",
        "two.text": "Which?", "two.keyboard.text": "Start {{ option.title }}", "two.keyboard.empty": "Nothing",
        "two.keyboard.edit": "Change",
        "three.text": "Sure?", "three.yes": "Of course", "three.no": "Never", "three.transitions.next": "Good",
        "four.text": "Waiting", "four.transitions.paid": "Paid", "four.transitions.timeout": "Too late",
        "five.text": "Tick", "five.done": "Enough", "five.keyboard.a": "A", "five.validators.count": "Two",
    }  # fmt: skip
    assert set(texts_of(flow)) - set(wanted(flow)) == {"one.keyboard.link.url"}


def test_what_says_nothing_in_words_needs_no_translation() -> None:
    text = HELLO.replace("Thank you, {{ name }}!", "'<b>{{ name }}</b> &amp; {% if name %}✅{% endif %}'")
    (flow,) = load_texts({"hello.yaml": text}, builtin_catalog()).flows
    assert list(wanted(flow)) == ["title", "name.text"]
    (untitled,) = load_texts({"hello.yaml": HELLO.replace("title: Hello\n", "")}, builtin_catalog()).flows
    assert "title" not in wanted(untitled), "the flow's name stands in for it"


# --- judged like the text that they stand for ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "code", "column"),
    [
        ("{{ name }}!", "{{ nam }}!", "F0603", 28),
        ("{{ name }}!", "{{ name | uper }}!", "F0307", 35),
        ("{{ name }}!", "{{ name }!", "F0601", 33),
        ("Danke,", "<b>Danke</i>,", "F0711", 18),
        ("Danke,", "<script>Danke</script>,", "F0711", 18),
    ],
)
def test_what_is_wrong_in_a_translation_is_an_error_at_its_place(old: str, new: str, code: str, column: int) -> None:
    report = loaded(GERMAN.replace(old, new)).report
    assert not report.ok
    first = report.errors[0]
    assert (first.code, first.span.file, first.span.line) == (code, "locales/de.yaml", 5), render_text(report)
    assert first.span.column == column


def test_a_block_knows_its_lines_too() -> None:
    text = GERMAN.replace("Danke, {{ name }}!", "|\n      Danke,\n      liebe {{ nam }}!")
    assert brief(found(text)) == [("F0603", "locales/de.yaml", 7, 16)]


def test_a_button_can_be_too_long_in_one_language() -> None:
    flow = HELLO.replace("    text: What", "    optional: Skip\n    text: What").replace(", {{ name }}", "")
    german = GERMAN.replace(", {{ name }}", "")
    for length, code in ((33, "F0707"), (65, "F0706")):
        text = german + f"    name.optional: {'Ü' * length}\n"
        assert brief(found(text, hello=flow))[0] == (code, "locales/de.yaml", 6, 20)


def test_a_text_can_be_too_long_in_one_language() -> None:
    photo = HELLO.replace("    text: Thank", "    photo: {qr: name}\n    text: Thank")
    text = GERMAN.replace("Danke", "D" * 1100)
    assert brief(found(text)) == []
    assert brief(found(text, hello=photo)) == [("F0709", "locales/de.yaml", 5, 18)]
    assert brief(found(GERMAN.replace("Danke", "D" * 4100))) == [("F0709", "locales/de.yaml", 5, 18)]


def test_a_menu_entry_a_link_and_a_keyboard_can_be_too_much_in_one_language() -> None:
    menu = HELLO.replace("[hello]", "[hello], menu: Hello")
    assert brief(found(GERMAN + f"    menu: {'M' * 257}\n", hello=menu)) == [("F0705", "locales/de.yaml", 6, 11)]
    buttons = "[[{text: Page, url: 'https://a.example'}, {text: On, trigger: on}]]"
    link = HELLO.replace("    end:", f"    keyboard: {buttons}\n  last:\n    end:")
    german = GERMAN + "    thanks.keyboard.link: Seite\n    thanks.keyboard.on: Weiter\n"
    assert brief(found(german, hello=link)) == []
    wrong = german + "    thanks.keyboard.link.url: a.example\n"
    assert brief(found(wrong, hello=link)) == [("F0713", "locales/de.yaml", 8, 31)]


# --- what is wrong with a translation as one ----------------------------------------------------------------------


def test_a_misspelt_name_is_suggested() -> None:
    (first, second) = found(GERMAN.replace("name.text", "nam.text"))
    assert (first.code, second.code) == ("F0973", "F0972")
    assert (second.span.line, second.suggestion) == (4, "name.text")
    (flow,) = [one for one in found(GERMAN.replace("hello:", "helo:")) if one.code == "F0972"]
    assert (flow.span.line, flow.suggestion) == (2, "hello")


def test_thousands_of_names_that_do_not_exist_are_told_quickly() -> None:
    text = "texts:\n  hello:\n" + "".join(f"    step_{number}.text: Hallo\n" for number in range(9000))
    began = time.perf_counter()
    unknown = [one for one in found(text) if one.code == "F0972"]
    assert len(unknown) == 50
    assert time.perf_counter() - began < 8


def test_a_flow_that_cannot_be_read_makes_its_translations_no_fault() -> None:
    broken = HELLO.replace("ask: text", "aks: text")
    assert {one.span.file for one in found(hello=broken)} == {"hello.yaml"}


def test_what_is_missing_is_said_once_for_each_flow() -> None:
    text = "texts:\n  hello:\n    title: Hallo\n"
    (one,) = found(text)
    assert (one.code, one.severity, one.span.line) == ("F0973", Severity.WARNING, 2)
    assert "2 texts" in one.message
    (one,) = found("texts:\n")
    assert "3 texts" in one.message
    assert one.span.line == 1
    texts = {"bot.yaml": BOT, "hello.yaml": HELLO}
    (one,) = load_texts(texts, builtin_catalog()).report.findings
    assert (one.span.file, one.span.line, one.span.column) == ("bot.yaml", 2, 17)
    assert "3 texts" in one.message


def test_a_name_without_a_text_is_still_missing() -> None:
    assert "one text" in found(GERMAN.replace("    title: Hallo\n", "    # en: Hello\n    title:\n"))[0].message


def test_what_has_changed_since_is_stale_until_somebody_translates_it() -> None:
    noted = GERMAN + f"made_from:\n  hello:\n    name.text: {mark('Your name?', 'Wie heißen Sie?')}\n"
    (one,) = found(noted)
    assert (one.code, one.span.line) == ("F0974", 4)
    assert "What is your name?" in str(one.expected)
    assert loaded(noted).report.ok
    assert found(noted.replace("Wie heißen Sie?", "Wie ist Ihr Name?")) == ()
    assert found(GERMAN.replace("Wie heißen Sie?", "{stale: 'Wie heißen Sie?'}"))[0].code == "F0974"
    current = GERMAN + f"made_from:\n  hello:\n    name.text: {mark('What is your name?', 'Wie heißen Sie?')}\n"
    assert found(current) == ()


def test_a_stale_translation_is_still_what_customers_read() -> None:
    german = GERMAN.replace("Wie heißen Sie?", "{stale: 'Wie heißen Sie?'}")
    (flow,) = loaded(german).flows
    assert [text.source for _, text in texts_of(flow)["name.text"].translations] == ["Wie heißen Sie?"]


def test_line_breaks_do_not_make_a_text_stale() -> None:
    assert fingerprint("a\nb  c") == fingerprint("a b c") != fingerprint("a b d")
    assert all(letter.islower() and letter.isascii() for letter in fingerprint("x"))


def test_a_condition_counts_as_putting_in() -> None:
    flow = HELLO.replace("Thank you, {{ name }}!", "'Thank you{% if customer.name %}, {{ name }}{% endif %}!'")
    german = GERMAN.replace("Danke, {{ name }}!", "Danke, {{ name }}!")
    (one,) = found(german, hello=flow)
    assert one.code == "F0975"
    assert "customer.name" in one.message


@pytest.mark.parametrize(
    ("language", "forms"), [("en", (2,)), ("de", (2,)), ("ru", (3, 4)), ("pl", (3, 4)), ("cs", (3, 4)), ("fr", (2, 3)),
                            ("ja", (2,)), ("ar", (4,)), ("pt_BR", (2, 3))]
)  # fmt: skip
def test_how_many_forms_a_language_has(language: str, forms: tuple[int, ...]) -> None:
    assert forms_of(language) == forms


def test_a_wrong_number_of_forms_stands_at_its_word() -> None:
    flow = HELLO.replace("ask: text", "ask: integer").replace(
        "Thank you, {{ name }}!", '\'{{ name }} {{ name | plural("day", "days") }}\''
    )
    german = GERMAN.replace("Danke, {{ name }}!", '\'{{ name }} {{ name | plural("Tag", "Tage", "Tage") }}\'')
    (one,) = found(german, hello=flow)
    assert (one.code, one.span.line, one.span.column) == ("F0977", 5, 40)


def test_files_that_nobody_reads() -> None:
    french = "texts:\n  hello:\n    title: Bonjour\n"
    (one,) = found(locales__fr=french)
    assert (one.code, one.span.file) == ("F0971", "locales/fr.yaml")
    (one,) = found(locales__en=french)
    assert "stands" not in one.message
    assert "flows themselves" in one.message


def test_a_region_is_served_by_its_language() -> None:
    assert found(bot="bot: Shop\nlanguages: [en, de_AT]\n") == ()
    assert found(bot="bot: Shop\nlanguages: [en, de-AT]\n") == ()
    austrian = "texts:\n  hello:\n    title: Servus\n"
    assert found("texts:\n", bot="bot: Shop\nlanguages: [de, de_AT]\n", locales__de_AT=austrian) == ()


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("texts: [\n", "F0101", 1),
        ("texts:\n  hello:\n    title: Hallo\n    title: Guten Tag\n", "F0102", 4),
        ("text:\n  hello: {}\n", "F0201", 1),
        ("texts:\n  hello: Hallo\n", "F0203", 2),
        ("texts:\n  hello:\n    title: [Hallo]\n", "F0203", 3),
        ("texts:\n  hello:\n    title: true\n", "F0203", 3),
        ("texts:\n  hello:\n    title: {old: Hallo}\n", "F0201", 3),
        ("texts:\n  Hello:\n    title: Hallo\n", "F0205", 2),
        ("texts:\n  hello:\n    title: Hallo\nmade_from:\n  hello: {title: '12'}\n", "F0205", 5),
        ("texts:\n  hello:\n    title: 123456789:AAExampleExampleExampleExampleExample0\n", "F0801", 3),
    ],
)
def test_the_form_of_a_file(text: str, code: str, line: int) -> None:
    report = loaded(text).report
    assert not report.ok
    assert {one.span.file for one in report.findings} == {"locales/de.yaml"}
    assert (code, "locales/de.yaml", line) in [one[:3] for one in brief(report.findings)], render_text(report)


def test_editors_know_the_file_too() -> None:
    """`flows.schema.json` is for all three files."""
    judge = Draft202012Validator(flow_schema(builtin_catalog()))
    root = Path(__file__).parents[2] / "flows"
    for path in [*sorted(root.glob("*.yaml")), *sorted((root / "locales").glob("*.yaml"))]:
        document = read_text(path.read_text(encoding="utf-8"), path.name).document
        assert document is not None
        assert [error.message for error in judge.iter_errors(plain(document.root))] == [], path
    assert list(judge.iter_errors({"texts": {"hello": {"title": ["Hallo"]}}}))
    assert list(judge.iter_errors({"texts": {}, "language": "de"}))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(GERMAN)), st.integers(0, 12), st.text(st.sampled_from("{}[]:|>-#'\"\n aü%\t\0~*&!0"), max_size=8)
)
def test_whatever_stands_in_a_file_is_a_finding_and_never_an_exception(at: int, length: int, put: str) -> None:
    text = GERMAN[:at] + put + GERMAN[at + length :]
    found_ = loaded(text)
    assert all(one.span.file in {"locales/de.yaml", "bot.yaml"} for one in found_.report.findings)
    if found_.report.ok:
        compile_flows(found_.flows, found_.bot, builtin_catalog())


# --- files and versions -------------------------------------------------------------------------------------------


def written(folder: Path, german: str = GERMAN) -> Path:
    (folder / "locales").mkdir()
    for name, text in (("bot.yaml", BOT), ("hello.yaml", HELLO), ("locales/de.yaml", german)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_one_file_of_translations_is_checked_with_its_flows(tmp_path: Path) -> None:
    folder = written(tmp_path, GERMAN.replace("{{ name }}", "{{ nam }}"))
    path = folder / "locales" / "de.yaml"
    for asked in (path, folder / "locales", folder):
        report = load(asked, builtin_catalog(), environment={}).report
        assert [one.code for one in report.errors] == ["F0603"], asked
        assert {one.span.file for one in report.findings} == {str(path)}
    assert load(folder / "hello.yaml", builtin_catalog(), environment={}).report.findings == ()


def test_translations_may_lie_beside_flows_of_any_folder(tmp_path: Path) -> None:
    folder = written(tmp_path, "texts:\n")
    (folder / "more" / "locales").mkdir(parents=True)
    (folder / "more" / "locales" / "de.yaml").write_text(GERMAN, encoding="utf-8")
    assert load(folder, builtin_catalog(), environment={}).report.findings == ()


def test_a_changed_translation_is_another_version() -> None:
    versions = [
        loaded(text).flows[0].version
        for text in (GERMAN, GERMAN.replace("Danke", "Vielen Dank"), "texts:\n", "texts: {hello: {nam.text: Hallo}}\n")
    ]
    alone = load_texts({"hello.yaml": HELLO}, builtin_catalog()).flows[0].version
    assert len(set(versions[:3])) == 3
    assert versions[2] == versions[3] == alone
    assert loaded(GERMAN + "made_from: {hello: {title: aaaaaa-bbbbbb}}\n").flows[0].version == versions[0]


def test_an_open_conversation_goes_on_in_the_new_words() -> None:
    catalog = builtin_catalog()
    before, after = (loaded(text) for text in (GERMAN, GERMAN.replace("Wie heißen Sie?", "Ihr Name?")))
    programs = compile_flows(before.flows, before.bot, catalog)
    frame = Frame(
        flow="hello", version=programs["hello"].version, visit=Visit(number=1, step="name", phase=Phase.ASKING)
    )
    open_ = Conversation(id="abcdefghij", chat="c", flow="hello", frames=(frame,), started_at=NOON, touched_at=NOON)
    library = Library.of(compile_flows(after.flows, after.bot, catalog), after.bot)
    adopted = library.adopt(open_)
    assert adopted is not None
    assert adopted.top.version == library.programs["hello"].version != frame.version
    assert adopted.top.visit == frame.visit
