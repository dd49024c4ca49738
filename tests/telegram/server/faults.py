"""What a test makes go wrong: refused, lost, late or cut answers, dropped lines, doubled, swallowed and reordered
pushes."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pyrogram import raw
from pyrogram.raw.core import TLObject

from tests.telegram.server.accounts import Account
from tests.telegram.server.refusal import Refusal

PUSH = "push"
SENDS = ("messages.SendMessage", "messages.SendMedia", "messages.SendMultiMedia", "messages.ForwardMessages")


@dataclass(frozen=True)
class Call:
    """A method called by a client. `peer` is the account it concerns, when it names one."""

    account: Account | None
    method: str
    query: TLObject
    peer: int = 0
    at: float = field(default_factory=time.monotonic)


class LineDropped(Exception):
    """The connection is to be closed without an answer."""


class AnswerLost(Exception):
    """The call is done, but nothing is sent back."""


class Instead(Exception):
    """This is answered, and the method is not run."""

    def __init__(self, answer: TLObject) -> None:
        super().__init__()
        self.answer = answer


@dataclass(eq=False)
class Fault:
    """One planned fault. `hits` counts how often it happened."""

    method: str
    account: Account | None = None
    peer: Account | None = None
    times: int | None = 1
    skip: int = 0
    before: Callable[[Call], object] | None = None
    after: Callable[[Call, TLObject], TLObject] | None = None
    delay_before: float = 0
    delay_after: float = 0
    hits: int = 0
    passed: int = 0

    def meets(self, call: Call) -> bool:
        """Whether it happens to this call; counts."""
        if self.times is not None and self.hits >= self.times:
            return False
        if not fnmatchcase(call.method, self.method):
            return False
        if self.account is not None and call.account is not self.account:
            return False
        if self.peer is not None and call.peer != self.peer.id:
            return False
        if self.passed < self.skip:
            self.passed += 1
            return False
        self.hits += 1
        return True


class Faults:
    """The faults planned now. Each method plans one and returns it; without `times` it happens once, with `times=None`
    always."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self._planned.append(fault)
        return fault

    def clear(self) -> None:
        """Ends all. Pushes held back for reordering are gone: as after a dropped line they are only in the
        difference."""
        self._planned.clear()

    def remove(self, fault: Fault) -> None:
        self._planned.remove(fault)

    def meeting(self, call: Call) -> list[Fault]:
        return [fault for fault in self._planned if fault.method != PUSH and fault.meets(call)]

    # calls

    def flood(self, method: str, seconds: int, **which: object) -> Fault:
        return self.fail(method, 420, f"FLOOD_WAIT_{seconds}", **which)

    def fail(self, method: str, code: int, text: str, *, after: bool = False, **which: object) -> Fault:
        return self.add(_stopping(method, Refusal(code, text), after, which))

    def lose_answer(self, method: str, **which: object) -> Fault:
        return self.add(_stopping(method, AnswerLost(), True, which))

    def drop_line(self, method: str, *, after: bool = True, **which: object) -> Fault:
        return self.add(_stopping(method, LineDropped(), after, which))

    def slow(self, method: str, seconds: float, **which: object) -> Fault:
        return self.add(Fault(method, delay_after=seconds, **which))

    def late(self, method: str, seconds: float, **which: object) -> Fault:
        return self.add(Fault(method, delay_before=seconds, **which))

    def short_part(self, *, bytes_left: int = 1000, **which: object) -> Fault:
        def cut(_call: Call, answer: TLObject) -> TLObject:
            return raw.types.upload.File(type=answer.type, mtime=answer.mtime, bytes=answer.bytes[:bytes_left])

        return self.add(Fault("upload.GetFile", after=cut, **which))

    def difference_too_long(self, *, keep: int = 0, **which: object) -> Fault:
        def too_long(call: Call) -> None:
            assert call.account is not None
            log = call.account.log
            pts = log[-keep - 1].pts if len(log) > keep else call.query.pts
            raise Instead(raw.types.updates.DifferenceTooLong(pts=pts))

        return self.add(Fault("updates.GetDifference", before=too_long, **which))

    def pace(self, *, overall: int | None = 30, per_chat: int | None = None, account: Account | None = None) -> Fault:
        recent: deque[tuple[float, int]] = deque()
        fault = Fault("messages.*", account=account, times=None)

        def count(call: Call) -> None:
            fault.hits -= 1
            if call.method not in SENDS:
                return
            now = time.monotonic()
            while recent and recent[0][0] <= now - 1:
                recent.popleft()
            same = sum(peer == call.peer for _, peer in recent)
            if (overall is not None and len(recent) >= overall) or (per_chat is not None and same >= per_chat):
                fault.hits += 1
                raise Refusal(420, "FLOOD_WAIT_1")
            recent.append((now, call.peer))

        fault.before = count
        return self.add(fault)

    # pushes

    def duplicate_push(self, *, account: Account | None = None, times: int | None = 1, skip: int = 0) -> Fault:
        return self.add(_pushing(lambda packs: packs * 2, account, times, skip))

    def swallow_push(self, *, account: Account | None = None, times: int | None = 1, skip: int = 0) -> Fault:
        return self.add(_pushing(lambda _packs: [], account, times, skip))

    def reorder_pushes(self, count: int, *, account: Account | None = None) -> Fault:
        held: list[TLObject] = []

        def hold(packs: list[TLObject]) -> list[TLObject]:
            held.extend(packs)
            if len(held) < count:
                return []
            released = held[::-1]
            held.clear()
            return released

        return self.add(_pushing(hold, account, count, 0))

    def pushed(self, account: Account, pack: TLObject) -> list[TLObject]:
        """What is sent now in place of this one push."""
        packs = [pack]
        for fault in self._planned:
            if isinstance(fault, Pushing) and packs and fault.meets(Call(account, PUSH, pack)):
                packs = fault.change(packs)
        return packs


@dataclass(eq=False)
class Pushing(Fault):
    """A fault of pushed updates: `change` gives what is sent in their place."""

    change: Callable[[list[TLObject]], list[TLObject]] = list


def _pushing(
    change: Callable[[list[TLObject]], list[TLObject]], account: Account | None, times: int | None, skip: int
) -> Pushing:
    return Pushing(PUSH, account=account, times=times, skip=skip, change=change)


def _stopping(method: str, error: Exception, after: bool, which: dict[str, object]) -> Fault:
    def stop(*_: object) -> TLObject:
        raise error

    return Fault(method, after=stop, **which) if after else Fault(method, before=stop, **which)


async def met_before(faults: list[Fault], call: Call) -> None:
    """Raises what the faults say instead of running the method."""
    for fault in faults:
        if fault.delay_before:
            await asyncio.sleep(fault.delay_before)
        if fault.before is not None:
            fault.before(call)


async def met_after(faults: list[Fault], call: Call, answer: TLObject) -> TLObject:
    """The answer as the faults leave it."""
    for fault in faults:
        if fault.delay_after:
            await asyncio.sleep(fault.delay_after)
        if fault.after is not None:
            answer = fault.after(call, answer)
    return answer
