"""Reads from the engine's source which of its own sentences it says, where, and with which places. Tests only."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

ENGINE: Final = Path(__file__).resolve().parents[2] / "engine"
SOURCES: Final = (*sorted((ENGINE / "core").rglob("*.py")), *sorted((ENGINE / "runtime").rglob("*.py")))
VALIDATORS: Final = ENGINE / "actions" / "validators.py"

_NOWHERE: Final[frozenset[str]] = frozenset()
BY_HAND: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        # names put together while running, written out
        ("core/bounds.py", "f'answer.{name}'"): frozenset({"answer.minimum", "answer.maximum"}),
        ("core/answers.py", "f'answer.{name}_words'"): frozenset({"answer.yes_words", "answer.no_words"}),
        ("core/answers.py", "f'day.{name}'"): frozenset({"day.today", "day.tomorrow"}),
        ("core/answers.py", "_WANTED.get(type(question), 'answer.text_wanted')"): frozenset(
            {
                "answer.text_wanted",
                "answer.phone_wanted",
                "answer.location_wanted",
                "answer.file_wanted",
            }
        ),
        ("core/draw.py", "f'answer.{name}'"): frozenset({"answer.yes", "answer.no"}),
        ("actions/validators.py", "f'{key}.between'"): frozenset(
            {"refused.length.between", "refused.range.between", "refused.count.between"}
        ),
        ("actions/validators.py", "f'{key}.min'"): frozenset(
            {"refused.length.min", "refused.range.min", "refused.count.min"}
        ),
        ("actions/validators.py", "f'{key}.max'"): frozenset(
            {"refused.length.max", "refused.range.max", "refused.count.max"}
        ),
        # handed on: the key is found where it is made
        ("actions/validators.py", "f'refused.{key}'"): _NOWHERE,  # by _refused("…")
        ("core/advance.py", "key"): _NOWHERE,  # by _tell(…, "…")
        ("core/answers.py", "reading.key"): _NOWHERE,  # by Unreadable(key="…")
        ("core/draw.py", "key"): _NOWHERE,  # by draw_trouble(turn, "…")
        ("core/turn.py", "key"): _NOWHERE,  # by turn.words("…") and turn.say("…")
        # another function of this name: what a failure of the store says in the log
        ("runtime/services.py", "error"): _NOWHERE,
        # said by channels: runtime.words(chat, "…")
        ("runtime/runtime.py", "key"): frozenset({"share.contact", "share.location", "files.lost"}),
    }
)
"""(file, expression) → the keys it stands for."""

NOTICED_BY_HAND: Final = frozenset({"answer.minimum", "answer.maximum"})
"""Keys that reach a notice by way of another value: ➖ and ➕ at a limit."""
PRESSED_BY_HAND: Final = frozenset({"button.done", "answer.yes", "answer.no", "share.contact", "share.location"})
"""Keys that reach a button by way of a name or another function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One place in the source that says a sentence. `places`: what it fills in; None when that cannot be read."""

    file: str
    line: int
    expression: str
    keys: frozenset[str] | None
    """None: the expression has to stand in `BY_HAND`."""
    places: frozenset[str] | None
    noticed: bool
    pressed: bool


@lru_cache
def uses() -> tuple[Use, ...]:
    """Every place that says one of the engine's own sentences."""
    return tuple(use for path in (*SOURCES, VALIDATORS) for use in _uses_in(path))


def _uses_in(path: Path) -> Iterator[Use]:
    file = path.relative_to(ENGINE).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function, surface, call in _calls(tree, None, ""):
        found = _key_of(call, file)
        if found is None:
            continue
        key, prefix = found
        keys = _keys(key, function, file, prefix)
        yield Use(
            file=file,
            line=call.lineno,
            expression=ast.unparse(key),
            keys=keys,
            places=_places(call),
            noticed=surface in ("Notice", "Quiet") or _name(call) == "_tell",
            pressed=surface == "Press",
        )


_SURFACES = ("Notice", "Quiet", "Press", "Say", "Show")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _calls(node: ast.AST, function: _Function | None, surface: str) -> Iterator[tuple[_Function | None, str, ast.Call]]:
    """Every call, with the function it stands in and the effect it is an argument of."""
    if isinstance(node, _Function):
        function, surface = node, ""
    if isinstance(node, ast.Call):
        yield function, surface, node
        if _name(node) in _SURFACES:
            surface = _name(node)
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, function, surface)


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _key_of(call: ast.Call, file: str) -> tuple[ast.expr, str] | None:
    """The argument that is a key, and what stands before it; None when the call says nothing."""
    name, validators = _name(call), file == "actions/validators.py"
    at = {"words": 0, "say": 0, "draw_trouble": 1, "_tell": 2}.get(name)
    if at is not None and len(call.args) > at:
        return call.args[at], ""
    if name == "_refused" and validators:
        return call.args[0], "refused."
    if name in ("Unreadable", "Refused"):
        return next(((word.value, "") for word in call.keywords if word.arg == "key"), None)
    return None


def _keys(expression: ast.expr, function: _Function | None, file: str, prefix: str) -> frozenset[str] | None:
    """The keys an expression may give, by hand where it takes running to know; None when nobody wrote them out."""
    by_hand = BY_HAND.get((file, ast.unparse(expression)))
    match expression:
        case _ if by_hand is not None:
            return by_hand
        case ast.Constant(value=str(text)):
            return frozenset({prefix + text})
        case ast.IfExp(body=body, orelse=orelse):
            parts: tuple[ast.expr, ...] = (body, orelse)
        case ast.BoolOp(values=[_, ast.Constant() as usual]):
            parts = (usual,)  # `key or "the usual"`: the key is found where it is made
        case ast.Name(id=name) if function is not None:
            parts = _assigned(name, function)
        case _:
            return None
    found = [_keys(part, function, file, prefix) for part in parts]
    if not found or None in found:
        return None
    return frozenset(key for keys in found for key in keys or ())


def _assigned(name: str, function: _Function) -> tuple[ast.expr, ...]:
    return tuple(
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
    )


def _places(call: ast.Call) -> frozenset[str] | None:
    """What the call fills in; None when it hands on a mapping that is only known while running."""
    given = {word.arg: word.value for word in call.keywords}
    match _name(call):
        case "draw_trouble" | "_tell":
            return frozenset()
        case "Unreadable" | "Refused":
            values = given.get("values", ast.Dict(keys=[], values=[]))
            return _constants(values) if isinstance(values, ast.Dict) else None
        case _:
            return None if None in given else frozenset(name for name in given if name is not None)


def _constants(values: ast.Dict) -> frozenset[str]:
    return frozenset(key.value for key in values.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def expressions(file: str) -> frozenset[str]:
    """Every expression of a file, as `ast.unparse` writes it."""
    tree = ast.parse((ENGINE / file).read_text(encoding="utf-8"))
    return frozenset(ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.expr))
