"""Texts with their places filled, way by way, and the HTML that Telegram takes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loading.rules.branches import ways_through
from engine.loading.rules.markup import faults, visible


def shown(source: str) -> list[str]:
    return [way.text for way in ways_through(source)]


@pytest.mark.parametrize(
    ("source", "ways"),
    [
        ("Hello", ["Hello"]),
        ("Hello {{ name }}!", ["Hello x!"]),
        ("{% if a %}<b>{% endif %}text{% if a %}</b>{% endif %}", ["<b>text</b>", "text"]),
        ("{% if a %}1{% elif b %}2{% else %}3{% endif %}", ["1", "2", "3"]),
        ("{% for x in y %}{{ x }},{% endfor %}", ["x,", ""]),
        ("{% for x in y %}{{ x }}{% else %}none{% endfor %}", ["x", "none"]),
        ("{% if a %}{% if b %}1{% else %}2{% endif %}{% else %}3{% endif %}", ["1", "3"]),
        ("a{# never seen #}b", ["ab"]),
    ],
)
def test_ways_through(source: str, ways: list[str]) -> None:
    assert shown(source) == ways


def test_offsets_lead_back_to_the_source() -> None:
    source = "{% if a %}{{ name }}{% endif %} <b>"
    way = ways_through(source)[0]
    assert way.text == "x <b>"
    assert source[way.offset(way.text.index("<"))] == "<"


@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b> <i>it</i> <u>u</u> <s>s</s>",
        '<a href="https://example.org/?a=1&amp;b=2">here</a>',
        '<span class="tg-spoiler">x</span><tg-spoiler>y</tg-spoiler>',
        "<blockquote expandable>long</blockquote>",
        '<pre><code class="language-python">1 &lt; 2</code></pre>',
        '<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>',
        "2 > 1 &amp; &#33; &quot;",
    ],
)
def test_html_that_telegram_takes(text: str) -> None:
    assert list(faults(text)) == []


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("<b>never closed", 0),
        ("closed</b>", 6),
        ("<b><i>crossed</b></i>", 13),
        ("<big>big</big>", 0),
        ("1 < 2", 2),
        ("salt & pepper", 5),
        ("&nbsp;", 0),
        ("<a>here</a>", 0),
        ('<a href="x" target="_blank">x</a>', 0),
        ('<span class="red">x</span>', 0),
        ("<b class='x'>x</b>", 0),
        ("line<br>", 4),
    ],
)
def test_html_that_telegram_refuses(text: str, at: int) -> None:
    assert next(iter(faults(text))).offset == at


def test_what_is_visible() -> None:
    assert visible("<b>1 &lt; 2</b>") == "1 < 2"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab{}%<>/&;\"'= \nifendforelse#", max_size=60))
def test_no_text_is_too_strange(source: str) -> None:
    for way in ways_through(source):
        assert len(way.text) == len(way.offsets)
        assert all(0 <= offset < len(source) for offset in way.offsets)
        for fault in faults(way.text):
            assert 0 <= fault.offset < len(way.text)
            assert fault.offset + fault.length <= len(way.text)


@pytest.mark.parametrize("text", ["one<br>two", "one<br/>two", "one<BR />two"])
def test_a_line_break_of_html_is_told_to_be_a_new_line(text: str) -> None:
    (fault,) = faults(text)
    assert (fault.offset, fault.length) == (3, len(text) - 6)
    assert "new line" in fault.expected
