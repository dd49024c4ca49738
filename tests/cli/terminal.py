"""Runs the real `stepgram` in a process of its own: with pipes, or on a pseudo-terminal. For tests only."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "engine"]
HELLO = """\
flow: hello
title: Say hello
entry: {commands: [hello]}
steps:
  name:
    ask: text
    text: What is your name?
  colour:
    ask: choice
    text: Hello <b>{{ name }}</b>, which colour?
    keyboard: {red: Red, green: Green}
  done:
    text: "{{ name }} likes {{ colour }}."
    end: completed
"""


def project(folder: Path, **flows: str) -> Path:
    """A folder of flows with a bot.yaml."""
    place = folder / "flows"
    place.mkdir()
    (place / "bot.yaml").write_text("bot: Test bot\n", encoding="utf-8")
    for name, text in (flows or {"hello": HELLO}).items():
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def surroundings(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STEPGRAM_", "TELEGRAM_", "API_BASE_URL"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **more}


def stepgram(
    folder: Path, *arguments: str, given: str = "", seconds: float = 60, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run to the end with `given` as standard input. Never with a traceback."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=seconds,
        env=surroundings(**environment),
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


class Sitting:
    """An interactive session on a pseudo-terminal."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.text = ""
        self._read = 0
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=surroundings(TERM="xterm"),
            start_new_session=True,
            preexec_fn=_own_terminal,  # noqa: PLW1509 - the child has one thread
        )
        os.close(slave)

    def __enter__(self) -> "Sitting":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    def expect(self, words: str, seconds: float = 30) -> str:
        """Read until `words` have come after what was expected before; what was read on the way."""
        end = time.monotonic() + seconds
        while (place := self.text.find(words, self._read)) < 0:
            if not self._more(end - time.monotonic()):
                raise AssertionError(f"“{words}” did not come; so far:\n{self.text}")
        seen = self.text[self._read : place]
        self._read = place + len(words)
        return seen

    def type(self, line: str) -> None:
        os.write(self._master, line.encode() + b"\n")

    def press(self, character: str) -> None:
        """A control key: `C` for Ctrl-C, `D` for Ctrl-D."""
        os.write(self._master, bytes([ord(character) - 64]))

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def end(self, seconds: float = 30) -> int:
        """Wait for the end; the exit code."""
        limit = time.monotonic() + seconds
        while self._more(limit - time.monotonic()):
            pass
        code = self._process.wait(timeout=max(1, limit - time.monotonic()))
        assert "Traceback" not in self.text, self.text
        return code

    def _more(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, seconds))
        if not ready:
            return False
        try:
            chunk = os.read(self._master, 4096)
        except OSError:
            return False
        self.text += chunk.decode("utf-8", "replace")
        return bool(chunk)


def _own_terminal() -> None:
    """Make the pseudo-terminal the controlling one, so that Ctrl-C becomes SIGINT, and let SIGINT mean something:
    where the tests run in the background (`pytest &`) it is ignored, and children inherit that."""
    import fcntl
    import termios

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
