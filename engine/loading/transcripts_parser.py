"""A YAML document becomes a Transcript, or findings with file, line and column."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.actions.catalog import Catalog
from engine.diagnostics import Diagnostic, Span
from engine.loading.documents import Document, Mapping_, Node, Scalar_, Sequence_
from engine.loading.findings import Findings, listed, nearest
from engine.loading.source import read_file, read_text
from engine.loading.transcripts import (
    SMALL_FILE,
    START,
    TIMERS,
    Bot,
    Button,
    Buttons,
    Customer,
    Ends,
    Fires,
    Holds,
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
from engine.loading.transcripts_actions import actions
from engine.loading.transcripts_fields import (
    Fields,
    count,
    degrees,
    facts,
    flag,
    missing,
    one_of,
    pause,
    record,
    text,
    unknown,
    word,
    words,
    wrong,
)
from engine.loading.transcripts_values import folded, labelled, moment

LARGEST_FILE: Final = 2 * 1024**3
PICTURES: Final = ("qr", "path", "value")
_LANGUAGE: Final = 35


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """`transcript` is None when something in the file keeps it from being played."""

    transcript: Transcript | None
    findings: tuple[Diagnostic, ...]
    text: str = ""


def read_transcript(path: Path, catalog: Catalog) -> Read:
    """The transcript in a file."""
    read = read_file(path)
    shown = read.content.decode("utf-8-sig", "replace")
    if read.document is None or read.findings:
        return Read(transcript=None, findings=read.findings, text=shown)
    return parse(read.document, catalog)


def parse_text(content: str, name: str, catalog: Catalog) -> Read:
    """The transcript in a text; `name` is what the findings call it."""
    read = read_text(content, name)
    if read.document is None or read.findings:
        return Read(transcript=None, findings=read.findings, text=content)
    return parse(read.document, catalog)


def parse(document: Document, catalog: Catalog) -> Read:
    """The transcript of a document that is YAML."""
    found = Findings()
    root = document.root
    transcript = _transcript(Fields(root, found), catalog) if isinstance(root, Mapping_) else None
    findings = found.all()
    return Read(transcript=None if findings else transcript, findings=findings, text=document.text)


def _transcript(fields: Fields, catalog: Catalog) -> Transcript:
    whole = fields.node.span
    fields.span = Span(file=whole.file, line=whole.line, column=1, end_line=whole.line, end_column=2)
    name = fields.need("test", word, "test: what is tried")
    customer = fields.take("customer", _customer)
    start = fields.take("start", _start)
    given = fields.take("actions", lambda node, found: actions(node, found, catalog))
    steps = fields.need("steps", _steps, "steps: what is said and what the bot answers")
    fields.done()
    return Transcript(
        name=name or "",
        customer=customer or Customer(),
        start=start or START,
        actions=given or {},
        steps=steps or (),
        span=fields.span,
    )


def _customer(node: Node, found: Findings) -> Customer | None:
    if not isinstance(node, Mapping_):
        wrong(node, found, "Here is said who talks to the bot.", "{name: Anna, language: en}")
        return None
    fields = Fields(node, found)
    name = fields.take("name", text)
    given = fields.take("id", word)
    language = fields.take("language", word)
    roles = fields.take("roles", words)
    fields.done()
    usual = Customer()
    if language is not None and len(language) > _LANGUAGE:
        wrong(node, found, "This is no language.", "en, de or pt_BR", "F0205")
    return Customer(
        id=given or usual.id, name=usual.name if name is None else name, language=language or usual.language,
        roles=roles or (),
    )  # fmt: skip


def _start(node: Node, found: Findings) -> datetime | None:
    said = text(node, found)
    try:
        known = None if said is None else moment(said)
    except ValueError:
        known = None
    if known is None or not 1990 < known.year < 2200:
        wrong(node, found, "This is no time for the clock to start at.", "2026-11-21T10:00:00Z", "F0205")
        return None
    return known.astimezone(UTC)


# --- steps ------------------------------------------------------------------------------------------------------


def _steps(node: Node, found: Findings) -> tuple[Step, ...] | None:
    if not isinstance(node, Sequence_) or not node.items:
        wrong(node, found, "Here a list of steps is needed.", "- says: /start")
        return None
    read = [_step(item, found) for item in node.items]
    return tuple(step for step in read if step is not None)


def _step(node: Node, found: Findings) -> Step | None:
    if not isinstance(node, Mapping_):
        wrong(node, found, "A step says who does what.", "says: …, presses: … or bot: …")
        return None
    kinds = [pair for pair in node if pair.key.text in _STEPS]
    if len(kinds) != 1:
        if not kinds and node.pairs:
            key = node.pairs[0].key
            found.error("F0951", key.span, f"“{key.text}” is nothing that a step can be.", expected=listed(_STEPS),
                        suggestion=nearest(key.text, _STEPS))  # fmt: skip
        else:
            first = kinds[1].key.span if kinds else node.span
            found.error("F0951", first, "A step is one thing.", expected="a step of its own for each, with its own -")
        return None
    pair = kinds[0]
    if missing(pair, found):
        return None
    return _STEPS[pair.key.text](Fields(node, found, pair.key.span), pair.value)


def _only(fields: Fields, name: str) -> None:
    """A step with its own key and no other."""
    fields.done(name)


def _says(fields: Fields, node: Node) -> Step | None:
    said = fields.take("says", text)
    _only(fields, "says")
    return None if said is None else Says(text=said, span=fields.span)


def _presses(fields: Fields, node: Node) -> Step | None:
    _only(fields, "presses")
    if not isinstance(node, Mapping_):
        label = text(node, fields.found)
        return None if label is None else Presses(button=labelled(label), span=fields.span)
    inner = Fields(node, fields.found)
    if inner.has("data"):
        data = inner.take("data", text)
        inner.done()
        return None if data is None else PressesData(data=data, span=fields.span)
    part = inner.has("has")
    label = inner.take("has", text) if part else inner.need("button", text, "button: its label")
    message = inner.take("message", count(1, 10_000))
    number = inner.take("number", count(1, 100))
    inner.done()
    if label is None:
        return None
    shown = label.strip() if part else labelled(label)
    return Presses(button=shown, message=message or 1, number=number or 1, part=part, span=fields.span)


def _sends(fields: Fields, node: Node) -> Step | None:
    _only(fields, "sends")
    if not isinstance(node, Mapping_):
        wrong(node, fields.found, "Here is said what is sent.", "{file: model.stl, size: 2048}")
        return None
    inner = Fields(node, fields.found)
    kinds = [kind for kind in ("file", "photo") if inner.has(kind)]
    if len(kinds) != 1:
        fields.found.error("F0951", node.span, "One thing is sent at a time.", expected="file: or photo:")
        return None
    name = inner.take(kinds[0], text)
    size = inner.take("size", count(0, LARGEST_FILE))
    mime = inner.take("mime", text)
    inner.done()
    if name is None:
        return None
    size = SMALL_FILE if size is None else size
    return Sends(name=name, size=size, photo=kinds[0] == "photo", mime=mime, span=fields.span)


def _shares(fields: Fields, node: Node) -> Step | None:
    _only(fields, "shares")
    if not isinstance(node, Mapping_) or (node.get("phone") is None) == (node.get("location") is None):
        wrong(node, fields.found, "Here is said what is shared.", '{phone: "+49…"} or {location: [52.5, 13.4]}')
        return None
    inner = Fields(node, fields.found)
    if inner.has("phone"):
        phone = inner.take("phone", text)
        own = inner.take("own", flag)
        inner.done()
        return None if phone is None else SharesPhone(phone=phone, own=own is not False, span=fields.span)
    inner.done("location")
    point = node.get("location")
    if not isinstance(point, Sequence_) or len(point.items) != 2:
        wrong(node, fields.found, "A place is two numbers.", "location: [52.5, 13.4]")
        return None
    latitude, longitude = degrees(90)(point.items[0], fields.found), degrees(180)(point.items[1], fields.found)
    if latitude is None or longitude is None:
        return None
    return SharesLocation(latitude=latitude, longitude=longitude, span=fields.span)


def _starts(fields: Fields, node: Node) -> Step | None:
    flow = fields.take("starts", word)
    arguments = fields.take("with", record)
    fields.done()
    return None if flow is None else Starts(flow=flow, arguments=arguments or {}, span=fields.span)


def _wait(fields: Fields, node: Node) -> Step | None:
    seconds = fields.take("wait", pause)
    _only(fields, "wait")
    return None if seconds is None else Waits(seconds=seconds, span=fields.span)


def _signal(fields: Fields, node: Node) -> Step | None:
    _only(fields, "signal")
    if not isinstance(node, Mapping_):
        name = word(node, fields.found)
        return None if name is None else Signals(name=name, span=fields.span)
    inner = Fields(node, fields.found)
    name = inner.need("name", word, "name: order.paid")
    payload = inner.take("payload", record)
    flow = inner.take("flow", word)
    key = inner.take("key", text)
    inner.done()
    if (flow is None) != (key is None):
        fields.found.error("F0202", node.span, "A flow and its key belong together.", expected="flow: and key:")
    return None if name is None else Signals(name=name, payload=payload or {}, flow=flow, key=key, span=fields.span)


def _timer(fields: Fields, node: Node) -> Step | None:
    name = fields.take("timer", one_of(TIMERS))
    _only(fields, "timer")
    return None if name is None else Fires(name=name, span=fields.span)


# --- expectations -----------------------------------------------------------------------------------------------


def _bot(fields: Fields, node: Node) -> Step | None:
    edit = fields.has("edits")
    wanted = fields.take("edits" if edit else "bot", _wanted)
    buttons = fields.take("buttons", _buttons)
    picture = fields.take("picture", _picture)
    message = fields.take("message", count(1, 10_000)) if edit else None
    fields.done()
    if wanted is None:
        return None
    return Bot(text=wanted, buttons=buttons, picture=picture, edit=edit, message=message or 1, span=fields.span)


def _wanted(node: Node, found: Findings) -> Wanted | None:
    if not isinstance(node, Mapping_):
        said = text(node, found)
        return None if said is None else Wanted(exact=folded(said))
    fields = Fields(node, found)
    parts = fields.need("has", words, "has: a part of the text")
    fields.done()
    return None if parts is None else Wanted(parts=tuple(folded(part) for part in parts))


def _buttons(node: Node, found: Findings) -> Buttons | None:
    if not isinstance(node, Sequence_):
        wrong(node, found, "Here rows of buttons are needed.", "[[Yes, No], [Back]]")
        return None
    rows = []
    for row in node.items:
        items = row.items if isinstance(row, Sequence_) else (row,)
        read = [_button(item, found) for item in items]
        rows.append(tuple(button for button in read if button is not None))
    return tuple(rows)


def _button(node: Node, found: Findings) -> Button | None:
    if not isinstance(node, Mapping_):
        label = text(node, found)
        return None if label is None else Button(text=labelled(label))
    if node.pair("text") is None:
        wrong(node, found, "A label with a colon in it needs quotes.", '"Keep: Anna", or {text: label, url: address}')
        return None
    fields = Fields(node, found)
    label = fields.take("text", text)
    url = fields.take("url", text)
    fields.done()
    return None if label is None else Button(text=labelled(label), url=url)


def _picture(node: Node, found: Findings) -> tuple[str, str] | None:
    pairs = node.pairs if isinstance(node, Mapping_) else ()
    if len(pairs) != 1:
        wrong(node, found, "Here is said which picture.", "{qr: what it says}, {path: FILE} or {value: ADDRESS}")
        return None
    key, content = pairs[0].key, text(pairs[0].value, found)
    if key.text not in PICTURES:
        unknown(key, PICTURES, found)
        return None
    return None if content is None else (key.text, content)


def _notice(fields: Fields, node: Node) -> Step | None:
    alert = fields.has("alert")
    wanted = fields.take("alert" if alert else "notice", _wanted)
    fields.done()
    return None if wanted is None else Notices(text=wanted, alert=alert, span=fields.span)


def _ends(fields: Fields, node: Node) -> Step | None:
    _only(fields, "ends")
    if isinstance(node, Scalar_):
        outcome = word(node, fields.found)
        return None if outcome is None else Ends(outcome=outcome, span=fields.span)
    if not isinstance(node, Mapping_):
        wrong(node, fields.found, "Here an outcome is needed.", "completed, or {flow: quiz, outcome: completed}")
        return None
    inner = Fields(node, fields.found)
    outcome = inner.need("outcome", word, "outcome: completed")
    flow = inner.take("flow", word)
    inner.done()
    return None if outcome is None else Ends(outcome=outcome, flow=flow, span=fields.span)


def _data(fields: Fields, node: Node) -> Step | None:
    read = fields.take("data", facts)
    _only(fields, "data")
    return None if read is None else Holds(facts=read, span=fields.span)


_STEPS: Final[Mapping[str, Callable[[Fields, Node], Step | None]]] = {
    "says": _says,
    "presses": _presses,
    "sends": _sends,
    "shares": _shares,
    "starts": _starts,
    "wait": _wait,
    "signal": _signal,
    "timer": _timer,
    "bot": _bot,
    "edits": _bot,
    "notice": _notice,
    "alert": _notice,
    "ends": _ends,
    "data": _data,
}
"""What a step can be: the key that names it."""
STEP_KEYS: Final = tuple(_STEPS)
