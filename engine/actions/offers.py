"""`@action`, `@source`, `@validator`: a function becomes a value that discovery finds in its module.

Nothing is registered anywhere; calling the value calls the function, so that tests need nothing else.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.actions.annotations import alternatives
from engine.actions.catalog import (
    ACTION_TIMEOUT,
    LONGEST_TRANSACTIONAL,
    SOURCE_TIMEOUT,
    TRANSACTIONAL_TIMEOUT,
    ActionSignature,
    Parameter,
    SourceSignature,
    ValidatorSignature,
    Written,
)
from engine.actions.errors import BadArgument, BadResult, SignatureError
from engine.actions.signatures import (
    NAME,
    Function,
    Shape,
    outcomes,
    place,
    refuse,
    require_context,
    row_type,
    shape,
    typed,
)
from engine.actions.values import mismatch, to_data, to_python
from engine.core.verdicts import Accepted, Refused

LONGEST_TIMEOUT = 600.0
"""Seconds. A call that may take longer is two steps: start the work, wait for a signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action that a module offers; call it as the function it was."""

    signature: ActionSignature

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.signature.function(*arguments, **named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source that a module offers; call it as the function it was."""

    signature: SourceSignature

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.signature.function(*arguments, **named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """A validator that a module offers; call it as the function it was."""

    signature: ValidatorSignature
    function: Callable[..., Accepted | Refused]

    def __call__(self, *arguments: Any, **named: Any) -> Accepted | Refused:
        return self.function(*arguments, **named)


def action(
    bare: object = None, /, *, transactional: bool = False, timeout: float | None = None, name: str | None = None
) -> Callable[[Function], Action]:
    """Offer an async function as an action for `do:`.

    `transactional`: it only uses the database and runs in the conversation's own commit. `timeout`: seconds
    per attempt, above 0, at most 600; unsaid 30. A transactional one holds up all others that write, so it has 5,
    and 30 at most. `name`: under which flows know it, else the function's. Raises
    SignatureError when the function cannot be offered.
    """
    _refuse_bare(bare, "action")

    seconds = _usual(timeout, ACTION_TIMEOUT, transactional=transactional)

    def offer(function: Function) -> Action:
        require_context(function)
        read = _checked(function, name=name, timeout=seconds, allowed=frozenset())
        _check_transactional(function, seconds, transactional=transactional)
        return Action(
            signature=ActionSignature(
                name=name or function.__name__,
                doc=read.doc,
                parameters=read.parameters,
                outcomes={outcome: record for outcome, (_, record) in outcomes(function).items()},
                transactional=transactional,
                timeout=seconds,
                function=function,
            )
        )

    return offer


def source(
    bare: object = None, /, *, transactional: bool = False, timeout: float | None = None, name: str | None = None
) -> Callable[[Function], Source]:
    """Offer an async function as a source for `from:`; the arguments are those of `action`, the usual timeout is 15."""
    _refuse_bare(bare, "source")

    seconds = _usual(timeout, SOURCE_TIMEOUT, transactional=transactional)

    def offer(function: Function) -> Source:
        require_context(function)
        read = _checked(function, name=name, timeout=seconds, allowed=frozenset({"page"}))
        _check_transactional(function, seconds, transactional=transactional)
        row, paged = row_type(function)
        return Source(
            signature=SourceSignature(
                name=name or function.__name__,
                doc=read.doc,
                parameters=read.parameters,
                row=row,
                transactional=transactional,
                paged=paged,
                timeout=seconds,
                function=function,
            )
        )

    return offer


def validator(
    bare: object = None,
    /,
    *,
    name: str | None = None,
    check: Callable[[Mapping[str, object]], str | None] | None = None,
) -> Callable[[Callable[..., Accepted | Refused]], Validator]:
    """Offer a plain function as a validator: pure, quick, `Accepted(value)` or `Refused(message=…)`.

    `check` is called once when flows load, with those arguments that are constants, by their names in YAML: it says
    in words what is wrong with them (“the least is more than the most”), or None.
    """
    _refuse_bare(bare, "validator")

    def offer(function: Callable[..., Accepted | Refused]) -> Validator:
        if inspect.iscoroutinefunction(function):
            refuse(function, "make it a plain `def`: a validator is pure; what needs a network is an action")
        if next(iter(inspect.signature(function).parameters), "") == "context":
            refuse(function, "judge a value, such as `value: str`: a validator gets no context")
        read = _checked(function, name=name, timeout=1.0, allowed=frozenset({"now"}))
        if not set(alternatives(read.returns)) <= {Accepted, Refused}:
            refuse(function, "annotate the return `-> Accepted | Refused`")
        if sum(parameter.direct for parameter in read.parameters) > 1:
            refuse(function, "mark one parameter at most with Direct")
        return Validator(
            function=function,
            signature=ValidatorSignature(
                name=name or function.__name__,
                doc=read.doc,
                parameters=_literal(read),
                accepts=typed(function, read.subject, "the value", incoming=True),
                needs_now="now" in read.own,
                check=check,
                function=Judge(function=function),
            ),
        )

    return offer


def _refuse_bare(bare: object, kind: str) -> None:
    """Without its parentheses a decorator is handed the function itself."""
    if callable(bare):
        refuse(bare, f"write `@{kind}()`, with the parentheses")
    if bare is not None:
        raise SignatureError(f"`@{kind}(…)` takes arguments by name only, such as `name=…`: {bare!r} has none")


def _literal(read: Shape) -> tuple[Parameter, ...]:
    """Constants all, the one that may stand alone first."""
    ordered = sorted(read.parameters, key=lambda parameter: not parameter.direct)
    return tuple(replace(parameter, written=Written.LITERAL) for parameter in ordered)


def _usual(timeout: float | None, usual: float, *, transactional: bool) -> float:
    if timeout is not None:
        return timeout
    return TRANSACTIONAL_TIMEOUT if transactional else usual


def _check_transactional(function: Function, timeout: float, *, transactional: bool) -> None:
    if transactional and timeout > LONGEST_TRANSACTIONAL:
        refuse(function, f"a transactional one holds up all others: its timeout is at most {LONGEST_TRANSACTIONAL:.0f}")


def _checked(function: Function, *, name: str | None, timeout: float, allowed: frozenset[str]) -> Shape:
    read = shape(function)
    if not NAME.fullmatch(name or function.__name__):
        wrong = name or function.__name__
        refuse(function, f"“{wrong}” is no name for a flow: small letters, digits and _, a letter first")
    if not read.doc:
        refuse(function, "give it a docstring: its first sentence is what a flow's author reads")
    if not isinstance(timeout, int | float) or not 0 < timeout <= LONGEST_TIMEOUT:
        refuse(function, f"timeout is in seconds, above 0 and at most {LONGEST_TIMEOUT:.0f}")
    if read.own - allowed:
        refuse(
            function,
            f"“{min(read.own - allowed)}” is the engine's own name: call the parameter something else",
        )
    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A validator as the engine calls it: plain data in, a verdict with plain data out.

    The argument without a name goes to the parameter marked Direct; `now` may always be given. Raises
    BadArgument for arguments of the wrong kind and BadResult for a function that returns no verdict.
    """

    function: Callable[..., Accepted | Refused]

    def __call__(self, answer: object, /, *, now: datetime | None = None, **arguments: object) -> Accepted | Refused:
        read = shape(self.function)
        given: dict[str, object] = {"now": now} if "now" in read.own else {}
        arguments = _named(read, arguments)
        for parameter in read.parameters:
            if parameter.name not in arguments:
                continue
            value = arguments[parameter.name]
            wrong = mismatch(value, parameter.type, f"“{parameter.name}”")
            if wrong:
                raise BadArgument(wrong)
            given[read.names[parameter.name]] = to_python(value, read.hints[parameter.name])
        subject = to_python(answer, read.subject)
        verdict = self.function(subject, **given)
        match verdict:
            case Accepted(value=value) if value is subject:
                return Accepted(value=answer)  # an integer judged as a decimal stays an integer
            case Accepted(value=value):
                return Accepted(value=to_data(value))
            case Refused():
                return verdict
            case _:
                raise BadResult(f"{place(self.function)} returned neither Accepted nor Refused")


def _named(read: Shape, arguments: dict[str, object]) -> dict[str, object]:
    direct = next((parameter.name for parameter in read.parameters if parameter.direct), None)
    if "" in arguments and direct is not None:
        arguments = {direct if name == "" else name: value for name, value in arguments.items()}
    unknown = sorted(set(arguments) - set(read.names))
    if unknown:
        raise BadArgument(f"there is no argument “{unknown[0]}”")
    missing = [item.name for item in read.parameters if item.required and item.name not in arguments]
    if missing:
        raise BadArgument(f"the argument “{missing[0]}” is missing")
    return arguments
