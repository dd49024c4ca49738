"""Tree → Python closures. No types here: `inference` has looked at them before; nothing is coerced.

Every function made here raises only EvaluationError. Constants are worked out once, at compile time.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from engine.core.expressions import nodes
from engine.core.expressions.faults import Fault
from engine.core.expressions.filter_specs import bind
from engine.core.expressions.filters import FILTERS, TESTS
from engine.core.expressions.nodes import Node, Piece
from engine.core.expressions.operators import (
    Markup,
    add_or_join,
    arithmetic,
    attribute,
    comparison,
    item,
    negate,
    part,
    plain,
)  # fmt: skip
from engine.core.expressions.reading import Parsed
from engine.core.expressions.scope import LONGEST_TEXT, WORKED_OUT, EvaluationError, Scope, check_length, walk
from engine.core.values import UNSET, Money

Evaluate = Callable[[Scope], object]
Render = Callable[[Scope], str]
_MISSING: Final = object()
_T = TypeVar("_T")


def compile_expression(parsed: Parsed) -> Evaluate:
    """The function that gives the expression's value. It raises only EvaluationError."""
    if parsed.expression is None:
        raise ValueError("this is a template, not an expression")
    return _guarded(_Compiler(escaped=False).node(parsed.expression, frozenset()))


def compile_template(parsed: Parsed, *, escape: bool = True) -> Render:
    """The function that gives the text. It raises only EvaluationError.

    What is put in is escaped for HTML; with `escape=False` (a URL, a body on the wire) it is put in as it is, in
    the form that machines read.
    """
    if parsed.expression is not None:
        raise ValueError("this is an expression, not a template")
    if parsed.constant:
        text = "".join(piece.text for piece in parsed.pieces if isinstance(piece, nodes.Words))
        return lambda _scope: text
    return _guarded(_Compiler(escaped=escape).pieces(parsed.pieces, frozenset()))


def compile_native(parsed: Parsed) -> Evaluate:
    """Like `compile_template`, but a template of exactly one `{{ x }}` gives x itself, not its text."""
    if parsed.single and isinstance(parsed.pieces[0], nodes.Print):
        return _guarded(_Compiler(escaped=False).node(parsed.pieces[0].value, frozenset()))
    return compile_template(parsed)


def _guarded(inner: Callable[[Scope], _T]) -> Callable[[Scope], _T]:
    def evaluate(scope: Scope) -> _T:
        try:
            return inner(scope)
        except EvaluationError:
            raise
        except Exception as error:
            # Whatever a strange value (JSON of somebody else) does to an operator must not stop a conversation.
            raise EvaluationError(f"This could not be worked out: {error}") from error

    return evaluate


def _constant(value: object) -> Evaluate:
    return lambda _scope: value


