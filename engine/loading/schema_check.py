"""Holds a document against the schema and says every fault once, in words, at its place.

Each step is checked against the schema of its own kind, so that no finding is about a form the author did not mean.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from engine.diagnostics import Diagnostic, Span
from engine.loading.documents import Document, Mapping_, Node, Pair, Scalar_, Sequence_, plain
from engine.loading.findings import Findings, listed, nearest
from engine.loading.parser_hours import DAYS
from engine.loading.parser_keyboards import FORM_KEYS, is_form
from engine.loading.parser_questions import ASK_KINDS
from engine.loading.schema_files import definitions
from engine.loading.schema_steps import KIND_KEYS

_RECURSIVE: Final = ("type",)
_MOST: Final = 50
"""More unknown keys than this in one place are one mistake, said often enough."""
_OF_TIMEOUTS: Final = {
    "hours": "hours: at the time limit, such as timeout: {after: 2h, hours: shop}",
    "late": "late: at the time limit, such as timeout: {after: 2h, late: skip}; or at the flow",
}
"""Keys of `timeout:`, `until:` and `after:` that are often written at the step."""
_SETTINGS_ONLY: Final = ("with", "value", "columns", "page", "search", "empty")


def check_document(document: Document, *, bot: bool | None = None, locale: bool = False) -> tuple[Diagnostic, ...]:
    """Everything about the document's form that is wrong: a flow, translations (`locale`), or bot.yaml (None: when it
    has `bot:`)."""
    findings = Findings()
    root = document.root
    assert isinstance(root, Mapping_), "the reader lets only a mapping be a document"
    if locale:
        _against("locale", root, findings, what="a file of translations")
        return _sorted(findings)
    if is_bot(document) if bot is None else bot:
        _against("bot", root, findings, what="bot.yaml")
        return _sorted(findings)
    _against("flow", root, findings, what="a flow")
    steps = root.get("steps")
    if isinstance(steps, Mapping_):
        for pair in steps:
            _step(pair.key.text, pair.key.content, pair.value, findings)
    return _sorted(findings)


def _sorted(findings: Findings) -> tuple[Diagnostic, ...]:
    """By place: the library that validates has no order of its own."""
    return tuple(sorted(findings.all(), key=Diagnostic.sort_key))


def is_bot(document: Document) -> bool:
    """Whether the document is the bot's and not a flow's."""
    root = document.root
    return isinstance(root, Mapping_) and root.pair("bot") is not None and root.pair("flow") is None


@lru_cache(maxsize=1)
def _validators() -> Mapping[str, Draft202012Validator]:
    """One compiled validator per file and per kind of step, references put in place of their names."""
    known = definitions()
    known["flow"]["properties"]["steps"].pop("additionalProperties")
    wanted = [name for name in known if name in ("flow", "bot", "locale") or name.startswith("step_")]
    types = {name: known[name] for name in ("type", "name")}
    return {
        name: Draft202012Validator({**_inlined(known[name], known), "$defs": types}) for name in wanted
    }  # fmt: skip


def _inlined(schema: Any, known: Mapping[str, Any]) -> Any:
    """Resolving a reference costs more than checking it, so only the recursive ones stay. What people read goes."""
    if isinstance(schema, list):
        return [_inlined(item, known) for item in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {
        key: value if key in ("const", "enum", "required") else _inlined(value, known)
        for key, value in schema.items()
        if key not in ("$ref", "examples") and not (key == "description" and isinstance(value, str))
    }
    if isinstance(rest.get("pattern"), str):
        rest["pattern"] = rest["pattern"].removesuffix("$") + r"\Z"  # in Python `$` lets a last line break through
    target = schema.get("$ref")
    if not isinstance(target, str):
        return rest
    word = target.removeprefix("#/$defs/")
    return {"$ref": target} if word in _RECURSIVE else {**_inlined(known[word], known), **rest}


def _step(name: str, span: Span, node: Node, findings: Findings) -> None:
    if not isinstance(node, Mapping_):
        findings.error("F0203", node.span if _written(node) else span, f"The step “{name}” has no keys.",
                       expected="keys such as ask: and text:, further to the right than the step's id")  # fmt: skip
        return
    kinds = [key for key in KIND_KEYS if node.pair(key)]
    for extra in kinds[1:]:
        pair = node.pair(extra)
        assert pair is not None
        findings.error("F0209", pair.key.content, f"A step does one thing; this one has {kinds[0]}: and {extra}:.",
                       expected="two steps, one below the other")  # fmt: skip
    kind = f"step_{kinds[0]}" if kinds else "step_show"
    if kind == "step_ask":
        pair = node.pair("ask")
        assert pair is not None
        if not isinstance(pair.value, Scalar_) or pair.value.text not in ASK_KINDS:
            _unknown_question(pair, findings)
            return
        kind = f"step_ask_{pair.value.text}"
    skip = {*kinds[1:], *(() if _keyboard(node.get("keyboard"), findings) else ("keyboard",))}
    _against(kind, node, findings, what=_described(kind, name), skip=frozenset(skip))


def _described(kind: str, name: str) -> str:
    asked = kind.removeprefix("step_ask_")
    return f"the step “{name}”" if asked == kind else f"a question for {asked}"


def _unknown_question(pair: Pair, findings: Findings) -> None:
    asked = pair.value
    word = asked.text if isinstance(asked, Scalar_) else ""
    findings.error("F0204", asked.span if _written(asked) else pair.key.content,
                   f"There is no kind of question “{word}”." if word else "Here stands no kind of question.",
                   expected=listed(ASK_KINDS, most=20), suggestion=nearest(word, ASK_KINDS))  # fmt: skip


def _keyboard(node: Node | None, findings: Findings) -> bool:
    """`columns: 2` or `form: shop.products` among plain options would silently be an option. False: said so."""
    if not isinstance(node, Mapping_) or is_form(node):
        return True
    meant = any(node.pair(key) for key in (*_SETTINGS_ONLY, "text"))
    misspelled = [pair for pair in node if nearest(pair.key.text, FORM_KEYS) and (meant or not _labelled(pair.value))]
    strayed = [] if misspelled else [pair for pair in node if _is_setting(pair)]
    for pair in misspelled:
        findings.error("F0201", pair.key.content, f"A keyboard has no setting “{pair.key.text}”.",
                       expected=listed(FORM_KEYS), suggestion=nearest(pair.key.text, FORM_KEYS))  # fmt: skip
    for pair in strayed:
        findings.error("F0201", pair.key.content, f"“{pair.key.text}” is a setting, but these keys are the options.",
                       expected="the options under `options:`, beside the settings")  # fmt: skip
    return not misspelled and not strayed


def _is_setting(pair: Pair) -> bool:
    value = pair.value
    return pair.key.text in _SETTINGS_ONLY and isinstance(value, Scalar_) and not isinstance(value.value, str)


def _labelled(node: Node) -> bool:
    return isinstance(node, Scalar_) or (isinstance(node, Mapping_) and node.pair("text") is not None)


def _against(name: str, node: Mapping_, findings: Findings, *, what: str, skip: frozenset[str] = frozenset()) -> None:
    validator = _validators()[name]
    for error in validator.iter_errors(plain(node)):
        if error.absolute_path and error.absolute_path[0] in skip:
            continue
        _report(error, node, findings, what=what, skip=skip)


def _report(error: ValidationError, root: Mapping_, findings: Findings, *, what: str, skip: frozenset[str]) -> None:
    place = _Place(root, list(error.absolute_path), what)
    if "propertyNames" in error.absolute_schema_path:
        _bad_key(error, place, findings)
        return
    match error.validator:
        case "additionalProperties":
            _unknown_keys(error, place, findings, skip)
        case "required":
            _missing_key(error, place, findings)
        case "oneOf" | "not":
            _two_at_once(error, place, findings)
        case "dependentRequired":
            findings.error("F0206", place.key("with"), "“with” has no meaning in a keyboard without from:.",
                           expected="with: beside from:, for the arguments of a source")  # fmt: skip
        case "anyOf":
            findings.error("F0206", place.key("buttons"), "“buttons” has no meaning without a list of options.",
                           expected="buttons: beside from: or items:; other buttons stand under rows:")  # fmt: skip
        case "enum" | "const":
            allowed = [str(one) for one in _allowed(error)]
            findings.error("F0204", place.span, f"“{place.word}” is not one of the values of {place.name}.",
                           expected=listed(allowed, most=20), suggestion=nearest(place.word, allowed))  # fmt: skip
        case "type":
            _wrong_type(error, place, findings)
        case "pattern":
            findings.error("F0205", place.span, f"{place.Name} is not written as it should be.",
                           expected=_title(error))  # fmt: skip
        case _:
            _wrong_amount(error, place, findings)


def _two_at_once(error: ValidationError, place: "_Place", findings: Findings) -> None:
    together = error.schema.get("not", {}).get("required", []) if isinstance(error.schema, dict) else []
    if error.validator == "not" and "buttons" in together:
        word = str(together[1])
        where, message = place.key(word), f"With buttons: each option is a row of its own, so “{word}” has no place."
        expected = "the text in the buttons: {text: …, trigger: …}" if word == "text" else "buttons: without it"
    elif error.validator == "not":
        where, message = place.key("items"), "This keyboard has from: and items:, so two lists of options."
        expected = "from: for a source, or items: for a list of the conversation"
    elif place.name == "“timeout”":
        where, message = place.key("until"), "A step's time is over after a while or at a moment."
        expected = "one of after: and until:"
    else:
        where, message = place.span, "A button does one thing."
        expected = "text: and one of trigger:, edit:, start:, url:"
    findings.error("F0209", where, message, expected=expected)


class _Place:
    """Where a fault is: the node at the end of a path, and how to call it."""

    def __init__(self, root: Mapping_, path: list[Any], what: str) -> None:
        self.node: Node = root
        self.key_span: Span | None = None
        self.name = what
        for part in path:
            if isinstance(self.node, Mapping_) and (pair := self.node.pair(str(part))):
                self.node, self.key_span, self.name = pair.value, pair.key.content, f"“{part}”"
            elif isinstance(self.node, Sequence_):
                self.node, self.key_span = self.node.items[part], None

    @property
    def Name(self) -> str:  # noqa: N802 - the same, to begin a sentence
        return self.name if self.name == "bot.yaml" else self.name[0].upper() + self.name[1:]

    @property
    def word(self) -> str:
        return self.node.text if isinstance(self.node, Scalar_) else ""

    @property
    def span(self) -> Span:
        """The value's, or the key's where there is no value or it goes over several lines."""
        if self.key_span and (not _written(self.node) or self.node.span.line != self.node.span.end_line):
            return self.key_span
        return self.node.content if isinstance(self.node, Scalar_) and self.node.text else self.node.span

    def key(self, name: str) -> Span:
        """A key's own place, where the mapping has it."""
        pair = self.node.pair(name) if isinstance(self.node, Mapping_) else None
        return pair.key.content if pair else self.span

    @property
    def owner(self) -> Span:
        """Where a missing key is missed: the key above, or the beginning."""
        if self.key_span:
            return self.key_span
        span = self.node.span
        return span if span.line == span.end_line else span.within(0, 1)


