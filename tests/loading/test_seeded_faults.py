"""The promise “whatever can be known before the bot starts is an error with its line”, counted."""

from pathlib import Path

import pytest

from engine.actions.discovery import builtin_catalog
from engine.loading.library import load_texts
from tests.loading.seeded_faults import MAKERS, every_fault, faults, flow_texts, locale_texts, run
from tests.sparing import Sparing

FLOWS = Path(__file__).parents[2] / "flows"
PARTS = 4
"""One test each, so that several processes share them."""


def test_the_clean_flows_have_no_findings() -> None:
    report = load_texts({**flow_texts(FLOWS), **locale_texts(FLOWS)}, builtin_catalog()).report
    assert [f"{finding.span} {finding.code} {finding.message}" for finding in report.findings] == []


@pytest.mark.parametrize("part", range(PARTS))
def test_single_faults_are_found_on_their_line(part: int, sparing: Sparing) -> None:
    with sparing.at_work():  # the files without the fault are read once
        tally = run(flow_texts(FLOWS), builtin_catalog(), part, PARTS)
    print(tally)
    for tried in tally.missed:
        said = [(finding.span.line, finding.code) for finding in tried.findings]
        print(f"missed: {tried.fault.kind} in {tried.fault.file}, lines {sorted(tried.fault.lines)}: {said}")
    assert tally.share(lambda tried: tried.placed) >= 95
    misspelt = [tried for tried in tally.tried if tried.fault.meant is not None]
    assert misspelt
    assert tally.share(lambda tried: tried.suggested, misspelt) >= 90


def test_there_are_many_faults_of_many_kinds() -> None:
    texts = flow_texts(FLOWS)
    tried = every_fault(texts, load_texts(texts, builtin_catalog()))
    assert len(tried) >= 300
    assert len({fault.kind for fault in tried}) >= 40


def test_faults_are_the_same_every_time() -> None:
    clean = load_texts(flow_texts(FLOWS), builtin_catalog())
    assert faults(clean, 7) == faults(clean, 7)
    assert len({maker.__name__ for maker in MAKERS}) == len(MAKERS)
