"""One call of an action or a source: arguments in, outcome and plain data out, both checked.

Timeouts, retries and transactions are the runtime's; nothing of them here.
"""

from collections.abc import Mapping

from engine.actions.catalog import ActionSignature, Parameter, SourceSignature
from engine.actions.context import Context
from engine.actions.errors import BadArgument, BadResult
from engine.actions.marks import Page, Rows
from engine.actions.signatures import Function, Shape, outcome_name, outcomes, shape
from engine.actions.values import mismatch, nothing, to_data, to_python
from engine.core.types import OptionalType, ValueType
from engine.core.values import Value

ROWS = "rows"
"""The outcome of every source."""


async def invoke(
    signature: ActionSignature | SourceSignature,
    context: Context,
    arguments: Mapping[str, Value],
    page: Page | tuple[str, int, int] | None = None,
) -> tuple[str, dict[str, Value]]:
    """Call the function once: the outcome's name and its record.

    A source answers `("rows", {"rows": tuple, "total": int})`; `page` (or search, offset, limit) reaches only
    a paged one, and may stand among the arguments as a mapping. Raises BadArgument,
    BadResult, and whatever the function raises.
    """
    if isinstance(signature, SourceSignature):
        return await _list(signature, context, arguments, page)
    given = _bind(signature.function, signature.parameters, arguments)
    result = await signature.function(context, **given)
    return _outcome(signature, result)


async def _list(
    signature: SourceSignature,
    context: Context,
    arguments: Mapping[str, Value],
    page: Page | tuple[str, int, int] | None,
) -> tuple[str, dict[str, Value]]:
    named = dict(arguments)
    paging: object = page
    if all(parameter.name != "page" for parameter in signature.parameters):
        paging = named.pop("page", page)
    given = _bind(signature.function, signature.parameters, named)
    if signature.paged:
        given["page"] = _page(paging)
    result = await signature.function(context, **given)
    if isinstance(result, Rows):
        items, total = result.items, result.total
    elif isinstance(result, list | tuple):
        items, total = result, len(result)
    else:
        raise BadResult(f"{signature.name} returned a {type(result).__name__} instead of a list of rows")
    if isinstance(total, bool) or not isinstance(total, int) or total < len(items):
        raise BadResult(f"{signature.name} returned {len(items)} rows, but a total of {total!r}")
    rows = tuple(_checked(item, signature.row, f"{signature.name}: row {at}") for at, item in enumerate(items))
    return ROWS, {"rows": rows, "total": total}


def _page(given: object) -> Page:
    match given:
        case Page():
            return given
        case None:
            return Page()
        case (str() as search, int() as offset, int() as limit):
            return Page(search=search, offset=offset, limit=limit)
        case {"search": str() as search, "offset": int() as offset, "limit": int() as limit}:
            return Page(search=search, offset=offset, limit=limit)
        case _:
            raise BadArgument("“page” must be a record of search, offset and limit")


def _bind(function: Function, parameters: tuple[Parameter, ...], arguments: Mapping[str, Value]) -> dict[str, object]:
    """The keyword arguments for the function. Raises BadArgument."""
    read = shape(function)
    unknown = sorted(set(arguments) - set(read.names))
    if unknown:
        raise BadArgument(f"there is no argument “{unknown[0]}”")
    given: dict[str, object] = {}
    for parameter in parameters:
        value = arguments.get(parameter.name)
        if nothing(value) and not parameter.required:
            if parameter.name in arguments and isinstance(parameter.type, OptionalType):
                given[read.names[parameter.name]] = None
            continue
        given[read.names[parameter.name]] = _argument(read, parameter, value)
    return given


def _argument(read: Shape, parameter: Parameter, value: object) -> object:
    wrong = mismatch(value, parameter.type, f"“{parameter.name}”")
    if wrong:
        raise BadArgument(wrong)
    return to_python(value, read.hints[parameter.name])


def _outcome(signature: ActionSignature, result: object) -> tuple[str, dict[str, Value]]:
    name = outcome_name(type(result))
    declared = outcomes(signature.function).get(name)
    if declared is None or type(result) is not declared[0]:
        promised = ", ".join(sorted(signature.outcomes))
        raise BadResult(f"{signature.name} returned a {type(result).__name__}; it promises {promised}")
    data = _checked(result, signature.outcomes[name], f"{signature.name}: {name}")
    return name, data


def _checked(result: object, kind: ValueType, where: str) -> dict[str, Value]:
    """The result as plain data, of the promised type."""
    data = to_data(result)
    wrong = mismatch(data, kind, where)
    if wrong:
        raise BadResult(wrong)
    return data  # type: ignore[no-any-return]
