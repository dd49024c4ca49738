"""Conversations and data to JSON and back, exactly: Decimal, dates and money keep their kind.

What is not plain JSON is a mapping with the key `$`; defaults are left out. Pure.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import is_
from typing import Any

import msgspec

from engine.core.conversation import (
    Conversation,
    Draft,
    EarlySignal,
    Edit,
    FileItem,
    FileStatus,
    Frame,
    Past,
    Phase,
    Remembered,
    Row,
    Status,
    Visit,
)
from engine.core.values import UNSET, Money, Unset, Value

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_PLAIN = frozenset({str, bool, type(None), float})
_PACKED_UNSET = {"$": "unset"}
_WIDE = 2**53
"""Integers beyond it go as text: JSON readers elsewhere lose digits (RFC 8259, 6)."""


class NotStorableError(TypeError):
    """A value that is not of the language reached the store: a plugin returned rubbish."""


def _pack(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        return value if -_WIDE < value < _WIDE else {"$": "int", "v": str(value)}
    if kind is dict:
        return _pack_mapping(value)
    if kind is Unset:  # half of what a trail holds
        return _PACKED_UNSET
    if kind is tuple or kind is list:
        return [_pack(item) for item in value]
    return _pack_mapping(value) if isinstance(value, Mapping) else _pack_special(value)


def _pack_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    packed = {
        name if type(name) is str else str(name): item if type(item) in _PLAIN else _pack(item)
        for name, item in value.items()
    }
    return {"$": "map", "v": packed} if "$" in packed else packed


def _pack_special(value: Any) -> Any:
    match value:
        case Decimal():
            return {"$": "dec", "v": str(value)}
        case Money():
            return {"$": "money", "v": [str(value.minor), value.asset]}
        case datetime():
            return {"$": "at", "v": value.isoformat()}
        case date():
            return {"$": "day", "v": value.isoformat()}
        case timedelta():
            return {"$": "span", "v": value // timedelta(microseconds=1)}
        case Unset():
            return _PACKED_UNSET
        case str():
            return str(value)
        case _:
            raise NotStorableError(f"a {type(value).__name__} cannot be kept in a conversation")


def _unpack(value: Any) -> Any:
    kind = type(value)
    if kind is list:
        return tuple([_unpack(item) for item in value])
    if kind is dict:
        tag = value.get("$")
        if tag is None:
            return {name: _unpack(item) for name, item in value.items()}
        return _unpack_special(tag, value.get("v"))
    return value


def _unpack_special(tag: str, body: Any) -> Any:
    match tag:
        case "map":
            return {name: _unpack(item) for name, item in body.items()}
        case "int":
            return int(body)
        case "dec":
            return Decimal(body)
        case "money":
            return Money(minor=int(body[0]), asset=body[1])
        case "at":
            return datetime.fromisoformat(body)
        case "day":
            return date.fromisoformat(body)
        case "span":
            return timedelta(microseconds=body)
        case "unset":
            return UNSET
        case _:
            raise NotStorableError(f"unknown kind {tag!r} in stored data")


def dump_data(value: Value) -> bytes:
    """Any value of the language as JSON. Raises NotStorableError."""
    return _encode(_pack(value))


def load_data(data: bytes) -> Any:
    """The inverse of `dump_data`; lists come back as tuples."""
    return _unpack(_decode(data))


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, tz=UTC)


def _file(item: FileItem) -> list[Any]:
    return [item.number, _pack(item.file), item.status.value, _pack(item.value), item.attempt, item.reason]


def _load_file(raw: list[Any]) -> FileItem:
    return FileItem(
        number=raw[0], file=_unpack(raw[1]), status=FileStatus(raw[2]), value=_unpack(raw[3]),
        attempt=raw[4], reason=raw[5],
    )  # fmt: skip


def _rows(rows: tuple[Row, ...]) -> list[Any]:
    return [[row.key, row.label, _pack(row.value)] for row in rows]


def _load_rows(raw: list[Any]) -> tuple[Row, ...]:
    return tuple(Row(key=row[0], label=row[1], value=_unpack(row[2])) for row in raw)


def _draft(draft: Draft | None) -> Any:
    if draft is None:
        return None
    return [draft.ticks, draft.quantity, [_file(item) for item in draft.files], _rows(draft.rows)]


def _load_draft(raw: Any) -> Draft | None:
    if raw is None:
        return None
    return Draft(ticks=tuple(raw[0]), quantity=raw[1], files=tuple(map(_load_file, raw[2])), rows=_load_rows(raw[3]))


def _visit(visit: Visit) -> dict[str, Any]:
    raw: dict[str, Any] = {"n": visit.number, "s": visit.step, "ph": visit.phase.value, "d": visit.draw}
    if visit.page:
        raw["p"] = visit.page
    if visit.search:
        raw["q"] = visit.search
    if visit.ticks:
        raw["t"] = visit.ticks
    if visit.quantity is not None:
        raw["c"] = visit.quantity
    if visit.numbered or visit.files:
        raw["f"], raw["k"] = [_file(item) for item in visit.files], visit.numbered
    if visit.rows:
        raw["r"] = _rows(visit.rows)
    if visit.total or visit.shown:
        raw["of"] = [visit.shown, visit.total]
    seldom = {"m": visit.menu, "w": visit.timed, "o": visit.over}
    raw.update((key, value) for key, value in seldom.items() if value)
    return raw


def _load_visit(raw: dict[str, Any]) -> Visit:
    shown, total = raw.get("of", (0, 0))
    return Visit(
        number=raw["n"], step=raw["s"], phase=Phase(raw["ph"]), draw=raw["d"], page=raw.get("p", 0),
        search=raw.get("q", ""), ticks=tuple(raw.get("t", ())), quantity=raw.get("c"),
        files=tuple(map(_load_file, raw.get("f", ()))), numbered=raw.get("k", 0),
        rows=_load_rows(raw.get("r", [])), shown=shown, total=total, menu=raw.get("m", ""), timed=raw.get("w", False),
        over=(raw["o"][0], raw["o"][1]) if "o" in raw else None,
    )  # fmt: skip


def _past(past: Past) -> list[Any]:
    undo = None if past.undo is None else [past.undo[0], _pack(past.undo[1])]
    changes = [[path, _pack(value)] for path, value in past.changes]
    raw: list[Any] = [past.number, past.step, past.trigger, _pack(past.value), changes]
    if undo is None and past.draft is None and past.child is None:
        return raw
    return [*raw, undo, _draft(past.draft), None if past.child is None else _frame(past.child)]


class _Trails:
    """The trails that were encoded last. A step forwards adds one stay to a trail whose others are the very same
    values: only that one is encoded. Without it, a conversation of n steps would encode n² / 2 stays."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[int, tuple[tuple[Past, ...], bytes]] = {}
        """By the identity of the first stay, which is kept, so that no other value can come to have it."""

    def encode(self, trail: tuple[Past, ...]) -> msgspec.Raw:
        """A trail that is not empty, as JSON."""
        key = id(trail[0])
        known, encoded = self._known.pop(key, ((), b""))
        if not (known and len(known) <= len(trail) and all(map(is_, known, trail))):
            known, encoded = (), b""
        if len(known) < len(trail):
            fresh = _encode([_past(past) for past in trail[len(known) :]])[1:-1]
            encoded = b"%b,%b" % (encoded, fresh) if encoded else fresh
        self._known[key] = (trail, encoded)
        if len(self._known) > self._most:
            self._known.pop(next(iter(self._known)), None)
        return msgspec.Raw(b"[%b]" % encoded)


