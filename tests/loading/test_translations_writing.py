"""A file of translations is brought up to its flows, and every byte that nobody had to touch stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.actions.catalog import Catalog
from engine.core.model import Flow
from engine.loading.library import load_texts
from engine.loading.source import read_text
from engine.loading.translations import Locale, parse_locale
from engine.loading.translations_state import states
from engine.loading.translations_writing import Unwritable, Update, fresh, updated

NAME = "flows/locales/de.yaml"
HELLO = """\
flow: hello
title: Hello
entry: {commands: [hello]}
steps:
  name:
    ask: text
    text: What is your name?
    label: Name
  how:
    ask: choice
    text: |
      <b>How</b> are you?

      Tell us.
    keyboard: {fine: Fine, "so: so": So so}
  thanks:
    text: Thank you!
    end: completed
"""
BYE = "flow: bye\ntitle: Good bye\nentry: {commands: [bye]}\nsteps:\n  end: {text: See you., end: completed}\n"


def flows(*texts: str) -> tuple[Flow, ...]:
    found = load_texts({f"{number}.yaml": text for number, text in enumerate(texts)}, Catalog())
    assert found.report.ok
    return found.flows


def update(*texts: str) -> Update:
    return Update(name=NAME, source="en", flows=flows(*(texts or (HELLO,))))


def locale(text: str) -> Locale:
    read = read_text(text, NAME)
    assert read.document is not None
    return parse_locale(read.document)


def open_(text: str, *sources: str) -> dict[str, list[str]]:
    """What is still to be done for each flow."""
    found = states(flows(*(sources or (HELLO,))), [locale(text)], "de")
    return {
        f"{state.flow} {word}": [lacking.name for lacking in lackings]
        for state in found
        for word, lackings in (("missing", state.missing), ("stale", state.stale), ("unused", state.unused))
        if lackings
    }


WHOLE = """\
# Ours.
texts:
  hello:
    title: "Hallo"   # short
    name.text: Wie heißen Sie?
    name.label: 'Ihr Name'

    # About how they are:
    how.text: |
      <b>Wie</b> geht es Ihnen?

      Erzählen Sie.
    how.keyboard.fine: Gut
    "how.keyboard.so: so": Geht so
    thanks.text: >-
      Vielen
      Dank!
