"""What plugins' settings add to the schema: `plugins:` of bot.yaml with every key, its kind and its docstring."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, assert_never

from engine.actions.catalog import Catalog
from engine.actions.setting_kinds import Choice, Kind, Many, Maybe, Named, OneOf, Record, Setting, classes_of, fields_of
from engine.core.values import Money
from engine.loading.durations import DURATION_PATTERN, MONEY_PATTERN
from engine.loading.parser_plugins import VARIABLE, wanted
from engine.loading.schema_words import Schema

_FORMS: Final[dict[type[Any], tuple[Schema, object]]] = {
    str: ({"type": ["string", "number"]}, "a text"),
    int: ({"type": "integer"}, 1),
    Decimal: ({"type": "number"}, 0.5),
    bool: ({"type": "boolean"}, True),
    timedelta: ({"type": "string", "pattern": DURATION_PATTERN}, "30m"),
    Money: ({"type": "string", "pattern": MONEY_PATTERN}, "5.00 EUR"),
}
"""How each kind stands in YAML, and an example."""


def settings_words(catalog: Catalog) -> dict[str, Schema]:
    """One `$defs` entry per class that some plugin's settings are made of, and `plugin_settings` over them."""
    found: dict[str, Schema] = {}
    for declared in catalog.settings.values():
        for kind in classes_of(declared.kind):
            found[_word(kind)] = _class(kind)
    properties = {name: {"$ref": f"#/$defs/{_word(item.kind)}"} for name, item in sorted(catalog.settings.items())}
    found["plugin_settings"] = {"properties": properties, "additionalProperties": False}
    return found


def settings_example(catalog: Catalog) -> dict[str, object]:
    """One plugin's settings as they could stand in bot.yaml; empty when no plugin has some."""
    first = min(catalog.settings, default=None)
    return {} if first is None else {first: _example(Record(kind=catalog.settings[first].kind))}


def _word(kind: type[Any]) -> str:
    return f"settings_of_{kind.__module__.rpartition('.')[2]}_{kind.__qualname__}"


def _class(kind: type[Any]) -> Schema:
    fields = fields_of(kind)
    required = [setting.name for setting in fields.values() if setting.required]
    return {
        "title": "keys and values",
        "description": " ".join((kind.__doc__ or kind.__qualname__).split("\n\n")[0].split()),
        "type": ["object", "null"],
        "properties": {setting.name: _described(setting) for setting in fields.values()},
        "required": required,
        "additionalProperties": False,
        "examples": [{setting.name: _example(setting.kind) for setting in _shown(fields.values())}],
    }


def _shown(settings: Any) -> list[Setting]:
    """The settings of an example: those that must be there, else the first one."""
    every = list(settings)
    return [setting for setting in every if setting.required] or every[:1]


def _described(setting: Setting) -> Schema:
    said = setting.doc or f"{wanted(setting.kind)}."
    default = _usual(setting.default)
    if default is not None:
        said += f" Unsaid: {default}."
    return {**_form(setting.kind), "description": said, "examples": [_example(setting.kind)]}


def _usual(default: object) -> str | None:
    """A default as YAML has it; None where there is nothing short to say."""
    match default:
        case bool():
            return "true" if default else "false"
        case str() | int() | Decimal():
            return str(default) or None
        case timedelta():
            return duration_text(default)
        case _:
            return None


def duration_text(length: timedelta) -> str:
    """A length of time as YAML has it: `1h30m`."""
    seconds = int(length.total_seconds())
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def _form(kind: Kind) -> Schema:
    title = wanted(kind)
    match kind:
        case OneOf(kind=simple, variable=variable):
            form = {"type": "string", "pattern": f"^({VARIABLE.pattern})?$"} if variable else _FORMS[simple][0]
            return {"title": title, **form}
        case Choice(choices=choices):
            return {"title": title, "enum": list(choices)}
        case Record(kind=record):
            return {"$ref": f"#/$defs/{_word(record)}"}
        case Many(item=item):
            return {"title": title, "type": "array", "items": _form(item)}
        case Named(item=item):
            return {"title": title, "type": "object", "additionalProperties": _form(item)}
        case Maybe(inner=inner):
            return {"title": title, "anyOf": [_form(inner), {"type": "null"}]}
        case _:
            assert_never(kind)


def _example(kind: Kind, depth: int = 0) -> object:
    match kind:
        case OneOf(variable=True):
            return "ETH_NODE"
        case OneOf(kind=simple):
            return _FORMS[simple][1]
        case Choice(choices=choices):
            return choices[0]
        case Record(kind=record):
            return (
                {}
                if depth > 2
                else {one.name: _example(one.kind, depth + 1) for one in _shown(fields_of(record).values())}
            )
        case Many(item=item):
            return [] if depth > 2 else [_example(item, depth + 1)]
        case Named(item=item):
            return {"name": _example(item, depth + 1)}
        case Maybe(inner=inner):
            return _example(inner, depth)
        case _:
            assert_never(kind)
