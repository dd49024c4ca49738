"""Discovery: namespaces, a product's own folder, entry points, and plugins that are broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.actions import PluginError, SignatureError
from engine.actions.discovery import builtin_catalog, discover

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = '''
from dataclasses import dataclass
from engine.actions import Context, action

@dataclass(frozen=True)
class Done:
    text: str

@action()
async def greet(context: Context, *, name: str) -> Done:
    """Greet somebody."""
    return Done(text=name)

again = greet
'''


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_catalog() -> None:
    catalog = builtin_catalog()
    assert {"http.get", "print3d.create_order", "conversations.cancel"} <= set(catalog.actions)
    assert {"print3d.services", "conversations.open"} <= set(catalog.sources)
    assert {"length", "pattern", "range"} <= set(catalog.validators)
    assert all(name == signature.name for name, signature in catalog.actions.items())
    assert not [s.name for s in catalog.actions.values() if not all(p.doc for p in s.parameters)]


def test_a_folder_of_the_product(tmp_path: Path) -> None:
    write(tmp_path, "hello.py", PLUGIN)
    write(tmp_path, "parts/__init__.py", "from .inner import greet\n")
    write(tmp_path, "parts/inner.py", PLUGIN)
    write(tmp_path, "_private.py", "raise RuntimeError")
    write(tmp_path, "README.md", "no plugin")

    catalog = discover([tmp_path, tmp_path / "missing"], entry_points=False)

    assert {"hello.greet", "parts.greet"} <= set(catalog.actions)
    assert "print3d.upload" in catalog.actions
    assert set(discover([tmp_path], entry_points=False).actions) == set(catalog.actions)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("raise ValueError('no key')", "no key"),
        (PLUGIN.replace("name: str", "name: float"), "Decimal instead of float"),
    ],
)
def test_a_broken_plugin_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PluginError, match=r"hello\.py") as caught:
        discover([write(tmp_path, "hello.py", text)], entry_points=False)
    assert said in str(caught.value)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a", "hello.py", PLUGIN)
    write(tmp_path / "b", "hello.py", PLUGIN)
    with pytest.raises(PluginError, match=r"hello\.greet.*twice"):
        discover([tmp_path / "a", tmp_path / "b"], entry_points=False)
    write(tmp_path / "c", "print3d.py", PLUGIN.replace("def greet", "def upload").replace("= greet", "= upload"))
    with pytest.raises(PluginError, match=r"print3d\.upload"):
        discover([tmp_path / "c"], entry_points=False)


def test_the_repositorys_own_folder_is_not_taken_twice() -> None:
    assert discover([ROOT / "plugins"], entry_points=False).actions.keys() == builtin_catalog().actions.keys()


def test_a_plugins_folder_in_the_working_directory_shadows_nothing(tmp_path: Path) -> None:
    write(tmp_path, "plugins/__init__.py", "")
    write(tmp_path, "plugins/hello.py", PLUGIN)
    script = (
        "from pathlib import Path; from engine.actions.discovery import discover;"
        "print(*discover([Path('plugins')], entry_points=False).actions)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {"hello.greet", "http.get"} <= set(done.stdout.split())


def test_an_installed_stepgram_in_a_clone_takes_the_clones_plugins(tmp_path: Path) -> None:
    for package in ("engine", "plugins", "storage"):
        for place in ("installed", "clone"):
            copied = shutil.ignore_patterns("__pycache__", "*.md")
            shutil.copytree(ROOT / package, tmp_path / place / package, ignore=copied)
    write(tmp_path, "clone/plugins/hello.py", PLUGIN)
    script = (
        "from pathlib import Path; import engine; from engine.actions.discovery import discover;"
        "print(engine.__file__, *discover([Path('plugins')], entry_points=False).actions)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path / "clone",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "installed"))
    assert {"hello.greet", "http.get", "print3d.create_order"} <= set(done.stdout.split())


def installed(monkeypatch: pytest.MonkeyPatch, folder: Path, module: str) -> None:
    """A real distribution on sys.path: metadata with an entry point, and its module."""
    info = folder / "hello_dist-1.0.dist-info"
    write(info, "METADATA", "Metadata-Version: 2.1\nName: hello-dist\nVersion: 1.0\n")
    write(info, "entry_points.txt", f"[stepgram.plugins]\nhi = {module}\n")
    monkeypatch.syspath_prepend(str(folder))


def test_an_installed_plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed(monkeypatch, write(tmp_path, "hello_installed.py", PLUGIN), "hello_installed")
    assert "hi.greet" in discover().actions
    assert "hi.greet" not in builtin_catalog().actions


@pytest.mark.parametrize("module", ["hello_missing", "hello_other:Done"])
def test_a_broken_installed_plugin_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str) -> None:
    installed(monkeypatch, write(tmp_path, "hello_other.py", PLUGIN), module)
    with pytest.raises(PluginError, match="hello-dist"):
        discover()


def test_a_signature_error_is_a_plugin_error() -> None:
    assert issubclass(SignatureError, PluginError)