"""


def test_a_new_file() -> None:
    assert fresh(update(), heading=["# German."]) == (
        "# German.\n"
        "texts:\n"
        "  hello:\n"
        "    # en: Hello\n"
        "    title:\n"
        "    # en: What is your name?\n"
        "    name.text:\n"
        "    # en: Name\n"
        "    name.label:\n"
        "    # en: <b>How</b> are you?\n"
        "    # en:\n"
        "    # en: Tell us.\n"
        "    how.text:\n"
        "    # en: Fine\n"
        "    how.keyboard.fine:\n"
        "    # en: So so\n"
        '    "how.keyboard.so: so":\n'
        "    # en: Thank you!\n"
        "    thanks.text:\n"
    )


def test_what_is_whole_gets_its_marks_and_nothing_else() -> None:
    first = updated(WHOLE, update())
    assert first.startswith(WHOLE)
    assert "made_from:\n  hello:\n    title: " in first
    assert updated(first, update()) == first
    assert open_(first) == {}


def test_what_is_missing_comes_where_it_stands_in_the_flow() -> None:
    text = WHOLE.replace("    name.text: Wie heißen Sie?\n", "").replace("    how.keyboard.fine: Gut\n", "")
    assert open_(text) == {"hello missing": ["name.text", "how.keyboard.fine"]}
    done = updated(text, update())
    assert done.startswith(
        WHOLE.replace("    name.text: Wie heißen Sie?\n", "    # en: What is your name?\n    name.text:\n").replace(
            "    how.keyboard.fine: Gut\n", "    # en: Fine\n    how.keyboard.fine:\n"
        )
    )
    assert updated(done, update()) == done
    filled = done.replace("    name.text:\n", "    name.text: Ihr Name?\n").replace("fine:\n", "fine: Prima\n")
    assert open_(updated(filled, update())) == {}


def test_the_first_of_a_flow_and_a_whole_flow() -> None:
    text = WHOLE.replace('    title: "Hallo"   # short\n', "")
    assert "  hello:\n    # en: Hello\n    title:\n    name.text:" in updated(text, update())
    both = updated(WHOLE, update(HELLO, BYE))
    assert both.startswith(WHOLE + "  bye:\n    # en: Good bye\n    title:\n    # en: See you.\n    end.text:\n")
    empty = updated("texts:\n  bye:\n", update(HELLO, BYE))
    assert open_(empty, HELLO, BYE) == open_("texts:\n", HELLO, BYE)
    assert empty.index("  bye:") < empty.index("    end.text:") < empty.index("  hello:")


@pytest.mark.parametrize(
    ("old", "new", "name", "expected"),
    [
        ("title: Hello", "title: Hi", "title",
         '    # en: Hi\n    title:\n      stale: "Hallo"   # short\n'),
        ("label: Name", "label: Your name", "name.label",
         "    # en: Your name\n    name.label:\n      stale: 'Ihr Name'\n"),
        ("Tell us.", "Do tell us.", "how.text",
         "    # About how they are:\n    # en: <b>How</b> are you?\n    # en:\n    # en: Do tell us.\n    how.text:\n"
         "      stale: |\n        <b>Wie</b> geht es Ihnen?\n\n        Erzählen Sie.\n    how.keyboard.fine: Gut\n"),
        ("Thank you!", "Thanks!", "thanks.text",
         "    # en: Thanks!\n    thanks.text:\n      stale: >-\n        Vielen\n        Dank!\n"),
        ("So so", "Well", "how.keyboard.so: so",
         '    # en: Well\n    "how.keyboard.so: so":\n      stale: Geht so\n'),
    ],
)  # fmt: skip
def test_what_is_stale_is_marked(old: str, new: str, name: str, expected: str) -> None:
    noted, changed = updated(WHOLE, update()), HELLO.replace(old, new)
    assert open_(noted, changed) == {"hello stale": [name]}
    marked = updated(noted, update(changed))
    assert expected in marked
    assert [entry.text and entry.text.source for entry in locale(marked).entries] == [
        entry.text and entry.text.source for entry in locale(WHOLE).entries
    ], "every word is still there"
    assert open_(marked, changed) == {"hello stale": [name]}
    assert updated(marked, update(changed)) == marked
    again = updated(marked, update(changed.replace(new, f"{new} Really?")))
    assert again.count(" Really?") == 1
    assert again.replace(" Really?", "") == marked


def test_a_stale_text_that_is_translated_anew_is_current() -> None:
    changed = HELLO.replace("Thank you!", "Thanks!")
    marked = updated(updated(WHOLE, update()), update(changed))
    mended = marked.replace("      stale: >-\n        Vielen\n        Dank!\n", "      Danke!\n")
    done = updated(mended, update(changed))
    assert open_(done, changed) == {}
    assert open_(done, HELLO.replace("Thank you!", "Oh!")) == {"hello stale": ["thanks.text"]}


def test_a_text_that_was_translated_anew_before_anybody_marked_it_is_current() -> None:
    changed = HELLO.replace("label: Name", "label: Your name")
    text = updated(WHOLE, update()).replace("'Ihr Name'", "'Wie Sie heißen'")
    assert open_(text, changed) == {}
    assert open_(updated(text, update(changed)), changed) == {}


def test_what_is_unused_stays_and_is_told() -> None:
    text = WHOLE + "    gone.text: Weg\n  nothing:\n    title: Nichts\n"
    assert open_(text) == {"hello unused": ["gone.text"], "nothing unused": ["title"]}
    assert updated(text, update()).startswith(text)


def test_marks_in_the_middle_come_to_the_end() -> None:
    text = "made_from:\n  hello:\n    title: aaaaaa-bbbbbb\n\n# Then\n" + WHOLE
    done = updated(text, update())
    assert done.startswith("# Then\n" + WHOLE)
    assert done.count("made_from:") == 1


def test_line_ends_stay_as_they_are() -> None:
    text = WHOLE.replace("    name.text: Wie heißen Sie?\n", "").replace("\n", "\r\n")
    done = updated(text, update())
    assert done.count("\n") == done.count("\r\n")
    assert "    # en: What is your name?\r\n    name.text:\r\n" in done
    assert updated(done, update()) == done


@pytest.mark.parametrize(
    "text",
    [
        WHOLE + "    x.text: 'a\u2028b'\n",
        "texts: {hello: {title: Hallo}}\n",
        "texts:\n  hello: {title: Hallo}\n",
        "texts: [\n",
        "texts:\n  hello:\n    title: 1\n    title: 2\n",
    ],
)
def test_what_cannot_be_added_to_is_refused(text: str) -> None:
    with pytest.raises(Unwritable, match=r"de\.yaml"):
        updated(text, update())


WORDS = st.text(st.sampled_from("aß: #'\"{}|>-\n\\%&*!"), min_size=1, max_size=20)


@settings(max_examples=40, deadline=None)
@given(st.lists(WORDS, min_size=8, max_size=8), st.sets(st.integers(0, 7)), st.sets(st.integers(0, 3)))
def test_no_word_is_ever_lost(words: list[str], gone: set[int], stale: set[int]) -> None:
    """Whatever stands in a file and however it is written: after an update it says the same, and another changes
    nothing."""
    import json

    names = ["title", "name.text", "name.label", "how.text", "how.keyboard.fine", "how.keyboard.so: so", "thanks.text"]
    lines = [
        f"    {json.dumps(name)}: {json.dumps(word, ensure_ascii=False)}\n"
        for number, (name, word) in enumerate(zip(names, words, strict=False))
        if number not in gone
    ]
    text = "texts:\n  hello:\n" + "".join(lines)
    changes = [("Hello", "Hi"), ("What is", "What's"), ("Tell us", "Tell me"), ("Thank you", "Thanks")]
    changed = HELLO
    for number in stale:
        changed = changed.replace(*changes[number])
    try:
        done = updated(updated(text, update()), update(changed))
    except Unwritable:
        assert len(lines) == 0
        return
    said = {entry.name: entry.text and entry.text.source for entry in locale(done).entries}
    assert {name: word for name, word in said.items() if word} == {
        entry.name: entry.text.source for entry in locale(text).entries if entry.text
    }
    assert updated(done, update(changed)) == done
    assert not any(" unused" in key for key in open_(done, changed))