_trails = _Trails(most=512)


def _load_past(raw: list[Any]) -> Past:
    undo, draft, child = raw[5:] if len(raw) > 5 else (None, None, None)
    return Past(
        number=raw[0], step=raw[1], trigger=raw[2], value=_unpack(raw[3]),
        changes=tuple((tuple(path), _unpack(value)) for path, value in raw[4]),
        undo=None if undo is None else (undo[0], _unpack(undo[1])),
        draft=_load_draft(draft), child=None if child is None else _load_frame(child),
    )  # fmt: skip


def _edit(edit: Edit) -> list[Any]:
    current = None if edit.current is None else _past(edit.current)
    return [
        edit.home, edit.target, edit.replaying, [_past(p) for p in edit.replay], sorted(edit.changed), current,
        [_past(p) for p in edit.missed],
    ]  # fmt: skip


def _load_edit(raw: list[Any]) -> Edit:
    return Edit(
        home=raw[0], target=raw[1], replaying=raw[2], replay=tuple(map(_load_past, raw[3])),
        changed=frozenset(tuple(path) for path in raw[4]), current=None if raw[5] is None else _load_past(raw[5]),
        missed=tuple(map(_load_past, raw[6])) if len(raw) > 6 else (),
    )  # fmt: skip


def _remembered(remembered: Mapping[str, tuple[Remembered, ...]]) -> dict[str, Any]:
    return {
        step: [[_pack(item.value), _draft(item.draft), _remembered(item.inner)] for item in items]
        for step, items in remembered.items()
    }


