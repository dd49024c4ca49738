"""Every code of the table has an example that gives exactly this finding, and one without any."""

import pytest

from engine.core.expressions import KINDS
from engine.diagnostics import Severity
from engine.loading.code import Code
from engine.loading.codes_meaning import CODES
from engine.loading.rules.names import CODES_BY_KIND
from tests.loading.rules.bench import check, codes

NAMED = pytest.mark.parametrize("code", CODES, ids=lambda code: code.code)


@NAMED
def test_the_bad_example_gives_exactly_this_code(code: Code) -> None:
    findings = check(code.bad_example)
    assert set(codes(findings)) == {code.code}, [str(finding) for finding in findings]
    assert {finding.severity for finding in findings} == {code.severity}


@NAMED
def test_the_good_example_is_clean(code: Code) -> None:
    assert check(code.good_example) == ()


def test_codes_are_unique_and_in_order() -> None:
    names = [code.code for code in CODES]
    assert names == sorted(set(names))
    assert all(name[:3] in {"F03", "F04", "F05", "F06", "F07"} for name in names)


@NAMED
def test_every_finding_can_be_read(code: Code) -> None:
    for finding in check(code.bad_example):
        assert finding.message[0].isupper() or finding.message[0] in "“`"
        assert finding.message.endswith((".", "!", "?"))
        assert finding.expected or finding.suggestion or code.code.startswith("F06")


def test_every_fault_of_the_expression_language_has_a_code() -> None:
    known = {code.code for code in CODES}
    assert {*CODES_BY_KIND, "unknown_filter"} == set(KINDS)
    assert set(CODES_BY_KIND.values()) <= known


def test_warnings_do_not_block() -> None:
    warnings = {code.code for code in CODES if code.severity is Severity.WARNING}
    assert warnings == {"F0514", "F0517", "F0609", "F0615", "F0707"}
