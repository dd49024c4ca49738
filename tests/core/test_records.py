"""Records are dataclasses like any other, only made more quickly."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from engine.core.records import record, replaced


@record
class Note:
    """Names that the generated functions use themselves are fields here."""

    value: str
    made: int = 1
    cls: Mapping[str, int] = field(default_factory=dict)
    make: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    text: str
    count: int = 0


def test_a_record_is_a_frozen_keyword_only_dataclass() -> None:
    note = Note(value="a")
    assert note == Note(value="a", made=1, cls={}, make=())
    assert note.cls is not Note(value="a").cls
    with pytest.raises(FrozenInstanceError):
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
    assert replaced(Plain(text="a"), count=2) == Plain(text="a", count=2)


def test_replaced_refuses_a_field_that_is_not_there() -> None:
    with pytest.raises(TypeError, match="colour"):
        replaced(Plain(text="a"), colour="red")


def test_a_class_that_needs_more_than_its_fields_is_no_record() -> None:
    class Checked:
        value: str

        def __post_init__(self) -> None: ...

    with pytest.raises(TypeError, match="Checked"):
        record(Checked)
