"""flows.schema.json: JSON Schema 2020-12 of flows and bot.yaml, for editors; made from the tables that check them."""

import json
from typing import Final

from engine.actions.catalog import Catalog
from engine.loading.schema_catalog import plugin_words
from engine.loading.schema_files import definitions
from engine.loading.schema_plugins import settings_example, settings_words
from engine.loading.schema_words import Schema

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def flow_schema(catalog: Catalog) -> Schema:
    """The whole schema, with the actions, sources and validators of the catalog."""
    known = definitions()
    known.update(plugin_words(catalog))
    known.update(settings_words(catalog))
    bot = known["bot"]
    plugins = {**bot["properties"]["plugins"], "allOf": [{"$ref": "#/$defs/plugin_settings"}],
               "examples": [settings_example(catalog)]}  # fmt: skip
    known["bot"] = {**bot, "properties": {**bot["properties"], "plugins": plugins}}
    for word, arguments in (
        ("step_do", "action_arguments"),
        ("invocation", "action_arguments"),
        ("undoing", "action_arguments"),
        ("keyboard_form", "source_arguments"),
    ):
        known[word] = {**known[word], "allOf": [{"$ref": f"#/$defs/{arguments}"}]}
    return {
        "$schema": _DIALECT,
        "title": "Stepgram: a flow, bot.yaml, or translations",
        "description": "A file with `flow:` is a flow; one with `bot:` holds the bot's settings, one with `texts:` "
        "translations.",
        "type": "object",
        "if": {"required": ["bot"]},
        "then": {"$ref": "#/$defs/bot"},
        "else": {
            "if": {"required": ["texts"]},
            "then": {"$ref": "#/$defs/locale"},
            "else": {"$ref": "#/$defs/flow"},
        },
        "$defs": dict(sorted(known.items())),
    }


def render(catalog: Catalog) -> str:
    """The schema as the committed file has it."""
    return json.dumps(flow_schema(catalog), ensure_ascii=False, indent=2) + "\n"
