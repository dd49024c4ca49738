"""The tree of an expression or a text after the allow-list: everything that can ever be evaluated.

Only frozen values with their places; no meaning and no Jinja2 here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Characters `start` (inclusive) to `end` (exclusive) of the source."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Place):
    """Text, integer, Decimal, boolean or None."""

    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Place):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute(Place):
    """`base.name`, and `base["name"]`; `name_start` is where the name stands."""

    base: "Node"
    name: str
    name_start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Place):
    """`base[index]`, the index a whole number or (for records not known before run time) text."""

    base: "Node"
    index: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Place):
    """`base[first:last]`."""

    base: "Node"
    first: "Node | None"
    last: "Node | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Place):
    """`[a, b]` or `(a, b)`."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Place):
    """`first < a <= b`: pairs of operator and operand; operators `== != < <= > >= in`, and `not in`."""

    first: "Node"
    rest: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Place):
    operand: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Both(Place):
    """`left and right`."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Either(Place):
    """`left or right`."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative(Place):
    operand: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Place):
    """`left operator right` with one of `+ - * / // %`."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined(Place):
    """`a ~ b ~ c`."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Place):
    """`then if test else otherwise`."""

    test: "Node"
    then: "Node"
    otherwise: "Node | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered(Place):
    """`subject | name(arguments, key=value)`; `name_start` is where the name stands."""

    subject: "Node"
    name: str
    name_start: int
    arguments: tuple["Node", ...]
    named: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested(Place):
    """`subject is name`."""

    subject: "Node"
    name: str
    name_start: int


Node = (
    Constant | Name | Attribute | Index | Part | Items | Comparison | Not | Both | Either | Negative | Arithmetic
    | Joined | Conditional | Filtered | Tested
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(Place):
    """Text that stands in the template as it is."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Print(Place):
    """`{{ value }}`."""

    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches(Place):
    """`{% if %}…{% elif %}…{% else %}…{% endif %}`."""

    branches: tuple[tuple[Node, tuple["Piece", ...]], ...]
    otherwise: tuple["Piece", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop(Place):
    """`{% for name in items %}…{% else %}…{% endfor %}`."""

    name: str
    items: Node
    body: tuple["Piece", ...]
    otherwise: tuple["Piece", ...]


Piece = Words | Print | Branches | Loop


def operands(tree: Node) -> tuple[Node, ...]:  # noqa: C901 - one line per node
    """The nodes directly below an expression node."""
    match tree:
        case Constant() | Name():
            return ()
        case Attribute(base=base):
            return (base,)
        case Index(base=base, index=index):
            return (base, index)
        case Part(base=base, first=first, last=last):
            return (base, *(bound for bound in (first, last) if bound is not None))
        case Items(items=items) | Joined(items=items):
            return items
        case Comparison(first=first_operand, rest=rest):
            return (first_operand, *(operand for _, operand in rest))
        case Not(operand=operand) | Negative(operand=operand):
            return (operand,)
        case Both(left=left, right=right) | Either(left=left, right=right) | Arithmetic(left=left, right=right):
            return (left, right)
        case Conditional(test=test, then=then, otherwise=otherwise):
            return (test, then) if otherwise is None else (test, then, otherwise)
        case Filtered(subject=subject, arguments=arguments, named=named):
            return (subject, *arguments, *(argument for _, argument in named))
        case Tested(subject=subject):
            return (subject,)
