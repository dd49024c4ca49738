"""Texts without Telegram: HTML to entities, pieces of long texts, plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.telegram.texts import Entity, Rendered, plain, render, split


def stretches(rendered: Rendered) -> list[tuple[str, str]]:
    units = rendered.text.encode("utf-16-le")
    return [(e.kind, units[2 * e.offset : 2 * e.end].decode("utf-16-le")) for e in rendered.entities]


@pytest.mark.parametrize(
    ("html", "text", "found"),
    [
        ("<b>a</b> c", "a c", [("bold", "a")]),
        ("😀 <i>x😀</i>y", "😀 x😀y", [("italic", "x😀")]),
        ("<b>a<i>b</i></b>", "ab", [("bold", "ab"), ("italic", "b")]),
        ("&amp;lt; &lt;b&gt;", "&lt; <b>", []),
        ("<tg-spoiler>s</tg-spoiler><span class='tg-spoiler'>t</span>", "st", [("spoiler", "s"), ("spoiler", "t")]),
        (
            "<ins>u</ins><del>d</del><strike>e</strike>",
            "ude",
            [("underline", "u"), ("strikethrough", "d"), ("strikethrough", "e")],
        ),
        ("<a>no link</a><span>no</span><blink>no</blink>", "no linknono", []),
        ("<b></b>x", "x", []),
        ("  <b> a </b>  ", "a", [("bold", "a")]),
        ("<b>open", "open", [("bold", "open")]),
        ("a</b>b", "ab", []),
        ("", "…", []),
        ("<b> </b>", "…", []),
        ("a < b & c", "a < b & c", []),
    ],
)
def test_html_becomes_entities(html, text, found):
    rendered = render(html)
    assert rendered.text == text
    assert stretches(rendered) == found


def test_links_languages_and_emoji():
    rendered = render(
        '<a href="https://x.org/?a=1&amp;b=2">x</a><pre><code class="language-python">y</code></pre>'
        '<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji><blockquote expandable>q</blockquote>'
    )
    assert rendered.entities == (
        Entity(kind="text_link", offset=0, length=1, url="https://x.org/?a=1&b=2"),
        Entity(kind="pre", offset=1, length=1, language="python"),
        Entity(kind="custom_emoji", offset=2, length=2, emoji=5368324170671202286),
        Entity(kind="blockquote", offset=4, length=1, expandable=True),
    )


def test_splits_where_a_reader_would():
    one, two = split(Rendered(text="First line here.\nSecond one is next."), 20)
    assert (one.text, two.text) == ("First line here.", "Second one is next.")
    paragraphs = split(Rendered(text="aaaa aaaa\n\nbbbb\nbbbb bbbb"), 16)
    assert [piece.text for piece in paragraphs] == ["aaaa aaaa", "bbbb\nbbbb bbbb"]


def test_formatting_goes_on_in_the_next_piece():
    pieces = split(render(f"<b>{'word ' * 10}</b>end"), 20)
    assert all(stretches(piece)[0][0] == "bold" for piece in pieces)
    assert "".join(piece.text.replace(" ", "") for piece in pieces) == "word" * 10 + "end"


@given(st.text(alphabet="ab <>&;/😀\n", max_size=80), st.integers(2, 20))
def test_no_text_breaks_it(html, most):
    pieces = split(render(html), most)
    for piece in pieces:
        assert 0 < len(piece.text) <= most
        size = len(piece.text.encode("utf-16-le")) // 2
        assert all(0 <= e.offset < e.end <= size for e in piece.entities)


def test_plain_words():
    assert plain("<b>Print</b> &amp; pay", 200) == "Print & pay"
    assert plain("x" * 300, 200) == "x" * 199 + "…"
