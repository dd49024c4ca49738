"""Options drawn from a source or from a list: asking for them, and what to do when they have come."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.core.conversation import Phase, Row, Visit
from engine.core.draw import draw, draw_trouble
from engine.core.effects import Invoke, Purpose
from engine.core.expressions import EvaluationError
from engine.core.keyboard import narrowed, page_size, rows_from
from engine.core.model import Choices
from engine.core.program import Keys, Node, Use
from engine.core.redrawing import draws_over
from engine.core.turn import Turn
from engine.core.values import UNSET, Value


def evaluated(turn: Turn, use: Use, extra: dict[str, Value] | None = None) -> dict[str, Any] | None:
    """An invocation's arguments; None when one cannot be evaluated. What is not set is nothing."""
    scope = turn.scope(extra)
    try:
        values = use.evaluate(scope)
    except EvaluationError as error:
        turn.trouble(f"{turn.work.program.name}.{turn.work.visit.step}: {use.name}: {error}")
        return None
    return {name: None if value is UNSET else value for name, value in values.items()}


def fetch(turn: Turn, node: Node) -> None:
    """Get the options of the page that the stay is at: from a list at once, from a source when it has answered."""
    assert node.keys is not None
    assert node.keys.source is not None
    source = node.keys.source
    visit = turn.change(phase=Phase.FETCHING)
    if source.use is None:
        assert source.items is not None
        records = turn.value(source.items, turn.scope(), default=())
        rows_came(turn, node, {"rows": records if isinstance(records, list | tuple) else ()})
        return
    arguments = evaluated(turn, source.use)
    if arguments is None:
        draw_trouble(turn, "trouble.source")
        return
    size = page_size(node.keys)
    turn.emit(
        Invoke(
            call=f"{visit.number}.rows.{visit.number}.{visit.draw}",
            purpose=Purpose.ROWS,
            name=source.use.name,
            arguments=arguments,
            page=(visit.search, visit.page * size, size),
        )
    )


def rows_came(turn: Turn, node: Node, value: Mapping[str, Value]) -> None:
    """A keyboard's options have come: cut out the page, keep the ticked ones, draw."""
    keys, visit = node.keys, turn.work.visit
    assert keys is not None
    records, total = value.get("rows"), value.get("total")
    if not isinstance(records, list | tuple):
        records = ()
    size = page_size(keys)
    if not value.get("paged"):
        rows, total = _cut_out(turn, keys, records, size)
    elif not records and visit.page > 0:
        turn.change(page=0, draw=visit.draw + 1)
        fetch(turn, node)
        return
    else:
        rows = rows_from(turn, keys, records[:size])
    kept = _ticked(node, visit, rows)
    count = max(total if isinstance(total, int) else 0, len(rows))
    turn.change(rows=(*rows, *kept), shown=len(rows), total=count, phase=Phase.ASKING)
    draw(turn, edit=(visit.draw > 1 or draws_over(visit)) and not visit.search)


def _cut_out(turn: Turn, keys: Keys, records: Sequence[Value], size: int) -> tuple[list[Row], int]:
    """The page of a whole list, and how many it has in all. Only what is shown (or searched) is put into words: a
    list may be long."""
    visit = turn.work.visit
    found: Sequence[Row] | None = narrowed(rows_from(turn, keys, records), visit.search) if visit.search else None
    total = len(records if found is None else found)
    page = min(visit.page, max(0, (total - 1) // size))
    turn.change(page=page)
    part = slice(page * size, (page + 1) * size)
    return (rows_from(turn, keys, records[part]) if found is None else list(found[part])), total


def _ticked(node: Node, visit: Visit, rows: list[Row]) -> tuple[Row, ...]:
    if not isinstance(node.question, Choices):
        return ()
    here = {row.key for row in rows}
    return tuple(row for row in visit.rows if row.key in visit.ticks and row.key not in here)
