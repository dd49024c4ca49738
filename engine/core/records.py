"""`record`: a frozen, slotted, keyword-only dataclass that is made quickly.

`advance` makes a dozen values per event. A frozen dataclass sets each field by `object.__setattr__`, looking its name
up again; setting the slots themselves takes 0.6 of the time (measured, a Visit: 1.35 → 0.81 µs). Nothing else differs.
"""

from collections.abc import Callable, Hashable
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from typing import Any, TypeVar, cast, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(cls: type[T]) -> type[T]:
    """Make a class a frozen, slotted, keyword-only dataclass. `field(default_factory=…)` works; `init=False` and
    `__post_init__` do not: raises TypeError."""
    made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    kept: type[Any] = made
    if hasattr(kept, "__post_init__") or not all(item.init for item in fields(kept)):
        raise TypeError(f"{cls.__name__}: a record takes every field as it is given")
    setattr(made, "__init__", _initializer(made))  # noqa: B010 - mypy takes no assignment to a method
    return made


def _initializer(cls: type) -> Callable[..., None]:
    """`__init__` as dataclasses writes it, but for how a field is set."""
    names: dict[str, Any] = {"MISSING": MISSING}
    parameters, lines = [], []
    for item in fields(cls):
        names[f"set_{item.name}"] = getattr(cls, item.name).__set__
        parameters.append(_parameter(item, names))
        given = item.name
        if item.default_factory is not MISSING:
            given = f"make_{item.name}() if {item.name} is MISSING else {item.name}"
        lines.append(f"    set_{item.name}(self, {given})")
    source = f"def __init__(self, *, {', '.join(parameters)}):\n" + "\n".join(lines)
    exec(source, names)  # noqa: S102 - the names of our own fields, as dataclasses itself does it
    made: Callable[..., None] = names["__init__"]
    return made


def _parameter(item: Field[Any], names: dict[str, Any]) -> str:
    if item.default is not MISSING:
        names[f"default_{item.name}"] = item.default
        return f"{item.name}=default_{item.name}"
    if item.default_factory is not MISSING:
        names[f"make_{item.name}"] = item.default_factory
        return f"{item.name}=MISSING"
    return item.name


@cache
def _copier(cls: Hashable) -> Callable[..., Any]:
    """A function that copies a value of this class, some fields changed: field by field, without a loop."""
    names: dict[str, Any] = {"_KEPT": MISSING, "_new": object.__new__, "_class": cls}
    given, lines = [], []
    for item in fields(cast("Any", cls)):
        name = item.name
        names[f"_set_{name}"] = getattr(cls, name).__set__
        given.append(f"{name}=_KEPT")
        lines.append(f"    _set_{name}(_made, _old.{name} if {name} is _KEPT else {name})\n")
    head = f"def _copied(_old, /, *, {', '.join(given)}):\n    _made = _new(_class)\n"
    exec(f"{head}{''.join(lines)}    return _made", names)  # noqa: S102 - the names of our own fields
    made: Callable[..., Any] = names["_copied"]
    return made


def replaced(value: T, /, **changes: Any) -> T:
    """`dataclasses.replace` for a frozen, slotted dataclass without `__post_init__`, at half its time.

    Raises TypeError for a field that it does not have.
    """
    made: T = _copier(cast("Hashable", type(value)))(value, **changes)
    return made
