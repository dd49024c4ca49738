"""How many signals have followed from each other, so that conversations in a circle are noticed. No I/O."""

from collections import OrderedDict
from typing import Final, TypeVar

from engine.runtime.ledger import Ledger
from engine.runtime.ports import SignalRow

MOST_HOPS: Final = 100
"""Signals that may follow from each other without a pause."""
REMEMBERED: Final = 10_000

K = TypeVar("K")


class Hops:
    """Counts along: from a signal to the commit that takes it, the calls that begins, the signals they send. Forgets
    everything at a restart."""

    def __init__(self) -> None:
        self._of_update: OrderedDict[str, int] = OrderedDict()
        self._of_row: OrderedDict[int, int] = OrderedDict()
        self._of_call: OrderedDict[tuple[str, str], int] = OrderedDict()

    def too_many(self, update: str) -> bool:
        """Whether this one is to wait a little; asked again after that it is not."""
        hops = self._of_update.get(update, 0)
        if hops <= MOST_HOPS:
            return False
        self._of_update[update] = MOST_HOPS
        return True

    def on_its_way(self, row: SignalRow) -> None:
        """The commit that takes the row is about to come."""
        hops = self._of_update.get(row.update, 0)
        if hops:
            _note(self._of_row, row.id, hops)

    def committed(self, ledger: Ledger) -> None:
        """What a commit has sent follows from what it took."""
        before = [self._of_row.pop(number, 0) for number in ledger.taken_signals]
        before += [self._of_call.pop(call, 0) for call in ledger.finished_calls]
        taken = bool(ledger.taken_signals)
        hops = max(before, default=0) + (1 if taken else 0)
        if hops:
            for signal in ledger.signals:
                _note(self._of_update, signal.update, hops)
            for call in ledger.pending:
                _note(self._of_call, (call.conversation, call.call), hops)


def _note(table: OrderedDict[K, int], key: K, hops: int) -> None:
    table[key] = hops
    if len(table) > REMEMBERED:
        table.popitem(last=False)
