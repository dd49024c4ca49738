"""`stepgram chat` with somebody at the keyboard: a pseudo-terminal, the real program."""

from pathlib import Path

from tests.cli.terminal import Sitting, project, stepgram


def test_a_person_answers_leaves_and_comes_back(tmp_path: Path) -> None:
    project(tmp_path)
    with Sitting(tmp_path, "chat", "--name", "Anna") as sitting:
        sitting.expect("Commands of this bot: /hello")
        sitting.expect("> ")
        sitting.type("/hello")
        sitting.expect("What is your name?")
        sitting.type("#9")
        sitting.expect("There is no button 9")
        sitting.type("Anna")
        sitting.expect("\x1b[1mAnna\x1b[0m, which colour?")
        sitting.expect("Green")
        sitting.press("D")
        sitting.expect("Everything is kept")
        assert sitting.end() == 0
    with Sitting(tmp_path, "chat", "--name", "Anna") as sitting:
        sitting.expect("Welcome back")
        sitting.expect("which colour?")
        sitting.type("2")
        sitting.expect("Anna likes green.")
        sitting.type("/quit")
        assert sitting.end() == 0


def test_a_killed_sitting_goes_on_where_it_was(tmp_path: Path) -> None:
    project(tmp_path)
    with Sitting(tmp_path, "chat", "--flow", "hello") as sitting:
        sitting.expect("What is your name?")
        sitting.type("Bob")
        sitting.expect("which colour?")
        sitting.kill()
    with Sitting(tmp_path, "chat") as sitting:
        sitting.expect("Welcome back")
        assert sitting.text.count("which colour?") == 1
        sitting.type("1")
        sitting.expect("Bob likes red.")


def test_control_c_ends_it_kindly(tmp_path: Path) -> None:
    project(tmp_path)
    with Sitting(tmp_path, "chat") as sitting:
        sitting.expect("Commands of this bot")
        sitting.expect("> ")
        sitting.press("C")
        sitting.expect("Everything is kept")
        assert sitting.end() == 0


LATE = """\
flow: late
title: Late
entry: {commands: [late]}
steps:
  name:
    ask: text
    text: Your name?
    timeout: 1s
    transitions: {timeout: over}
  done: {text: In time., end: completed}
  over: {text: Too slow., end: late}
"""


def test_a_timer_speaks_while_the_person_thinks(tmp_path: Path) -> None:
    project(tmp_path, late=LATE)
    with Sitting(tmp_path, "chat") as sitting:
        sitting.expect("> ")
        sitting.type("/late")
        sitting.expect("Your name?")
        sitting.expect("Too slow.")
        sitting.expect("> ")


def test_transcript_on_a_terminal_is_plain(tmp_path: Path) -> None:
    project(tmp_path)
    with Sitting(tmp_path, "chat", "--transcript") as sitting:
        sitting.type("/hello")
        sitting.expect("> /hello")
        sitting.expect("#1 What is your name?")
        sitting.press("D")
        assert sitting.end() == 1
        assert "\x1b" not in sitting.text


def test_a_second_process_on_the_same_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    project(tmp_path)
    with Sitting(tmp_path, "chat") as sitting:
        sitting.expect("> ")
        done = stepgram(tmp_path, "chat", given="/hello\n")
        assert done.returncode == 2
        assert done.stderr.startswith("stepgram: ")
        assert done.stderr.count("\n") == 1