def _written(node: Node) -> bool:
    return not (isinstance(node, Scalar_) and node.span.column == node.span.end_column
                and node.span.line == node.span.end_line)  # fmt: skip


def _title(error: ValidationError) -> str | None:
    return error.schema.get("title") if isinstance(error.schema, dict) else None


def _allowed(error: ValidationError) -> Iterator[object]:
    value = error.validator_value
    yield from value if isinstance(value, list) else [value]


def _bad_key(error: ValidationError, place: _Place, findings: Findings) -> None:
    key = str(error.instance)
    pair = place.node.pair(key) if isinstance(place.node, Mapping_) else None
    findings.error("F0205", pair.key.content if pair and key else place.span, f"“{key}” cannot be a name here.",
                   expected=_title(error))  # fmt: skip


def _unknown_keys(error: ValidationError, place: _Place, findings: Findings, skip: frozenset[str]) -> None:
    known = list(_keys_of(error.schema))
    if not isinstance(place.node, Mapping_):
        return
    given = {pair.key.text for pair in place.node}
    patterns = _keys_of(error.schema, "patternProperties")
    expected = listed(known, most=20)
    if patterns:  # working hours: the days are keys, too
        known += DAYS
        expected = f"{expected}; {', '.join(DAYS)}, or several days such as mon-fri"
    free = [key for key in known if key not in given]
    strangers = [
        pair
        for pair in place.node
        if pair.key.text not in known and pair.key.text not in skip and not _one_of(patterns, pair.key.text)
    ]
    clock = nearest(place.name.strip("“”"), ("until", "after")) if "time" in given - set(known) else None
    if clock and place.key_span:
        findings.error("F0201", place.key_span, f"{place.Name} is taken for a signal, which has no `time:`.",
                       expected="a signal; or until: or after:", suggestion=clock)  # fmt: skip
        return
    for pair in strangers[:_MOST]:
        key = pair.key.text
        home = _belongs(key, place)
        if home and place.key_span is None:
            findings.error("F0206", pair.key.content, f"“{key}” has no meaning in {place.name}.",
                           expected=f"{key}: only with {home}")  # fmt: skip
        else:
            of_timeout = key in _OF_TIMEOUTS and "transitions" in known
            findings.error("F0201", pair.key.content, f"{place.Name} has no key “{key}”.",
                           expected=_OF_TIMEOUTS[key] if of_timeout else expected,
                           suggestion=nearest(key, free))  # fmt: skip


