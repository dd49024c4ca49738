"""The programs that are live, found by name, command and deep link. No I/O, no rendering."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.core.conversation import Conversation, Frame, Past, Phase
from engine.core.model import Ask, Bot, Call, Do, Show, Wait
from engine.core.program import Node, Program, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A deep link: the flow it starts, and which argument gets the rest of the payload."""

    flow: str
    argument: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """All flows of one bot in their current version."""

    programs: Mapping[str, Program]
    bot: Bot
    commands: Mapping[str, str]
    """Command → flow."""
    links: Mapping[str, Linked]
    """Name of a deep link → what it starts."""
    menus: Mapping[str, Text] = field(default_factory=dict)
    """Flow → what the menu calls it, for flows with a `menu:` entry."""

    @staticmethod
    def of(programs: Mapping[str, Program], bot: Bot, menus: Mapping[str, Text] | None = None) -> "Library":
        """Look-ups over checked programs."""
        commands: dict[str, str] = {}
        links: dict[str, Linked] = {}
        for name, program in programs.items():
            entry = program.flow.entry
            commands.update({command: name for command, _ in entry.commands})
            if entry.deep_link is not None:
                links[entry.deep_link.name] = Linked(flow=name, argument=entry.deep_link.argument)
        return Library(programs=programs, bot=bot, commands=commands, links=links, menus=menus or {})

    def roles(self, customer: str) -> frozenset[str]:
        """The roles of a customer id, as bot.yaml gives them."""
        return frozenset(role for role, members in self.bot.roles.items() if customer in members)

    def allowed(self, flow: str, roles: frozenset[str]) -> bool:
        """Whether a customer with these roles may start the flow."""
        only = self.programs[flow].flow.only
        return not only or any(role in roles for role, _ in only)

    def startable(self, roles: frozenset[str]) -> tuple[tuple[str, str], ...]:
        """(flow, first command) of every flow with a command that these roles may start, in order."""
        found = []
        for name, program in self.programs.items():
            entry = program.flow.entry
            if entry.commands and self.allowed(name, roles):
                found.append((name, entry.commands[0][0]))
        return tuple(found)

    def offered(self) -> tuple[tuple[str, Program], ...]:
        """All flows, those with a `menu:` entry first: they are what the bot is for."""
        return tuple(sorted(self.programs.items(), key=lambda item: item[0] not in self.menus))

    def linked(self, payload: str) -> tuple[Linked, str] | None:
        """What a `/start` payload means: the link and the rest behind `NAME_`; the longest name wins."""
        for name in sorted(self.links, key=len, reverse=True):
            if payload == name:
                return self.links[name], ""
            if payload.startswith(f"{name}_") and self.links[name].argument:
                return self.links[name], payload[len(name) + 1 :]
        return None

    def adopt(self, conversation: Conversation) -> Conversation | None:
        """The conversation on the current versions of its flows; None when the step it stands at has gone."""
        frames = []
        for frame in conversation.frames:
            adopted = self._adopt_frame(frame, top=frame is conversation.top)
            if adopted is None:
                return None
            frames.append(adopted)
        if all(new is old for new, old in zip(frames, conversation.frames, strict=True)):
            return conversation
        return replace(conversation, frames=tuple(frames))

    def _adopt_frame(self, frame: Frame, *, top: bool) -> Frame | None:
        program = self.programs.get(frame.flow)
        if program is None:
            return None
        frame = self._without_lost_calls(frame)
        if program.version == frame.version:
            return frame
        steps = program.nodes
        node = steps.get(frame.visit.step)
        if node is None or not (_suits(node, frame.visit.phase) if top else isinstance(node.body, Call)):
            return None
        edit = frame.edit
        if edit is not None and not {edit.home, edit.target} <= steps.keys():
            return None
        return replace(
            frame,
            version=program.version,
            trail=tuple(past for past in frame.trail if past.step in steps or past.undo is not None),
            remembered={step: kept for step, kept in frame.remembered.items() if step in steps},
        )

    def _without_lost_calls(self, frame: Frame) -> Frame:
        """The frame without the inside of calls whose flow has gone: nobody can go back into them."""
        trail, edit = self._known(frame.trail), frame.edit
        if edit is not None:
            current = None if edit.current is None else self._known((edit.current,))[0]
            edit = replace(edit, replay=self._known(edit.replay), missed=self._known(edit.missed), current=current)
        return frame if trail is frame.trail and edit is None else replace(frame, trail=trail, edit=edit)

    def _known(self, trail: tuple[Past, ...]) -> tuple[Past, ...]:
        if all(past.child is None for past in trail):
            return trail
        return tuple(self._known_past(past) for past in trail)

    def _known_past(self, past: Past) -> Past:
        child = past.child
        if child is None:
            return past
        kept = replace(child, trail=self._known(child.trail)) if child.flow in self.programs else None
        return replace(past, child=kept)


def _suits(node: Node, phase: Phase) -> bool:
    """Whether somebody who was in this phase at the step as it used to be can stand at the step as it is."""
    match phase:
        case Phase.ASKING:
            return isinstance(node.body, Ask) or (isinstance(node.body, Show) and node.keys is not None)
        case Phase.FETCHING:
            return node.keys is not None and node.keys.source is not None
        case Phase.RUNNING:
            return isinstance(node.body, Do)
        case Phase.WAITING:
            return isinstance(node.body, Wait)
        case Phase.BROKEN:
            return True
