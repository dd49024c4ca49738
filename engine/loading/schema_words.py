"""The building blocks of the schema: the forms that values of a flow have. No steps, no files, no plugins here.

A `title` is what a finding says was expected; every named block of `words()` is a `$defs` entry.
"""

from typing import Any, Final

from engine.loading.durations import DURATION_PATTERN, LATE_PATTERN, SIZE_PATTERN
from engine.loading.parser_types import TYPE_NAMES

Schema = dict[str, Any]

NAME: Final = "^[a-z][a-z0-9_]{0,39}$"
DOTTED: Final = r"^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){0,5}$"
SIGNAL: Final = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"
INVOKED: Final = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"
HOST: Final = r"^(env:[A-Z][A-Z0-9_]*|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?)$"


ENDING: Final = r"^\.[A-Za-z0-9]{1,10}(\.[A-Za-z0-9]{1,10})?$"


def ref(word: str, description: str, *examples: object, **more: object) -> Schema:
    """A use of a `$defs` entry with its own description and examples."""
    return {"$ref": f"#/$defs/{word}", "description": description, "examples": list(examples), **more}


def of(kind: str | list[str], title: str, description: str, *examples: object, **more: object) -> Schema:
    """A value of a JSON type; `title` is the noun a finding uses."""
    return {"title": title, "type": kind, "description": description, "examples": list(examples), **more}


def flag(description: str, example: bool = True) -> Schema:
    """A switch."""
    return of("boolean", "true or false", description, example)


def integer(description: str, example: int, minimum: int, maximum: int = 1_000_000) -> Schema:
    """A whole number in a range."""
    return of("integer", "a whole number", description, example, minimum=minimum, maximum=maximum)


def record(description: str, properties: Schema, required: list[str], example: object) -> Schema:
    """A mapping with known keys and no others."""
    return of("object", "keys and values", description, example, properties=properties, required=required,
              additionalProperties=False)  # fmt: skip


def words() -> dict[str, Schema]:
    """The `$defs` that need no other."""
    return {**_texts(), **_names(), **_measures(), **_types()}


def _texts() -> dict[str, Schema]:
    return {
        "template": of("string", "a text", "Telegram HTML; {{ … }} puts a value in.", "Hello, {{ customer.name }}!",
                       minLength=1, maxLength=8192),
        "label": of(["string", "number"], "a short text", "What a button says; {{ … }} puts a value in.",
                    "Standard 0.2 mm", minLength=1, maxLength=1024),
        "expression": of(["string", "number", "boolean"], "an expression such as score > 3",
                         "An expression without braces.", "score > 3", "contact.email", minLength=1, maxLength=8192),
        "value": {"title": "a value",
                  "description": "An expression (`service.id`), a text with {{ … }}, a number, true or false, a list, "
                                 "or keys and values of those.", "examples": ["service.id", 3]},
        "picture": of(["string", "object"], "a picture: {qr: …}, {file: …} or an expression",
                      "A picture above the text: {qr: text in it}, {file: path beside the flow}, or an expression "
                      "that gives an address or a received photo.", {"qr": "invoice.uri"}, {"file": "logo.png"},
                      minLength=1, minProperties=1, maxProperties=1, additionalProperties=False,
                      properties={
                          "qr": ref("expression", "The text that becomes a QR code.", "invoice.uri"),
                          "file": of("string", "a path beside the flow", "A file beside the flow.", "logo.png",
                                     minLength=1, pattern=r"^(?!/)(?!.*\.\.)[^\\:]+$")}),
    }  # fmt: skip


def _names() -> dict[str, Schema]:
    return {
        "name": of("string", "a name: small letters, digits and _, at most 40, a letter first",
                   "Small letters, digits and _, a letter first.", "print_order", pattern=NAME),
        "path": of("string", "a name, or names with dots such as contact.email",
                   "Where an answer is kept.", "contact.email", pattern=DOTTED),
        "target": of("string", "the id of a step", "The id of a step of this flow.", "confirm", minLength=1),
        "names": of(["string", "array"], "a name or a list of names", "One name, or several.", "staff",
                    ["staff", "owner"], minLength=1, minItems=1, items={"title": "a name", "type": "string",
                                                                        "minLength": 1}),
        "invoked": of("string", "a name such as shop.place_order", "A name of a plugin's part.",
                      "print3d.create_order", pattern=INVOKED),
        "arguments": of("object", "keys and values", "The arguments, by name.", {"service": "service.id"},
                        additionalProperties={"$ref": "#/$defs/value"}),
    }  # fmt: skip


def _measures() -> dict[str, Schema]:
    size = "a size such as 512 KB or 50 MB"
    duration = "a duration such as 30s, 5m, 24h, 7d or 1h30m"
    number = "a number"
    then = "fire, skip, or a duration such as 1h"
    late = f"{then}, or {{grace: 10m, then: skip}}"
    return {
        "duration": of("string", duration, "A length of time.", "24h", "1h30m", pattern=DURATION_PATTERN),
        "seconds": of(["string", "number"], duration, "A length of time; a number is seconds.", "10s",
                      pattern=DURATION_PATTERN, exclusiveMinimum=0, maximum=3600),
        "late": of(["string", "object"], late, "What becomes of a timer that comes late: fire (as always), skip, or a "
                   "length of time that is given once more. With grace: it says from when on it is late.",
                   "skip", "1h", {"grace": "10m", "then": "skip"}, pattern=LATE_PATTERN, required=["then"],
                   additionalProperties=False, properties={
                       "grace": ref("duration", "So late at most it counts as in time.", "10m"),
                       "then": of("string", then, "What becomes of it when it is later.", "skip", "1h",
                                  pattern=LATE_PATTERN)}),
        "size": of("string", size, "A size in bytes, B, KB, MB or GB.", "50 MB", pattern=SIZE_PATTERN),
        "number": of("number", number, "A number.", 10),
        "retry_policy": record("How often and when to try again.", {
            "attempts": integer("How often in all.", 5, 1, 100),
            "first": ref("duration", "The first pause.", "2s"),
            "factor": of("number", number, "Each pause is this many times the one before.", 2, minimum=1,
                         maximum=100),
            "longest": ref("duration", "No pause is longer.", "5m"),
        }, [], {"attempts": 5, "first": "2s", "factor": 2}),
    }  # fmt: skip


def _types() -> dict[str, Schema]:
    known = ", ".join(TYPE_NAMES)
    return {
        "type": of(["string", "object", "array"], "a type such as text, list of file or {street: text}",
                   f"{known}; `list of text`; `text?` when it may be missing; {{field: type}} for a record.",
                   "text", "list of file", {"street": "text", "zip": "text?"}, minLength=1, maxLength=200,
                   minProperties=1, minItems=1, maxItems=1, additionalProperties={"$ref": "#/$defs/type"},
                   propertyNames={"$ref": "#/$defs/name"}, items={"$ref": "#/$defs/type"}),
    }  # fmt: skip
