"""The allow-list: Jinja2's tree → ours. Pure; knows no types and no filters.

A construct without a rule in RULES is a fault; whatever has no node of ours can never be evaluated.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from jinja2 import nodes

from engine.core.expressions import nodes as tree
from engine.core.expressions.faults import Fault
from engine.core.expressions.operators import LARGEST
from engine.core.expressions.positions import Broken

_COMPARISONS: Final = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip
_ARITHMETIC: Final = {
    nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/", nodes.FloorDiv: "//", nodes.Mod: "%",
}  # fmt: skip
_FORBIDDEN: Final[dict[type[nodes.Node], str]] = {
    nodes.Call: "A call of a function",
    nodes.Pow: "“**”",
    nodes.Dict: "A record in braces",
    nodes.Pos: "A leading “+”",
}
CONTROL: Final = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""What no source and no text in a source may have in it: control characters, halves of characters."""
_CLOSING: Final = re.compile(r"[\s,:]*[\])}]")


@dataclass(frozen=True, slots=True)
class Converter:
    """Jinja2's nodes → ours. A node without a rule is forbidden."""

    source: str
    lengths: dict[int, int]

    def expression(self, node: nodes.Node) -> tree.Node:
        kind = type(node)
        rule = RULES.get(kind)
        if rule is None:
            raise Broken(self._forbidden(node, _FORBIDDEN.get(kind, f"“{kind.__name__}”")))
        return rule(self, node)

    def pieces(self, body: list[nodes.Node]) -> tuple[tree.Piece, ...]:
        return tuple(piece for node in body for piece in self._piece(node))

    def _piece(self, node: nodes.Node) -> Iterator[tree.Piece]:
        match node:
            case nodes.Output():
                yield from map(self._printed, node.nodes)
            case nodes.If():
                yield self._branches(node)
            case nodes.For():
                yield self._loop(node)
            case _:
                raise Broken(self._forbidden(node, f"The block “{type(node).__name__.lower()}”"))

    def _printed(self, node: nodes.Node) -> tree.Piece:
        if isinstance(node, nodes.TemplateData):
            return tree.Words(start=node.lineno, end=node.lineno + len(node.data), text=node.data)
        value = self.expression(node)
        return tree.Print(start=value.start, end=value.end, value=value)

    def _branches(self, node: nodes.If) -> tree.Piece:
        branches = tuple((self.expression(one.test), self.pieces(one.body)) for one in (node, *node.elif_))
        return tree.Branches(
            start=node.lineno, end=branches[0][0].end, branches=branches, otherwise=self.pieces(node.else_)
        )

    def _loop(self, node: nodes.For) -> tree.Piece:
        if not isinstance(node.target, nodes.Name):
            raise Broken(self._forbidden(node.target, "Several names in one “for”"))
        if node.test is not None:
            raise Broken(self._forbidden(node.test, "A condition in “for”", "an {% if %} inside the loop"))
        if node.recursive:
            raise Broken(self._forbidden(node, "A recursive “for”"))
        name = self._name(node.target)
        items = self.expression(node.iter)
        return tree.Loop(
            start=node.lineno,
            end=items.end,
            name=name.name,
            items=items,
            body=self.pieces(node.body),
            otherwise=self.pieces(node.else_),
        )

    # --- expressions -------------------------------------------------------------------------------------

    def _constant(self, node: nodes.Const) -> tree.Node:
        start, value = node.lineno, node.value
        end = start + self.lengths.get(start, 0)
        if isinstance(value, float):
            value = _decimal(self.source[start:end])
        too_big = isinstance(value, int | Decimal) and not -LARGEST < value < LARGEST
        if too_big or value is Ellipsis:
            raise Broken(Fault(offset=start, length=end - start, kind="too_long", message="This number is too large."))
        if isinstance(value, str) and CONTROL.search(value):
            message = "This text has a control character in it."
            raise Broken(Fault(offset=start, length=end - start, kind="syntax", message=message))
        return tree.Constant(start=start, end=end, value=value)

    def _name(self, node: nodes.Name) -> tree.Name:
        name = node.name
        if name.startswith("_"):
            raise Broken(self._forbidden(node, "A name that starts with “_”"))
        return tree.Name(start=node.lineno, end=node.lineno + len(name), name=name)

    def _attribute(self, node: nodes.Getattr) -> tree.Node:
        base = self.expression(node.node)
        start = self._word_after(node.lineno + 1)
        return self._attribute_of(base, node.attr, start, start + len(node.attr))

    def _attribute_of(self, base: tree.Node, name: str, start: int, end: int) -> tree.Node:
        if name.startswith("_"):
            fault = _forbidden_fault(start, end - start, "A name that starts with “_”")
            raise Broken(fault)
        return tree.Attribute(start=base.start, end=end, base=base, name=name, name_start=start)

    def _item(self, node: nodes.Getitem) -> tree.Node:
        base = self.expression(node.node)
        if isinstance(node.arg, nodes.Slice):
            return self._part(base, node.arg)
        index = self.expression(node.arg)
        if isinstance(index, tree.Constant) and isinstance(index.value, str):
            return self._attribute_of(base, index.value, index.start, index.end)
        end = self._closed(max(base.end, index.end))
        return tree.Index(start=base.start, end=end, base=base, index=index)

    def _part(self, base: tree.Node, node: nodes.Slice) -> tree.Node:
        if node.step is not None:
            raise Broken(self._forbidden(node.step, "A step in a slice"))
        bounds = [None if bound is None else self.expression(bound) for bound in (node.start, node.stop)]
        end = self._closed(max([base.end + 1, *(bound.end for bound in bounds if bound is not None)]))
        return tree.Part(start=base.start, end=end, base=base, first=bounds[0], last=bounds[1])

    def _items(self, node: nodes.List | nodes.Tuple) -> tree.Node:
        items = tuple(self.expression(item) for item in node.items)
        start = min([node.lineno, *(item.start for item in items)])
        end = max([start + 1, *(item.end for item in items)])
        return tree.Items(start=start, end=self._closed(end) if self.source[start] in "[(" else end, items=items)

    def _comparison(self, node: nodes.Compare) -> tree.Node:
        first = self.expression(node.expr)
        rest = tuple((_COMPARISONS[operand.op], self.expression(operand.expr)) for operand in node.ops)
        return tree.Comparison(start=first.start, end=rest[-1][1].end, first=first, rest=rest)

    def _not(self, node: nodes.Not) -> tree.Node:
        operand = self.expression(node.node)
        return tree.Not(start=min(node.lineno, operand.start), end=operand.end, operand=operand)

    def _negative(self, node: nodes.Neg) -> tree.Node:
        operand = self.expression(node.node)
        start = min(node.lineno, operand.start)
        if isinstance(operand, tree.Constant) and type(operand.value) in (int, Decimal):
            return tree.Constant(start=start, end=operand.end, value=-operand.value)  # type: ignore[operator]
        return tree.Negative(start=start, end=operand.end, operand=operand)

    def _both(self, node: nodes.And) -> tree.Node:
        left, right = self.expression(node.left), self.expression(node.right)
        return tree.Both(start=left.start, end=right.end, left=left, right=right)

    def _either(self, node: nodes.Or) -> tree.Node:
        left, right = self.expression(node.left), self.expression(node.right)
        return tree.Either(start=left.start, end=right.end, left=left, right=right)

    def _arithmetic(self, node: nodes.BinExpr) -> tree.Node:
        left, right = self.expression(node.left), self.expression(node.right)
        operator = _ARITHMETIC[type(node)]
        return tree.Arithmetic(start=left.start, end=right.end, operator=operator, left=left, right=right)

    def _joined(self, node: nodes.Concat) -> tree.Node:
        items = tuple(self.expression(item) for item in node.nodes)
        return tree.Joined(start=items[0].start, end=items[-1].end, items=items)

    def _conditional(self, node: nodes.CondExpr) -> tree.Node:
        test, then = self.expression(node.test), self.expression(node.expr1)
        otherwise = None if node.expr2 is None else self.expression(node.expr2)
        end = test.end if otherwise is None else otherwise.end
        return tree.Conditional(start=then.start, end=end, test=test, then=then, otherwise=otherwise)

    def _filtered(self, node: nodes.Filter) -> tree.Node:
        if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise Broken(self._forbidden(node, "“*” in a filter"))
        subject = self.expression(node.node)
        arguments = tuple(self.expression(argument) for argument in node.args)
        named = tuple((str(pair.key), self.expression(pair.value)) for pair in node.kwargs)
        ends = [argument.end for argument in (*arguments, *(value for _, value in named))]
        return tree.Filtered(
            start=subject.start,
            end=self._closed(max(ends)) if ends else node.lineno + len(node.name),
            subject=subject,
            name=node.name,
            name_start=node.lineno,
            arguments=arguments,
            named=named,
        )

    def _tested(self, node: nodes.Test) -> tree.Node:
        subject = self.expression(node.node)
        found = re.compile(r"is\s+(?:not\s+)?").match(self.source, node.lineno)
        start = found.end() if found else node.lineno
        if node.name == "in" and len(node.args) == 1:
            items = self.expression(node.args[0])
            return tree.Comparison(start=subject.start, end=items.end, first=subject, rest=(("in", items),))
        if node.args or node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise Broken(_forbidden_fault(start, len(node.name), f"The test “{node.name}” with arguments"))
        end = start + len(node.name)
        return tree.Tested(start=subject.start, end=end, subject=subject, name=node.name, name_start=start)

    def _closed(self, end: int) -> int:
        """`end` moved behind the closing bracket that follows."""
        found = _CLOSING.match(self.source, end)
        return found.end() if found else end

    def _word_after(self, offset: int) -> int:
        rest = self.source[offset:]
        return offset + len(rest) - len(rest.lstrip())

    def _forbidden(self, node: nodes.Node, construct: str, expected: str | None = None) -> Fault:
        places = [node.lineno, *(child.lineno for child in node.find_all(nodes.Expr))]
        start, end = min(places), max(place + self.lengths.get(place, 1) for place in places)
        end = max([end, *(self._word_after(one.lineno + 1) + len(one.attr) for one in node.find_all(nodes.Getattr))])
        if isinstance(node, nodes.Call | nodes.Dict):
            end = self._closed(end)
        elif isinstance(node, nodes.Getattr):
            end = max(end, self._word_after(node.lineno + 1) + len(node.attr))
        return _forbidden_fault(start, end - start, construct, expected)