def _load_remembered(raw: dict[str, Any]) -> dict[str, tuple[Remembered, ...]]:
    return {
        step: tuple(
            Remembered(value=_unpack(item[0]), draft=_load_draft(item[1]), inner=_load_remembered(item[2]))
            for item in items
        )
        for step, items in raw.items()
    }


def _frame(frame: Frame) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "f": frame.flow,
        "v": frame.version,
        "at": _visit(frame.visit),
        "d": {name: value if type(value) in _PLAIN else _pack(value) for name, value in frame.data.items()},
    }
    if frame.trail:
        raw["t"] = _trails.encode(frame.trail)
    if frame.remembered:
        raw["m"] = _remembered(frame.remembered)
    if frame.unsettled:
        raw["u"] = frame.unsettled
    if frame.edit is not None:
        raw["e"] = _edit(frame.edit)
    return raw


def _load_frame(raw: dict[str, Any]) -> Frame:
    return Frame(
        flow=raw["f"], version=raw["v"], visit=_load_visit(raw["at"]),
        data={name: _unpack(value) for name, value in raw["d"].items()},
        trail=tuple(map(_load_past, raw.get("t", ()))),
        remembered=_load_remembered(raw.get("m", {})), unsettled=raw.get("u", {}),
        edit=_load_edit(raw["e"]) if "e" in raw else None,
    )  # fmt: skip


def dump(conversation: Conversation) -> bytes:
    """A conversation as JSON. Raises NotStorableError when its data holds what is no value of the language."""
    c = conversation
    raw: list[Any] = [
        c.id, c.chat, c.flow, c.status.value, c.outcome, [_frame(frame) for frame in c.frames], c.next_visit,
        c.revision, c.key, _ms(c.started_at), _ms(c.touched_at), _ms(c.expires_at),
    ]  # fmt: skip
    if c.early:
        raw.append([[signal.name, _pack(signal.payload)] for signal in c.early])
    return _encode(raw)


def load(data: bytes) -> Conversation:
    """The inverse of `dump`; moments are exact to the millisecond."""
    raw = _decode(data)
    started, touched = _moment(raw[9]), _moment(raw[10])
    assert started is not None
    assert touched is not None
    return Conversation(
        id=raw[0], chat=raw[1], flow=raw[2], status=Status(raw[3]), outcome=raw[4],
        frames=tuple(map(_load_frame, raw[5])), next_visit=raw[6], revision=raw[7], key=raw[8],
        started_at=started, touched_at=touched, expires_at=_moment(raw[11]),
        early=tuple(_early(signal) for signal in raw[12]) if len(raw) > 12 else (),
    )  # fmt: skip


def _early(raw: list[Any]) -> EarlySignal:
    return EarlySignal(name=raw[0], payload=_unpack(raw[1]))
