"""The channel of a play: what the bot sends goes to a phone, and waits until a step of the transcript mentions it."""

from collections import deque

from engine.core.effects import Notice, Press, Say, Show
from engine.loading.transcripts import Bot, Button, Notices, Wanted
from engine.loading.transcripts_values import labelled, readable
from engine.runtime.outbox import callback_data, decode, pressed
from engine.runtime.ports import Elsewhere, Outgoing
from engine.transcripts.phone import Drawing, Phone


class Screen:
    """What one chat has received. `bot` and `notices` hold what no step has mentioned yet, oldest first."""

    def __init__(self, chat: str) -> None:
        self._chat = chat
        self._ids: set[str] = set()
        self.phone = Phone()
        self.waiting = False
        """Time passes: of several drawings of one message, one after the other, only the last is seen."""
        self.bot: deque[Bot] = deque()
        self.notices: deque[Notices] = deque()

    async def deliver(self, outgoing: Outgoing) -> None:
        """Take one thing of the outbox. Raises Elsewhere for other chats."""
        if outgoing.chat != self._chat:
            raise Elsewhere("this message is for another chat")
        if outgoing.id in self._ids and outgoing.sequence > 0:
            return
        self._ids.add(outgoing.id)
        match decode(outgoing).effect:
            case Notice(text=text, alert=alert):
                if text:
                    self.notices.append(Notices(text=Wanted(exact=readable(text)), alert=alert))
            case Say(text=text):
                self.phone.text()
                self.bot.append(Bot(text=Wanted(exact=readable(text)), buttons=()))
            case Show() as show:
                place = self.phone.draw(_drawing(outgoing.surface, show), edit=show.edit)
                seen = _seen(show, place)
                if self.waiting and again(self.bot[-1] if self.bot else None, seen):
                    self.bot.pop()
                self.bot.append(seen)


def again(before: object, seen: Bot) -> bool:
    """Whether a message is changed once more, with nothing between."""
    return isinstance(before, Bot) and before.edit and seen.edit and before.message == seen.message


def _drawing(surface: str, show: Show) -> Drawing:
    here = pressed(surface, show)
    presses = [press for row in show.rows for press in row if not press.url]
    buttons = tuple((labelled(press.text), callback_data(here, show.draw, press.code)) for press in presses)
    return Drawing(surface=surface, buttons=buttons)


def _seen(show: Show, place: int | None) -> Bot:
    return Bot(
        text=Wanted(exact=readable(show.text)),
        buttons=tuple(tuple(_button(press) for press in row) for row in show.rows),
        picture=show.photo,
        edit=place is not None,
        message=place or 1,
    )


def _button(press: Press) -> Button:
    return Button(text=labelled(press.text), url=press.url)
