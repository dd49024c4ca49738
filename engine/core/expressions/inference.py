"""The type of an expression, and everything that is wrong with it, before anything runs. Pure; never evaluates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from engine.core.expressions import combining, nodes
from engine.core.expressions.comparing import check_membership, check_pair
from engine.core.expressions.faults import Fault, nearest
from engine.core.expressions.filter_inference import FilterCheck
from engine.core.expressions.filter_specs import bind
from engine.core.expressions.filters import FILTERS, TESTS
from engine.core.expressions.narrowing import NONE, Known, end_is_there, key_of, proves, without
from engine.core.expressions.nodes import Node, Piece
from engine.core.expressions.reading import Parsed
from engine.core.types import (
    ANY,
    BOOLEAN,
    INTEGER,
    NOTHING,
    TEXT,
    AnyType,
    ListType,
    NothingType,
    OptionalType,
    RecordType,
    TextType,
    ValueType,
    describe,
    fits,
    optional,
)

LOOP: Final = RecordType(name="loop", fields={"index": INTEGER, "first": BOOLEAN, "last": BOOLEAN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """The type (of a template: text) and the faults, in the order of their places."""

    type: ValueType
    faults: tuple[Fault, ...]


def infer(
    parsed: Parsed,
    environment: Mapping[str, ValueType],
    locals: Mapping[str, ValueType] | None = None,  # noqa: A002
) -> Inferred:
    """Type and faults of `parsed` where these names exist; `locals` hide names of the environment.

    A name of OptionalType is not set on every path: it may be tested, compared with none, or given a default;
    anything else needs a condition around it that proves it set.
    """
    checker = _Checker()
    names = _Names(types={**environment, **(locals or {})}, known=NONE)
    if parsed.expression is not None:
        kind = checker.maybe(parsed.expression, names)
    else:
        checker.pieces(parsed.pieces, names)
        kind = TEXT
    faults = sorted(set(checker.faults), key=lambda fault: (fault.offset, fault.length, fault.message))
    return Inferred(type=kind, faults=tuple(faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What is known at one place: the types of names, and which optional values are set."""

    types: Mapping[str, ValueType]
    known: Known

    def knowing(self, known: Known) -> "_Names":
        return replace(self, known=self.known | known) if known else self

    def inside(self, name: str, item: ValueType) -> "_Names":
        return _Names(types={**self.types, "loop": LOOP, name: item}, known=without(self.known, name, "loop"))


