"""`@service`: an async function that goes on for ever beside the conversations becomes a value that discovery finds.

Nothing is started here: that is the runtime's.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from engine.actions.catalog import ServiceSignature
from engine.actions.context import ServiceContext
from engine.actions.errors import SignatureError
from engine.actions.signatures import NAME, refuse, shape

ServiceFunction = Callable[[ServiceContext], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that a module offers; call it as the function it was."""

    signature: ServiceSignature

    def __call__(self, context: ServiceContext) -> Any:
        return self.signature.function(context)


def service(bare: object = None, /, *, name: str | None = None) -> Callable[[ServiceFunction], Service]:
    """Offer an async function as a service: `async def watch(context: ServiceContext) -> None`.

    One of each runs beside the conversations, in the process that has the doors, with a virtual clock in transcripts.
    It waits with `context.sleep` alone. When it raises it is logged and begun again after 1 s, doubled up to 60 s;
    when it returns it is done. `name`: in logs, else the function's. Raises SignatureError when the function cannot
    be offered.
    """
    if callable(bare):
        refuse(bare, "write `@service()`, with the parentheses")
    if bare is not None:
        raise SignatureError(f"`@service(…)` takes arguments by name only, such as `name=…`: {bare!r} has none")

    def offer(function: ServiceFunction) -> Service:
        known = name or str(getattr(function, "__name__", ""))
        if not inspect.iscoroutinefunction(function):
            refuse(function, "make it `async def`")
        read = shape(function)
        if read.subject is not ServiceContext or read.parameters or read.own:
            refuse(function, "let it take one thing: `context: ServiceContext`")
        if read.returns not in (None, type(None)):
            refuse(function, "annotate the return `-> None`: nobody hears what a service returns")
        if not NAME.fullmatch(known):
            refuse(function, f"“{known}” is no name: small letters, digits and _, a letter first")
        if not read.doc:
            refuse(function, "give it a docstring: its first sentence says what goes on")
        return Service(signature=ServiceSignature(name=known, doc=read.doc, function=function))

    return offer
