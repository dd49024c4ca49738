"""The interactive loop: a person types, the bot's messages come whenever they come. Scripts are elsewhere."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

from engine.channels.terminal import Console
from engine.channels.terminal_input import Quit, goes_on, join, parse
from engine.channels.terminal_session import NotHandled, Session

HELP: Final = (
    "#2 presses button 2 of the last message, #3.2 that of message 3; 2 alone does where no text is wanted.",
    "/file PATH · /photo PATH · /contact [PHONE] · /location LAT LON · /quit (or Ctrl-D); all is kept.",
)


def greeting(name: str, commands: Sequence[str]) -> str:
    """What a person reads first: whom they talk to, which flows start how, how the keys work."""
    shown = " · ".join(f"/{command}" for command in commands) or "none: the flows declare no command"
    return "\n".join([f"{name} in the terminal.", f"Commands of this bot: {shown}", *HELP])


async def converse(session: Session, console: Console, lines: AsyncIterator[str], *, flow: str | None = None) -> None:
    """Talk until /quit or the end of the input. An open question of an earlier sitting is drawn again."""
    await session.engine.run_due()
    if flow is not None:
        await session.start(flow)
    elif await session.waiting():
        console.write("Welcome back. You can go on where you were.")
        await session.resume()
    parts: list[str] = []
    console.prompt()
    async for raw in lines:
        console.entered()
        parts.append(raw)
        if goes_on(raw):
            console.prompt()
            continue
        text, parts = join(parts), []
        if not await _one(session, console, text):
            return
        console.prompt()
    console.leave()


async def _one(session: Session, console: Console, text: str) -> bool:
    """Carry out one input; False: the person leaves."""
    given = parse(text, buttons_only=session.screen.buttons_only)
    if isinstance(given, Quit):
        return False
    with suppress(NotHandled):  # the bot has said so itself
        wrong = await session.send(given)
        if wrong is not None:
            console.write(wrong.message)
    return True
