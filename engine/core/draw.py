"""What the customer sees at the current step: a Show made of text, options, buttons and navigation. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from html import unescape

from engine.core.answers import offered, quantity
from engine.core.conversation import FileStatus, Phase, Visit
from engine.core.display import display
from engine.core.effects import Press, Show
from engine.core.keyboard import (
    fixed_rows,
    grid,
    label_text,
    option_presses,
    paging,
    row_presses,
    shown_options,
    static_rows,
    visible,
)
from engine.core.model import (
    Ask,
    Choice,
    Choices,
    End,
    File,
    Files,
    Quantity,
    YesNo,
)
from engine.core.paths import can_go_back, last_stay
from engine.core.program import Evaluate, Keys, Label, Node, SourceKeys
from engine.core.turn import Turn
from engine.core.values import UNSET, Value
from engine.core.wording import Wording

Rows = list[tuple[Press, ...]]
_BAR = 9
"""Blocks of the progress bar: it fits one line of a phone beside `Step 10 of 12`."""


def draw(turn: Turn, *, edit: bool = False) -> None:
    """Show the current stay; `edit`: in place of its last message."""
    work = turn.work
    node, visit = work.node, work.visit
    if visit.menu:
        turn.emit(_menu(turn, node, visit))
        return
    turn.emit(
        Show(
            visit=visit.number,
            draw=visit.draw,
            text=_text(turn, node, visit),
            rows=_rows(turn, node, visit),
            photo=None if node.photo is None else _photo(turn, node.photo),
            accepts=node.accepts,
            edit=edit,
            over=0 if visit.over is None else _over(visit),
        )
    )


def _over(visit: Visit) -> int:
    return visit.over[1] if visit.over is not None and visit.over[0] == visit.step else 0


def draw_trouble(turn: Turn, key: str) -> None:
    """Source or action failed and the flow draws no way on: say so, offer to try again."""
    visit = turn.change(phase=Phase.BROKEN, over=None)  # what is drawn next stands in the message that says so
    rows: Rows = [(Press(text=turn.words("button.retry"), code="n:retry"),)]
    rows += _navigation(turn.world.wording, *_ways_out(turn, turn.work.node))
    turn.emit(Show(visit=visit.number, draw=visit.draw, text=turn.words(key), rows=tuple(rows)))


# --- text -------------------------------------------------------------------------------------------------


def _text(turn: Turn, node: Node, visit: Visit) -> str:
    text = node.text
    said = turn.words("question.none") if text is None else text.constant or turn.said(text, turn.scope())
    if node.keys is None and not turn.work.program.flow.progress and not visit.files:
        return said
    parts = [said]
    if turn.work.program.flow.progress and isinstance(node.body, Ask):
        parts.insert(0, _progress(turn, node))
    if node.keys is not None and (about := _about_options(turn, node.keys, visit)):
        parts = [*parts[:-1], about] if _lists_nothing(node.keys, visit) else [*parts, about]
    if visit.files and isinstance(node.question, Files):
        parts.append(_file_list(turn, visit))
    return "\n\n".join(parts)


def _about_options(turn: Turn, keys: Keys, visit: Visit) -> str:
    if keys.source is not None and not visit.total and visit.phase is Phase.ASKING:
        return _nothing_listed(turn, keys.source, visit)
    if keys.options and not keys.plain and not (visit.search or keys.rows or static_rows(turn, keys)):
        return turn.words("keyboard.empty")  # conditions hide every option: say so, the ways out are shown
    return turn.words("keyboard.search") if keys.search and not visit.search else ""


def _lists_nothing(keys: Keys, visit: Visit) -> bool:
    """A question whose source has nothing at all is not asked: what is said instead stands alone."""
    return keys.source is not None and not visit.total and not visit.search and visit.phase is Phase.ASKING


def _nothing_listed(turn: Turn, source: SourceKeys, visit: Visit) -> str:
    if visit.search:
        return turn.words("keyboard.nothing_found", search=_escaped(visit.search))
    return turn.words("keyboard.empty") if source.empty is None else turn.said(source.empty, turn.scope())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _progress(turn: Turn, node: Node) -> str:
    program = turn.work.program
    edit = turn.work.edit
    trail = turn.work.trail
    if edit is not None and not edit.replaying:
        stay = last_stay(trail, node.id)
        trail = trail[: trail.index(stay)] if stay is not None else trail
    asked = {step.id for step in program.flow.steps if isinstance(step.body, Ask)}
    done = len((asked & {past.step for past in trail}) - {node.id})
    total = done + node.remaining
    filled = round(_BAR * (done + 1) / total) if total else _BAR
    return turn.words("progress", n=done + 1, total=total, bar="▓" * filled + "░" * (_BAR - filled))


_MARKS = {FileStatus.CHECKING: "⏳", FileStatus.READY: "✅", FileStatus.FAILED: "⚠️"}


def _file_list(turn: Turn, visit: Visit) -> str:
    lines = [turn.words("files.count", n=len(visit.files))]
    for item in visit.files:
        name, size = str(item.file.get("name", "")), item.file.get("size")
        shown = turn.formats.size(size if isinstance(size, int) else 0)
        line = f"{_MARKS[item.status]} {_escaped(name[:60])} ({shown})"
        if item.status is FileStatus.FAILED:
            line += f": {_escaped(item.reason)}"
        lines.append(line)
    return "\n".join(lines)


# --- keyboards --------------------------------------------------------------------------------------------


def _rows(turn: Turn, node: Node, visit: Visit) -> tuple[tuple[Press, ...], ...]:
    value = offered(turn, node) if node.question is not None else UNSET
    back, cancel = _ways_out(turn, node)
    if node.still and value is UNSET:
        return _still_rows(node, turn.world.wording, turn.world.formats_language, back, cancel)
    rows: Rows = []
    keys = node.keys
    if keys is not None and (keys.options or keys.source is not None):
        rows += _option_rows(turn, node, visit, value)
    rows += _question_rows(turn, node, visit)
    if value is not UNSET and not isinstance(node.question, Choice | Choices | Files | Quantity):
        rows.append((Press(text=turn.words("button.keep", value=display(turn, value)), code="n:keep"),))
    if keys is not None and keys.rows:
        rows += fixed_rows(turn, keys)
    if node.optional is not None:
        rows.append((Press(text=turn.said(node.optional, turn.scope()), code="n:skip"),))
    return (*rows, *_navigation(turn.world.wording, back, cancel))


@lru_cache(maxsize=4096)
def _still_rows(node: Node, wording: Wording, language: str, back: bool, cancel: bool) -> tuple[tuple[Press, ...], ...]:
    """The buttons of a step where they never change but with the language; kept, since most steps are such."""
    rows: Rows = []
    if node.keys is not None:
        rows += grid([_constant(label, language) for label in node.keys.options], node.keys.columns)
        rows += [tuple(_constant(label, language) for label in row) for row in node.keys.rows]
    if node.optional is not None:
        rows.append((Press(text=node.optional.wording(language) or "…", code="n:skip"),))
    return (*rows, *_navigation(wording, back, cancel))


def _constant(label: Label, language: str) -> Press:
    return Press(text=unescape(label.text.wording(language) or "…").strip() or "…", code=label.code)


def _option_rows(turn: Turn, node: Node, visit: Visit, value: Value) -> Rows:
    keys = node.keys
    assert keys is not None
    shown = shown_options(turn, node, visit)
    if keys.source is not None and keys.source.buttons:
        return [*row_presses(turn, keys, shown), *paging(turn, keys, visit, shown.total)]
    if isinstance(node.question, Choices):
        marked, mark = frozenset(visit.ticks), "✅ "
    else:
        marked, mark = frozenset(row.key for row in shown.rows if value is not UNSET and row.value == value), "• "
    rows = grid(option_presses(node, shown, marked, mark), keys.columns)
    rows += paging(turn, keys, visit, shown.total)
    return rows


def _question_rows(turn: Turn, node: Node, visit: Visit) -> Rows:
    match node.question:
        case Choices():
            done = turn.words("button.done") if node.done is None else turn.said(node.done, turn.scope())
            text = f"{done} ({len(visit.ticks)})" if visit.ticks else done
            return [(Press(text=text, code="x:ok"),)]
        case Files():
            return _file_rows(turn, node, visit)
        case File():
            return _single_file_rows(turn, visit)
        case YesNo():
            return [tuple(Press(text=_yes_no_text(turn, node, name), code=f"o:{name}") for name in ("yes", "no"))]
        case Quantity():
            count = quantity(turn, node)
            return [
                (Press(text="➖", code="q:-"), Press(text=str(count), code="q:="), Press(text="➕", code="q:+")),
                (Press(text=turn.words("button.take", n=count), code="q:ok"),),
            ]
        case _:
            return []


def _yes_no_text(turn: Turn, node: Node, name: str) -> str:
    own = node.labels.get(name)
    return turn.words(f"answer.{name}") if own is None else turn.said(own, turn.scope())


def _file_rows(turn: Turn, node: Node, visit: Visit) -> Rows:
    rows: Rows = []
    for item in visit.files:
        name = str(item.file.get("name", ""))[:30]
        row = [Press(text=f"❌ {name}", code=f"f:{item.number}")]
        if item.status is FileStatus.FAILED:
            row.insert(0, Press(text=f"🔁 {name}", code=f"F:{item.number}"))
        rows.append(tuple(row))
    question = node.question
    assert isinstance(question, Files)
    if (visit.files and len(visit.files) >= question.minimum) or question.minimum == 0:
        done = turn.words("button.done") if node.done is None else turn.said(node.done, turn.scope())
        rows.append((Press(text=done, code="x:ok"),))
    return rows


def _single_file_rows(turn: Turn, visit: Visit) -> Rows:
    failed = [item for item in visit.files if item.status is FileStatus.FAILED]
    return [(Press(text=turn.words("button.retry"), code=f"F:{item.number}"),) for item in failed]


def _ways_out(turn: Turn, node: Node) -> tuple[bool, bool]:
    """Whether ⬅️ Back and ✖️ Cancel are shown."""
    if isinstance(node.body, End) or (turn.work.visit.phase is Phase.ASKING and not node.interactive):
        return False, False  # a message on the way: its stay is over when it is read
    flow = turn.work.program.flow
    back = flow.back and (turn.work.edit is not None or can_go_back(turn))
    return back, turn.stack[0].program.flow.cancel and turn.work.visit.phase is not Phase.WAITING


@lru_cache(maxsize=256)
def _navigation(wording: Wording, back: bool, cancel: bool) -> tuple[tuple[Press, ...], ...]:
    row = []
    if back:
        row.append(Press(text=wording.say("button.back"), code="n:back"))
    if cancel:
        row.append(Press(text=wording.say("button.cancel"), code="n:cancel"))
    return (tuple(row),) if row else ()


def _menu(turn: Turn, node: Node, visit: Visit) -> Show:
    """The question's message with another set of buttons: what to change, or whether to cancel."""
    if visit.menu == "cancel":
        text = turn.words("cancel.sure")
        rows: Rows = [
            (Press(text=turn.words("cancel.yes"), code="n:cancel!"),),
            (Press(text=turn.words("cancel.no"), code="n:stay"),),
        ]
    else:
        text = turn.words("edit.which")
        rows = [(entry,) for entry in _edit_entries(turn, node, int(visit.menu.partition(":")[2] or 0))]
        rows.append((Press(text=turn.words("button.back"), code="n:stay"),))
    return Show(visit=visit.number, draw=visit.draw, text=text, rows=tuple(rows), edit=True, over=_over(visit))


