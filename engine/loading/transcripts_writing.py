"""Writes a transcript as YAML that a person reads gladly, and that reads back as the very same transcript.

Quoting is the point: whatever a customer typed or a shop answered must never become a key, a tag or another step.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, assert_never

from engine.actions.catalog import ActionSignature, Catalog, SourceSignature
from engine.loading.source import resolve
from engine.loading.transcripts import (
    SMALL_FILE,
    Bot,
    Button,
    Customer,
    Ends,
    Expectation,
    Fact,
    Fails,
    Fires,
    Given,
    Gives,
    Holds,
    Lists,
    Notices,
    Presses,
    PressesData,
    Says,
    Sends,
    SharesLocation,
    SharesPhone,
    Signals,
    Starts,
    Step,
    Transcript,
    Waits,
    Wanted,
)
from engine.loading.transcripts_values import spell, untyped

WIDEST: Final = 110
"""Characters of a line up to which keys and values are put side by side."""
_NEVER_FIRST: Final = frozenset("-?:,[]{}#&*!|>'\"%@`=<~. ")
_NEVER_IN_FLOW: Final = frozenset(",[]{}:#")
_JOINERS: Final = frozenset("\u200d\ufe0f")
Tree = Mapping[str, Any]


def write(transcript: Transcript, catalog: Catalog, *, heading: str = "") -> str:
    """The file's text. `heading`: comment lines on top. Raises NotStorableError for values of no known kind."""
    lines = [f"# {line}" for line in heading.splitlines()]
    lines += _mapping(_head(transcript), 0)
    if transcript.actions:
        lines.append("actions:")
        for name, given in transcript.actions.items():
            lines.append(f"  {_word(name)}:")
            kinds = catalog.actions.get(name) or catalog.sources.get(name)
            lines += _items([_given(each, kinds) for each in given], 4)
    lines += ["", "steps:", *_steps(transcript.steps)]
    return "\n".join(lines) + "\n"


def _head(transcript: Transcript) -> Tree:
    return {
        "test": transcript.name,
        "customer": _customer(transcript.customer),
        "start": transcript.start.isoformat().replace("+00:00", "Z"),
    }


def _customer(customer: Customer) -> Tree:
    usual = Customer()
    said: dict[str, Any] = {"name": customer.name, "language": customer.language}
    if customer.id != usual.id:
        said["id"] = customer.id
    if customer.roles:
        said["roles"] = list(customer.roles)
    return said


def _steps(steps: Sequence[Step]) -> Iterator[str]:
    """With an empty line before each turn of the customer."""
    expected = False
    for step in steps:
        if expected and not isinstance(step, Expectation):
            yield ""
        expected = isinstance(step, Expectation)
        yield from _items([tree_of(step)], 2)


# --- steps as trees ---------------------------------------------------------------------------------------------


def tree_of(step: Step) -> Tree:  # noqa: C901, PLR0912 - one case per kind of step, nothing else
    """A step as keys and values."""
    match step:
        case Says(text=text):
            return {"says": text}
        case Presses(button=button, message=1, number=1, part=False):
            return {"presses": button}
        case Presses(button=button, message=message, number=number, part=part):
            more = {name: count for name, count in (("message", message), ("number", number)) if count > 1}
            return {"presses": {"has" if part else "button": button, **more}}
        case PressesData(data=data):
            return {"presses": {"data": data}}
        case Sends(name=name, size=size, photo=photo, mime=mime):
            kind = "photo" if photo else "file"
            return {"sends": {kind: name, **({"size": size} if size != SMALL_FILE else {}),
                              **({"mime": mime} if mime else {})}}  # fmt: skip
        case SharesPhone(phone=phone, own=own):
            return {"shares": {"phone": phone, **({} if own else {"own": False})}}
        case SharesLocation(latitude=latitude, longitude=longitude):
            return {"shares": {"location": [latitude, longitude]}}
        case Starts(flow=flow, arguments=arguments):
            return {"starts": flow, **({"with": untyped(arguments)} if arguments else {})}
        case Waits(seconds=seconds):
            return {"wait": spell(seconds)}
        case Signals():
            return {"signal": _signal(step)}
        case Fires(name=name):
            return {"timer": name}
        case Bot():
            return _bot(step)
        case Notices(text=text, alert=alert):
            return {"alert" if alert else "notice": _wanted(text)}
        case Ends(outcome=outcome, flow=flow):
            return {"ends": outcome if flow is None else {"flow": flow, "outcome": outcome}}
        case Holds(facts=facts):
            return {"data": _facts(facts)}
        case never:
            assert_never(never)


def _signal(step: Signals) -> Any:
    if not step.payload and step.flow is None:
        return step.name
    said: dict[str, Any] = {"name": step.name}
    if step.payload:
        said["payload"] = untyped(step.payload)
    return said if step.flow is None else {**said, "flow": step.flow, "key": step.key}


def _bot(step: Bot) -> Tree:
    said: dict[str, Any] = {"edits" if step.edit else "bot": _wanted(step.text)}
    if step.message > 1:
        said["message"] = step.message
    if step.buttons is not None:
        said["buttons"] = [[_button(button) for button in row] for row in step.buttons]
    if step.picture is not None:
        said["picture"] = {step.picture[0]: step.picture[1]}
    return said


