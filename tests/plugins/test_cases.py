"""Nothing is shipped without a case: every action, source, service, webhook and command is really called by a test.

A plugin whose tests lie in this folder has tests named after what it offers. The shop's plugins are tested together in
`tests/shop`: there the test's source must call the function, with each of its outcomes named beside it.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click

from engine.actions import ActionSignature, SourceSignature, ValidatorSignature
from engine.actions.discovery import builtin_catalog

HERE = Path(__file__).parent
SHOP = HERE.parent / "shop"
TOGETHER = ("shop", "payments", "chains", "keys")
"""Plugins whose tests are in `tests/shop`."""


@dataclass(kw_only=True)
class Told:
    """What one file of tests says."""

    called: set[str]
    """`plugin.function`, as it is imported; `shop.name` of what the shop's bench does and lists."""
    names: set[str]
    """Every name and every text in it."""


@cache
def files() -> tuple[Told, ...]:
    return tuple(_told(ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(SHOP.glob("test_*.py")))


def _told(tree: ast.Module) -> Told:
    plugin_of = {
        alias.asname or alias.name: (node.module.split(".")[1], alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("plugins.")
        for alias in node.names
    }
    told = Told(called=set(), names=set())
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="does" | "lists"), args=[ast.Constant(value=str(name)), *_]):
                told.called.add(f"shop.{name}")
            case ast.Call(func=function):
                parts = ast.unparse(function).split(".")
                if parts[0] in plugin_of:
                    told.called.add(".".join(plugin_of[parts[0]]))
                elif len(parts) > 1 and parts[0] in TOGETHER:
                    told.called.add(f"{parts[0]}.{parts[1]}")
            case ast.Name(id=name) | ast.Constant(value=str(name)):
                told.names.add(name)
    return told


def _named() -> str:
    return " ".join(
        found
        for path in HERE.glob("test_*.py")
        for found in re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8"))
    )


def _is_called(name: str, function: Any) -> bool:
    plugin = name.partition(".")[0]
    if plugin not in TOGETHER:
        return name.replace(".", "_") in _named()
    wanted = {name, f"{plugin}.{function.__name__}"}
    return any(wanted & told.called for told in files())


def test_every_action_and_source_has_a_case() -> None:
    catalog = builtin_catalog()
    offered = {**catalog.actions, **catalog.sources, **catalog.services}
    assert [name for name, one in offered.items() if not _is_called(name, one.function)] == []


def test_every_outcome_of_the_shops_actions_has_a_case() -> None:
    missing: list[str] = []
    for name, action in builtin_catalog().actions.items():
        plugin = name.partition(".")[0]
        here = [told for told in files() if {name, f"{plugin}.{action.function.__name__}"} & told.called]
        said = set().union(*(told.names for told in here))
        for outcome in action.outcomes if plugin in TOGETHER else ():
            if not {outcome, "".join(word.capitalize() for word in outcome.split("_"))} & said:
                missing.append(f"{name}: {outcome}")
    assert missing == []


def test_every_webhook_has_a_case() -> None:
    for path in builtin_catalog().webhooks:
        assert any(path in told.names for told in files()), path


def test_every_command_of_a_plugin_has_a_case() -> None:
    for name, command in builtin_catalog().commands.items():
        for words in _leaves(command.load(), (name,)):
            assert any(set(words[1:] or words) <= told.names for told in files()), " ".join(words)


def _leaves(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from _leaves(one, (*words, name))
    else:
        yield words


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
