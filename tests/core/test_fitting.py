"""What goes out stays within Telegram's limits, and its HTML stays whole."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.effects import Notice, Press, Say, Show
from engine.core.fitting import LONGEST_TEXT, cut_html, fitted


class Reader(HTMLParser):
    """Reads HTML as Telegram does: tags must nest; what is seen is kept."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen = ""

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.seen += data


def seen(html: str) -> str:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader.seen


def test_what_fits_is_left_alone():
    for effect in (
        Say(text="x" * LONGEST_TEXT),
        Say(text="<b>" + "&amp;" * LONGEST_TEXT + "</b>"),
        Show(visit=1, draw=1, text="x" * 2000, photo=("qr", "a")),
        Show(visit=1, draw=1, text="Hi", rows=((Press(text="y" * 64, code="o:a"),),)),
        Notice(text="z" * 200),
    ):
        assert fitted(effect) is effect


def test_a_long_text_is_cut_and_its_tags_are_closed():
    cut = fitted(Say(text="<b>Note:</b> <i>a <u>" + "&lt;" * 20_000 + "</u></i> end")).text
    assert seen(cut) == "Note: a " + "<" * (LONGEST_TEXT - 9) + "…"
    assert cut.endswith("&lt;…</u></i>")


def test_a_link_keeps_its_address():
    cut = cut_html('<a href="https://example.com/?a=1&amp;b=2">' + "word " * 50 + "</a>", 20)
    assert cut == '<a href="https://example.com/?a=1&amp;b=2">word word word word…</a>'


@pytest.mark.parametrize("text", ["<b></b>", "<b> </b>\n<i></i>"])
def test_a_text_that_shows_nothing_is_no_message(text):
    assert fitted(Say(text=text)).text == "…"


def test_labels_and_notices_are_cut():
    shown = fitted(Show(visit=1, draw=1, text="Hi", rows=((Press(text="y" * 65, code="r:1"),),)))
    assert shown.rows[0][0] == Press(text="y" * 63 + "…", code="r:1")
    assert fitted(Notice(text="z" * 300, alert=True)) == Notice(text="z" * 199 + "…", alert=True)


def test_too_many_buttons_lose_options_and_never_the_way_out():
    options = tuple((Press(text=str(n), code=f"f:{n}"),) for n in range(150))
    ways = ((Press(text="Done", code="x:ok"),), (Press(text="Back", code="n:back"), Press(text="X", code="n:cancel")))
    rows = fitted(Show(visit=1, draw=1, text="Hi", rows=(*options, *ways))).rows
    assert rows == (*options[:97], *ways)


def test_too_many_other_buttons_keep_the_last_row():
    drawn = tuple(tuple(Press(text=f"{n}.{m}", code=f"t:{n}.{m}") for m in range(8)) for n in range(20))
    out = (Press(text="Back", code="n:back"),)
    rows = fitted(Show(visit=1, draw=1, text="Hi", rows=(*drawn, out))).rows
    assert sum(map(len, rows)) == 100
    assert rows[-1] == out


pieces = st.recursive(
    st.text("ab ", min_size=1, max_size=9) | st.sampled_from(["&amp;", "&lt;", "&#39;", "ü", "🖨"]),
    lambda inner: (
        st.lists(inner, max_size=5).map("".join)
        | st.tuples(st.sampled_from(["b", "i", "code", "tg-spoiler"]), inner).map(lambda p: f"<{p[0]}>{p[1]}</{p[0]}>")
    ),
)


@given(pieces, st.integers(2, 40))
def test_whatever_is_cut_is_whole_html_and_short_enough(html, most):
    cut = seen(cut_html(html, most))
    assert len(cut) <= most
    assert cut.strip() or not html.startswith("<")
    assert cut in ("…", seen(html)) or seen(html).startswith(cut[:-1])
