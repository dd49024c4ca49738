"""`stepgram run` as a process: started, asked over HTTP, ended by a signal."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = re.compile(r"http://\S+")


class Running:
    """Use it in a `with`: it runs until the end of the block."""

    def __init__(self, folder: Path, *arguments: str, command: str = "run", **environment: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("STEPGRAM_", "TELEGRAM_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "engine", command, *arguments],
            cwd=folder,
            env={**clean, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(30)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def until(self, part: str, seconds: float = 30) -> str:
        """The first new line with this in it."""
        end = time.monotonic() + seconds
        while True:
            line = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            if line is None:
                raise AssertionError("it ended: " + "\n".join(self.lines))
            self.lines.append(line)
            if part in line:
                return line

    def address(self) -> str:
        found = ADDRESS.search(self.until("http://"))
        assert found
        return found[0]

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after this signal."""
        self._process.send_signal(how)
        return self._process.wait(30)

    def ended(self) -> tuple[int, str]:
        """The exit code and everything printed, of one that ends by itself."""
        code = self._process.wait(60)
        while (line := self._queue.get(timeout=10)) is not None:
            self.lines.append(line)
        return code, "\n".join(self.lines)


def get(address: str) -> tuple[int, str]:
    """Status and text of a page."""
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
