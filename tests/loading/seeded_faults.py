"""Makes single faults in the shipped flows and counts which of them the checker finds, and on which line."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.actions.catalog import Catalog
from engine.diagnostics import Diagnostic
from engine.loading.library import Loaded, load_texts
from tests.loading.seeded_case import Case, Fault
from tests.loading.seeded_meaning import MEANING
from tests.loading.seeded_shape import SHAPE
from tests.loading.seeded_words import WORDS

Maker = Callable[[Case], Iterator[Fault]]
MAKERS: tuple[Maker, ...] = (*WORDS, *SHAPE, *MEANING)
PER_KIND = 5
"""How many faults of one maker are tried; which ones, the seed decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One fault and what the checker said about it."""

    fault: Fault
    findings: tuple[Diagnostic, ...]

    @property
    def found(self) -> bool:
        return bool(self.findings)

    @property
    def placed(self) -> bool:
        return any(finding.span.line in self.fault.lines for finding in self.findings)

    @property
    def suggested(self) -> bool:
        return any(finding.suggestion == self.fault.meant for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    tried: tuple[Tried, ...]

    @property
    def kinds(self) -> int:
        return len({tried.fault.kind for tried in self.tried})

    @property
    def missed(self) -> tuple[Tried, ...]:
        """Those not found on a right line."""
        return tuple(tried for tried in self.tried if not tried.placed)

    def share(self, holds: Callable[[Tried], bool], among: Sequence[Tried] | None = None) -> float:
        """Per cent of the faults (or of some of them) for which `holds`."""
        counted = self.tried if among is None else among
        return 100 * sum(map(holds, counted)) / max(1, len(counted))

    def __str__(self) -> str:
        words = [tried for tried in self.tried if tried.fault.meant is not None]
        lines = [
            f"{len(self.tried)} faults of {self.kinds} kinds: "
            f"found {self.share(lambda tried: tried.found):.1f} %, "
            f"on the right line {self.share(lambda tried: tried.placed):.1f} %, "
            f"right suggestion {self.share(lambda tried: tried.suggested, words):.1f} % of {len(words)} misspellings"
        ]
        counts = Counter(tried.fault.kind for tried in self.missed)
        lines += [f"missed {number} of {kind}" for kind, number in sorted(counts.items())]
        return "\n".join(lines)


def flow_texts(folder: Path) -> dict[str, str]:
    """The flow files of a folder and its bot.yaml, by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}


def locale_texts(folder: Path) -> dict[str, str]:
    """The translations beside them."""
    found = sorted((folder / "locales").glob("*.yaml"))
    return {f"locales/{path.name}": path.read_text(encoding="utf-8") for path in found}


def faults(clean: Loaded, seed: int) -> list[Fault]:
    """Up to PER_KIND faults of each maker, the same for the same seed."""
    chosen: list[Fault] = []
    for maker in MAKERS:
        made: list[Fault] = []
        for flow in clean.flows:
            case = Case(
                document=clean.documents[flow.span.file],
                flow=flow,
                random=random.Random(f"{seed}/{maker.__name__}/{flow.name}"),
            )
            made.extend(fault for fault in maker(case) if fault.text != case.text)
        picked = random.Random(f"{seed}/{maker.__name__}")
        chosen.extend(picked.sample(made, min(PER_KIND, len(made))))
    return chosen


def doubled_names(texts: Mapping[str, str], clean: Loaded) -> list[Fault]:
    """Faults between two files: one command, or one name, for two flows."""
    made: list[Fault] = []
    for one, other in zip(clean.flows, clean.flows[1:], strict=False):
        case = Case(document=clean.documents[other.span.file], flow=other, random=random.Random(0))
        line = case.root.pairs[0].key.span.line
        both = {line, clean.documents[one.span.file].root.span.line}
        made.append(case.swap("doubled_flow", line, f"flow: {other.name}", f"flow: {one.name}", lines=both))
        for (mine, span), (theirs, _) in zip(other.entry.commands[:1], one.entry.commands[:1], strict=False):
            if mine in texts[other.span.file]:
                made.append(case.put("doubled_command", span, theirs, lines={span.line, one.entry.commands[0][1].line}))
    return made


def every_fault(texts: Mapping[str, str], clean: Loaded, seed: int = 20) -> list[Fault]:
    """All that are tried."""
    return [*faults(clean, seed), *doubled_names(texts, clean)]


def run(texts: Mapping[str, str], catalog: Catalog, part: int = 0, parts: int = 1) -> Tally:
    """Try every fault alone, or every one of a part (from 0) of several. The texts must be clean."""
    tried: list[Tried] = []
    for fault in every_fault(texts, load_texts(texts, catalog))[part::parts]:
        report = load_texts({**texts, fault.file: fault.text}, catalog).report
        findings = tuple(
            finding
            for finding in report.findings
            if finding.span.file == fault.file or fault.kind.startswith("doubled_")
        )
        tried.append(Tried(fault=fault, findings=findings))
    return Tally(tried=tuple(tried))
