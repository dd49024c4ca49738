"""What the installed plugins add to the schema: names with their docstrings, arguments with their types."""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.actions.catalog import ActionSignature, Catalog, Parameter, SourceSignature, ValidatorSignature, Written
from engine.core.types import (
    AnyType,
    BooleanType,
    DateTimeType,
    DateType,
    DecimalType,
    DurationType,
    IntegerType,
    ListType,
    MoneyType,
    NothingType,
    OptionalType,
    RecordType,
    TextType,
    ValueType,
    describe,
)
from engine.loading.schema_examples import example_of, examples_of
from engine.loading.schema_words import INVOKED, Schema

Signature = ActionSignature | SourceSignature | ValidatorSignature


def plugin_words(catalog: Catalog) -> dict[str, Schema]:
    """The `$defs` that plugins decide: which actions, sources and validators there are, and their arguments."""
    return {
        "action": _names("the name of an action", catalog.actions),
        "source": _names("the name of a source", catalog.sources),
        "action_arguments": _chosen("do", catalog.actions),
        "source_arguments": _chosen("from", catalog.sources),
        "validator": _validator(catalog.validators),
        **_arguments("do", catalog.actions),
        **_arguments("from", catalog.sources),
    }


def _names(title: str, known: Mapping[str, Signature]) -> Schema:
    if not known:
        return {"title": title, "type": "string", "pattern": INVOKED}
    described = [{"const": name, "description": _about(known[name])} for name in sorted(known)]
    return {"title": title, "type": "string", "anyOf": described}


def _about(signature: Signature) -> str:
    outcomes = sorted(signature.outcomes) if isinstance(signature, ActionSignature) else []
    tail = f"\n\nOutcomes: {', '.join(outcomes)}." if outcomes else ""
    return (signature.doc.strip() or signature.name) + tail


def _chosen(key: str, known: Mapping[str, Signature]) -> Schema:
    """`with:` by the name that stands beside it."""
    ways = []
    for name in sorted(known):
        needed = any(parameter.required for parameter in known[name].parameters)
        then: Schema = {"properties": {"with": {"$ref": f"#/$defs/with_{key}_{name}"}}}
        if needed:
            then["required"] = ["with"]
        ways.append({"if": {"required": [key], "properties": {key: {"const": name}}}, "then": then})
    return {"allOf": ways} if ways else {}


def _arguments(key: str, known: Mapping[str, Signature]) -> dict[str, Schema]:
    return {f"with_{key}_{name}": _record(known[name].parameters, known[name]) for name in sorted(known)}


def _record(parameters: Sequence[Parameter], signature: Signature) -> Schema:
    return {
        "title": f"the arguments of {signature.name}",
        "description": _about(signature),
        "examples": [examples_of(parameters)],
        "type": "object",
        "properties": {parameter.name: _parameter(parameter) for parameter in parameters},
        "required": [parameter.name for parameter in parameters if parameter.required],
        "additionalProperties": False,
    }


def _parameter(parameter: Parameter) -> Schema:
    template = parameter.written is Written.TEMPLATE
    written = "A text, {{ … }} allowed" if template else describe(parameter.type).capitalize()
    default = "" if parameter.required else f" Unsaid: {_default(parameter.default)}."
    doc = f"{parameter.doc.strip()}\n\n" if parameter.doc.strip() else ""
    return {
        **_value(parameter.type),
        "description": f"{doc}{written}.{default}",
        "examples": [example_of(parameter.name, parameter.type, parameter.written)],
    }


def _default(value: object) -> str:
    return "nothing" if value is None else str(value)


_NUMBER: Final[Schema] = {"type": ["number", "string"]}


def _value(kind: ValueType) -> Schema:  # noqa: C901 - one case per type, nothing else
    """The JSON of an argument: an expression (a string) can always stand for the value."""
    match kind:
        case TextType(choices=frozenset() as choices):
            return {"anyOf": [{"enum": sorted(choices)}, {"type": "string"}]}
        case TextType() | MoneyType() | DateType() | DateTimeType() | DurationType():
            return {"type": "string"}
        case IntegerType():
            return {"type": ["integer", "string"]}
        case DecimalType():
            return dict(_NUMBER)
        case BooleanType():
            return {"type": ["boolean", "string"]}
        case ListType(item=item):
            return {"type": ["array", "string"], "items": _value(item)}
        case RecordType(fields=fields):
            return {
                "type": ["object", "string"],
                "properties": {name: _field(name, field) for name, field in fields.items()},
                "required": [name for name, field in fields.items() if not isinstance(field, OptionalType)],
            }
        case OptionalType(inner=inner):
            return {"anyOf": [_value(inner), {"type": "null"}]}
        case AnyType():
            return {}
        case NothingType():
            return {"type": ["null", "string"]}


def _field(name: str, kind: ValueType) -> Schema:
    """A field of a record; Python's dataclasses have no text for each, so its type has to do."""
    return {
        **_value(kind),
        "description": f"{describe(kind).capitalize()}.",
        "examples": [example_of(name, kind, Written.EXPRESSION)],
    }


def _validator(known: Mapping[str, ValidatorSignature]) -> Schema:
    """A name, or `name: arguments`; one argument may stand for itself."""
    from engine.loading.schema_steps import step_words

    form = step_words()["validator"]
    if not known:
        return form
    named = {name: _judge(known[name]) for name in sorted(known)}
    bare = [{"const": name, "description": _about(known[name])} for name in sorted(known)]
    return {
        **form,
        "properties": {**named, **form["properties"]},
        "additionalProperties": False,
        "allOf": [{"if": {"type": "string"}, "then": {"anyOf": bare}}],
    }


def _judge(signature: ValidatorSignature) -> Schema:
    record = _record(signature.parameters, signature)
    direct = next((one for one in signature.parameters if one.direct), None)
    example = examples_of(signature.parameters)
    return {
        "description": _about(signature),
        "examples": [example if direct is None else example_of(direct.name, direct.type, direct.written)],
        "if": {"type": "object"},
        "then": {key: record[key] for key in ("properties", "required", "additionalProperties")},
    }