class _Compiler:
    """Compiles one tree; `loops` are the names of the loops around a node."""

    def __init__(self, *, escaped: bool) -> None:
        self.text: Callable[[object, Scope], str] = printed if escaped else _unescaped

    # --- expressions -------------------------------------------------------------------------------------

    def node(self, node: Node, loops: frozenset[str]) -> Evaluate:
        if isinstance(node, nodes.Constant):
            return _constant(node.value)
        evaluate = self._node(node, loops)
        return self._folded(evaluate) if _is_constant(node) else evaluate

    @staticmethod
    def _folded(evaluate: Evaluate) -> Evaluate:
        try:
            # A constant reads nothing of its scope.
            return _constant(evaluate(None))  # type: ignore[arg-type]
        except (EvaluationError, ArithmeticError, TypeError, ValueError):
            return evaluate

    def _node(self, node: Node, loops: frozenset[str]) -> Evaluate:  # noqa: C901, PLR0912 - one case per node
        match node:
            case nodes.Constant(value=value):
                return _constant(value)
            case nodes.Name(name=name):
                return _loop_name(name) if name in loops else _free_name(name)
            case nodes.Attribute(base=base, name=name):
                return _attribute(self.node(base, loops), name)
            case nodes.Index():
                return _binary(item, self.node(node.base, loops), self.node(node.index, loops))
            case nodes.Part():
                return self._part(node, loops)
            case nodes.Items(items=items):
                return _items([self.node(one, loops) for one in items])
            case nodes.Comparison():
                return self._comparison(node, loops)
            case nodes.Not(operand=operand):
                return _not(self.node(operand, loops))
            case nodes.Negative(operand=operand):
                inner = self.node(operand, loops)
                return lambda scope: negate(inner(scope))
            case nodes.Both(left=left, right=right):
                return _both(self.node(left, loops), self.node(right, loops))
            case nodes.Either(left=left, right=right):
                return _either(self.node(left, loops), self.node(right, loops))
            case nodes.Arithmetic(operator="+", left=left, right=right):
                return _sum(self.node(left, loops), self.node(right, loops))
            case nodes.Arithmetic(operator=operator, left=left, right=right):
                return _binary(arithmetic(operator), self.node(left, loops), self.node(right, loops))
            case nodes.Joined(items=items):
                return _joined([self.node(one, loops) for one in items])
            case nodes.Conditional():
                return self._conditional(node, loops)
            case nodes.Filtered():
                return self._filtered(node, loops)
            case nodes.Tested():
                return self._tested(node, loops)

    def _part(self, node: nodes.Part, loops: frozenset[str]) -> Evaluate:
        base = self.node(node.base, loops)
        first = _constant(None) if node.first is None else self.node(node.first, loops)
        last = _constant(None) if node.last is None else self.node(node.last, loops)
        return lambda scope: part(base(scope), first(scope), last(scope))

    def _comparison(self, node: nodes.Comparison, loops: frozenset[str]) -> Evaluate:
        first = self.node(node.first, loops)
        rest = [(comparison(operator), self.node(operand, loops)) for operator, operand in node.rest]
        if len(rest) == 1:
            return _binary(rest[0][0], first, rest[0][1])

        def chain(scope: Scope) -> bool:
            left = first(scope)
            for holds, operand in rest:
                right = operand(scope)
                if not holds(left, right):
                    return False
                left = right
            return True

        return chain

    def _conditional(self, node: nodes.Conditional, loops: frozenset[str]) -> Evaluate:
        test, then = self.node(node.test, loops), self.node(node.then, loops)
        otherwise = _constant(UNSET) if node.otherwise is None else self.node(node.otherwise, loops)
        return lambda scope: then(scope) if test(scope) else otherwise(scope)

    def _filtered(self, node: nodes.Filtered, loops: frozenset[str]) -> Evaluate:
        known = FILTERS.get(node.name)
        bound = None if known is None else bind(known, node)
        if known is None or bound is None or isinstance(bound, Fault):
            return _refused(bound.message if isinstance(bound, Fault) else f"There is no filter “{node.name}”.")
        subject, function = self.node(node.subject, loops), known.function
        arguments = [
            self.node(bound[one.name], loops) if one.name in bound else _constant(one.default)
            for one in known.parameters
        ]
        if not arguments:
            return lambda scope: function(scope, subject(scope))
        if len(arguments) == 1:
            only = arguments[0]
            return lambda scope: function(scope, subject(scope), only(scope))
        return lambda scope: function(scope, subject(scope), *[argument(scope) for argument in arguments])

    def _tested(self, node: nodes.Tested, loops: frozenset[str]) -> Evaluate:
        known = TESTS.get(node.name)
        if known is None:
            return _refused(f"There is no test “{node.name}”.")
        subject, holds = self.node(node.subject, loops), known.function
        return lambda scope: holds(subject(scope))

    # --- texts ---------------------------------------------------------------------------------------------

    def pieces(self, pieces: Iterable[Piece], loops: frozenset[str]) -> Render:
        """Constant pieces stand ready in a list; the others are filled in when the text is made."""
        ready: list[str] = []
        slots: list[tuple[int, Render]] = []
        for piece in pieces:
            match piece:
                case nodes.Words(text=text):
                    ready.append(text)
                case nodes.Print(value=value):
                    slots.append((len(ready), self._print(value, loops)))
                    ready.append("")
                case nodes.Branches():
                    slots.append((len(ready), self._branches(piece, loops)))
                    ready.append("")
                case nodes.Loop():
                    slots.append((len(ready), self._loop(piece, loops)))
                    ready.append("")
        return _filled(ready, slots)

    def _print(self, value: Node, loops: frozenset[str]) -> Render:
        evaluate, text = self.node(value, loops), self.text
        return lambda scope: text(evaluate(scope), scope)

    def _branches(self, piece: nodes.Branches, loops: frozenset[str]) -> Render:
        branches = [(self.node(test, loops), self.pieces(body, loops)) for test, body in piece.branches]
        otherwise = self.pieces(piece.otherwise, loops)

        def branch(scope: Scope) -> str:
            for test, body in branches:
                if test(scope):
                    return body(scope)
            return otherwise(scope)

        return branch

    def _loop(self, piece: nodes.Loop, loops: frozenset[str]) -> Render:
        items, name = self.node(piece.items, loops), piece.name
        body = self.pieces(piece.body, loops | {name, "loop"})
        otherwise = self.pieces(piece.otherwise, loops)
        cost = 1 + _size(piece.body)

        def loop(scope: Scope) -> str:
            walked = walk(scope, items(scope))
            if not walked:
                return otherwise(scope)
            outer, texts, length, last = scope.loops, [], 0, len(walked)
            try:
                for index, value in enumerate(walked, 1):
                    scope.spend(cost)
                    place = {"index": index, "first": index == 1, "last": index == last}
                    scope.loops = {**outer, "loop": place, name: value}
                    text = body(scope)
                    length += len(text)
                    check_length(length)
                    texts.append(text)
            finally:
                scope.loops = outer
            return "".join(texts)

        return loop


