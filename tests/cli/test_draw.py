"""`stepgram draw`: every format, files and folders, what is refused, and the diagrams that are committed."""

import struct
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from engine import cli_draw
from engine.cli_draw import DrawError, DrawOptions, draw
from tests.cli.terminal import HELLO, ROOT, project, stepgram

BYE = "flow: bye\nentry: {commands: [bye]}\nsteps:\n  the_end: {text: Bye, end: completed}\n"
REFRESH = "stepgram draw --all --format svg"


def test_committed_diagrams_are_current() -> None:
    done = stepgram(ROOT, "draw", "--all", "--check")
    assert done.returncode == 0, f"{done.stderr}Refresh them with `{REFRESH}`."
    order = stepgram(ROOT, "draw", "print_order", "--output", "flows/diagrams/print_order.mmd", "--check")
    assert order.returncode == 0, order.stderr


def test_diagrams_are_not_read_as_flows(tmp_path: Path) -> None:
    project(tmp_path)
    assert stepgram(tmp_path, "draw", "--all").returncode == 0
    assert [path.name for path in (tmp_path / "flows" / "diagrams").iterdir()] == ["hello.svg"]
    assert stepgram(tmp_path, "check").stdout == "2 files: nothing to mend.\n"


def test_without_a_flow_it_lists_them(tmp_path: Path) -> None:
    project(tmp_path, hello=HELLO, bye=BYE)
    done = stepgram(tmp_path, "draw")
    assert done.returncode == 0
    assert done.stdout == "bye    bye (1 step)\nhello  Say hello (3 steps)\n"


def test_mermaid_on_the_screen(tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "draw", "hello")
    assert done.returncode == 0
    assert done.stdout.startswith("flowchart TD\n")
    assert "s_name --> s_colour" in done.stdout


def test_svg_by_format_or_by_the_name_of_the_file(tmp_path: Path) -> None:
    project(tmp_path)
    shown = stepgram(tmp_path, "draw", "hello", "--format", "svg", "--current", "colour").stdout
    assert ElementTree.fromstring(shown).tag.endswith("svg")
    assert "ask current" in shown
    assert stepgram(tmp_path, "draw", "hello", "--output", "a.svg", "--current", "colour").returncode == 0
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == shown
    assert stepgram(tmp_path, "draw", "hello", "--output", "a.mmd").returncode == 0
    assert (tmp_path / "a.mmd").read_text(encoding="utf-8").startswith("flowchart")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mmd", "a.svg", "flows"]


def test_png_has_the_size_and_shows_texts(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="PNG needs the package resvg_py: pip install 'stepgram[png]'")
    project(tmp_path, hello=HELLO, other=HELLO.replace("What is your name?", "W").replace("hello", "other"))
    assert stepgram(tmp_path, "draw", "hello", "--output", "a.png").returncode == 0
    assert stepgram(tmp_path, "draw", "other", "--output", "b.png").returncode == 0
    one, two = (tmp_path / "a.png").read_bytes(), (tmp_path / "b.png").read_bytes()
    assert one.startswith(b"\x89PNG")
    assert struct.unpack(">II", one[16:24]) == struct.unpack(">II", two[16:24])
    assert struct.unpack(">II", one[16:24])[0] > 500
    assert len(one) > len(two) + 100


def test_png_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(DrawError, match=r"pip install 'stepgram\[png\]'"):
        cli_draw._png("<svg/>")


def test_png_without_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    blank = type(sys)("resvg_py")
    blank.svg_to_bytes = lambda **_: b"nothing to see"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "resvg_py", blank)
    with pytest.raises(DrawError, match="No font was found"):
        cli_draw._png("<svg/>")


def test_png_is_refused_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert draw(DrawOptions(flow="help", form="png")) == 2
    assert "--output FILE.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["helo"], "no flow “helo”. Did you mean “hello”?"),
        (["xyz"], "no flow “xyz”. `stepgram draw` lists all"),
        (["../flows/hello"], "no flow “../flows/hello”"),
        (["hello", "--current", "colur"], "no step “colur”. Did you mean “colour”?"),
        (["hello", "--output", "a.gif"], "What is “a.gif” to be?"),
        (["hello", "--check"], "--output"),
        (["hello", "--all"], "not both"),
        (["--check"], "--all"),
        (["--output", "a.svg"], "--all"),
        (["--all", "--output", "flows/bot.yaml"], "is a file"),
        (["--all", "--check", "--format", "png"], "differs with the fonts"),
        (["hello", "--output", "no/such/folder/a.svg"], "no/such/folder/a.svg"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "draw", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_faulty_flows_are_told_as_check_tells_them(tmp_path: Path) -> None:
    project(tmp_path, hello=HELLO.replace("ask: text", "aks: text"))
    done = stepgram(tmp_path, "draw", "hello")
    assert done.returncode == 1
    assert done.stdout == stepgram(tmp_path, "check").stdout
    assert "flows/hello.yaml:6:5" in done.stdout


def test_stale_missing_and_left_over_files(tmp_path: Path) -> None:
    project(tmp_path, hello=HELLO, bye=BYE)
    folder = tmp_path / "flows" / "diagrams"
    missing = stepgram(tmp_path, "draw", "--all", "--check")
    assert (missing.returncode, missing.stderr.count("does not exist")) == (1, 2)
    assert "stepgram draw --all --format svg --output flows/diagrams" in missing.stderr
    assert stepgram(tmp_path, "draw", "--all").returncode == 0
    assert stepgram(tmp_path, "draw", "--all", "--check").returncode == 0
    text = HELLO.replace("green", "blue").replace("Say hello", "Greet")
    (tmp_path / "flows" / "hello.yaml").write_text(text.replace("Hello", "Dear"), encoding="utf-8")
    stale = stepgram(tmp_path, "draw", "--all", "--check")
    assert (stale.returncode, stale.stderr.count("is not current")) == (1, 1)
    (tmp_path / "flows" / "bye.yaml").unlink()
    assert stepgram(tmp_path, "draw", "--all").returncode == 0
    left = stepgram(tmp_path, "draw", "--all", "--check")
    assert (left.returncode, "bye.svg belongs to no flow" in left.stderr) == (1, True)
    (folder / "bye.svg").unlink()
    (folder / "hello.svg").write_bytes((folder / "hello.svg").read_bytes().replace(b"\n", b"\r\n"))
    assert stepgram(tmp_path, "draw", "--all", "--check").returncode == 0
