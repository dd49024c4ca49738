"""Where the engine's log goes on a command line: to standard error, one line a record, no traceback unless asked."""

import logging
import os
import sys


class _OneLine(logging.Formatter):
    """Without the traceback of an exception; STEPGRAM_DEBUG=1 brings it back."""

    def format(self, record: logging.LogRecord) -> str:
        if os.environ.get("STEPGRAM_DEBUG"):
            return super().format(record)
        text = " ".join(record.getMessage().split())
        error = record.exc_info[1] if record.exc_info else None
        return f"stepgram: {text}" + (f" ({type(error).__name__})" if error is not None else "")


def log_to_stderr(level: str) -> None:
    """Send everything from `level` up to standard error, in place of handlers set before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
