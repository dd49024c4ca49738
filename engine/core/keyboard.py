"""The options and buttons that a customer sees at a step now: conditions, roles, pages and search applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from engine.core.conversation import Row, Visit
from engine.core.effects import Press
from engine.core.program import Keys, Label, Node
from engine.core.turn import Turn
from engine.core.values import UNSET, Value

LARGEST_PAGE = 90
"""Options on one page when the flow names no size: Telegram takes 100 buttons under a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The options of the page on show, and how many there are in all."""

    rows: tuple[Row, ...]
    codes: tuple[str, ...]
    total: int


def label_text(turn: Turn, label: Label, extra: Mapping[str, Value] | None = None) -> str:
    """A button's text: no markup, so what was escaped for a message is itself again."""
    text = turn.said(label.text, turn.scope(extra)) if label.text.constant is None else label.text.constant
    return (unescape(text) if "&" in text else text).strip() or "…"


def visible(turn: Turn, label: Label, extra: Mapping[str, Value] | None = None) -> bool:
    """Whether this customer may see an option or button now."""
    if not turn.has_role(label.only):
        return False
    return label.condition is None or bool(turn.value(label.condition, turn.scope(extra), default=False))


def page_size(keys: Keys) -> int:
    """Options on a page."""
    wide = 1 if keys.source is None else max(1, len(keys.source.buttons))
    return keys.page or LARGEST_PAGE // wide


def static_rows(turn: Turn, keys: Keys) -> list[Row]:
    """All fixed options that this customer may choose, in order."""
    return [
        Row(key=label.value, label=label_text(turn, label), value=label.value)
        for label in keys.options
        if visible(turn, label)
    ]


def static_row(turn: Turn, keys: Keys, key: str) -> Row | None:
    """The fixed option of that value, when this customer may choose it."""
    for label in keys.options:
        if label.value == key and visible(turn, label):
            return Row(key=key, label=label_text(turn, label), value=key)
    return None


def typeable_rows(turn: Turn, node: Node) -> Sequence[Row]:
    """The options that a customer may type: all that are known, whatever page or search is on show. Of a source only
    the page on show is known."""
    keys = node.keys
    if keys is None:
        return ()
    if keys.source is None:
        return static_rows(turn, keys)
    if keys.source.items is None:
        return shown_options(turn, node, turn.work.visit).rows
    records = turn.value(keys.source.items, turn.scope(), default=())
    return rows_from(turn, keys, records if isinstance(records, list | tuple) else ())


def narrowed(rows: Sequence[Row], search: str) -> list[Row]:
    """The rows whose label or key has every word of the search in it."""
    words = search.casefold().split()
    return [row for row in rows if all(word in f"{row.label} {row.key}".casefold() for word in words)]


def shown_options(turn: Turn, node: Node, visit: Visit) -> Shown:
    """The options on the current page."""
    keys = node.keys
    if keys is None:
        return Shown(rows=(), codes=(), total=0)
    if keys.source is not None:
        rows = visit.rows[: visit.shown]
        return Shown(rows=rows, codes=tuple(f"r:{index}" for index in range(len(rows))), total=visit.total)
    every = static_rows(turn, keys)
    if visit.search:
        every = narrowed(every, visit.search)
    size = page_size(keys)
    part = every[visit.page * size : (visit.page + 1) * size]
    return Shown(rows=tuple(part), codes=tuple(f"o:{row.key}" for row in part), total=len(every))


def rows_from(turn: Turn, keys: Keys, records: Sequence[Value]) -> list[Row]:
    """Options made of a source's records."""
    source = keys.source
    assert source is not None
    rows = []
    for record in records:
        scope = turn.scope({"option": record})
        key: Any = record if source.value is None else turn.value(source.value, scope)
        if source.buttons:
            text = " ".join(said for _, said in row_buttons(turn, keys, record))
        else:
            text = unescape(turn.said(source.text, scope))
        rows.append(Row(key="" if key is None or key is UNSET else str(key), label=text, value=record))
    return rows


