"""What actions, services and webhooks ask to be sent, as rows that are written with their own changes. Pure.

One rule for conversations (`Play`) and for work outside of them: who may be told, what can be kept, what it is called.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from engine.actions.context import CancelConversation, Request, SendSignal, Speak, StartFlow, TellChat, TellRole
from engine.core.values import Value
from engine.runtime.library import Library
from engine.runtime.ports import NewSignal
from engine.runtime.sending import MOST_SIGNALS, UnfitSignal, new_signal, signals_of

LONGEST: Final = 128
"""Characters of the name of a flow, a signal, a chat: what the store has room for."""
Members = Mapping[str, Sequence[str]]
"""Role → the chats of everybody who has it."""

log = logging.getLogger("stepgram.signals")


def rows_of(
    requests: Iterable[Request], *, library: Library, members: Members, update: str, at: datetime
) -> tuple[NewSignal, ...]:
    """The rows of all requests of one piece of work that belongs to no conversation: to be written in its transaction.

    `members`: from `members_of`. `update`: a name of this work; the same work done again has the same one, and what it
    sends then is dropped as repeated. Raises UnfitSignal for what cannot be sent, and for `start` and `cancel`: here is
    no customer to start for.
    """
    found: list[NewSignal] = []
    for number, wish in enumerate(requests, start=1):
        found += rows_of_one(wish, library=library, members=members, update=f"{update}/{number}", at=at)
    if len(found) > MOST_SIGNALS:
        raise UnfitSignal(f"{len(found)} signals were sent at once; at most {MOST_SIGNALS} are taken.")
    return tuple(found)


def rows_of_one(
    wish: Request, *, library: Library, members: Members, update: str, at: datetime
) -> tuple[NewSignal, ...]:
    """The rows of one request; none where nobody could take it (that is logged). Raises UnfitSignal."""
    match wish:
        case SendSignal():
            return _signal(wish, library, update, at)
        case TellChat(chat=chat, flow=flow, arguments=arguments):
            return (_told(chat, flow, arguments, update, at),)
        case TellRole(role=role, flow=flow, arguments=arguments):
            _check_texts(role, flow)
            told = members.get(role, ())
            if not told:
                log.warning("nobody who has talked to the bot has the role %s: nobody is told %s", role, flow)
            return tuple(_told(chat, flow, arguments, f"{update}/{chat}", at) for chat in told)
        case StartFlow(flow=flow):
            raise UnfitSignal(f"start({flow!r}) is for actions of a conversation: here, use tell(chat, {flow!r}).")
        case CancelConversation():
            raise UnfitSignal("cancel() is for actions of a conversation.")
        case Speak():
            raise UnfitSignal("speak() is for actions of a conversation.")
        case _:
            raise UnfitSignal(f"{type(wish).__name__} is nothing that can be asked for.")


def roles_in(requests: Iterable[Request]) -> frozenset[str]:
    """The roles whose members have to be known."""
    return frozenset(wish.role for wish in requests if isinstance(wish, TellRole) and isinstance(wish.role, str))


async def members_of(
    roles: Collection[str],
    *,
    library: Library,
    chats_of: Callable[[Collection[str]], Awaitable[Sequence[str]]],
    granted: Callable[[str], Iterable[str]] | None = None,
) -> Members:
    """Who has these roles: the customers that bot.yaml names, in every chat that the store has of them, and whoever was
    `granted` it beside. `chats_of`: of the store's transaction that is open. Each chat once, in order of id."""
    found: dict[str, Sequence[str]] = {}
    for role in sorted(roles):
        if role not in library.bot.roles:
            found[role] = ()
            continue
        named = library.bot.roles[role]
        chats = set(await chats_of(tuple(named))) if named else set()
        found[role] = tuple(sorted(chats.union(granted(role) if granted is not None else ())))
    return found


def _signal(wish: SendSignal, library: Library, update: str, at: datetime) -> tuple[NewSignal, ...]:
    _check_texts(wish.flow, wish.name, wish.chat, wish.otherwise)
    _check_text(wish.key)
    if wish.otherwise:
        _check_chat(wish.chat)
        if not wish.flow or not wish.name:
            raise UnfitSignal("News needs a flow whose conversation may take it, and a name.")
    elif wish.name not in (signals_of(library, wish.flow) or ()):
        log.warning("the signal %s was sent to %s, where no step waits for it", wish.name, wish.flow)
        return ()
    row = new_signal(
        flow=wish.flow,
        key=wish.key,
        name=wish.name,
        payload=wish.payload,
        update=update,
        at=at,
        chat=wish.chat if wish.otherwise else "",
        otherwise=wish.otherwise,
    )
    return (row,)


def _told(chat: str, flow: str, arguments: Mapping[str, Value], update: str, at: datetime) -> NewSignal:
    _check_texts(chat, flow)
    _check_chat(chat)
    if not flow:
        raise UnfitSignal(f"Nothing is told to {chat}: name the flow that is to begin there.")
    return new_signal(flow="", key=chat, name="", payload=arguments, update=update, at=at, chat=chat, otherwise=flow)


def _check_texts(*texts: object) -> None:
    for text in texts:
        if len(_check_text(text)) > LONGEST:
            raise UnfitSignal(f"The name {str(text)[:40]!r}… is too long: at most {LONGEST} characters are taken.")


def _check_text(text: object) -> str:
    if not isinstance(text, str):
        raise UnfitSignal(f"Flows, keys, signals and chats are named by texts, not by a {type(text).__name__}.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnfitSignal("The name of a flow, a key, a signal or a chat is not valid Unicode.") from error
    return text


def _check_chat(chat: str) -> None:
    channel, _, customer = chat.partition(":")
    if not (channel and customer and chat.isprintable()):
        raise UnfitSignal(f"{chat[:60]!r} is no chat's id such as telegram:42.")
