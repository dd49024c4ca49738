"""`stepgram chat`: scripts and pipes end to end, in processes of their own, on a real SQLite file."""

import signal
import subprocess
import time
from pathlib import Path

from tests.cli.terminal import COMMAND, HELLO, project, stepgram, surroundings

STRAIGHT = "# straight through\n/hello\nAnna <3\n2\n"


def script(folder: Path, text: str, name: str = "play.txt") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_a_script_straight_through(tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "chat", "--script", script(tmp_path, STRAIGHT))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("\n> /hello\n#1 What is your name?")
    assert "> Anna <3\n#2 Hello Anna <3, which colour?\n   [1] Red" in done.stdout
    assert "[2] Green" in done.stdout
    assert "Anna <3 likes green." in done.stdout
    assert done.stderr == ""
    assert (tmp_path / "data" / "stepgram.sqlite3").is_file()


def test_the_same_from_a_pipe(tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "chat", "--database", "here.sqlite3", given=STRAIGHT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Anna <3 likes green." in done.stdout
    assert (tmp_path / "here.sqlite3").is_file()
    assert not (tmp_path / "data").exists()


def test_a_script_that_does_not_end_the_conversation(tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "chat", given="/hello\nAnna\n")
    assert done.returncode == 1
    assert "the conversation is not" in done.stdout


def test_a_script_that_starts_nothing(tmp_path: Path) -> None:
    project(tmp_path)
    assert stepgram(tmp_path, "chat", given="/helo\n").returncode == 1
    empty = stepgram(tmp_path, "chat", given="# nothing\n")
    assert (empty.returncode, "no inputs" in empty.stdout) == (1, True)


def test_a_broken_line_is_told_with_its_place(tmp_path: Path) -> None:
    name = script(project(tmp_path), "/hello\nAnna\n#7\n2\n")
    done = stepgram(tmp_path, "chat", "--script", name)
    assert done.returncode == 2
    assert "play.txt:3: There is no button 7: message 2 has the buttons 1 to" in done.stdout


def test_a_script_played_again_is_a_new_conversation(tmp_path: Path) -> None:
    name = script(project(tmp_path), STRAIGHT)
    first, second = (stepgram(tmp_path, "chat", "--script", name) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout == second.stdout


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    project(tmp_path)
    process = subprocess.Popen(
        [*COMMAND, "chat"], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=surroundings()
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"/hello\nAnna\n")
    process.stdin.flush()
    while b"which colour" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = stepgram(tmp_path, "chat", given="/hello\nAnna\n2\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(2 lines were played by an earlier run)" in done.stdout
    assert "What is your name?" not in done.stdout
    assert "which colour?" in done.stdout
    assert "Anna likes green." in done.stdout


def test_old_buttons_literal_texts_and_long_ones(tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "chat", given="/hello\n\\/one\\\ntwo\n#2.1\n#2.2\n")
    assert "/one\ntwo likes red." in done.stdout.replace("   two likes", "two likes")
    assert done.returncode == 0


def test_a_flow_by_name(tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "chat", "--flow", "hello", given="Anna\n1\n")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("#1 What is your name?")
    both = stepgram(tmp_path, "chat", "--flow", "hello", "--script", "x.txt")
    assert (both.returncode, "not both" in both.stderr) == (2, True)


TIMED = """\
flow: timed
title: Timed
entry: {commands: [timed]}
steps:
  name:
    ask: text
    text: Quick, your name?
    timeout: 30m
    transitions: {timeout: late}
  done:
    text: In time.
    end: completed
  late:
    text: Too late.
    end: late
"""


def test_a_virtual_clock_turns_at_once(tmp_path: Path) -> None:
    project(tmp_path, timed=TIMED)
    done = stepgram(tmp_path, "chat", "--virtual-clock", given="/timed\n/wait 29m\n/wait 2m\n")
    assert done.returncode == 0, done.stdout
    before, after = done.stdout.split("> /wait 2m")
    assert "Too late." not in before
    assert "Too late." in after
    real = stepgram(tmp_path, "chat", "--customer", "bob", given="/timed\n/wait 31m\n")
    assert (real.returncode, "--virtual-clock" in real.stdout) == (2, True)


SEND = """\
flow: send
title: Send
entry: {commands: [send]}
steps:
  models:
    ask: files
    text: Send your models.
    accept: [.stl]
    count: {min: 1, max: 3}
    done: That's all
  contact:
    ask: phone
    text: Your phone?
  place:
    ask: location
    text: Where?
  done:
    text: "{{ models | count }} files, {{ contact }}, {{ place.latitude }}"
    end: completed
"""


def test_files_contact_and_location(tmp_path: Path) -> None:
    project(tmp_path, send=SEND)
    (tmp_path / "a.stl").write_bytes(b"solid a")
    (tmp_path / "b c.stl").write_bytes(b"solid b" * 100_000)
    first = stepgram(tmp_path, "chat", given='/send\n/file a.stl "b c.stl"\n')
    assert first.returncode == 1
    assert "(/file PATH)" in first.stdout
    button = first.stdout.rpartition("] That's all")[0][-1]
    done = stepgram(
        tmp_path, "chat", "--customer", "bob",
        given=f'/send\n/file a.stl "b c.stl"\n#{button}\n/contact\n/location 52.23 21.01\n',
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "2 files, +447700900123, 52.23" in done.stdout
    missing = stepgram(tmp_path, "chat", "--customer", "eve", given="/send\n/file none.stl\n")
    assert (missing.returncode, "no file “none.stl”" in missing.stdout) == (2, True)


def test_two_customers_do_not_see_each_other(tmp_path: Path) -> None:
    project(tmp_path)
    stepgram(tmp_path, "chat", "--customer", "anna", given="/hello\nAnna\n")
    done = stepgram(tmp_path, "chat", "--customer", "bob", given="/hello\nBob\n1\n")
    assert "Anna" not in done.stdout
    assert done.returncode == 0


def test_faulty_flows_are_told_and_nothing_starts(tmp_path: Path) -> None:
    project(tmp_path, hello=HELLO.replace("{{ name }} likes", "{{ nam }} likes"))
    done = stepgram(tmp_path, "chat", given="/hello\n")
    assert done.returncode == 2
    assert "flows/hello.yaml:" in done.stderr
    assert "Nothing was started." in done.stderr


def test_a_database_that_is_none(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "bad.sqlite3").write_text("This is not a database, it is a letter to a friend. " * 50)
    done = stepgram(tmp_path, "chat", "--database", "bad.sqlite3", given="/hello\n")
    assert done.returncode == 2
    assert done.stderr.startswith("stepgram: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_customer_id_of_odd_characters(tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "chat", "--customer", "a:b c", given="/hello\n")
    assert (done.returncode, "--customer" in done.stderr) == (2, True)


ORDER = """\
flow: order
title: Order
entry: {commands: [order]}
steps:
  colour:
    ask: choice
    text: Which colour?
    keyboard: {red: Red, green: Green}
  place:
    do: shop.place
    with: {colour: colour}
    save: order
    retry: {attempts: 5, first: 1s, factor: 1}
    transitions: {placed: done, failed: sorry}
  done:
    text: "Order {{ order.number }}."
    end: completed
  sorry:
    text: The shop is closed.
    end: failed
"""
SHOP = '''\
"""A shop that answers at the third attempt and writes down every order it takes."""

from dataclasses import dataclass
from pathlib import Path

from engine.actions import Context, Retryable, action


@dataclass(frozen=True)
class Placed:
    number: str


@action()
async def place(context: Context, *, colour: str) -> Placed:
    """Place an order.

    Args:
        colour: What colour.
    """
    asked, taken = Path("asked"), Path("taken")
    count = len(asked.read_text()) if asked.exists() else 0
    asked.write_text("x" * (count + 1))
    if count < 2:
        raise Retryable("closed for lunch")
    keys = set(taken.read_text().split()) if taken.exists() else set()
    taken.write_text("\\n".join(keys | {context.idempotency_key}))
    return Placed(number=f"{colour}-1")
'''


def shop(folder: Path) -> Path:
    project(folder, order=ORDER)
    (folder / "plugins").mkdir()
    (folder / "plugins" / "shop.py").write_text(SHOP, encoding="utf-8")
    return folder


def test_a_script_waits_for_work_that_is_tried_again(tmp_path: Path) -> None:
    done = stepgram(shop(tmp_path), "chat", given="/order\n1\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Order red-1." in done.stdout
    assert len((tmp_path / "taken").read_text().split()) == 1


def test_a_virtual_clock_is_turned_to_the_next_attempt(tmp_path: Path) -> None:
    shop(tmp_path)
    slow = ORDER.replace("first: 1s", "first: 10m")
    (tmp_path / "flows" / "order.yaml").write_text(slow, encoding="utf-8")
    done = stepgram(tmp_path, "chat", "--virtual-clock", "--patience", "3600", given="/order\n1\n", seconds=20)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Order red-1." in done.stdout


def test_patience_ends_and_the_next_run_goes_on(tmp_path: Path) -> None:
    shop(tmp_path)
    first = stepgram(tmp_path, "chat", "--patience", "0", given="/order\n2\n")
    assert first.returncode == 1
    assert "still being tried again" in first.stdout
    second = stepgram(tmp_path, "chat", given="/order\n2\n")
    assert second.returncode == 0, second.stdout
    assert "Order green-1." in second.stdout
    assert "Which colour?" not in second.stdout
    assert len((tmp_path / "taken").read_text().split()) == 1


def test_killed_at_any_moment_and_played_again_it_comes_to_the_same_end(tmp_path: Path) -> None:
    shop(tmp_path)
    name = script(tmp_path, "/order\n2\n")
    for moment in ("> /order", "Which colour?", "> 2", 1, 2):
        if "Order green-1." in killed(tmp_path, name, moment):
            break  # it came to its end before it was killed: another run would be another order
    else:
        assert stepgram(tmp_path, "chat", "--script", name).returncode == 0
    assert len((tmp_path / "taken").read_text().split()) == 1


def killed(folder: Path, name: str, moment: str | int) -> str:
    """What a run printed that was killed when it had printed `moment`, or when the shop had been asked so often."""
    output, asked = folder / "output", folder / "asked"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*COMMAND, "chat", "--script", name], cwd=folder, stdout=file, env=surroundings(PYTHONUNBUFFERED="1")
        )
    while process.poll() is None:
        if isinstance(moment, str):
            come = moment in output.read_text(encoding="utf-8", errors="replace")
        else:
            come = asked.exists() and len(asked.read_text()) >= moment
        if come:
            process.kill()
            break
        time.sleep(0.005)
    assert process.wait() in {0, -signal.SIGKILL}
    return output.read_text(encoding="utf-8", errors="replace")


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    done = stepgram(project(tmp_path), "chat", "--script", "none.txt")
    assert (done.returncode, done.stderr) == (2, "stepgram: none.txt cannot be used: No such file or directory.\n")
