"""Standard input as lines; the console that keeps the prompt."""

import asyncio
import io
import os

from engine.channels.terminal import Console
from engine.channels.terminal_lines import lines_from, lines_of
from engine.channels.terminal_script import Line, Marks, script_lines
from engine.channels.terminal_text import PLAIN, Style


async def test_lines_of_a_pipe_come_as_they_are_written() -> None:
    reader, writer = os.pipe()
    lines = lines_of(reader)
    os.write(writer, "/order\r\nŻó".encode()[:-1])
    assert await anext(lines) == "/order"
    waiting = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    os.write(writer, "Żó".encode()[-1:] + b"w\nlast \xff")
    assert await waiting == "Żów"
    os.close(writer)
    assert [line async for line in lines] == ["last �"]
    os.close(reader)


async def test_an_empty_pipe_ends_at_once() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    assert [line async for line in lines_of(reader)] == []
    os.close(reader)


async def test_script_lines() -> None:
    raw = ["# a quiz", "/quiz", "", "one\\", "# two\\", "three", "#1", "last\\"]
    assert [line async for line in script_lines(lines_from(raw))] == [
        Line(number=2, text="/quiz"),
        Line(number=4, text="one\n# two\nthree"),
        Line(number=7, text="#1"),
        Line(number=8, text="last"),
    ]


def ids(run: int, *texts: str, script: str = "a.txt") -> list[str]:
    marks = Marks(script=script, customer="terminal:me", run=run, first=texts[0])
    return [marks.next(Line(number=number, text=text)) for number, text in enumerate(texts, start=1)]


def test_update_ids_are_stable_and_depend_on_everything_before() -> None:
    assert ids(1, "/a", "b") == ids(1, "/a", "b")
    assert ids(1, "/a", "b")[:1] == ids(1, "/a", "c")[:1]
    assert len({*ids(1, "/a", "b", "b"), *ids(2, "/a", "b", "b"), *ids(1, "/a", "b", script="b.txt")}) == 8
    assert ids(1, "/a")[0].endswith(":1")


def test_the_console_takes_the_prompt_away_for_a_message_that_comes_late() -> None:
    stream = io.StringIO()
    console = Console(stream, style=Style(ansi=True), interactive=True)
    console.prompt()
    console.write("late")
    console.entered()
    console.write("answer")
    assert stream.getvalue() == "> \r\x1b[Klate\n> answer\n"


def test_a_transcript_shows_what_was_typed_and_no_prompt() -> None:
    stream = io.StringIO()
    console = Console(stream, style=PLAIN, interactive=False)
    console.prompt()
    console.echo("two\nlines")
    console.write("·  ok")
    console.leave()
    assert stream.getvalue() == "\n> two\n  lines\n·  ok\n"