def _forbidden_fault(offset: int, length: int, construct: str, expected: str | None = None) -> Fault:
    return Fault(
        offset=offset,
        length=length,
        kind="forbidden",
        message=f"{construct} cannot be used here.",
        expected=expected or "a filter from the guide, or an action for anything more",
    )


def _decimal(digits: str) -> Decimal:
    try:
        value = Decimal(digits.replace("_", ""))
    except InvalidOperation:
        return Decimal(LARGEST)
    return Decimal(LARGEST) if value and value.adjusted() < -30 else value


RULES: Final[dict[type[nodes.Node], Callable[[Converter, Any], tree.Node]]] = {
    nodes.Const: Converter._constant,
    nodes.Name: Converter._name,
    nodes.Getattr: Converter._attribute,
    nodes.Getitem: Converter._item,
    nodes.List: Converter._items,
    nodes.Tuple: Converter._items,
    nodes.Compare: Converter._comparison,
    nodes.Not: Converter._not,
    nodes.Neg: Converter._negative,
    nodes.And: Converter._both,
    nodes.Or: Converter._either,
    nodes.Concat: Converter._joined,
    nodes.CondExpr: Converter._conditional,
    nodes.Filter: Converter._filtered,
    nodes.Test: Converter._tested,
    **dict.fromkeys(_ARITHMETIC, Converter._arithmetic),
}
"""The allow-list."""