def _one_of(patterns: Mapping[str, Any], key: str) -> bool:
    return any(re.search(pattern, key) for pattern in patterns)


def _keys_of(schema: Any, kind: str = "properties") -> Mapping[str, Any]:
    """The keys that a schema knows, by name or by pattern."""
    keys: Mapping[str, Any] = schema.get(kind, {})
    return keys


def _belongs(key: str, place: _Place) -> str | None:
    """The kinds of step that have this key, when it is one that others have."""
    if place.name in ("a flow", "bot.yaml", "a file of translations"):
        return None
    return _homes().get(key)


@lru_cache(maxsize=1)
def _homes() -> Mapping[str, str]:
    homes: dict[str, list[str]] = {}
    for name, validator in _validators().items():
        if name.startswith("step_"):
            kind = name.removeprefix("step_").replace("ask_", "ask: ", 1)
            for key in _keys_of(validator.schema):
                homes.setdefault(key, []).append(kind)
    return {key: listed(kinds, most=6) for key, kinds in homes.items()}


def _missing_key(error: ValidationError, place: _Place, findings: Findings) -> None:
    given = error.instance if isinstance(error.instance, dict) else {}
    wanted: Any = error.validator_value
    for key in wanted:
        if key in given or not error.message.startswith(repr(key)):
            continue
        unknown = [name for name in list(given)[:_MOST] if name not in _keys_of(error.schema)]
        if nearest(key, unknown):
            continue  # the finding about the unknown key says what is meant
        findings.error("F0202", place.owner, f"{place.Name} needs the key “{key}”.", expected=f"{key}: …")


