"""Judges a reply to the question that is open: a verdict, never a change. What was typed is data, never template."""

from decimal import Decimal
from html import unescape
from typing import Any

from engine.core import filing
from engine.core.accepting import accept
from engine.core.bounds import bound, outside_bounds
from engine.core.conversation import Row
from engine.core.events import ButtonPressed, ContactShared, FileReceived, LocationShared, TextReceived
from engine.core.keyboard import (
    button,
    page_size,
    row_buttons,
    static_row,
    ticked_values,
    typeable_rows,
    typed_button,
    typed_row_button,
)
from engine.core.model import (
    Choice,
    Choices,
    Day,
    Email,
    File,
    Files,
    Location,
    MoneyAmount,
    Number,
    Phone,
    Quantity,
    Text,
    YesNo,
)
from engine.core.program import Node
from engine.core.reading import (
    Read,
    Reading,
    Unreadable,
    read_day,
    read_email,
    read_money,
    read_number,
    read_phone,
    read_text,
)
from engine.core.turn import Turn
from engine.core.values import UNSET, Value
from engine.core.verdicts import Answer, Leave, Quiet, Redraw, Refusal, Verdict

Reply = TextReceived | ButtonPressed | FileReceived | ContactShared | LocationShared


def judge(turn: Turn, node: Node, reply: Reply) -> Verdict:
    """What becomes of a reply at the current step."""
    match reply:
        case TextReceived(text=text):
            return _typed(turn, node, text)
        case ButtonPressed(code=code, draw=draw):
            return _pressed(turn, node, code, draw)
        case FileReceived(file=file):
            return _sent(turn, node, dict(file))
        case ContactShared(phone=phone, own=own):
            return _contact(turn, node, phone, own=own)
        case LocationShared(latitude=latitude, longitude=longitude):
            if not isinstance(node.question, Location):
                return _wrong_kind(turn, node)
            point = {"latitude": Decimal(str(latitude)), "longitude": Decimal(str(longitude))}
            return accept(turn, node, point)


# --- typed ------------------------------------------------------------------------------------------------


def _typed(turn: Turn, node: Node, text: str) -> Verdict:
    question = node.question
    match question:
        case Choice() | Choices():
            return _typed_option(turn, node, text)
        case YesNo():
            return _typed_yes_no(turn, node, text)
        case Location() | File() | Files() | None:
            return _typed_button(turn, node, text) or _wrong_kind(turn, node)
        case _:
            reading = _read(turn, node, text)
            if isinstance(reading, Unreadable):
                return _refused(turn, reading)
            bounded = outside_bounds(turn, node, reading.value)
            return bounded if isinstance(bounded, Refusal) else accept(turn, node, reading.value)


def _read(turn: Turn, node: Node, text: str) -> Reading:
    language = turn.world.formats_language
    match node.question:
        case Text():
            return read_text(text)
        case Number(decimal=decimal):
            return read_number(text, language, decimal=decimal)
        case MoneyAmount(currency=currency):
            return read_money(text, language, currency or turn.world.currency)
        case Email():
            return read_email(text)
        case Phone(region=region):
            return read_phone(text, region or turn.world.region)
        case Day():
            return read_day(text, language, turn.today, _day_words(turn))
        case Quantity():
            return read_number(text, language, decimal=False)
        case _:
            return Unreadable(key="answer.press_a_button")


def _day_words(turn: Turn) -> dict[str, int]:
    return {turn.words(f"day.{name}").casefold(): days for name, days in (("today", 0), ("tomorrow", 1))}


def _refused(turn: Turn, reading: Unreadable) -> Refusal:
    return Refusal(text=turn.words(reading.key, **reading.values), rule=reading.key)


def _typed_option(turn: Turn, node: Node, text: str) -> Verdict:
    keys = node.keys
    wanted = text.strip().casefold()
    if keys is None or not wanted:
        return _wrong_kind(turn, node)
    rows = typeable_rows(turn, node)
    if keys.source is not None and keys.source.buttons:
        if (named := typed_row_button(turn, keys, rows, text)) is not None:
            return _row_answered(turn, node, *named)
    else:
        for row in rows:
            if wanted in (row.label.casefold(), row.key.casefold()):
                return _chosen(turn, node, row)
    if pressed := _typed_button(turn, node, text):
        return pressed
    if keys.search:
        return Redraw(fields={"search": text.strip()[:100], "page": 0}, fetch=keys.source is not None)
    return _wrong_kind(turn, node)


def _typed_button(turn: Turn, node: Node, text: str) -> Verdict | None:
    label = typed_button(turn, node, text)
    return None if label is None else _button(turn, node, label.value)


