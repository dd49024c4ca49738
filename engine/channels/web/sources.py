"""The pane's own pages: which lines of a YAML file belong to which step, and a flow's diagram. Reads no files."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aiohttp import web

from engine.core.model import Flow
from engine.core.program import Program
from engine.loading.documents import split_lines
from engine.loading.library import Loaded

Draw = Callable[[Program], str]
"""A flow's diagram as SVG."""
_FRESH: Final = {"Cache-Control": "no-store"}

log = logging.getLogger("stepgram.workshop")


def step_lines(flow: Flow, text: str) -> dict[str, dict[str, int]]:
    """Step → {from, to}: first and last line of it, counted from 1, its own comments included."""
    lines = split_lines(text)
    steps = [step for step in flow.steps if 0 < step.span.line <= len(lines)]
    starts = [_with_comments(lines, step.span.line, step.span.column - 1) for step in steps]
    found = {}
    for at, step in enumerate(steps):
        following = starts[at + 1] if at + 1 < len(steps) else _end_of_steps(lines, step.span.line, step.span.column)
        last = _without_trailing(lines, step.span.line, following - 1, step.span.column - 1)
        found[step.id] = {"from": starts[at], "to": last}
    return found


def _with_comments(lines: Sequence[str], line: int, indent: int) -> int:
    """The first line of a step: that of the comments directly above its key, as far out as the key."""
    while line > 1 and _is_comment(lines[line - 2], indent):
        line -= 1
    return line


def _is_comment(line: str, indent: int) -> bool:
    bare = line.lstrip()
    return bare.startswith("#") and len(line) - len(bare) <= indent


def _end_of_steps(lines: Sequence[str], line: int, column: int) -> int:
    """The line behind the last step: where something stands further out than its key, or the end of the file."""
    for number in range(line + 1, len(lines) + 1):
        content = lines[number - 1]
        bare = content.lstrip()
        if bare and not bare.startswith("#") and len(content) - len(bare) < column - 1:
            return number
    return len(lines) + 1


def _without_trailing(lines: Sequence[str], first: int, last: int, indent: int) -> int:
    """The last line that belongs to a step: blank ones and comments as far out as its key are left out."""
    while last > first and (not lines[last - 1].strip() or _is_comment(lines[last - 1], indent)):
        last -= 1
    return max(first, last)


class Pages:
    """/source/FLOW.json and /diagram/FLOW.svg of the live flows. `programs` and `loaded` give what is live now."""

    def __init__(
        self, *, programs: Callable[[], Mapping[str, Program]], loaded: Callable[[], Loaded], draw: Draw
    ) -> None:
        self._programs = programs
        self._loaded = loaded
        self._draw = draw
        self._drawn: dict[str, tuple[str, str]] = {}
        """Flow → its version and its diagram."""

    def routes(self) -> Sequence[web.RouteDef]:
        """GET routes."""
        return [
            web.get("/source/{flow}.json", self._source),
            web.get("/diagram/{flow}.svg", self._diagram),
        ]

    def source(self, name: str) -> dict[str, object] | None:
        """{file, version, text, steps} of a live flow; None: there is none of that name, or no text of it."""
        program = self._programs().get(name)
        if program is None:
            return None
        file = program.flow.span.file
        text = self._loaded().texts.get(file)
        if text is None:
            return None
        return {"file": file, "version": program.version, "text": text, "steps": step_lines(program.flow, text)}

    async def diagram(self, name: str) -> str | None:
        """A live flow's diagram; None: there is none of that name. Raises what drawing raises."""
        program = self._programs().get(name)
        if program is None:
            return None
        drawn = self._drawn.get(name)
        if drawn is None or drawn[0] != program.version:
            drawn = (program.version, await asyncio.to_thread(self._draw, program))
            self._drawn[name] = drawn
        return drawn[1]

    async def _source(self, request: web.Request) -> web.Response:
        found = self.source(request.match_info["flow"])
        if found is None:
            return web.json_response({"error": "There is no such flow."}, status=404, headers=_FRESH)
        return web.json_response(found, headers=_FRESH)

    async def _diagram(self, request: web.Request) -> web.Response:
        try:
            found = await self.diagram(request.match_info["flow"])
        except Exception:
            log.exception("a diagram could not be drawn")
            return web.Response(text="This flow could not be drawn.", status=500, headers=_FRESH)
        if found is None:
            return web.Response(text="There is no such flow.", status=404, headers=_FRESH)
        return web.Response(text=found, content_type="image/svg+xml", headers=_FRESH)
