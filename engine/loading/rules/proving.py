"""What conditions prove about names: where `if: phone` holds, `phone` is set. Parses, but finds no faults."""

from collections.abc import Iterable

from engine.core.expressing import read
from engine.core.expressions import Fault, Parsed
from engine.core.expressions.narrowing import proves
from engine.core.model import Expression, Path
from engine.core.types import OptionalType, RecordType, ValueType
from engine.loading.rules.joins import Names, bare


def parse(source: str, *, template: bool) -> Parsed | Fault:
    """The parsed source; the same that is compiled afterwards."""
    return read(source, template=template)


def given(names: Names, condition: Expression | None, *, holds: bool = True) -> Names:
    """`names` where the condition holds (or does not)."""
    if condition is None:
        return names
    parsed = parse(condition.source, template=False)
    if isinstance(parsed, Fault) or parsed.expression is None:
        return names
    proven, refuted = proves(parsed.expression)
    return _with_set(names, proven if holds else refuted)


def _with_set(names: Names, keys: Iterable[tuple[object, ...]]) -> Names:
    known = dict(names)
    for key in keys:
        path = tuple(part for part in key if isinstance(part, str))
        if len(path) == len(key):
            _set(known, path)
    return known


def _set(known: dict[Path, ValueType], path: Path) -> None:
    for length in range(len(path), 0, -1):
        kind = known.get(path[:length])
        if kind is not None:
            known[path[:length]] = _with_field(bare(kind), path[length:])
            return


def _with_field(kind: ValueType, rest: Path) -> ValueType:
    if not rest or not isinstance(kind, RecordType) or rest[0] not in kind.fields:
        return kind
    inner = kind.fields[rest[0]]
    field = _with_field(bare(inner) if isinstance(inner, OptionalType) else inner, rest[1:])
    return RecordType(name=kind.name, fields={**kind.fields, rest[0]: field})