def _typed_yes_no(turn: Turn, node: Node, text: str) -> Verdict:
    wanted = text.strip().casefold()
    for name in ("yes", "no"):
        own = node.labels.get(name)
        words = turn.words(f"answer.{name}_words").casefold().split(",")
        if wanted in words or (own is not None and wanted == unescape(turn.said(own, turn.scope())).casefold()):
            return _yes_no(turn, node, name)
    return _typed_button(turn, node, text) or _wrong_kind(turn, node)


def _yes_no(turn: Turn, node: Node, name: str) -> Verdict:
    return accept(turn, node, name == "yes", (name, "answered"))


_WANTED = {
    Phone: "answer.phone_wanted", Location: "answer.location_wanted", File: "answer.file_wanted",
    Files: "answer.file_wanted",
}  # fmt: skip


def _wrong_kind(turn: Turn, node: Node) -> Refusal:
    question = node.question
    if isinstance(question, File | Files) and question.photo:
        key = "answer.photo_wanted"
    elif question is None or isinstance(question, Choice | Choices | YesNo):
        key = "answer.press_a_button"
    else:
        key = _WANTED.get(type(question), "answer.text_wanted")
    return Refusal(text=turn.words(key), rule=key)


# --- pressed ----------------------------------------------------------------------------------------------


def _pressed(turn: Turn, node: Node, code: str, draw: int) -> Verdict:
    kind, _, rest = code.partition(":")
    match kind:
        case "t":
            return _button(turn, node, rest)
        case "o":
            return _option(turn, node, rest)
        case "r":
            return _row(turn, node, rest, draw)
        case "b":
            return _row_button(turn, node, rest, draw)
        case "p" | "S":
            return _turned(turn, node, kind, rest)
        case "q":
            return _counted(turn, node, rest)
        case "f" | "F":
            return filing.pressed(turn, node, kind, rest)
        case "x":
            return _done(turn, node)
        case "n":
            return _offered(turn, node, rest)
        case _:
            return Quiet(notice=turn.words("button.old"))


def _button(turn: Turn, node: Node, trigger: str) -> Verdict:
    if button(turn, node, trigger) is None:
        return Quiet(notice=turn.words("button.gone"))
    if isinstance(node.question, Choice):
        return accept(turn, node, trigger, (trigger, "answered"))
    return Leave(trigger=trigger)


def _option(turn: Turn, node: Node, key: str) -> Verdict:
    if isinstance(node.question, YesNo):
        return _yes_no(turn, node, key) if key in ("yes", "no") else Quiet(notice=turn.words("button.gone"))
    row = static_row(turn, node.keys, key) if node.keys else None
    return Quiet(notice=turn.words("button.gone")) if row is None else _chosen(turn, node, row)


def _row(turn: Turn, node: Node, index: str, draw: int) -> Verdict:
    row = _row_on_show(turn, index, draw)
    if row is None or (node.keys is not None and node.keys.source is not None and node.keys.source.buttons):
        return Quiet(notice=turn.words("button.list_changed"))
    return _chosen(turn, node, row)


def _row_on_show(turn: Turn, index: str, draw: int) -> Row | None:
    """The option at that place of the page, as it stood when it was drawn; None: the list is another one by now."""
    visit = turn.work.visit
    if draw != visit.draw or not index.isdecimal() or len(index) > 4 or int(index) >= visit.shown:
        return None
    return visit.rows[int(index)]


def _row_button(turn: Turn, node: Node, rest: str, draw: int) -> Verdict:
    """A button in the row of an option: the option is the answer, the button says what becomes of it."""
    index, _, trigger = rest.partition(":")
    row = _row_on_show(turn, index, draw)
    if row is None:
        return Quiet(notice=turn.words("button.list_changed"))
    keys = node.keys
    if keys is None or keys.source is None or all(trigger != name for name, _ in row_buttons(turn, keys, row.value)):
        return Quiet(notice=turn.words("button.gone"))
    return _row_answered(turn, node, row, trigger)


def _row_answered(turn: Turn, node: Node, row: Row, trigger: str) -> Verdict:
    return accept(turn, node, row.value, (trigger, "answered"))


def _chosen(turn: Turn, node: Node, row: Row) -> Verdict:
    match node.question:
        case Choice():
            return accept(turn, node, row.value, (row.key, "answered"))
        case Choices(maximum=maximum):
            ticks = turn.work.visit.ticks
            if row.key in ticks:
                return Redraw(fields={"ticks": tuple(key for key in ticks if key != row.key)})
            if maximum is not None and len(ticks) >= maximum:
                return Quiet(notice=turn.words("choices.too_many", max=maximum), alert=True)
            rows = turn.work.visit.rows
            if node.keys is not None and node.keys.source is not None and all(one.key != row.key for one in rows):
                rows = (*rows, row)  # typed while another page is on show: its record has to be kept too
            return Redraw(fields={"ticks": (*ticks, row.key), "rows": rows})
        case _:
            return Quiet(notice=turn.words("button.old"))


