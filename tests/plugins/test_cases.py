"""Nothing is shipped without a case: every action and source has a test that is named after it."""

import re
from pathlib import Path

from engine.actions import ActionSignature, SourceSignature, ValidatorSignature
from engine.actions.discovery import builtin_catalog

HERE = Path(__file__).parent


def test_every_action_and_source_has_a_case() -> None:
    catalog = builtin_catalog()
    tests = " ".join(
        found
        for path in HERE.glob("test_*.py")
        for found in re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8"))
    )
    missing = [name for name in (*catalog.actions, *catalog.sources) if name.replace(".", "_") not in tests]
    assert missing == []


def test_everything_shipped_explains_itself() -> None:
    catalog = builtin_catalog()
    offered: list[ActionSignature | SourceSignature | ValidatorSignature] = [
        *catalog.actions.values(),
        *catalog.sources.values(),
        *catalog.validators.values(),
    ]
    for signature in offered:
        assert signature.doc.endswith("."), signature.name
        assert all(parameter.doc for parameter in signature.parameters), signature.name
