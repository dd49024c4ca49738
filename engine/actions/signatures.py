"""A Python function read once: its parameters, its outcomes, its docstring. No function is called here.

Everything it refuses is a SignatureError that says where the function stands and what to change.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from engine.actions.annotations import Untypable, alternatives, bare, marks, record_type, value_type
from engine.actions.catalog import Parameter, Written
from engine.actions.context import Context
from engine.actions.docstrings import arguments, summary
from engine.actions.errors import SignatureError
from engine.actions.marks import DirectMark, Page, Rows, TemplateMark
from engine.core.types import AnyType, NothingType, OptionalType, RecordType, ValueType

Function = Callable[..., Any]
NAME = re.compile(r"[a-z][a-z0-9_]*")
"""How flows write the names of outcomes, actions, sources and validators."""
_ENGINES_OWN = frozenset({"page", "now"})
"""Keyword-only parameters that the engine fills in: `page` of a source, `now` of a validator."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a function's signature says, before it is an action, a source or a validator."""

    where: str
    """`plugins/shop.py:12: pay`, for messages."""
    doc: str
    parameters: tuple[Parameter, ...]
    names: Mapping[str, str]
    """Argument of YAML → parameter of Python (`min` → `min_`)."""
    hints: Mapping[str, object]
    """Argument of YAML → annotation."""
    own: frozenset[str]
    """Which of `page` and `now` the function takes."""
    subject: object
    """Annotation of the first, positional parameter: Context, or what a validator judges."""
    returns: object


def place(function: Function) -> str:
    """`plugins/shop.py:12: pay`: where a function stands."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    name = getattr(function, "__name__", repr(function))
    return f"{code.co_filename}:{code.co_firstlineno}: {name}" if code else name


def refuse(function: Function, sentence: str) -> NoReturn:
    """Raise SignatureError: place, then what to change."""
    raise SignatureError(f"{place(function)}: {sentence}")


@lru_cache(maxsize=4096)
def shape(function: Function) -> Shape:
    """Read a function. Raises SignatureError."""
    hints = _hints(function)
    given = list(inspect.signature(function).parameters.values())
    if not given or given[0].kind is inspect.Parameter.KEYWORD_ONLY or given[0].name not in hints:
        refuse(function, "give it one positional parameter with an annotation first, such as `context: Context`")
    first, rest = given[0], given[1:]
    texts = arguments(function.__doc__)
    found = [item for item in rest if not _is_own(item, hints)]
    unknown = sorted(set(texts) - {_yaml_name(item.name) for item in found} - _ENGINES_OWN - {first.name})
    if unknown:
        refuse(function, f"the docstring describes “{unknown[0]}”, but there is no such parameter")
    if len({_yaml_name(item.name) for item in found}) < len(found):
        refuse(function, "two parameters have one name in YAML, where the “_” at the end is left out: rename one")
    return Shape(
        where=place(function),
        doc=summary(function.__doc__),
        parameters=tuple(_parameter(function, item, hints, texts) for item in found),
        names={_yaml_name(item.name): item.name for item in found},
        hints={_yaml_name(item.name): hints[item.name] for item in found},
        own=frozenset(item.name for item in rest if _is_own(item, hints)),
        subject=hints[first.name],
        returns=hints.get("return", inspect.Signature.empty),
    )


def _hints(function: Function) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        refuse(function, f"{error}; define the class at the module's top level, above the function")
    except (TypeError, AttributeError, SyntaxError) as error:
        refuse(function, f"its annotations cannot be read: {error}")


def _is_own(item: inspect.Parameter, hints: Mapping[str, Any]) -> bool:
    return (item.name == "page" and hints.get("page") is Page) or item.name == "now"


def _yaml_name(name: str) -> str:
    """`min_` is written `min`: Python's own words stay usable in YAML."""
    return name.removesuffix("_")


def _parameter(
    function: Function, item: inspect.Parameter, hints: Mapping[str, Any], texts: Mapping[str, str]
) -> Parameter:
    if item.kind is not inspect.Parameter.KEYWORD_ONLY:
        refuse(function, f"make “{item.name}” keyword-only: put `*,` before it")
    if item.name not in hints:
        refuse(function, f"give “{item.name}” an annotation")
    name, annotation = _yaml_name(item.name), hints[item.name]
    found = marks(annotation)
    required = item.default is inspect.Parameter.empty
    kind = typed(function, annotation, f"“{name}”", incoming=True)
    if item.default is None and not isinstance(kind, OptionalType | AnyType | NothingType):
        refuse(function, f"the default of “{name}” is None: annotate it `… | None`")
    return Parameter(
        name=name,
        type=kind,
        required=required,
        default=None if required else item.default,
        written=Written.TEMPLATE if any(isinstance(m, TemplateMark) for m in found) else Written.EXPRESSION,
        doc=texts.get(name, ""),
        direct=any(isinstance(mark, DirectMark) for mark in found),
    )


def typed(function: Function, annotation: object, what: str, *, incoming: bool) -> ValueType:
    """The type of an annotation; a SignatureError that names `what` when it has none."""
    try:
        return value_type(annotation, incoming=incoming)
    except Untypable as error:
        refuse(function, f"{what}: {error}")
    except RecursionError:
        refuse(function, f"{what}: a record cannot hold itself; use Any for what nests")


# --- results ---------------------------------------------------------------------------------------------


def outcome_name(outcome: type) -> str:
    """`OutOfStock` → `out_of_stock`, or what the class says in `__outcome__`."""
    return str(getattr(outcome, "__outcome__", "")) or re.sub(r"(?<!^)(?=[A-Z])", "_", outcome.__name__).lower()


@lru_cache(maxsize=4096)
def outcomes(function: Function) -> Mapping[str, tuple[type, RecordType]]:
    """Outcome name → class and record, from the return annotation. Raises SignatureError."""
    found: dict[str, tuple[type, RecordType]] = {}
    for part in alternatives(shape(function).returns):
        if not (isinstance(part, type) and dataclasses.is_dataclass(part)):
            refuse(function, "annotate the return with frozen dataclasses: `-> Created | Rejected`")
        try:
            record = record_type(part, incoming=False)
        except Untypable as error:
            refuse(function, f"outcome {error}")
        except RecursionError:
            refuse(function, f"outcome {part.__name__}: a record cannot hold itself; use Any for what nests")
        name = outcome_name(part)
        if not NAME.fullmatch(name):
            refuse(function, f"the outcome “{name}” is no name for a flow: small letters, digits and _, a letter first")
        if name in found:
            refuse(function, f"two outcomes are called “{name}”: set `__outcome__` in one of the classes")
        if name == "failed":
            refuse(function, "the outcome “failed” is the engine's own: call yours something else")
        found[name] = (part, record)
    return found


def row_type(function: Function) -> tuple[ValueType, bool]:
    """The type of a source's rows and whether it pages. Raises SignatureError."""
    read = shape(function)
    returns, paged = bare(read.returns), "page" in read.own
    wanted = (Rows,) if paged else (list, tuple)
    if get_origin(returns) not in wanted or not get_args(returns):
        refuse(
            function,
            "with `page: Page` annotate the return `-> Rows[Service]`"
            if paged
            else "annotate the return `-> list[Row]`; to page, take `page: Page` and return `Rows[Row]`",
        )
    return typed(function, get_args(returns)[0], "the rows", incoming=False), paged


def require_context(function: Function) -> None:
    """Actions and sources are async and take the context first. Raises SignatureError."""
    if not inspect.iscoroutinefunction(function):
        refuse(function, "make it `async def`")
    if shape(function).subject is not Context:
        refuse(function, "make the first parameter `context: Context`")