def editable(turn: Turn, node: Node, menu: int) -> list[str]:
    """The steps of an edit menu that this customer has been at."""
    if node.keys is None or menu >= len(node.keys.edits):
        return []
    labels = [label for row in node.keys.rows for label in row if label.code == f"E:{menu}"]
    if not any(visible(turn, label) for label in labels):
        return []
    return [step for step in node.keys.edits[menu] if last_stay(turn.work.trail, step) is not None]


def _edit_entries(turn: Turn, node: Node, menu: int) -> list[Press]:
    presses = []
    for step in editable(turn, node, menu):
        target = turn.work.program.nodes[step]
        past = last_stay(turn.work.trail, step)
        label = _step_label(turn, target)
        if past is not None and (answer := _answer_label(turn, target, past.value)):
            label = f"{label}: {answer}"
        presses.append(Press(text=label[:64], code=f"e:{step}"))
    return presses


def _answer_label(turn: Turn, node: Node, value: Value) -> str:
    """An answer in the words that the customer saw on the button."""
    options = node.keys.options if node.keys is not None else ()
    label = next((option for option in options if option.value == value), None)
    return display(turn, value) if label is None else label_text(turn, label)


def _step_label(turn: Turn, node: Node) -> str:
    text = node.label or node.text
    if text is None:
        return node.id
    said = turn.said(text, turn.scope()).splitlines()[0]
    return _plain(said)[:40]


def _plain(html: str) -> str:
    out, inside = [], False
    for char in html:
        inside = char == "<" or (inside and char != ">")
        if not inside and char != ">":
            out.append(char)
    return unescape("".join(out)).strip()


# --- the rest ---------------------------------------------------------------------------------------------


def _photo(turn: Turn, photo: tuple[str, Evaluate]) -> tuple[str, str] | None:
    kind, content = photo
    value = turn.value(content, turn.scope())
    if isinstance(value, Mapping):
        value = value.get("ref")
    return (kind, value) if isinstance(value, str) and value else None
