"""F06: names and types in texts, conditions and values: everything is set before it is used, and fits."""

import re
from collections.abc import Iterator
from dataclasses import replace

from engine.core.expressions import Fault
from engine.core.model import End, Expression
from engine.core.types import (
    DATETIME,
    TEXT,
    AnyType,
    IntegerType,
    OptionalType,
    RecordType,
    TextType,
    ValueType,
    describe,
    fits,
)
from engine.diagnostics import Diagnostic
from engine.loading.rules.answers import row_type
from engine.loading.rules.checked import Checked, Judged, JudgedArgument, JudgedFlow
from engine.loading.rules.findings import finding, from_fault, unknown
from engine.loading.rules.joins import alike, bare
from engine.loading.rules.sites import Site, Use

_A_MOMENT = "a time such as now + settings.hold, or (today + (1 | days)) | at('09:00')"
_LENGTH = re.compile(r"(?:\d{1,8}[dhms])+")
"""A length of time as `timeout:` takes it; no expression has such."""
CODES_BY_KIND = {
    "syntax": "F0601",
    "forbidden": "F0602",
    "unknown_name": "F0603",
    "unset_name": "F0604",
    "unknown_attribute": "F0605",
    "comparison": "F0606",
    "type": "F0607",
    "too_long": "F0608",
    "too_deep": "F0608",
}
"""`unknown_filter` is F0307."""


def expression_faults(checked: Checked) -> Iterator[Diagnostic]:
    """F0601–F0608: what the expression language found, at its exact place."""
    for judged in checked.judged:
        for piece in judged.pieces():
            for fault in piece.faults:
                if fault.kind in CODES_BY_KIND:
                    yield _placed(checked, piece, fault)


def _placed(checked: Checked, piece: Judged, fault: Fault) -> Diagnostic:
    span = checked.place(piece.piece, fault.offset, fault.length)
    if fault.kind == "syntax" and isinstance(piece.piece, Expression) and _LENGTH.search(piece.piece.source):
        fault = replace(fault, expected="a length of time with a name, such as settings.hold, or (2 | days)")
    return from_fault(CODES_BY_KIND[fault.kind], fault, span)


def constant_conditions(checked: Checked) -> Iterator[Diagnostic]:
    """F0609: a condition that reads no name always comes out the same."""
    for judged in checked.judged:
        for site, piece in judged.sites:
            constant = piece.parsed is not None and piece.parsed.constant and not piece.faults
            if site.use is Use.CONDITION and constant:
                yield finding(
                    "F0609",
                    site.piece.span,
                    f"{site.what.capitalize()} always comes out the same.",
                    expected="a condition that depends on an answer; or no condition",
                )
            for path in sorted(_hours_alone(site, piece)):
                yield finding(
                    "F0609",
                    site.piece.span,
                    f"“{'.'.join(path)}” is not true or false, so {site.what} always comes out the same.",
                    expected=f"{'.'.join(path)}.open",
                )


def _hours_alone(site: Site, piece: Judged) -> set[tuple[str, ...]]:
    """Working hours without `.open`, which are always there."""
    if site.use is not Use.CONDITION or piece.faults or piece.parsed is None:
        return set()
    return {path for path in piece.parsed.paths if len(path) == 2 and path[0] == "hours"}


def undeclared(checked: Checked) -> Iterator[Diagnostic]:
    """F0610: `set:` of a name that `data:` does not have."""
    for judged in checked.judged:
        declared = [name.name for name in (*judged.flow.data, *judged.flow.arguments)]
        for given, _ in judged.values:
            if given.step is None or isinstance(given.step.body, End) or given.wanted is not None:
                continue
            name = given.what.strip("“”")
            yield unknown(
                "F0610",
                given.span,
                f"“{name}” is not declared, so it cannot be set. Write it under `data:` with its first value or type.",
                name=name,
                among=declared,
            )


