"""What happened to an account: pushed to its sessions now, and kept for updates.getDifference."""

import time
from typing import TYPE_CHECKING

from pyrogram import raw
from pyrogram.raw.core import TLObject

from tests.telegram.server.accounts import Account, Logged
from tests.telegram.server.refusal import Refusal
from tests.telegram.server.transport import Session

if TYPE_CHECKING:
    from tests.telegram.server.methods import Methods
    from tests.telegram.server.telegram import TelegramServer

T = raw.types


def seconds() -> int:
    return int(time.time())


class Updates:
    """updates.*, and `emit` by which the other methods tell an account something."""

    def __init__(self, server: "TelegramServer") -> None:
        self._server = server

    def methods(self) -> "Methods":
        return {"updates.GetState": self.get_state, "updates.GetDifference": self.get_difference}

    def get_state(self, me: Account, _query: TLObject) -> TLObject:
        return self._state(me, me.pts)

    def get_difference(self, me: Account, query: TLObject) -> TLObject:
        if query.pts <= 0:
            raise Refusal(400, "PERSISTENT_TIMESTAMP_EMPTY")
        waiting = me.since(query.pts)
        if not waiting:
            return T.updates.DifferenceEmpty(date=seconds(), seq=0)
        given = waiting[: self._server.difference_slice]
        content = self._content(me, given)
        if len(given) < len(waiting):
            return T.updates.DifferenceSlice(**content, intermediate_state=self._state(me, given[-1].pts))
        return T.updates.Difference(**content, state=self._state(me, me.pts))

    def _content(self, me: Account, given: list[Logged]) -> dict[str, list[TLObject]]:
        messages: list[TLObject] = []
        others: list[TLObject] = []
        for logged in given:
            update = logged.update
            if not isinstance(update, T.UpdateNewMessage):
                others.append(update)
            elif update.message.id in me.box:
                messages.append(update.message)
                if logged.random_id:
                    others.append(T.UpdateMessageID(id=update.message.id, random_id=logged.random_id))
        return {
            "new_messages": messages,
            "new_encrypted_messages": [],
            "other_updates": others,
            "chats": [],
            "users": self.users_of(me, messages + [getattr(other, "message", None) for other in others]),
        }

    def users_of(self, me: Account, messages: list[TLObject | None]) -> list[TLObject]:
        """The accounts those messages speak of, as `me` sees them."""
        ids = {me.id: None}
        for message in messages:
            for peer in (getattr(message, "peer_id", None), getattr(message, "from_id", None)):
                if peer is not None:
                    ids[peer.user_id] = None
        return [self._server.accounts[each].seen_by(me) for each in ids]

    def _state(self, me: Account, pts: int) -> TLObject:
        return T.updates.State(pts=pts, qts=0, date=seconds(), seq=0, unread_count=0)

    def packed(self, me: Account, updates: list[TLObject], who: list[int]) -> TLObject:
        users = [self._server.accounts[each].seen_by(me) for each in dict.fromkeys(who)]
        return T.Updates(updates=updates, users=users, chats=[], date=seconds(), seq=0)

    def emit(self, account: Account, update: TLObject, who: list[int], *, but: Session | None = None) -> TLObject:
        """Numbers and logs the update and pushes it to the account's sessions but the one named; gives the update."""
        account.record(update)
        self._server.push(account, self._shaped(account, update, who), but=but)
        return update

    def _shaped(self, account: Account, update: TLObject, who: list[int]) -> TLObject | None:
        shape = self._server.pushes if account.bot else "full"
        if shape == "none":
            return None
        if shape == "too_long":
            return T.UpdatesTooLong()
        message = getattr(update, "message", None)
        if shape == "short" and isinstance(update, T.UpdateNewMessage) and _is_plain(message):
            return T.UpdateShortMessage(
                id=message.id,
                user_id=message.peer_id.user_id,
                message=message.message,
                pts=update.pts,
                pts_count=update.pts_count,
                date=message.date,
                entities=message.entities,
                reply_to=message.reply_to,
                fwd_from=message.fwd_from,
            )
        return self.packed(account, [update], who)


def _is_plain(message: TLObject) -> bool:
    return not (message.out or message.media or message.reply_markup)