def row_buttons(turn: Turn, keys: Keys, record: Value) -> list[tuple[str, str]]:
    """The buttons in the row of one option that this customer may see: (trigger, what it says)."""
    assert keys.source is not None
    extra = {"option": record}
    return [
        (label.value, label_text(turn, label, extra)) for label in keys.source.buttons if visible(turn, label, extra)
    ]


def row_presses(turn: Turn, keys: Keys, shown: Shown) -> list[tuple[Press, ...]]:
    """A row of buttons for each option on the page."""
    rows = []
    for number, row in enumerate(shown.rows):
        buttons = row_buttons(turn, keys, row.value)
        if buttons:
            rows.append(tuple(Press(text=text, code=f"b:{number}:{trigger}") for trigger, text in buttons))
    return rows


def typed_row_button(turn: Turn, keys: Keys, rows: Sequence[Row], text: str) -> tuple[Row, str] | None:
    """The option and the trigger of the one button in the options' rows that was typed instead of pressed; None when
    several say that."""
    wanted = text.strip().casefold()
    found = [
        (row, trigger)
        for row in rows
        for trigger, said in row_buttons(turn, keys, row.value)
        if said.casefold() == wanted
    ]
    return found[0] if len(found) == 1 else None


def grid(presses: Sequence[Press], columns: int) -> list[tuple[Press, ...]]:
    """Buttons in rows of `columns`."""
    width = max(1, columns)
    return [tuple(presses[start : start + width]) for start in range(0, len(presses), width)]


def option_presses(node: Node, shown: Shown, marked: frozenset[str], mark: str) -> list[Press]:
    """The options as buttons, those in `marked` with a mark in front."""
    return [
        Press(text=f"{mark}{row.label}" if row.key in marked else row.label, code=code)
        for row, code in zip(shown.rows, shown.codes, strict=True)
    ]


def paging(turn: Turn, keys: Keys, visit: Visit, total: int) -> list[tuple[Press, ...]]:
    """‹ 2/5 › and the end of a search."""
    rows: list[tuple[Press, ...]] = []
    pages = -(-total // page_size(keys))
    if pages > 1:
        row = [Press(text=f"{visit.page + 1}/{pages}", code="p:=")]
        if visit.page > 0:
            row.insert(0, Press(text="‹", code=f"p:{visit.page - 1}"))
        if visit.page + 1 < pages:
            row.append(Press(text="›", code=f"p:{visit.page + 1}"))
        rows.append(tuple(row))
    if visit.search:
        rows.append((Press(text=turn.words("keyboard.clear_search", search=visit.search), code="S"),))
    return rows


def fixed_rows(turn: Turn, keys: Keys) -> list[tuple[Press, ...]]:
    """The rows of buttons that the author drew, without those that this customer may not see."""
    rows = []
    for row in keys.rows:
        presses = []
        for label in row:
            if not visible(turn, label):
                continue
            url = None if label.url is None else unescape(str(turn.value(label.url, turn.scope(), default="")))
            presses.append(Press(text=label_text(turn, label), code=label.code, url=url or None))
        if presses:
            rows.append(tuple(presses))
    return rows


def button(turn: Turn, node: Node, trigger: str) -> Label | None:
    """The visible fixed button that fires `trigger`."""
    if node.keys is None:
        return None
    for row in node.keys.rows:
        for label in row:
            if label.code == f"t:{trigger}" and visible(turn, label):
                return label
    return None


def typed_button(turn: Turn, node: Node, text: str) -> Label | None:
    """The visible fixed button whose words were typed instead of pressed."""
    wanted = text.strip().casefold()
    labels = [label for row in node.keys.rows for label in row] if node.keys is not None else []
    for label in labels:
        if label.code.startswith("t:") and visible(turn, label) and label_text(turn, label).casefold() == wanted:
            return label
    return None


def ticked_values(turn: Turn, node: Node) -> tuple[Value, ...]:
    """The answers behind the ticks, in the order of ticking."""
    visit = turn.work.visit
    if node.keys is not None and node.keys.source is not None:
        by_key = {row.key: row.value for row in visit.rows}
        return tuple(by_key[key] for key in visit.ticks if key in by_key)
    return visit.ticks
