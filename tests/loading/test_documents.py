"""Finding the place of a part of a text again, however the text is written in YAML."""

import pytest

from engine.core.model import Template
from engine.loading.documents import Document, locate
from engine.loading.parser_arguments import argument, expression, template
from tests.loading.reading import document


def piece(text: str) -> tuple[Document, Template]:
    read = document(text)
    return read, template(read.root.get("a"))


def at(read: Document, span) -> str:
    assert span.line == span.end_line
    return read.lines[span.line - 1][span.column - 1 : span.end_column - 1]


@pytest.mark.parametrize(
    "text",
    [
        "a: Hello {{ name }}, bye\n",
        "a: 'Hello {{ name }}, bye'\n",
        'a: "Hello {{ name }}, bye"\n',
        "a: |\n  Hello\n  {{ name }}, bye\n",
        "a: |\n\n    Hello\n      {{ name }}, bye\n",
        "a: |2\n    Hello\n  {{ name }}, bye\n",
    ],
)
def test_without_the_document_one_line_and_literal_blocks_are_exact(text):
    read, found = piece(text)
    offset = found.source.index("name")
    assert at(read, locate(found, offset, 4)) == "name"


@pytest.mark.parametrize(
    "text",
    [
        "a: >\n  Hello\n  you {{ name }}, bye\n",
        "a: >-\n  Hello\n\n  you\n  {{ name }}, bye\n",
        'a: "Hel\\"lo \\u00e9\\n {{ name }}, bye"\n',
        "a: 'It''s {{ name }}'\n",
        "a: Hello\n  you {{ name }},\n  bye\n",
        'a: "Hello\n  you {{ name }},\n  bye"\n',
        "a: |\n  Hello\n  {{ name }}, bye\n",
        "a: Hello {{ name }}, bye\n",
    ],
)
def test_with_the_document_every_style_is_exact(text):
    read, found = piece(text)
    offset = found.source.index("name")
    assert at(read, locate(found, offset, 4, read)) == "name"


def test_offsets_outside_are_brought_to_the_ends():
    read, found = piece("a: abc\n")
    assert locate(found, 99, 5).column == 7
    assert at(read, locate(found, 0, 999)) == "abc"
    assert locate(found, -5, 0).column == 4


def test_an_expression_in_braces_points_at_what_is_inside():
    read = document("a: '{{ order.id }}'\n")
    found = expression(read.root.get("a"))
    assert found.source == "order.id"
    assert at(read, locate(found, 6, 2)) == "id"


def test_the_span_of_an_argument_covers_its_source():
    read = document("a: [x.y, 'text {{ z }}', 5]\n")
    items = argument(read.root.get("a")).items
    assert [at(read, item.span) for item in items] == ["x.y", "text {{ z }}", "5"]