# --- closures -------------------------------------------------------------------------------------------------


def _free_name(name: str) -> Evaluate:
    if name in WORKED_OUT:
        return WORKED_OUT[name]

    def read(scope: Scope) -> object:
        value = scope.extra.get(name, _MISSING)
        return scope.data.get(name, UNSET) if value is _MISSING else value

    return read


def _loop_name(name: str) -> Evaluate:
    return lambda scope: scope.loops[name]


def _attribute(base: Evaluate, name: str) -> Evaluate:
    def read(scope: Scope) -> object:
        value = base(scope)
        return value.get(name, UNSET) if type(value) is dict else attribute(value, name)

    return read


def _binary(function: Callable[[object, object], object], left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: function(left(scope), right(scope))


def _sum(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: add_or_join(scope, left(scope), right(scope))


def _items(parts: list[Evaluate]) -> Evaluate:
    return lambda scope: tuple([one(scope) for one in parts])


def _not(inner: Evaluate) -> Evaluate:
    return lambda scope: not inner(scope)


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: left(scope) and right(scope)


def _either(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: left(scope) or right(scope)


def _joined(parts: list[Evaluate]) -> Evaluate:
    def join(scope: Scope) -> str:
        texts = [plain(one(scope)) for one in parts]
        check_length(sum(map(len, texts)))
        return "".join(texts)

    return join


def _refused(message: str) -> Evaluate:
    def refuse(_scope: Scope) -> object:
        raise EvaluationError(message)

    return refuse


def _filled(ready: list[str], slots: list[tuple[int, Render]]) -> Render:
    if not slots:
        text = "".join(ready)
        return lambda _scope: text
    if len(ready) == 1:
        return slots[0][1]

    def fill(scope: Scope) -> str:
        parts = ready.copy()
        for index, render in slots:
            parts[index] = render(scope)
        text = "".join(parts)
        if len(text) > LONGEST_TEXT:
            check_length(len(text))
        return text

    return fill


def _is_constant(node: Node) -> bool:
    if isinstance(node, nodes.Name | nodes.Filtered | nodes.Tested):
        return False
    return all(map(_is_constant, nodes.operands(node)))


def _size(part: Piece | Node | Iterable[Piece]) -> int:
    """How many parts are evaluated, at most, when the pieces of a loop are made once."""
    match part:
        case nodes.Words():
            return 1
        case nodes.Print(value=value):
            return _size(value)
        case nodes.Branches(branches=branches, otherwise=otherwise):
            return sum(_size(test) + _size(body) for test, body in branches) + _size(otherwise)
        case nodes.Loop(items=items):
            return _size(items)  # its body pays for itself
        case tuple():
            return sum(map(_size, part))
        case _:
            return 1 + sum(map(_size, nodes.operands(part)))  # type: ignore[arg-type]


def printed(value: object, scope: Scope) -> str:
    """A value as it stands in a text for people: localized where there is only one way to, and escaped."""
    if type(value) is str:
        text = value
    elif isinstance(value, Markup):
        return str(value)
    else:
        text = _for_people(value, scope)
    # `&` first, so that what it makes is not escaped again.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _for_people(value: object, scope: Scope) -> str:
    match value:
        case bool() | int() | Decimal() | float():
            return plain(value)
        case Money():
            return scope.formats.money(value)
        case datetime():
            return scope.formats.datetime(value)
        case date():
            return scope.formats.date(value)
        case timedelta():
            return scope.formats.duration(value)
        case _:
            return plain(value)


def _unescaped(value: object, _scope: Scope) -> str:
    return plain(value)
