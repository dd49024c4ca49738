"""The shipped flows in a folder of their own, so that a saved test does not land among the committed ones."""

import shutil
from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from tests.transcripts.sitting import ROOT


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return discover([ROOT / "plugins"])


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    shutil.copytree(ROOT / "flows", folder, ignore=shutil.ignore_patterns("tests"))
    return folder