class _Checker:
    """Walks one tree and collects faults. `maybe` gives a type that may be optional, `value` never does."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    # --- texts ---------------------------------------------------------------------------------------------

    def pieces(self, pieces: Iterable[Piece], names: _Names) -> None:
        for piece in pieces:
            match piece:
                case nodes.Words():
                    pass
                case nodes.Print(value=value):
                    self._print(value, names)
                case nodes.Branches():
                    self._branches(piece, names)
                case nodes.Loop():
                    self._loop(piece, names)

    def _print(self, node: Node, names: _Names) -> None:
        kind = self.value(node, names)
        if isinstance(kind, ListType):
            self._report(node, "type", f"{combining.in_words(kind)} cannot stand in a text.", "the filter join or list")
        elif isinstance(kind, RecordType):
            fields = ", ".join(sorted(kind.fields)[:6])
            self._report(
                node, "type", f"{combining.in_words(kind)} cannot stand in a text.", f"one of its fields: {fields}"
            )

    def _branches(self, piece: nodes.Branches, names: _Names) -> None:
        for test, body in piece.branches:
            self.maybe(test, names)
            holds, fails = proves(test)
            self.pieces(body, names.knowing(holds))
            names = names.knowing(fails)
        self.pieces(piece.otherwise, names)

    def _loop(self, piece: nodes.Loop, names: _Names) -> None:
        kind = self.value(piece.items, names)
        item: ValueType = ANY
        if isinstance(kind, ListType):
            item = kind.item
        elif not isinstance(kind, AnyType):
            self._report(piece.items, "type", f"A “for” walks over a list, this is {describe(kind)}.", "a list")
        self.pieces(piece.body, names.inside(piece.name, item))
        self.pieces(piece.otherwise, names)

    # --- expressions ---------------------------------------------------------------------------------------

    def value(self, node: Node, names: _Names) -> ValueType:
        """The type of a node whose value is needed: reports it when it may be unset."""
        kind = self.maybe(node, names)
        if isinstance(kind, OptionalType):
            self._unset(node)
            return kind.inner
        if isinstance(kind, NothingType):
            self._report(node, "unset_name", "There is nothing here, and a value is needed.")
            return ANY
        return kind

    def maybe(self, node: Node, names: _Names) -> ValueType:
        """The type of a node whose value may be missing: in a condition, before `default`, beside `none`."""
        kind = self._kind(node, names)
        if isinstance(kind, OptionalType):
            key = key_of(node)
            if key is not None and key in names.known:
                return kind.inner
        return kind

    def _kind(self, node: Node, names: _Names) -> ValueType:  # noqa: C901, PLR0912 - one case per node
        match node:
            case nodes.Constant(value=value):
                return combining.of_constant(value)
            case nodes.Name():
                return self._name(node, names)
            case nodes.Attribute():
                return self._attribute(node, names)
            case nodes.Index():
                return self._index(node, names)
            case nodes.Part():
                return self._part(node, names)
            case nodes.Items(items=items):
                return self._items(items, names)
            case nodes.Comparison():
                return self._comparison(node, names)
            case nodes.Not(operand=operand):
                self.maybe(operand, names)
                return BOOLEAN
            case nodes.Negative(operand=operand):
                return self._negative(operand, names)
            case nodes.Both():
                return self._both(node, names)
            case nodes.Either():
                return self._either(node, names)
            case nodes.Arithmetic():
                return self._arithmetic(node, names)
            case nodes.Joined(items=items):
                return self._joined(items, names)
            case nodes.Conditional():
                return self._conditional(node, names)
            case nodes.Filtered():
                return self._filtered(node, names)
            case nodes.Tested():
                return self._tested(node, names)

    def _name(self, node: nodes.Name, names: _Names) -> ValueType:
        if node.name in names.types:
            return names.types[node.name]
        self._report(
            node, "unknown_name", f"There is no “{node.name}” here.", suggestion=nearest(node.name, names.types)
        )
        return ANY

    def _attribute(self, node: nodes.Attribute, names: _Names) -> ValueType:
        base = self.maybe(node.base, names)
        missing = isinstance(base, OptionalType)
        kind = self._field(combining.bare(base), node.name, node.name_start, node.end - node.name_start)
        # Asking an unset record for a field gives nothing, so the question only makes the answer optional.
        return optional(kind) if missing else kind

    def _field(self, record: ValueType, name: str, start: int, length: int) -> ValueType:
        if isinstance(record, AnyType):
            return ANY
        if isinstance(record, RecordType) and name in record.fields:
            return record.fields[name]
        fields = record.fields if isinstance(record, RecordType) else {}
        shown = ", ".join(sorted(fields)[:8])
        self.faults.append(
            Fault(
                offset=start,
                length=length,
                kind="unknown_attribute",
                message=f"{combining.in_words(record)} has no “{name}”.",
                expected=f"one of: {shown}" if shown else None,
                suggestion=nearest(name, fields),
            )
        )
        return ANY

    def _index(self, node: nodes.Index, names: _Names) -> ValueType:
        base, index = self.maybe(node.base, names), self.value(node.index, names)
        inner = combining.bare(base)
        if isinstance(inner, AnyType):
            return ANY
        if not isinstance(inner, ListType) or not fits(index, INTEGER):
            self._report(
                node, "type", f"{combining.in_words(inner)} has no item {describe(index)}.", "a list and a whole number"
            )
            return ANY
        # A fixed place may be missing; a place that the flow works out (`questions[n]`) is the author's own count,
        # and would need a guard in every text. Outside of the list it is nothing.
        fixed = isinstance(node.index, nodes.Constant | nodes.Negative)
        return inner.item if not fixed or end_is_there(node, names.known) else optional(inner.item)

    def _part(self, node: nodes.Part, names: _Names) -> ValueType:
        base = self.value(node.base, names)
        for bound in (node.first, node.last):
            if bound is not None and not fits(kind := self.value(bound, names), INTEGER):
                self._report(bound, "type", f"A slice takes whole numbers, this is {describe(kind)}.")
        if not isinstance(base, ListType | TextType | AnyType):
            self._report(node.base, "type", f"{combining.in_words(base)} has no parts.", "a list or a text")
            return ANY
        return combining.widened(base)

    def _items(self, items: tuple[Node, ...], names: _Names) -> ValueType:
        kind: ValueType | None = None
        for item in items:
            one = self.value(item, names)
            joined = one if kind is None else combining.together(kind, one)
            if joined is None:
                self._report(item, "type", f"The items of a list are of one kind; this is {describe(one)}.")
                return ListType(item=ANY)
            kind = joined
        return ListType(item=ANY if kind is None else kind)

    def _negative(self, operand: Node, names: _Names) -> ValueType:
        kind = self.value(operand, names)
        result = combining.negative(kind)
        if result is None:
            self._report(operand, "type", f"{combining.in_words(kind)} has no negative.", "a number")
        return ANY if result is None else result

    def _both(self, node: nodes.Both, names: _Names) -> ValueType:
        left = self.maybe(node.left, names)
        right = self.maybe(node.right, names.knowing(proves(node.left)[0]))
        return combining.together(left, right) or ANY

    def _either(self, node: nodes.Either, names: _Names) -> ValueType:
        left = combining.bare(self.maybe(node.left, names))
        right = self.maybe(node.right, names.knowing(proves(node.left)[1]))
        return right if left == NOTHING else combining.together(left, right) or ANY

    def _arithmetic(self, node: nodes.Arithmetic, names: _Names) -> ValueType:
        left, right = self.value(node.left, names), self.value(node.right, names)
        result = combining.arithmetic(node.operator, left, right)
        if result is None:
            message = f"“{node.operator}” does not go with {combining.plainly(left)} and {combining.plainly(right)}."
            expected = combining.meant(node.operator, left, right)
            if expected is None and isinstance(node.right, nodes.Filtered):
                expected = "brackets around what the filter is for: “(a * b) | money”"
            self._report(node, "type", message, expected)
        return ANY if result is None else result

    def _joined(self, items: tuple[Node, ...], names: _Names) -> ValueType:
        for item in items:
            kind = self.value(item, names)
            if not combining.accepted(kind, combining.PRINTABLE):
                self._report(item, "type", f"“~” puts texts together, this is {describe(kind)}.", "a text or a number")
        return TEXT

    def _conditional(self, node: nodes.Conditional, names: _Names) -> ValueType:
        self.maybe(node.test, names)
        holds, fails = proves(node.test)
        then = self.maybe(node.then, names.knowing(holds))
        otherwise = NOTHING if node.otherwise is None else self.maybe(node.otherwise, names.knowing(fails))
        return combining.together(then, otherwise) or ANY

    def _comparison(self, node: nodes.Comparison, names: _Names) -> ValueType:
        left = node.first
        for operator, right in node.rest:
            if operator in {"==", "!="} and (_is_none(left) or _is_none(right)):
                self.maybe(left, names)
                self.maybe(right, names)
            elif operator in {"in", "not in"}:
                self._membership(left, right, names)
            else:
                check_pair(self._report, node, operator, self.value(left, names), self.value(right, names))
            left = right
        return BOOLEAN

    def _membership(self, item: Node, container: Node, names: _Names) -> None:
        kind, whole = self.value(item, names), self.value(container, names)
        if isinstance(container, nodes.Items):
            for one in container.items:
                # A second look at the item, for its own type; its faults are reported already.
                check_pair(self._report, one, "==", kind, _Checker().value(one, names))
        else:
            check_membership(self._report, item, kind, container, whole)

    # --- filters and tests ---------------------------------------------------------------------------------

    def _tested(self, node: nodes.Tested, names: _Names) -> ValueType:
        kind, known = self.maybe(node.subject, names), TESTS.get(node.name)
        if known is None:
            self._unknown(node.name, node.name_start, "test", (*TESTS, "in"))
        elif known.accepts is not None:
            if isinstance(kind, OptionalType) and known.name != "empty":
                self._unset(node.subject)
            if not isinstance(kind, NothingType) and not combining.accepted(combining.bare(kind), known.accepts):
                self._report(node.subject, "type", f"{combining.in_words(kind)} cannot be tested with “{known.name}”.")
        return BOOLEAN

    def _filtered(self, node: nodes.Filtered, names: _Names) -> ValueType:
        known = FILTERS.get(node.name)
        takes_nothing = known is not None and known.takes_nothing
        subject = self.maybe(node.subject, names) if takes_nothing else self.value(node.subject, names)
        arguments = [(argument, self.value(argument, names)) for argument in _arguments(node)]
        if known is None:
            self._unknown(node.name, node.name_start, "filter", FILTERS)
            return ANY
        bound = bind(known, node)
        if isinstance(bound, Fault):
            self.faults.append(bound)
            return ANY
        kinds = {name: next(kind for one, kind in arguments if one is argument) for name, argument in bound.items()}
        check = FilterCheck(known=known, node=node, bound=bound, kinds=kinds, report=self._report, field=self._field)
        return check.result(subject, names.known)

    # --- faults --------------------------------------------------------------------------------------------

    def _unknown(self, name: str, start: int, what: str, table: Iterable[str]) -> None:
        self.faults.append(
            Fault(
                offset=start,
                length=len(name),
                kind="unknown_filter",
                message=f"There is no {what} “{name}”.",
                suggestion=nearest(name, table),
            )
        )

    def _unset(self, node: Node) -> None:
        self._report(
            node,
            "unset_name",
            f"{_named(node)} may not be set here.",
            "a condition around it ({% if … %}), or the filter default",
        )

    def _report(
        self, node: Node, kind: str, message: str, expected: str | None = None, suggestion: str | None = None
    ) -> None:
        self.faults.append(
            Fault(
                offset=node.start,
                length=node.end - node.start,
                kind=kind,
                message=message,
                expected=expected,
                suggestion=suggestion,
            )
        )


def _arguments(node: nodes.Filtered) -> tuple[Node, ...]:
    return (*node.arguments, *(argument for _, argument in node.named))


def _is_none(node: Node) -> bool:
    return isinstance(node, nodes.Constant) and node.value is None


def _named(node: Node) -> str:
    match node:
        case nodes.Name(name=name) | nodes.Attribute(name=name):
            return f"“{name}”"
        case _:
            return "This"
