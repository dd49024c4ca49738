"""The developer's guide runs: its files are written into an empty folder and its tests are run there."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"<!-- file: (?P<path>[\w/.]+) -->\n```python\n(?P<code>.*?)```", re.DOTALL)


def test_every_file_of_the_guide_runs(tmp_path: Path) -> None:
    text = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
    blocks = {found["path"]: found["code"] for found in BLOCK.finditer(text)}
    assert len(blocks) == text.count("```python"), "every Python block is named and run"
    for path, code in blocks.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(code, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout


def test_the_guide_lists_what_is_shipped() -> None:
    text = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
    shipped = {path.stem for path in (ROOT / "plugins").iterdir() if not path.name.startswith(("_", "R", "."))}
    assert {f"| `{name}` |" in text for name in shipped} == {True}
