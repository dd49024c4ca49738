"""`@webhook`: an async function that another system calls with a signed POST becomes a value that discovery finds.

Nothing is served and no signature is checked here: that is engine.service's.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from engine.actions.catalog import LONGEST_TRANSACTIONAL, TRANSACTIONAL_TIMEOUT, WebhookSignature
from engine.actions.context import WebhookContext
from engine.actions.errors import SignatureError
from engine.actions.signatures import Function, Shape, outcomes, refuse, shape

_PATH: Final = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._~-]*)+")
_LONGEST_PATH: Final = 200
_ENGINES_OWN: Final = "/signals"
"""Where signals come in (engine.service)."""
DUPLICATE: Final = "duplicate"
"""What the answer to a delivery that was handled says in place of an outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook that a module offers; call it as the function it was."""

    signature: WebhookSignature

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.signature.function(*arguments, **named)


def webhook(
    bare: object = None, /, *, path: str = "", timeout: float = TRANSACTIONAL_TIMEOUT
) -> Callable[[Function], Webhook]:
    """Offer an async function as what answers `POST {path}`: the first parameter is `context: WebhookContext`, the
    others are keyword-only and come out of the JSON body; it returns frozen dataclasses, as an action does.

    It works inside one transaction. A class attribute `__status__` of an outcome is the HTTP status of its answer,
    from 200 to 599; from 400 on nothing of it stays. `timeout`: seconds, at most 30. Raises SignatureError when the
    function cannot be offered.
    """
    if callable(bare):
        refuse(bare, '`@webhook(path="/…")` needs its path')
    if bare is not None:
        raise SignatureError(f"`@webhook(…)` takes arguments by name only, such as `path=…`: {bare!r} has none")

    def offer(function: Function) -> Webhook:
        _check_path(function, path)
        read = _checked(function, timeout)
        found = outcomes(function)
        _check_outcomes(function)
        return Webhook(
            signature=WebhookSignature(
                name=getattr(function, "__name__", ""),
                path=path,
                doc=read.doc,
                parameters=read.parameters,
                outcomes={name: record for name, (_, record) in found.items()},
                statuses={name: status_of(kind) for name, (kind, _) in found.items()},
                timeout=timeout,
                function=function,
            )
        )

    return offer


def _check_path(function: Function, path: str) -> None:
    if not _PATH.fullmatch(path) or len(path) > _LONGEST_PATH:
        refuse(function, f"“{path}” is no path: write one such as `/payments/incoming`, without a “/” at its end")
    if path == _ENGINES_OWN or path.startswith(f"{_ENGINES_OWN}/"):
        refuse(function, f"“{_ENGINES_OWN}” is the engine's own path: take another one")


def _checked(function: Function, timeout: float) -> Shape:
    if not inspect.iscoroutinefunction(function):
        refuse(function, "make it `async def`")
    read = shape(function)
    if read.subject is not WebhookContext:
        refuse(function, "make the first parameter `context: WebhookContext`")
    if read.own:
        refuse(function, f"“{min(read.own)}” is the engine's own name: call the parameter something else")
    if not read.doc:
        refuse(function, "give it a docstring: its first sentence says what is told here")
    if not isinstance(timeout, int | float) or not 0 < timeout <= LONGEST_TRANSACTIONAL:
        refuse(function, f"timeout is in seconds, above 0 and at most {LONGEST_TRANSACTIONAL:.0f}")
    return read


def status_of(outcome: type) -> int:
    """The HTTP status that an outcome's class names; 200 when it names none."""
    status: int = getattr(outcome, "__status__", 200)
    return status


def _check_outcomes(function: Function) -> None:
    for name, (kind, record) in outcomes(function).items():
        status = getattr(kind, "__status__", 200)
        if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
            refuse(function, f"the outcome “{name}”: `__status__` is a number from 200 to 599")
        if name == DUPLICATE:
            refuse(function, f"the outcome “{DUPLICATE}” is the engine's own: call yours something else")
        if "result" in record.fields:
            refuse(function, f"the outcome “{name}”: “result” is its name in the answer: call the field something else")
