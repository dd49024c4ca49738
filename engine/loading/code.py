"""One entry of the table of codes: what a finding's stable code means and how to make it go away.

Only the class; the entries are in `codes_form` and `codes_meaning`, the whole table in `codes`.
"""

from dataclasses import dataclass

from engine.diagnostics import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """`code` is `F` and four digits and never changes its meaning.

    `bad_example` is a smallest file (or piece of one) that gives exactly this finding, `good_example` the
    same put right.
    """

    code: str
    severity: Severity
    title: str
    explanation: str
    bad_example: str
    good_example: str
