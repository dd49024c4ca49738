"""A checked document becomes a `Flow`: shorthand goes, every part keeps its place.

Only for documents that the schema accepts; what the schema cannot say about one file is found here.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from engine.actions.catalog import Catalog
from engine.core.model import Declared, DeepLink, Entry, Flow, Late, SecondStart
from engine.diagnostics import Diagnostic
from engine.loading.documents import Document, Mapping_, Node, Scalar_
from engine.loading.findings import Findings
from engine.loading.parser_arguments import (
    flag,
    mapping,
    names,
    optional_expression,
    optional_template,
    scalar,
    template,
)
from engine.loading.parser_steps import Reading, duration, lateness, refuse_reserved, steps
from engine.loading.parser_types import declaration, declared_type

_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """`flow` is None when something in the file keeps it from being one."""

    flow: Flow | None
    findings: tuple[Diagnostic, ...]


def version_of(content: bytes) -> str:
    """The version of a flow: the first 16 hex digits of the hash of its file's bytes."""
    return hashlib.sha256(content).hexdigest()[:16]


def parse(document: Document, catalog: Catalog, version: str | None = None) -> Parsed:
    """The flow of a document that the schema accepts. `version` None: from the document's text.

    The catalog is looked into for one thing: the name of a validator's first argument (`pattern: "^a"`).
    """
    findings = Findings()
    reading = Reading(findings=findings, validators=dict(catalog.validators))
    root = mapping(document.root)
    flow = _flow(root, reading, version or version_of(document.text.encode()))
    return Parsed(flow=None if findings.all() else flow, findings=findings.all())


def _flow(root: Mapping_, reading: Reading, version: str) -> Flow:
    name = scalar(root.get("flow"))
    title, expires = root.get("title"), root.get("expires")
    second, late = root.get("second_start"), root.get("late")
    return Flow(
        name=name.text,
        span=name.content,
        title=template(name if title is None else title),
        version=version,
        entry=_entry(root.get("entry")),
        steps=steps(mapping(root.get("steps")), reading),
        key=optional_expression(root.get("key")),
        expires=None if expires is None else duration(expires),
        expired=optional_template(root.get("expired")),
        late=Late() if late is None else lateness(late),
        progress=flag(root.get("progress"), False),
        second_start=SecondStart.ASK if second is None else SecondStart(scalar(second).text),
        only=names(root.get("only")),
        arguments=_arguments(root.get("arguments"), reading),
        data=_data(root.get("data"), reading),
        retention=_retention(root.get("retention")),
        back=flag(root.get("back"), True),
        cancel=flag(root.get("cancel"), True),
        remind=flag(root.get("remind"), True),
    )


def _entry(node: Node | None) -> Entry:
    if node is None:
        return Entry()
    found = mapping(node)
    link = found.get("deep_link")
    return Entry(
        commands=names(found.get("commands")),
        menu=optional_template(found.get("menu")),
        deep_link=None if link is None else _deep_link(link),
    )


def _deep_link(node: Node) -> DeepLink:
    if isinstance(node, Scalar_):
        return DeepLink(name=node.text, argument=None, span=node.content)
    found = mapping(node)
    name, argument = scalar(found.get("name")), found.get("argument")
    return DeepLink(name=name.text, argument=None if argument is None else scalar(argument).text, span=name.content)


def _retention(node: Node | None) -> timedelta | None:
    if node is None:
        return _KEPT
    match scalar(node).text:
        case "forever":
            return None
        case "none":
            return timedelta()
        case _:
            return duration(node)


def _arguments(node: Node | None, reading: Reading) -> tuple[Declared, ...]:
    if node is None:
        return ()
    found: list[Declared] = []
    for pair in mapping(node):
        refuse_reserved(pair.key.text, pair.key.content, reading.findings)
        kind = declared_type(pair.value, pair.key.text, reading.findings)
        found.append(Declared(name=pair.key.text, span=pair.key.content, type=kind))
    return tuple(found)


def _data(node: Node | None, reading: Reading) -> tuple[Declared, ...]:
    if node is None:
        return ()
    found: list[Declared] = []
    for pair in mapping(node):
        refuse_reserved(pair.key.text, pair.key.content, reading.findings)
        declared = declaration(pair, reading.findings)
        if declared is not None:
            found.append(declared)
    return tuple(found)
