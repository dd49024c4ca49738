"""The product owner's guide as data: its YAML blocks by kind, and the tables it must contain. No assertions here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.core.expressions import FILTERS, TESTS
from engine.core.types import describe
from engine.loading.documents import plain as plainly
from engine.loading.source import read_text

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "flows" / "README.md"
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*?) -->\n)?```yaml\n(?P<text>.*?)```\n(?:\n```text\n(?P<shown>.*?)```)?", re.DOTALL
)
HEAD = "head"
_DONE = "  done:\n    text: Done.\n    end: completed\n"
_ENTRY = "entry: {commands: [piece]}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One YAML block: its mark (`steps`, `keyboard`, `head`, `wrong: NAME`, or nothing for a whole file)."""

    mark: str
    text: str
    shown: str
    line: int

    @property
    def whole(self) -> bool:
        return not self.mark and self.text.startswith("flow:")

    @property
    def bot(self) -> bool:
        return not self.mark and self.text.startswith("bot:")

    @property
    def locale(self) -> bool:
        return not self.mark and "\ntexts:" in self.text

    @property
    def transcript(self) -> bool:
        return not self.mark and self.text.startswith("test:")

    @property
    def name(self) -> str:
        return f"README.md:{self.line}"


def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


@lru_cache
def blocks() -> tuple[Block, ...]:
    text = guide()
    return tuple(
        Block(
            mark=found["mark"] or "",
            text=found["text"],
            shown=found["shown"] or "",
            line=text.count("\n", 0, found.start("text")),
        )
        for found in BLOCK.finditer(text)
    )


@lru_cache
def catalog() -> Catalog:
    return discover([ROOT / "plugins"])


def files() -> dict[str, str]:
    """The whole files of the guide, as one bot."""
    whole = [block for block in blocks() if block.bot or block.whole]
    return {"bot.yaml" if block.bot else f"{block.text.split()[1]}.yaml": block.text for block in whole}


def framed(block: Block) -> str:
    """A piece of a flow inside the smallest flow that makes sense of it.

    Behind a semicolon of the mark stand keys that the frame needs besides: `steps; data: {score: 0}`.
    """
    kind, _, more = block.mark.partition(";")
    head = "flow: piece\n" + (f"{more.strip()}\n" if more.strip() else "")
    entry = "" if "entry:" in block.text and kind == HEAD else _ENTRY
    match kind:
        case "steps":
            return f"{head}{entry}steps:\n{_indented(block.text, 2)}{_DONE}"
        case "keyboard":
            question = "  question:\n    ask: choice\n    text: Please choose.\n"
            return f"{head}{entry}steps:\n{question}{_indented(block.text, 4)}{_DONE}"
        case "head":
            return f"{head}{block.text}{entry}steps:\n{_DONE}"
        case _:
            raise ValueError(f"{block.name}: a YAML block starts with flow:, bot: or test:, or has a mark before it")


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


def plain(text: str) -> Any:
    """A YAML text as dicts and lists."""
    read = read_text(text, "piece.yaml")
    assert read.document is not None, read.findings
    return plainly(read.document.root)


# --- tables -----------------------------------------------------------------------------------------------


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\u202f", " ").replace("\n", " ⏎ ")


def filter_rows() -> Iterator[str]:
    for name, known in FILTERS.items():
        written, printed = known.example
        yield f"| `{name}` | {_cell(known.doc)} | `{_cell(written)}` | `{_cell(printed)}` |"


def rows_of_tests() -> Iterator[str]:
    for name, known in TESTS.items():
        yield f"| `is {name}` | {_cell(known.doc)} | `{known.example[0]}` |"


def validator_rows() -> Iterator[str]:
    for name, known in sorted(catalog().validators.items()):
        arguments = ", ".join(f"`{one.name}`" + ("" if one.required else "?") for one in known.parameters)
        yield f"| `{name}` | {describe(known.accepts)} | {arguments or '–'} | {_cell(known.doc.splitlines()[0])} |"


def action_rows(*namespaces: str) -> Iterator[str]:
    for name, known in sorted(catalog().actions.items()):
        if name.split(".")[0] in namespaces:
            arguments = ", ".join(f"`{one.name}`" + ("" if one.required else "?") for one in known.parameters)
            outcomes = ", ".join(f"`{outcome}`" for outcome in known.outcomes)
            yield f"| `{name}` | {arguments} | {outcomes} | {_cell(known.doc.splitlines()[0])} |"


def source_rows(*namespaces: str) -> Iterator[str]:
    for name, known in sorted(catalog().sources.items()):
        if name.split(".")[0] in namespaces:
            fields: Mapping[str, Any] = getattr(known.row, "fields", {})
            shown = ", ".join(f"`{field}`" for field in fields)
            yield f"| `{name}` | {shown} | {_cell(known.doc.splitlines()[0])} |"
