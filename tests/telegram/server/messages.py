"""messages.*: sending, editing, deleting, reading, forwarding. Every message has two copies, one in each box, with ids
of their own."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyrogram import raw
from pyrogram.raw.core import TLObject

from tests.telegram.server.accounts import Account
from tests.telegram.server.methods import Methods, check_markup, replied_to, written
from tests.telegram.server.refusal import Refusal
from tests.telegram.server.updates import seconds

if TYPE_CHECKING:
    from tests.telegram.server.telegram import TelegramServer

T = raw.types
MAX_TEXT = 4096
MAX_CAPTION = 1024
ALBUM = range(2, 11)


@dataclass(kw_only=True)
class Draft:
    """A message about to be sent."""

    random_id: int
    text: str = ""
    entities: list[TLObject] | None = None
    media: TLObject | None = None
    markup: TLObject | None = None
    reply_to: int = 0
    album: int | None = None
    forwarded: TLObject | None = None

    def check(self) -> None:
        self.text = self.text.rstrip()
        if not self.text and self.media is None:
            raise Refusal(400, "MESSAGE_EMPTY")
        if self.media is None and len(self.text) > MAX_TEXT:
            raise Refusal(400, "MESSAGE_TOO_LONG")
        if self.media is not None and len(self.text) > MAX_CAPTION:
            raise Refusal(400, "MEDIA_CAPTION_TOO_LONG")
        length = len(self.text.encode("utf-16-le")) // 2
        for entity in self.entities or []:
            if entity.offset < 0 or entity.length <= 0 or entity.offset + entity.length > length:
                raise Refusal(400, "ENTITY_BOUNDS_INVALID")
        check_markup(self.markup)


class Messages:
    def __init__(self, server: "TelegramServer") -> None:
        self._server = server
        self._albums = 0

    def methods(self) -> Methods:
        return {
            "messages.SendMessage": self.send_message,
            "messages.SendMedia": self.send_media,
            "messages.SendMultiMedia": self.send_multi_media,
            "messages.ForwardMessages": self.forward_messages,
            "messages.StartBot": self.start_bot,
            "messages.EditMessage": self.edit_message,
            "messages.DeleteMessages": self.delete_messages,
            "messages.GetMessages": self.get_messages,
            "messages.GetHistory": self.get_history,
            "messages.ReadHistory": self.read_history,
            "messages.SetTyping": self.set_typing,
        }

    # sending

    def send_message(self, me: Account, query: TLObject) -> TLObject:
        return self.deliver(me, self._server.account_of(me, query.peer), [_draft(query)])

    def send_media(self, me: Account, query: TLObject) -> TLObject:
        peer = self._server.account_of(me, query.peer)
        known = self._sent_before(me, peer, [query.random_id])
        if known is not None:
            return known
        self._admit(me, peer)
        draft = _draft(query)
        draft.media = self._server.files.made(me, query.media)
        return self.deliver(me, peer, [draft])

    def send_multi_media(self, me: Account, query: TLObject) -> TLObject:
        peer = self._server.account_of(me, query.peer)
        if len(query.multi_media) not in ALBUM:
            raise Refusal(400, "MULTI_MEDIA_TOO_LONG")
        known = self._sent_before(me, peer, [single.random_id for single in query.multi_media])
        if known is not None:
            return known
        self._admit(me, peer)
        self._albums += 1
        drafts = [
            Draft(
                random_id=single.random_id,
                text=single.message,
                entities=single.entities or None,
                media=self._server.files.made(me, single.media),
                reply_to=replied_to(query),
                album=self._albums,
            )
            for single in query.multi_media
        ]
        return self.deliver(me, peer, drafts)

    def forward_messages(self, me: Account, query: TLObject) -> TLObject:
        peer = self._server.account_of(me, query.to_peer)
        drafts = []
        for number, random_id in zip(query.id, query.random_id, strict=True):
            message = self._own(me, number)
            drafts.append(
                Draft(
                    random_id=random_id,
                    text=message.message,
                    entities=message.entities,
                    media=message.media,
                    forwarded=T.MessageFwdHeader(date=message.date, from_id=message.from_id),
                )
            )
        return self.deliver(me, peer, drafts)

    def start_bot(self, me: Account, query: TLObject) -> TLObject:
        text = f"/start {query.start_param}".strip()
        return self.deliver(me, self._server.account_of(me, query.bot), [Draft(random_id=query.random_id, text=text)])

    def deliver(self, me: Account, peer: Account, drafts: list[Draft]) -> TLObject:
        """Puts the messages in both boxes and tells both. A random_id used before with this peer gives the earlier
        answer: nothing is sent again, however long ago it was."""
        known = self._sent_before(me, peer, [draft.random_id for draft in drafts])
        if known is not None:
            return known
        self._admit(me, peer)
        for draft in drafts:
            draft.check()
        updates: list[TLObject] = []
        for draft in drafts:
            updates += self._deliver(me, peer, draft)
        answer = self._server.updates.packed(me, updates, [me.id, peer.id])
        for draft in drafts:
            me.sent[peer.id, draft.random_id] = answer
        self._server.push(me, answer, but=self._server.caller)
        return answer

    def _sent_before(self, me: Account, peer: Account, random_ids: list[int]) -> TLObject | None:
        if not all(random_ids):
            raise Refusal(400, "RANDOM_ID_EMPTY")
        return next((me.sent[peer.id, each] for each in random_ids if (peer.id, each) in me.sent), None)

    def _admit(self, me: Account, peer: Account) -> None:
        if peer.deactivated:
            raise Refusal(400, "INPUT_USER_DEACTIVATED")
        if me.id in peer.blocked:
            raise Refusal(400, "USER_IS_BLOCKED")
        if peer.id in me.blocked:
            raise Refusal(400, "YOU_BLOCKED_USER")
        if me.bot and peer.bot:
            raise Refusal(400, "USER_IS_BOT")
        if me.bot and peer.id not in me.met:
            raise Refusal(400, "PEER_ID_INVALID")
        peer.met.add(me.id)

    def _deliver(self, me: Account, peer: Account, draft: Draft) -> list[TLObject]:
        mine = self._copy(me, peer, me, draft)
        update = T.UpdateNewMessage(message=mine, pts=0, pts_count=1)
        me.record(update, draft.random_id)
        if peer is not me:
            other = self._copy(peer, me, me, draft)
            me.links[mine.id], peer.links[other.id] = (peer.id, other.id), (me.id, mine.id)
            self._server.updates.emit(peer, T.UpdateNewMessage(message=other, pts=0, pts_count=1), [me.id, peer.id])
        return [T.UpdateMessageID(id=mine.id, random_id=draft.random_id), update]

    def _copy(self, owner: Account, other: Account, sender: Account, draft: Draft) -> T.Message:
        reply = draft.reply_to
        if reply and owner is not sender:
            reply = sender.links.get(reply, (0, 0))[1]
        message = T.Message(
            id=owner.new_id(),
            peer_id=T.PeerUser(user_id=other.id),
            from_id=T.PeerUser(user_id=sender.id),
            date=seconds(),
            message=draft.text,
            out=owner is sender or None,
            media=draft.media,
            reply_markup=draft.markup,
            entities=draft.entities,
            reply_to=T.MessageReplyHeader(reply_to_msg_id=reply) if reply else None,
            fwd_from=draft.forwarded,
            grouped_id=draft.album,
        )
        owner.box[message.id] = message
        return message

    # changing

    def edit_message(self, me: Account, query: TLObject) -> TLObject:
        message = self._own(me, query.id)
        if not message.out:
            raise Refusal(403, "MESSAGE_AUTHOR_REQUIRED")
        if query.reply_markup is not None and not isinstance(query.reply_markup, T.ReplyInlineMarkup):
            raise Refusal(400, "REPLY_MARKUP_INVALID")
        new = Draft(
            random_id=0,
            text=message.message if query.message is None else query.message,
            entities=message.entities if query.message is None else query.entities or None,
            media=self._server.files.made(me, query.media) if query.media else message.media,
            markup=query.reply_markup,
        )
        new.check()
        if _same(message, new):
            raise Refusal(400, "MESSAGE_NOT_MODIFIED")
        update = self._edit(me, message, new, mine=True)
        peer, number = me.links.get(query.id, (0, 0))
        other = self._server.accounts.get(peer)
        if other is not None and number in other.box:
            self._edit(other, other.box[number], new, mine=False)
        return self._server.updates.packed(me, [update], [me.id, message.peer_id.user_id])

    def _edit(self, owner: Account, message: T.Message, new: Draft, *, mine: bool) -> TLObject:
        message.message, message.entities, message.media = new.text, new.entities, new.media
        message.reply_markup, message.edit_date = new.markup, seconds()
        update = T.UpdateEditMessage(message=message, pts=0, pts_count=1)
        who = [owner.id, message.peer_id.user_id]
        return self._server.updates.emit(owner, update, who, but=self._server.caller if mine else None)

    def delete_messages(self, me: Account, query: TLObject) -> TLObject:
        """Deletes in this box, and with `revoke`, or by a bot, in the other one too."""
        gone = [number for number in query.id if me.box.pop(number, None) is not None]
        for number in gone if query.revoke or me.bot else []:
            peer, other = me.links.get(number, (0, 0))
            account = self._server.accounts.get(peer)
            if account is not None and account.box.pop(other, None) is not None:
                self._server.updates.emit(account, _deleted([other]), [])
        if gone:
            self._server.updates.emit(me, _deleted(gone), [], but=self._server.caller)
        return T.messages.AffectedMessages(pts=me.pts, pts_count=len(gone))

    # reading

    def get_messages(self, me: Account, query: TLObject) -> TLObject:
        found = [self._asked(me, wanted) for wanted in query.id]
        return self._answer(me, found)

    def _asked(self, me: Account, wanted: TLObject) -> TLObject:
        number = wanted.id
        if isinstance(wanted, T.InputMessageReplyTo):
            reply = getattr(me.box.get(number), "reply_to", None)
            number = reply.reply_to_msg_id if reply else 0
        return me.box.get(number) or T.MessageEmpty(id=number)

    def get_history(self, me: Account, query: TLObject) -> TLObject:
        if me.bot:
            raise Refusal(400, "BOT_METHOD_INVALID")
        peer = self._server.account_of(me, query.peer)
        all_of_peer = [message for message in me.box.values() if message.peer_id.user_id == peer.id]
        newest = sorted(all_of_peer, key=lambda message: -message.id)
        if query.offset_id:
            newest = [message for message in newest if message.id < query.offset_id]
        start = max(0, query.add_offset)
        return self._answer(me, newest[start : start + min(query.limit, 100)])

    def read_history(self, me: Account, query: TLObject) -> TLObject:
        """Marks as read; a customer's other side is told, a bot is not."""
        peer = self._server.account_of(me, query.peer)
        if not peer.bot and peer is not me:
            number = me.links.get(query.max_id, (0, 0))[1]
            read = T.UpdateReadHistoryOutbox(peer=T.PeerUser(user_id=me.id), max_id=number, pts=0, pts_count=1)
            self._server.updates.emit(peer, read, [me.id])
        return T.messages.AffectedMessages(pts=me.pts, pts_count=0)

    def set_typing(self, me: Account, query: TLObject) -> bool:
        peer = self._server.account_of(me, query.peer)
        if me.id in peer.blocked:
            raise Refusal(400, "USER_IS_BLOCKED")
        typing = T.UpdateUserTyping(user_id=me.id, action=query.action)
        self._server.push(peer, T.UpdateShort(update=typing, date=seconds()))
        return True

    def _answer(self, me: Account, messages: list[TLObject]) -> TLObject:
        known = [message for message in messages if isinstance(message, T.Message)]
        newer = {"topics": []} if "topics" in T.messages.Messages.__slots__ else {}
        return T.messages.Messages(messages=messages, chats=[], users=self._server.updates.users_of(me, known), **newer)

    def _own(self, me: Account, number: int) -> T.Message:
        message = me.box.get(number)
        if message is None:
            raise Refusal(400, "MESSAGE_ID_INVALID")
        return message


def _draft(query: TLObject) -> Draft:
    return Draft(
        random_id=query.random_id,
        text=query.message or "",
        entities=query.entities or None,
        markup=query.reply_markup,
        reply_to=replied_to(query),
    )


def _same(message: T.Message, new: Draft) -> bool:
    return (
        message.message == new.text
        and message.media == new.media
        and written(message.entities) == written(new.entities)
        and written(message.reply_markup) == written(new.markup)
    )


def _deleted(numbers: list[int]) -> TLObject:
    return T.UpdateDeleteMessages(messages=numbers, pts=0, pts_count=len(numbers))
