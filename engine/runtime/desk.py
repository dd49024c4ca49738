"""What the engine itself tells a customer between flows: offers, menus, refusals. Pure."""

import difflib
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from engine.core.effects import Notice, Press, Say, Show
from engine.core.records import record
from engine.core.wording import Wording

RESUME: Final = "resume"
CANCEL: Final = "cancel"
RESTART: Final = "restart"
"""Codes of the desk's buttons; `restart:REST` starts again with the rest of a deep link."""
ENGINE_COMMANDS: Final = ("back", "skip", "retry", "resume", "cancel")
_LONGEST_CODE: Final = 64 - len("0123456789ab.0.0.")


@record
class Desk:
    """Speaks in one customer's language. `title` gives a flow's title as HTML."""

    wording: Wording
    title: Callable[[str], str]
    startable: Sequence[tuple[str, str]]
    """(flow, command) of what this customer may start."""

    def menu(self) -> str:
        """What can be started, as lines."""
        if not self.startable:
            return self.wording.say("desk.empty_menu")
        lines = [
            self.wording.say("desk.menu_line", command=command, title=self.title(flow))
            for flow, command in self.startable
        ]
        return self.wording.say("desk.menu", commands="\n".join(lines))

    def nothing_open(self) -> Say:
        """Nothing takes what the customer sent: what they can start."""
        return Say(text=f"{self.wording.say('desk.nothing_open')}\n\n{self.menu()}")

    def waits_elsewhere(self, flows: Sequence[str]) -> Say:
        """What is open waits for something that happens elsewhere, and takes nothing that the customer types."""
        titles = ", ".join(self.title(flow) for flow in dict.fromkeys(flows))
        return Say(text=f"{self.wording.say('desk.waits_elsewhere', titles=titles)}\n\n{self.menu()}")

    def unknown_command(self, command: str) -> Say:
        """No such command: the nearest one, and all there are."""
        known = [name for _, name in self.startable] + list(ENGINE_COMMANDS)
        nearest = difflib.get_close_matches(command.lower(), known, n=1, cutoff=0.6)
        text = self.wording.say("desk.unknown_command", command=escape(command[:32]))
        if nearest:
            text = f"{text} {self.wording.say('desk.did_you_mean', nearest=nearest[0])}"
        return Say(text=f"{text}\n\n{self.menu()}")

    def not_allowed(self, flow: str) -> Say:
        """The flow is for other roles."""
        return Say(text=self.wording.say("desk.not_allowed", title=self.title(flow)))

    def bad_link(self) -> Say:
        """The link that brought the customer here has a payload that the flow cannot take."""
        return Say(text=self.wording.say("desk.bad_link"))

    def outdated(self, flow: str, command: str | None) -> Say:
        """The flow was changed and the step the customer stood at has gone."""
        key = "desk.outdated" if command else "desk.outdated_for_good"
        return Say(text=self.wording.say(key, title=self.title(flow), command=command or ""))

    def trouble(self) -> Say:
        """Something went wrong on our side; nothing of what the customer had is lost."""
        return Say(text=self.wording.say("desk.trouble"))

    def waiting(self, flow: str) -> Show:
        """A conversation put aside waits: go on with it, or drop it."""
        return Show(
            visit=0,
            draw=0,
            text=self.wording.say("desk.waiting", title=self.title(flow)),
            rows=(
                (
                    Press(text=self.wording.say("desk.continue"), code=RESUME),
                    Press(text=self.wording.say("desk.drop"), code=CANCEL),
                ),
            ),
        )

    def second_start(self, flow: str, rest: str = "") -> Show:
        """The flow is open already: go on with it, or start again."""
        code = f"{RESTART}:{rest}" if rest else RESTART
        if len(code) > _LONGEST_CODE:
            code = RESTART
        return Show(
            visit=0,
            draw=0,
            text=self.wording.say("desk.second_start", title=self.title(flow)),
            rows=(
                (
                    Press(text=self.wording.say("desk.continue"), code=RESUME),
                    Press(text=self.wording.say("desk.restart"), code=code),
                ),
            ),
        )

    def finished(self) -> Notice:
        """The pressed button belongs to a conversation that is over."""
        return Notice(text=self.wording.say("desk.finished"))

    def foreign_button(self) -> Notice:
        """The pressed button is nobody's that we know, or another chat's."""
        return Notice(text=self.wording.say("desk.foreign_button"))

    def quiet(self) -> Notice:
        """Answers a press without words: what follows says enough."""
        return Notice()