def _button(button: Button) -> Any:
    return button.text if button.url is None else {"text": button.text, "url": button.url}


def _wanted(wanted: Wanted) -> Any:
    if wanted.exact is None:
        return {"has": wanted.parts[0] if len(wanted.parts) == 1 else list(wanted.parts)}
    return wanted.exact + "\n" if "\n" in wanted.exact else wanted.exact


def _facts(facts: Sequence[Fact]) -> Tree:
    return {fact.path: untyped(fact.value) for fact in facts}


def _given(given: Given, signature: ActionSignature | SourceSignature | None) -> Tree:
    said: dict[str, Any]
    match given:
        case Gives(outcome=outcome, value=value):
            record = signature.outcomes.get(outcome) if isinstance(signature, ActionSignature) else None
            said = {"outcome": outcome, **({"with": untyped(value, record)} if value else {})}
        case Lists(rows=rows, total=total):
            row = signature.row if isinstance(signature, SourceSignature) else None
            said = {"rows": [untyped(each, row) for each in rows], **({} if total is None else {"total": total})}
        case Fails(kind=kind, reason=reason, final=final):
            said = {"fails": kind, **({"reason": reason} if reason else {}), **({"final": True} if final else {})}
        case never:
            assert_never(never)
    return {**said, "given": _facts(given.given)} if given.given else said


# --- trees as lines ---------------------------------------------------------------------------------------------


def _mapping(tree: Tree, indent: int) -> list[str]:
    lines: list[str] = []
    for key, value in tree.items():
        lines += _pair(_word(key), value, indent)
    return lines


def _pair(key: str, value: Any, indent: int) -> list[str]:
    pad = " " * indent
    if isinstance(value, str):
        head, *rest = _text(value, indent)
        return [f"{pad}{key}: {head}", *rest]
    line = f"{pad}{key}: {_flow(value)}"
    if len(line) <= WIDEST or not isinstance(value, Mapping | list) or not value:
        return [line]
    below = _mapping(value, indent + 2) if isinstance(value, Mapping) else _items(value, indent + 2)
    return [f"{pad}{key}:", *below]


def _items(values: Sequence[Any], indent: int) -> list[str]:
    lines: list[str] = []
    pad = " " * indent
    for value in values:
        flat = f"{pad}- {_flow(value)}"
        if isinstance(value, Mapping) and value and (len(value) == 1 or len(flat) > WIDEST or indent == 2):
            first, *rest = _mapping(value, indent + 2)
            lines += [f"{pad}- {first[indent + 2 :]}", *rest]
        elif isinstance(value, str):
            head, *rest = _text(value, indent)
            lines += [f"{pad}- {head}", *rest]
        else:
            lines.append(flat)
    return lines


def _flow(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case str():
            return _word(value, flow=True)
        case Mapping():
            return "{" + ", ".join(f"{_word(str(key), flow=True)}: {_flow(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(_flow(item) for item in value) + "]"
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be written")


def _text(text: str, indent: int) -> list[str]:
    """A text as the value of a key: on its line, or as a block below it."""
    if "\n" not in text or not _blockable(text):
        return [_word(text)]
    pad = " " * (indent + 2)
    body = text.removesuffix("\n").split("\n")
    return ["|" if text.endswith("\n") else "|-", *(f"{pad}{line}" if line else "" for line in body)]


def _blockable(text: str) -> bool:
    body = text.removesuffix("\n")
    lines = body.split("\n")
    return (
        bool(lines[0]) and bool(lines[-1]) and not lines[0].startswith(" ")
        and all(_visible(line) and (not line or bool(line.strip())) for line in lines)
    )  # fmt: skip


def _visible(text: str) -> bool:
    """Whether a reader sees every character, and each is what it looks like."""
    return all(char.isprintable() or char in _JOINERS for char in text)


def _word(text: str, *, flow: bool = False) -> str:
    """A text on one line: bare where YAML reads it as that very text, else in double quotes."""
    bare = (
        bool(text) and text[0] not in _NEVER_FIRST and not text.endswith((" ", ":")) and _visible(text)
        and ": " not in text and " #" not in text and text[0] not in _JOINERS and resolve(text) == text
        and isinstance(resolve(text), str) and not (flow and _NEVER_IN_FLOW & set(text))
    )  # fmt: skip
    return text if bare else _quoted(text)


_ESCAPED: Final = re.compile(r"[^ -~]")


def _quoted(text: str) -> str:
    return _ESCAPED.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    """What nobody sees, and what changes the look of other characters, is written as its number."""
    char = found[0]
    if char.isprintable() or char in _JOINERS or unicodedata.category(char) == "Co":
        return char
    return f"\\u{ord(char):04X}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08X}"


def lines_of(step: Step) -> list[str]:
    """A step as its lines in a file, without the indentation of the list."""
    return _mapping(tree_of(step), 0)


def given_lines(wanted: Given, real: Given) -> list[str]:
    """What a call was to be given and what it was given, as marked lines."""
    return [
        f"- given: {_flow(_facts(wanted.given))}",
        f"+ given: {_flow(_facts(real.given))}",
    ]