def _turned(turn: Turn, node: Node, kind: str, rest: str) -> Verdict:
    keys = node.keys
    if keys is None or rest == "=":
        return Quiet()
    fetch = keys.source is not None
    if kind == "S":
        return Redraw(fields={"search": "", "page": 0}, fetch=fetch)
    if not rest.isdecimal() or int(rest) * page_size(keys) > 1_000_000:
        return Quiet(notice=turn.words("button.old"))
    return Redraw(fields={"page": int(rest)}, fetch=fetch)


def quantity(turn: Turn, node: Node) -> int:
    """The number between ➖ and ➕ now."""
    count = turn.work.visit.quantity
    if count is not None:
        return count
    start, minimum = bound(turn, node, "start"), bound(turn, node, "minimum")
    first = start if isinstance(start, int) else minimum if isinstance(minimum, int) else 1
    maximum = bound(turn, node, "maximum")
    return min(first, maximum) if isinstance(maximum, int) else first


def _counted(turn: Turn, node: Node, what: str) -> Verdict:
    question = node.question
    if not isinstance(question, Quantity):
        return Quiet(notice=turn.words("button.old"))
    count = quantity(turn, node)
    if what == "ok":
        return outside_bounds(turn, node, count) or accept(turn, node, count)
    if what not in ("+", "-"):
        return Quiet()
    wanted = count + (question.step if what == "+" else -question.step)
    if refusal := outside_bounds(turn, node, wanted):
        return Quiet(notice=refusal.text)
    return Redraw(fields={"quantity": wanted})


def _done(turn: Turn, node: Node) -> Verdict:
    visit = turn.work.visit
    match node.question:
        case Choices(minimum=minimum):
            if len(visit.ticks) < minimum:
                return Quiet(notice=turn.words("choices.too_few", min=minimum), alert=True)
            return accept(turn, node, ticked_values(turn, node))
        case Files() as question:
            return filing.incomplete(turn, question) or accept(turn, node, tuple(item.value for item in visit.files))
        case _:
            return Quiet(notice=turn.words("button.old"))


def _offered(turn: Turn, node: Node, what: str) -> Verdict:
    if what == "skip" and node.optional is not None:
        return Answer(value=UNSET, triggers=("skipped", "answered"))
    value = offered(turn, node) if what == "keep" else UNSET
    match node.question:
        case _ if value is UNSET:
            pass
        case YesNo():
            return accept(turn, node, value, ("yes" if value else "no", "answered"))
        case Choice() | Choices() | Files() | Quantity():
            pass  # their own buttons offer it: an option that is gone cannot be kept
        case _:
            return accept(turn, node, value)
    return Quiet(notice=turn.words("button.old"))


def offered(turn: Turn, node: Node) -> Value:
    """An answer to offer as a button: one that was gone back over, else the flow's `prefill`; UNSET: none."""
    recalled = turn.recalled(node.id)
    if recalled is not None:
        return UNSET if recalled.value is None else recalled.value
    if node.prefill is None:
        return UNSET
    value = turn.value(node.prefill, turn.scope(), default=UNSET)
    return UNSET if value is None or value == "" or not _could_be_typed(turn, node, value) else value


def _could_be_typed(turn: Turn, node: Node, value: Value) -> bool:
    """Whether a prefilled text would be taken if the customer typed it: a name is no e-mail address."""
    if isinstance(value, str) and isinstance(node.question, Text | Email | Phone):
        return isinstance(_read(turn, node, value), Read)
    return True


# --- sent -------------------------------------------------------------------------------------------------


def _contact(turn: Turn, node: Node, phone: str, *, own: bool) -> Verdict:
    if not isinstance(node.question, Phone):
        return _wrong_kind(turn, node)
    if not own:
        return Refusal(text=turn.words("answer.not_your_number"), rule="answer.not_your_number")
    reading = read_phone(phone if phone.startswith("+") else f"+{phone}", None)
    return accept(turn, node, reading.value) if isinstance(reading, Read) else _refused(turn, reading)


def _sent(turn: Turn, node: Node, file: dict[str, Any]) -> Verdict:
    question = node.question
    if not isinstance(question, File | Files):
        return _wrong_kind(turn, node)
    if isinstance(question, File) and node.use is None:
        return filing.refusal(turn, question, file) or accept(turn, node, file)
    return filing.taken(turn, node, question, file)
