"""`stepgram draw`: the flows as diagrams, on the screen or in files, and whether committed files are current.

What a diagram looks like is `engine.core.graph`'s; here flows are loaded and files written.
"""

import difflib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from engine.actions.discovery import discover
from engine.cli_settings import coloured, environment, flows_of, settings
from engine.core.graph import Graph, flat_css, graph_of, mermaid, svg
from engine.core.machine import compile_flows

FAULTY: Final = 1
USAGE: Final = 2
FOLDER: Final = "diagrams"
"""In the folder of flows: where `--all` writes without `--output`."""
FORMATS: Final[Mapping[str, str]] = {"mermaid": ".mmd", "svg": ".svg", "png": ".png"}
"""Format → ending of its files."""
_BY_ENDING: Final = {".mmd": "mermaid", ".mermaid": "mermaid", ".svg": "svg", ".png": "png"}
_MOST_PIXELS: Final = 60_000_000
"""Of a PNG: 240 MB while it is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawOptions:
    """As on the command line."""

    flow: str | None = None
    form: str | None = None
    """`mermaid`, `svg`, `png`; None: by the ending of `output`, else `svg` for files and `mermaid` for the screen."""
    output: Path | None = None
    every: bool = False
    compare: bool = False
    current: str | None = None
    dark: bool = False


class DrawError(Exception):
    """A diagram cannot be drawn; the message is one sentence for a person."""


def draw(options: DrawOptions) -> int:
    """Draw what the options say. The exit code: 1 for faulty flows and stale files, 2 for what cannot be done."""
    try:
        graphs = _graphs()
        if graphs is None:
            return FAULTY
        if options.every:
            return _all(graphs, options)
        if options.flow is None:
            return _list(graphs, options)
        return _one(_chosen(graphs, options), options)
    except DrawError as error:
        click.echo(f"stepgram: {error}", err=True)
        return USAGE


def _graphs() -> Mapping[str, Graph] | None:
    """The diagram of each flow; None: the flows have errors, which were printed."""
    from engine.loading.library import load
    from engine.loading.rendering import render

    read = settings()
    catalog = discover([read.plugins])
    loaded = load(flows_of(read), catalog, environment=environment())
    if not loaded.report.ok:
        click.echo(render(loaded, colour=coloured()), color=coloured())
        return None
    programs = compile_flows(loaded.flows, loaded.bot, catalog)
    outcomes = {name: action.outcomes for name, action in catalog.actions.items()}
    return {name: graph_of(programs[name], outcomes=outcomes, flows=programs) for name in sorted(programs)}


def _list(graphs: Mapping[str, Graph], options: DrawOptions) -> int:
    if options.output is not None or options.compare:
        raise DrawError("Say which flow to draw, or --all of them. `stepgram draw` lists the flows.")
    longest = max((len(name) for name in graphs), default=0)
    for name, graph in graphs.items():
        count = len(graph.nodes)
        click.echo(f"{name:<{longest}}  {graph.title} ({count} {'step' if count == 1 else 'steps'})")
    return 0


def _chosen(graphs: Mapping[str, Graph], options: DrawOptions) -> Graph:
    graph = graphs.get(options.flow or "")
    if graph is None:
        near = _nearest(options.flow or "", graphs)
        raise DrawError(f"There is no flow “{options.flow}”.{near} `stepgram draw` lists all.")
    steps = [node.id for node in graph.nodes]
    if options.current is not None and options.current not in steps:
        near = _nearest(options.current, steps)
        raise DrawError(f"The flow “{graph.name}” has no step “{options.current}”.{near}")
    return graph


def _nearest(name: str, known: Mapping[str, object] | list[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean “{found[0]}”?" if found else ""


def _form(options: DrawOptions) -> str:
    if options.form is not None:
        return options.form
    if options.every:
        return "svg"
    if options.output is None:
        return "mermaid"
    form = _BY_ENDING.get(options.output.suffix.lower())
    if form is None:
        raise DrawError(f"What is “{options.output.name}” to be? Name it .svg, .png or .mmd, or say --format.")
    return form


def _one(graph: Graph, options: DrawOptions) -> int:
    form = _form(options)
    if options.compare:
        if options.output is None:
            raise DrawError("Say with --output which file is compared.")
        command = f"stepgram draw {graph.name} --format {form} --output {options.output}"
        return _compared([(options.output, _drawn(graph, form, options))], form, command)
    if options.output is not None:
        _write(options.output, _drawn(graph, form, options))
        click.echo(f"Wrote {options.output}.", err=True)
        return 0
    if form == "png" and sys.stdout.isatty():
        raise DrawError("A PNG is nothing for a terminal. Name a file: --output FILE.png.")
    click.echo(_drawn(graph, form, options), nl=False)
    return 0


def _all(graphs: Mapping[str, Graph], options: DrawOptions) -> int:
    if options.flow is not None or options.current is not None:
        raise DrawError("Name a flow (with its step), or draw --all, not both.")
    form = _form(options)
    folder = options.output or flows_of(settings()) / FOLDER
    if folder.exists() and not folder.is_dir():
        raise DrawError(f"With --all, --output names a folder; “{folder}” is a file.")
    files = [(folder / f"{name}{FORMATS[form]}", _drawn(graph, form, options)) for name, graph in graphs.items()]
    if options.compare:
        command = f"stepgram draw --all --format {form} --output {folder}"
        return max(_compared(files, form, command), _left_over(folder, form, graphs))
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files:
        _write(path, content)
    click.echo(f"Wrote {len(files)} {'file' if len(files) == 1 else 'files'} to {folder}.", err=True)
    return 0


def _compared(files: list[tuple[Path, bytes]], form: str, command: str) -> int:
    if form == "png":
        raise DrawError("--check compares texts, and a PNG differs with the fonts of the machine. Use svg or mermaid.")
    stale = 0
    for path, content in files:
        current = path.read_bytes().replace(b"\r\n", b"\n") if path.is_file() else None
        if current != content:
            state = "is not current" if current is not None else "does not exist"
            click.echo(f"stepgram: {path} {state}. Write it with `{command}`.", err=True)
            stale = FAULTY
    return stale


def _left_over(folder: Path, form: str, graphs: Mapping[str, Graph]) -> int:
    """Files of flows that are gone."""
    found = sorted(folder.glob(f"*{FORMATS[form]}")) if folder.is_dir() else []
    gone = [path for path in found if path.stem not in graphs]
    for path in gone:
        click.echo(f"stepgram: {path} belongs to no flow. Delete it.", err=True)
    return FAULTY if gone else 0


def _write(path: Path, content: bytes) -> None:
    """The file appears whole or not at all. Raises DrawError."""
    if not path.parent.is_dir():
        raise DrawError(f"{path} cannot be written: there is no folder “{path.parent}”.")
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def _drawn(graph: Graph, form: str, options: DrawOptions) -> bytes:
    if form == "mermaid":
        return mermaid(graph, current=options.current).encode()
    if form == "svg":
        return svg(graph, current=options.current, dark=options.dark or None).encode()
    return _png(svg(graph, current=options.current, style=flat_css(options.dark)))


def _png(picture: str) -> bytes:
    """Twice the size, for sharp text, as long as that is not too much. Raises DrawError."""
    convert = _converter()
    wide, high = (float(size) for size in picture.split('viewBox="0 0 ', 1)[1].split('"', 1)[0].split())
    zoom = 2 if wide * high * 4 <= _MOST_PIXELS else 1
    if wide * high * zoom * zoom > _MOST_PIXELS:
        raise DrawError("This diagram is too large for a PNG. Draw it with --format svg.")
    return bytes(convert(svg_string=picture, zoom=zoom))


def _converter() -> Callable[..., bytes]:
    """What turns SVG into PNG, once it has shown that it finds a font. Raises DrawError."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise DrawError("PNG needs one more package: pip install 'stepgram[png]'. SVG needs nothing.") from None
    convert: Callable[..., bytes] = svg_to_bytes
    frame = '<svg xmlns="http://www.w3.org/2000/svg" class="diagram" width="40" height="20">{}</svg>'
    style = f"<style>{flat_css(False)}</style>"
    words = frame.format(f'{style}<text x="2" y="15">Aa</text>')
    if bytes(convert(svg_string=words)) == bytes(convert(svg_string=frame.format(style))):
        raise DrawError(
            "No font was found, so the PNG would have no text. "
            "Install one, such as DejaVu Sans: apt install fonts-dejavu-core."
        )
    return convert