def wrong_values(checked: Checked) -> Iterator[Diagnostic]:
    """F0611: a value of another type than its place takes."""
    for judged in checked.judged:
        for given, argument in judged.values:
            wrong = given.wanted is not None and argument.sound and not fits(argument.type, given.wanted)
            if wrong and given.wanted is not None:
                yield _wrong(given.what, argument, given.wanted)
        for site, piece in judged.sites:
            if site.wanted is not None and not piece.faults and not fits(piece.type, site.wanted):
                yield _wrong_site(site, piece, site.wanted)


def _wrong(what: str, argument: JudgedArgument, wanted: ValueType) -> Diagnostic:
    return finding(
        "F0611", argument.span, f"{_upper(what)} would be {describe(argument.type)}.", expected=describe(wanted)
    )


def _wrong_site(site: Site, piece: Judged, wanted: ValueType) -> Diagnostic:
    unset = isinstance(piece.type, OptionalType) and fits(piece.type.inner, wanted)
    message = (
        f"{_upper(site.what)} is not set on every way to this step."
        if unset
        else f"{_upper(site.what)} is {describe(piece.type)}."
    )
    expected = _A_MOMENT if wanted == DATETIME else describe(wanted)
    return finding("F0611", site.piece.span, message, expected=expected)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def identities(checked: Checked) -> Iterator[Diagnostic]:
    """F0612, F0613: `key:` and the `value:` of an option are text or a whole number."""
    for judged in checked.judged:
        for site, piece in judged.sites:
            if site.use is not Use.IDENTITY or piece.faults or _identifies(site, piece.type):
                continue
            code = "F0612" if site.step is None else "F0613"
            yield finding(
                code,
                site.piece.span,
                f"{_upper(site.what)} is {describe(piece.type)}, which identifies nothing.",
                expected="text or a whole number",
            )


def _identifies(site: Site, kind: ValueType) -> bool:
    inner = bare(kind) if site.step is None else kind
    return isinstance(inner, TextType | IntegerType | AnyType)


def unidentified_rows(checked: Checked) -> Iterator[Diagnostic]:
    """F0616: options from rows that are records, without `value:`."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            source = step.keyboard.source if step.keyboard is not None else None
            if source is None or source.value is not None:
                continue
            row = row_type(source, checked.catalog, judged.view.paths_in(step))
            place = source.source or source.items
            if place is not None and not fits(row, TEXT):
                fields = sorted(row.fields) if isinstance(row, RecordType) else []
                example = f"`value: option.{fields[0]}`" if fields else "`value:`"
                yield finding(
                    "F0616",
                    place.span,
                    f"Each row is {describe(row)}: nothing says what identifies it.",
                    expected=f"{example}: an expression that gives text or a whole number",
                )


def unlike_results(checked: Checked) -> Iterator[Diagnostic]:
    """F0614: two ends of a flow with one outcome give unlike results."""
    for judged in checked.judged:
        seen: dict[str, ValueType] = {}
        for given, argument in judged.values:
            if given.step is None or not isinstance(given.step.body, End):
                continue
            outcome = given.step.body.outcome
            if outcome in seen and not alike(seen[outcome], argument.type):
                yield finding(
                    "F0614",
                    argument.span,
                    f"This result is {describe(argument.type)}, another `end: {outcome}` gives "
                    f"{describe(seen[outcome])}.",
                    expected="one type per outcome, or another outcome",
                )
            seen.setdefault(outcome, argument.type)


def unused_data(checked: Checked) -> Iterator[Diagnostic]:
    """F0615: `data:` that nothing reads."""
    for judged in checked.judged:
        read = _roots_read(judged)
        for declared in judged.flow.data:
            if declared.name not in read:
                yield finding(
                    "F0615",
                    declared.span,
                    f"Nothing in this flow reads “{declared.name}”.",
                    expected="a text, condition or argument that uses it; or take it out",
                )


def _roots_read(judged: JudgedFlow) -> set[str]:
    return {path[0] for piece in judged.pieces() if piece.parsed is not None for path in piece.parsed.paths if path}
