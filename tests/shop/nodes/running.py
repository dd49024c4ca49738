"""Finds the programs of the nodes, starts them, and stops them for sure.

A node is killed by the kernel when the process that started it dies, however that dies.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

CACHE = Path(os.environ.get("STEPGRAM_NODES") or Path.home() / ".cache" / "stepgram-nodes")
"""Where `.ci/nodes` puts what is small enough to be fetched for every run."""
_DEATH_SIGNAL = 1


class NoNode(Exception):
    """A node cannot be had here; the text says what to type."""


def program(name: str, *, cached: str, install: str) -> str:
    """A program on the PATH, or one in the cache folder. Raises NoNode."""
    if found := shutil.which(name):
        return found
    for path in sorted(CACHE.glob(cached)):
        if os.access(path, os.X_OK):
            return str(path)
    raise NoNode(f"there is no {name} on this machine: {install}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _with_parent() -> None:
    """In the child: end with the parent. Where the kernel offers no such thing it is stopped in the usual way only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


class Running:
    """One running program."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.log = folder / "node.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=cwd or folder,
                env={**os.environ, **(environment or {})},
                preexec_fn=_with_parent if os.name == "posix" else None,  # noqa: PLW1509 - it only sets a flag
            )

    def wait(self, ready: Callable[[], object], *, seconds: float = 30) -> None:
        """Until `ready` neither raises nor is false. Raises NoNode."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if ready():
                    return
            except Exception:  # it is not up yet
                pass
            time.sleep(0.03)
        tail = self.log.read_text(errors="replace")[-600:]
        self.stop()
        raise NoNode(f"{self.process.args!r} did not start: {tail}")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)
