"""Finds secrets that were written into YAML instead of the name of an environment variable.

Looks at the text alone and never repeats a secret in a finding.
"""

import re
from collections.abc import Iterator
from typing import Final

from engine.core.model import Template
from engine.diagnostics import Diagnostic, Span
from engine.loading.documents import Document, Mapping_, Node, Scalar_, Sequence_, locate
from engine.loading.findings import Findings

_TOKENS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"[0-9]{6,12}:[A-Za-z0-9_-]{30,64}"  # a Telegram bot's
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}"  # JSON web token
    r"|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|sk-[A-Za-z0-9_-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{18,}"
    r"|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----)"
)
_LONG: Final = re.compile(r"['\"]?([A-Za-z0-9_+/=-]{32,})['\"]?")
_BEARER: Final = re.compile(r"(?:Bearer|Basic|Token) +(?!\{\{)[A-Za-z0-9_.+/=-]{12,}", re.IGNORECASE)
_TELLING: Final = re.compile(
    r"(?:^|[_.-])(?:token|password|passwd|secret|api_?key|apikey|private_key|credentials?)$", re.IGNORECASE
)
_QUOTED: Final = re.compile(r"(?s)(['\"]).{4,}\1")
_VARIABLE: Final = re.compile("[A-Z][A-Z0-9_]{1,99}")


def check_secrets(document: Document, *, bot: bool) -> tuple[Diagnostic, ...]:
    """All secrets in a file. In bot.yaml a key such as `token:` may only hold a variable's name."""
    findings = Findings()
    for key, value in _scalars("", document.root):
        token = _token(value.text)
        if bot and _VARIABLE.fullmatch(value.text) and _stands_in(value, document, "plugins"):
            continue  # the name of a variable, where plugins ask for one
        if token is not None:
            _found("F0801", _place(value, token, document), findings)
        elif _TELLING.search(key) and _is_spelled_out(value, bot=bot):
            _found("F0802", value.content, findings)
    if bot and isinstance(document.root, Mapping_):
        _variables(document.root.get("secrets"), findings)
    return findings.all()


def _scalars(key: str, node: Node) -> Iterator[tuple[str, Scalar_]]:
    """Every value with the nearest key above it."""
    match node:
        case Scalar_():
            yield key, node
        case Sequence_(items=items):
            for item in items:
                yield from _scalars(key, item)
        case Mapping_(pairs=pairs):
            for pair in pairs:
                if pair.key.text != "secrets":
                    yield from _scalars(pair.key.text, pair.value)


def _stands_in(value: Scalar_, document: Document, key: str) -> bool:
    """Whether a value stands under this key of the file."""
    pair = document.root.pair(key) if isinstance(document.root, Mapping_) else None
    if pair is None:
        return False
    span, place = pair.value.span, (value.span.line, value.span.column)
    return (span.line, span.column) <= place <= (span.end_line, span.end_column)


def _token(text: str) -> tuple[int, int] | None:
    """Where in a text a secret stands: its beginning and length; None when there is none."""
    if len(text) < 16:
        return None
    found = _TOKENS.search(text) or _BEARER.search(text)
    if found is not None:
        return found.start(), len(found[0])
    bare = text.strip()
    long = _LONG.fullmatch(bare)
    return (text.index(bare), len(bare)) if long is not None and _looks_random(long[1]) else None


def _place(value: Scalar_, token: tuple[int, int], document: Document) -> Span:
    """The secret's own place in a text of several lines; a text on one line as a whole."""
    if value.span.line == value.span.end_line:
        return value.content
    text = Template(source=value.text, span=value.content, block=value.block, indent=value.indent)
    return locate(text, *token, document)


def _looks_random(text: str) -> bool:
    """Digits between letters, and no words with underscores: names are not like that."""
    letters = sum(1 for char in text if char.isalpha())
    digits = sum(1 for char in text if char.isdigit())
    mixed = text.lower() != text != text.upper()
    hexadecimal = re.fullmatch("[0-9a-fA-F]+", text) is not None
    return letters >= 6 and digits >= 4 and (mixed or hexadecimal)


def _is_spelled_out(value: Scalar_, *, bot: bool) -> bool:
    """A text that is a secret by its key: any text in bot.yaml, in a flow one between inner quotes."""
    text = value.text.strip()
    if not isinstance(value.value, str) or text.startswith("env:") or "{{" in text:
        return False
    return len(text) >= 4 if bot else _QUOTED.fullmatch(text) is not None


def _found(code: str, place: Span, findings: Findings) -> None:
    findings.error(code, place, "This looks like a secret. Everybody who sees this file can read it.",
                   expected="in bot.yaml `secrets: {name: NAME_OF_VARIABLE}`; then change the secret")  # fmt: skip


def _variables(node: Node | None, findings: Findings) -> None:
    if not isinstance(node, Mapping_):
        return
    for pair in node:
        key, value = pair.key.text, pair.value
        if isinstance(value, Scalar_) and value.text and not _VARIABLE.fullmatch(value.text):
            findings.error("F0803", value.content, f"“{key}” must be the name of a variable, not a value.",
                           expected=f"the name of an environment variable, such as {_suggested(key)}")  # fmt: skip


def _suggested(name: str) -> str:
    return re.sub(r"[^A-Z0-9_]", "_", name.upper())
