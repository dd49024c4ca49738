"""The flows of the print shop alone, for tests that start the bot dozens of times: each start reads all flows."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOWS = ("print_order", "my_orders", "start", "help", "cancel")


@functools.cache
def print_flows() -> Path:
    """A folder with them and a bot.yaml without the shop; deleted when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="stepgram-flows-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in FLOWS:
        shutil.copy(ROOT / "flows" / f"{name}.yaml", folder)
    bot = (ROOT / "flows" / "bot.yaml").read_text(encoding="utf-8")
    kept = bot.partition("\nplugins:")[0].replace("languages: [en, de, ru]", "languages: [en]")
    assert "languages: [en]\n" in kept
    (folder / "bot.yaml").write_text(kept + "\n", encoding="utf-8")
    return folder