_KINDS: Final = {dict: "keys and values", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}


def _wrong_type(error: ValidationError, place: _Place, findings: Findings) -> None:
    title = _title(error)
    if error.instance is None:
        findings.error("F0203", place.span, f"{place.Name} has no value.", expected=title)
        return
    given = _KINDS.get(type(error.instance), "a number")
    findings.error("F0203", place.span, f"{place.Name} cannot be {given}.", expected=title)


def _wrong_amount(error: ValidationError, place: _Place, findings: Findings) -> None:
    limit = error.validator_value
    message, expected = {
        "minimum": ("is too small", f"at least {limit}"),
        "maximum": ("is too large", f"at most {limit}"),
        "exclusiveMinimum": ("is too small", f"more than {limit}"),
        "minLength": ("is empty", _title(error)),
        "maxLength": ("is too long", f"at most {limit} characters"),
        "minItems": ("is empty", _title(error)),
        "maxItems": ("holds too many", f"at most {limit}"),
        "minProperties": ("is empty", _title(error) or "one key more"),
        "maxProperties": ("holds too many keys", _title(error) if limit == 1 else f"at most {limit}"),
    }.get(str(error.validator), ("does not fit", _title(error)))
    findings.error("F0207", place.span, f"{place.Name} {message}.", expected=expected)
