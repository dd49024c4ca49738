"""Records are dataclasses like any other, only made more quickly."""

import gc
from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass, replace

import pytest

from engine.core.records import record, replaced, value_record


@record
class Note:
    """Names that the generated functions use themselves are fields here."""

    value: str
    made: int = 1
    cls: Mapping[str, int] = field(default_factory=dict)
    make: tuple[str, ...] = ()


@record
class Child(Note):
    """A child of a record has its fields, and needs one more."""

    extra: int
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def doubled(self) -> int:
        """Twice the extra."""
        return self.extra * 2


@value_record
class Value:
    """A value that may hold another one."""

    inner: "Value | None" = None


def test_a_record_is_a_frozen_keyword_only_dataclass() -> None:
    note = Note(value="a")
    assert note == Note(value="a", made=1, cls={}, make=())
    assert note.cls is not Note(value="a").cls
    with pytest.raises(AttributeError):
        note.value = "b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Note("a")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Note()  # type: ignore[call-arg]


def test_replaced_does_what_the_library_does() -> None:
    note = Note(value="a", cls={"x": 1})
    assert replaced(note, value="b", make=("c",)) == replace(note, value="b", make=("c",))
    assert replaced(note) == note
    assert note == Note(value="a", cls={"x": 1})


def test_replaced_refuses_a_field_that_is_not_there() -> None:
    with pytest.raises(TypeError, match="colour"):
        replaced(Note(value="a"), colour="red")


def test_the_library_takes_a_record_for_a_dataclass() -> None:
    assert is_dataclass(Child)
    assert [item.name for item in fields(Child)] == ["value", "made", "cls", "make", "extra", "tags"]


def test_a_record_may_add_to_another() -> None:
    child = Child(value="a", extra=2)
    assert (child.made, child.cls, child.tags, child.doubled) == (1, {}, {}, 4)
    assert isinstance(child, Note)
    assert child != Note(value="a")
    with pytest.raises(TypeError):
        Child(value="a")  # type: ignore[call-arg]


def test_the_collector_leaves_values_alone() -> None:
    many = (Value(inner=Value()), Value())
    gc.collect()
    assert not gc.is_tracked(many[0])
    assert not gc.is_tracked(many)


def test_a_class_that_needs_more_than_its_fields_is_no_record() -> None:
    class Checked:
        value: str

        def __post_init__(self) -> None: ...

    with pytest.raises(TypeError, match="Checked"):
        record(Checked)
