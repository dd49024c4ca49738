"""Every key of the language, from the schema, and which of them a YAML text uses. No assertions here."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.loading.parser_keyboards import FORM_KEYS
from engine.loading.parser_questions import ASK_KINDS
from engine.loading.schema import flow_schema
from engine.loading.schema_steps import KIND_KEYS
from tests.flows.guide import catalog

Key = tuple[str, str]
"""A part of the language and a key of it: `("keyboard", "columns")`, `("ask: files", "count")`."""
TYPED = {
    "declaration": {"type": "Its type.", "initial": "Its first value."},
    "setting": {"type": "Its type.", "value": "Its value."},
    "validator": {"message": "What the customer reads when it refuses."},
}
"""Parts whose keys are not `properties` of the schema."""
PARTS = {
    "way": "transition", "ways": "transition", "keyboard_form": "keyboard", "flow.entry.deep_link": "deep_link",
    "flow.entry": "entry", "invocation": "each", "undoing": "undo", "retry_policy": "retry", "picture": "photo",
    "declaration": "data", "setting": "settings", "button": "button", "option_button": "button",
    "option": "option", "validator": "validators",
    "flow": "flow", "bot": "bot.yaml",
}  # fmt: skip
"""`$defs` entry, or the way to an inner record, → how the guide calls it."""
_INNER = {
    "until": "until, after", "after": "until, after", "retry": "retry", "timeout": "timeout", "count": "count",
    "end": "end", "wait": "wait",
}  # fmt: skip
_QUESTIONS_OWN = frozenset(("validators", "optional", "prefill"))


def definitions() -> Mapping[str, Any]:
    known: Mapping[str, Any] = flow_schema(catalog())["$defs"]
    return known


def _common() -> frozenset[str]:
    """The keys that every kind of question has."""
    known = definitions()
    return frozenset.intersection(*(frozenset(known[f"step_ask_{kind}"]["properties"]) for kind in ASK_KINDS))


def part(name: str, key: str) -> str:
    """What the guide calls the part of the language that has this key."""
    *_, last = name.split(".")
    if last in _INNER:
        return _INNER[last]
    if name.startswith("step_ask_"):
        kind = name.removeprefix("step_ask_")
        shown = "file, files, photo, photos" if kind.startswith(("file", "photo")) else kind
        return f"ask: {shown}" if key not in _common() else _of_step(key, "ask")
    if name.startswith("step_"):
        return _of_step(key, name.removeprefix("step_"))
    return PARTS.get(name, name)


def _of_step(key: str, kind: str) -> str:
    """Keys that mean the same at every step that has them are one part."""
    own = kind if key in {"with", "undo", "retry", *KIND_KEYS} or (kind, key) == ("do", "timeout") else ""
    return f"{own}:" if own and kind != "show" else "question" if key in _QUESTIONS_OWN else "step"


def every_key() -> dict[Key, str]:
    """All keys with their descriptions."""
    found: dict[Key, str] = {}
    for name, key, description in _properties():
        found.setdefault((part(name, key), key), description)
    return found


def _properties() -> Iterator[tuple[str, str, str]]:
    known = definitions()
    roots = ["flow", *(name for name in known if name.startswith("step_")), "bot"]
    seen: set[str] = set()
    todo: list[tuple[str, Any]] = [(name, known[name]) for name in roots]
    while todo:
        name, schema = todo.pop(0)
        if name in seen or name == "step":
            continue
        seen.add(name)
        own = {**schema.get("properties", {}), **{k: {"description": d} for k, d in TYPED.get(name, {}).items()}}
        for key, value in own.items():
            yield name, key, value.get("description", "")
        todo += _inner(name, schema, known)


def _inner(name: str, schema: Any, known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Whatever below this schema may have keys, by the name it is counted under."""
    below = [(f"{name}.{key}", value) for key, value in schema.get("properties", {}).items()]
    below += [(name, schema[word]) for word in ("items", "additionalProperties", "then", "else") if word in schema]
    for path, value in below:
        if not isinstance(value, dict):
            continue
        if "$ref" in value:
            word = value["$ref"].removeprefix("#/$defs/")
            if word != "type":
                yield word, known[word]
        elif "properties" in value and path != name:
            yield path, value
        else:
            yield from _inner(path, {k: v for k, v in value.items() if k != "properties"}, known)


# --- what a text uses ---------------------------------------------------------------------------------------


def used(name: str, value: Any) -> Iterator[Key]:
    """The keys that a flow (`name` flow), bot.yaml (bot) or a part of them uses."""
    known = definitions()
    yield from _used(name, known[name], value, known)


def _used(name: str, schema: Any, value: Any, known: Mapping[str, Any]) -> Iterator[Key]:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        schema = known[name]
    if name == "step":
        name = _kind(value)
        schema = known[name]
    if name == "keyboard":
        name = _form(value)
        schema = known[name]
    if name == "type":
        return
    if isinstance(value, list):
        for item in value:
            yield from _used(name, schema.get("items", {}), item, known)
    if isinstance(value, str) and name == "validator":
        yield part(name, value), value
    if not isinstance(value, dict):
        return
    typed = TYPED.get(name, {})
    if name in ("declaration", "setting") and "type" not in value:
        return
    for key, inner in value.items():
        if key in schema.get("properties", {}):
            yield part(name, key), key
            yield from _used(f"{name}.{key}", schema["properties"][key], inner, known)
        elif key in typed:
            yield part(name, key), key
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from _used(name, schema["additionalProperties"], inner, known)


def _kind(step: Mapping[str, Any]) -> str:
    kind = next((key for key in KIND_KEYS if key in step), "show")
    return f"step_ask_{step['ask']}" if kind == "ask" else f"step_{kind}"


def _form(keyboard: Any) -> str:
    if isinstance(keyboard, list):
        return "rows"
    return "keyboard_form" if any(key in keyboard for key in FORM_KEYS) else "options"
