"""`record`: a frozen, keyword-only dataclass that is made, copied and compared in C (a `msgspec.Struct`).

An event makes some forty values. Measured, a Visit: 1.4 µs as a frozen dataclass, 0.3 µs as a record.
`dataclasses.fields`, `replace` and `is_dataclass` take a record for what it stands for.
"""

from dataclasses import MISSING, Field, field, fields, make_dataclass
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, Final, TypeVar, dataclass_transform

import msgspec
from msgspec import structs

T = TypeVar("T")
_MAKE: Final[Any] = type(msgspec.Struct)
_MADE_ANEW: Final = frozenset({"__dict__", "__weakref__", "__slots__", "__annotations__"})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make a class a frozen, slotted, keyword-only dataclass. `field(default_factory=…)` works; `init=False` and
    `__post_init__` do not: raises TypeError."""
    return _struct(cls, collected=True)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def value_record(cls: type[T]) -> type[T]:
    """A record that holds values only, so that nothing in it ever leads back to it: the garbage collector need not
    look at it, however many there are. Never for what holds a function, a task or anything that changes."""
    return _struct(cls, collected=False)


def _struct(cls: type[T], *, collected: bool) -> type[T]:
    given = _fields(cls)
    if hasattr(cls, "__post_init__") or not all(item.init for item in given.values()):
        raise TypeError(f"{cls.__name__}: a record takes every field as it is given")
    body = {name: kept for name, kept in vars(cls).items() if name not in _MADE_ANEW and name not in given}
    body["__annotations__"] = {name: item.type for name, item in given.items()}
    body.update({name: _default(item) for name, item in given.items() if _default(item) is not msgspec.NODEFAULT})
    bases = tuple(base for base in cls.__bases__ if base is not object) or (msgspec.Struct,)
    made: Any = _MAKE(cls.__name__, bases, body, frozen=True, kw_only=True, gc=collected)
    inherited = {name: item for base in bases for name, item in getattr(base, "__dataclass_fields__", {}).items()}
    made.__dataclass_fields__ = {**inherited, **given}
    kept: type[T] = made
    return kept


def _fields(cls: type) -> dict[str, Field[Any]]:
    """The class's own fields, as dataclasses would have them."""
    defaults = {name: value for name, value in vars(cls).items() if not isinstance(value, MemberDescriptorType)}
    if isinstance(cls, _MAKE):  # a record's child is a Struct already, its defaults put away
        names, kept = cls.__struct_fields__, cls.__struct_defaults__
        defaults.update(zip(names[len(names) - len(kept) :], kept, strict=True))
    written = [
        (name, kind, defaults[name]) if defaults.get(name, msgspec.NODEFAULT) is not msgspec.NODEFAULT else (name, kind)
        for name, kind in vars(cls).get("__annotations__", {}).items()
    ]
    return {item.name: item for item in fields(make_dataclass(cls.__name__, written, kw_only=True))}


def _default(item: Field[Any]) -> Any:
    if item.default_factory is not MISSING:
        return msgspec.field(default_factory=item.default_factory)
    return msgspec.NODEFAULT if item.default is MISSING else item.default


if TYPE_CHECKING:

    def replaced(value: T, /, **changes: Any) -> T:
        """A record with some fields changed. Raises TypeError for a field that it does not have."""

else:
    replaced = structs.replace
