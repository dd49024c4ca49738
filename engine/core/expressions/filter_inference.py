"""The types of one use of a filter: subject, arguments, attributes of items, result. Types only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.core.expressions import combining, nodes
from engine.core.expressions.comparing import Report
from engine.core.expressions.filter_functions import URL
from engine.core.expressions.filter_specs import FilterParameter, FilterSpec, Use
from engine.core.expressions.narrowing import Known, end_is_there
from engine.core.expressions.nodes import Node
from engine.core.types import ANY, AnyType, ListType, NothingType, OptionalType, ValueType, describe, fits


class Field(Protocol):
    """The type of a record's field; reports an unknown one at its place."""

    def __call__(self, record: ValueType, name: str, start: int, length: int) -> ValueType: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterCheck:
    """One use: the filter's signature, its arguments by name and their types, and where faults go."""

    known: FilterSpec
    node: nodes.Filtered
    bound: Mapping[str, Node]
    kinds: Mapping[str, ValueType]
    report: Report
    field: Field

    def result(self, subject: ValueType, known: Known) -> ValueType:
        """The type that comes out; `known` are the optional values that are set at this place."""
        if self.known.takes_nothing:
            return self._defaulted(subject)
        if not combining.accepted(subject, self.known.accepts):
            self._refuse(f"“{self.known.name}” does not take {combining.plainly(subject)}.", self.known.accepts)
            return ANY
        element = self._element(subject)
        for parameter in self.known.parameters:
            if parameter.name in self.bound and not parameter.attribute:
                self._argument(parameter)
        kind = self.known.result(Use(subject=subject, element=element, arguments=self.kinds))
        if isinstance(kind, OptionalType) and end_is_there(self.node, known):
            return kind.inner
        return kind

    def _defaulted(self, subject: ValueType) -> ValueType:
        fallback = self.kinds["value"]
        inner = combining.bare(subject)
        if isinstance(inner, NothingType):
            return fallback
        kind = combining.together(inner, fallback)
        if kind is None:
            message = f"The default is {combining.plainly(fallback)}, and the value {combining.plainly(inner)}."
            self.report(self.bound["value"], "type", message, describe(inner))
            return ANY
        return kind

    def _argument(self, parameter: FilterParameter) -> None:
        node, kind = self.bound[parameter.name], self.kinds[parameter.name]
        if not fits(kind, parameter.type):
            message = f"“{parameter.name}” of “{self.known.name}” is {describe(parameter.type)}, not {describe(kind)}."
            self.report(node, "type", message, describe(parameter.type))
        elif parameter.name == "url" and isinstance(node, nodes.Constant) and not URL.match(str(node.value)):
            self.report(node, "type", "A link starts with https://, http:// or tg://.", "a whole address")

    def _element(self, subject: ValueType) -> ValueType:
        """The type of the list's items, or of their attribute where the use names one."""
        element: ValueType = subject.item if isinstance(subject, ListType) else ANY
        for parameter in self.known.parameters:
            if parameter.attribute and parameter.name in self.bound:
                element = self._attribute(element, self.bound[parameter.name])
        wanted = self.known.elements
        if wanted is not None and not combining.accepted(element, wanted):
            self._refuse(f"“{self.known.name}” does not take a list of {combining.plainly(element)}.", wanted)
            return ANY
        return element

    def _attribute(self, element: ValueType, node: Node) -> ValueType:
        if not (isinstance(node, nodes.Constant) and isinstance(node.value, str)):
            self.report(node, "type", "An attribute is written as a text in quotes.", "for example 'name'")
            return ANY
        start = node.start + 1
        for name in node.value.split("."):
            if isinstance(element, OptionalType):
                self.report(node, "unset_name", "This attribute may not be set in every item.")
                return ANY
            element = self.field(element, name, start, len(name))
            start += len(name) + 1
        return element

    def _refuse(self, message: str, wanted: tuple[ValueType, ...]) -> None:
        name = self.node
        expected = " or ".join(describe(one) for one in wanted if not isinstance(one, AnyType))
        place = nodes.Name(start=name.name_start, end=name.name_start + len(name.name), name=name.name)
        self.report(place, "type", message, expected or None)
