"""Where the client library is not installed, the whole folder is skipped with one reason that says what to install."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
WITHOUT = (
    "import sys, pytest\n"
    "sys.modules['pyrogram'] = None\n"
    "sys.exit(pytest.main([sys.argv[1], '-rs', '-p', 'no:cacheprovider', '-o', 'addopts=']))\n"
)


def test_all_modules_are_skipped_and_say_why():
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(FOLDER)],
        cwd=FOLDER.parents[1],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    modules = len(list(FOLDER.rglob("test_*.py")))
    summary = run.stdout.strip().splitlines()[-1]
    assert f" {modules} skipped in" in summary, run.stdout + run.stderr
    assert "error" not in summary
    assert "pip install '.[telegram]'" in run.stdout
