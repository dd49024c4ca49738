"""The terminal as a channel: prints what the runtime delivers to one customer, minds the prompt.

Knows nothing of flows; what was typed goes in through `engine.channels.terminal_session`.
"""

from typing import Final, TextIO, assert_never

from engine.channels import terminal_screen
from engine.channels.terminal_screen import Screen
from engine.channels.terminal_text import Style
from engine.core.effects import Notice, Say, Show
from engine.runtime.outbox import decode
from engine.runtime.ports import Elsewhere, Outgoing

PROMPT: Final = "> "


class Console:
    """Writes blocks of text to a stream; on a terminal the prompt is taken away before and put back after."""

    def __init__(self, stream: TextIO, *, style: Style, interactive: bool) -> None:
        self._stream = stream
        self.style = style
        self._interactive = interactive
        self._prompted = False

    def write(self, block: str) -> None:
        """One block, with a line break behind it."""
        if self._prompted:
            self._stream.write("\r\x1b[K" if self.style.ansi else "\n")
        self._put(block + "\n")
        if self._prompted:
            self._put(PROMPT)

    def prompt(self) -> None:
        """Ask for a line (only where somebody sits there)."""
        if self._interactive:
            self._prompted = True
            self._put(PROMPT)

    def entered(self) -> None:
        """The line has come: the cursor stands at the start of the next one."""
        self._prompted = False

    def echo(self, text: str) -> None:
        """A line of a script, as if typed."""
        lines = text.split("\n")
        self._put("\n" + "\n".join([PROMPT + lines[0], *("  " + more for more in lines[1:])]) + "\n")

    def leave(self) -> None:
        """End the open prompt's line."""
        if self._prompted:
            self._prompted = False
            self._put("\n")

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class TerminalChannel:
    """Implements `engine.runtime.ports.Channel` for one chat."""

    def __init__(self, *, chat: str, console: Console) -> None:
        self._chat = chat
        self._console = console
        self.screen = Screen()

    async def deliver(self, outgoing: Outgoing) -> None:
        """Print it. Raises Elsewhere when it is for another customer."""
        if outgoing.chat != self._chat:
            raise Elsewhere("this message is for a customer who is not at this terminal")
        block = self._draw(outgoing)
        if block:
            self._console.write(block)

    def _draw(self, outgoing: Outgoing) -> str:
        style = self._console.style
        match decode(outgoing).effect:
            case Show() as show:
                conversation = outgoing.surface.rpartition(".")[0]
                message, replaced = self.screen.put(conversation, show)
                return terminal_screen.draw(message, style, replaced=replaced)
            case Say() as effect:
                return terminal_screen.say(effect, style)
            case Notice() as effect:
                return terminal_screen.notice(effect, style)
            case never:
                assert_never(never)
