"""Plugins that cannot be offered or fail oddly: one sentence that names the place, and nothing gets out."""

import asyncio
from pathlib import Path

import pytest

from engine.actions import PluginError, Refusal
from engine.actions.discovery import discover
from engine.actions.errors import failure
from engine.actions.testing import context
from engine.runtime.containment import called, contained
from storage.errors import StoreError
from storage.plugin_sql import check_statement

HEAD = """
import asyncio, typing
from dataclasses import dataclass
from engine.actions import Accepted, Context, Refused, action, validator

@dataclass(frozen=True)
class Done:
    n: int = 0

@dataclass(frozen=True)
class Nested:
    inner: "Nested | None"

@dataclass(frozen=True)
class Odd:
    __outcome__ = "not ok!"
"""
F = "async def f(context: Context) -> Done:\n    'Doc.'\n    "


def load(folder: Path, text: str) -> object:
    (folder / "shop.py").write_text(HEAD + text, encoding="utf-8")
    return discover([folder], entry_points=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@action\n" + F, "parentheses"),
        ("@action(timeout='5s')\n" + F, "timeout is in seconds"),
        ("@action(name='my action')\n" + F, "no name for a flow"),
        ("@action()\nasync def f(context: Context) -> Odd:\n    'Doc.'", "no name for a flow"),
        ("@action()\nasync def f(context: Context) -> Nested:\n    'Doc.'", "cannot hold itself"),
        ("@action()\nasync def f(context: Context, *, m: Nested) -> Done:\n    'Doc.'", "cannot hold itself"),
        ("@action()\nasync def f(context: Context, *, m: 'int +') -> Done:\n    'Doc.'", "cannot be read"),
        ("@action()\nasync def f(context: Context, *, m: 'typing.Nope') -> Done:\n    'Doc.'", "cannot be read"),
        ("@action()\nasync def f(context: Context, *, m: str = None) -> Done:\n    'Doc.'", "is None"),
        ("@action()\nasync def f(context: Context, *, min: int, min_: int) -> Done:\n    'Doc.'", "one name"),
        ("@validator()\ndef f(context: Context) -> Accepted | Refused:\n    'Doc.'", "no context"),
        ("@action()\n" + F + "\n@action(name='f')\n" + F.replace(" f(", " g("), "offered twice"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise asyncio.CancelledError", "CancelledError"),
        ("raise ValueError('a\\nb')", "ValueError: a b"),
    ],
)
def test_one_sentence_names_the_plugin(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PluginError, match="shop") as caught:
        load(tmp_path, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["/* x */ COMMIT", "-- x\nROLLBACK", ";COMMIT", " ; /* a */ -- b\n end", "commit;"])
def test_no_comment_hides_the_end_of_a_transaction(text: str) -> None:
    with pytest.raises(StoreError, match="not for plugins"):
        check_statement(text)


def test_a_statement_behind_a_comment_is_allowed() -> None:
    check_statement("-- how many\nSELECT 1")
    check_statement("/* COMMIT */ SELECT 1")
    check_statement("")


class Dumb(Refusal):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_error_without_words_is_sorted_all_the_same() -> None:
    assert failure(Dumb()).kind == "refused"
    assert failure(Dumb()).reason == "Dumb"


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ("raise GeneratorExit", "error", "GeneratorExit"),
        ("raise SystemExit(2)", "error", "SystemExit"),
        ("context.start('f', x=object()); return Done()", "error", "shop.f sent along something"),
        ("context.signal('f', 5, 'n'); return Done()", "error", "shop.f asked for SendSignal"),
        ("context.requests.append('rubbish'); return Done()", "error", "shop.f asked for str"),
        ("return None", "error", "shop.f returned a NoneType"),
    ],
)
def test_what_an_action_does_is_contained_and_its_place_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, body: str, kind: str, said: str
) -> None:
    load(tmp_path, "@action()\n" + F + body)
    catalog = discover([tmp_path], entry_points=False)
    came = asyncio.run(contained(called(catalog.actions["shop.f"], context(), {}), 5))
    assert getattr(came, "kind", None) == kind
    assert said in getattr(came, "reason", "")
    assert [record for record in caplog.records if record.levelname == "ERROR" and said in record.getMessage()]
