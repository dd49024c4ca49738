"""Payments told from balances: how the growing balance of a one-time address becomes numbered transfers. Pure.

A transfer to a contract wallet, or out of one, moves money without a transaction to the address; the balance shows it.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.core.records import record, replaced
from storage.shop.transfers import BALANCE, Transfer

MOST: Final = 64
"""Steps of one address; more are joined with the last one, so that nobody makes an endless list with single wei."""


@record
class Step:
    """The balance grew by `amount`."""

    number: int
    amount: int
    height: int | None = None
    """The block by which it had grown; None while only the mempool knows it."""
    block: str | None = None


@record
class History:
    """What one address has received so far."""

    steps: tuple[Step, ...] = ()
    next: int = 1
    """The number of the next step. Never used again, so that no id ever means two payments."""
    swept: int = 0
    """What the owner has taken away again."""
    nonce: int = 0
    """Transactions that the owner has made from it."""

    @property
    def included(self) -> int:
        """The sum of all steps that are in a block."""
        return sum(step.amount for step in self.steps if step.height is not None)


def swept(history: History, *, latest: int, nonce: int) -> History:
    """The balance is smaller than before: taken away by the owner when the address has sent something since, else the
    chain was reorganised (then `advanced` withdraws)."""
    missing = history.included - history.swept - latest
    if missing <= 0 or nonce <= history.nonce:
        return history
    return replaced(history, swept=history.swept + missing, nonce=nonce)


def advanced(history: History, *, latest: int, pending: int, height: int, block: str) -> History:
    """The history with the balances of now: in the newest block, and with the mempool.

    What is newly in a block is taken to be in this one, which is never too early.
    """
    included = latest + history.swept
    total = max(included, pending + history.swept)
    steps, after = _fitted(history, included, total)
    placed: list[Step] = []
    reached = 0
    for step in steps:
        reached += step.amount
        if reached > included:
            placed.append(replaced(step, height=None, block=None))
        elif step.height is None:
            placed.append(replaced(step, height=height, block=block))
        else:
            placed.append(step)
    return replaced(history, steps=tuple(placed), next=after)


def _fitted(history: History, included: int, total: int) -> tuple[list[Step], int]:
    """Steps that sum up to `total`: the newest go first, what is missing is added behind."""
    steps, number = list(history.steps), history.next
    reached = sum(step.amount for step in steps)
    while steps and reached > total:
        reached -= steps.pop().amount
    for goal in (included, total):
        if goal <= reached:
            continue
        if len(steps) >= MOST:
            reached -= steps.pop().amount
        steps.append(Step(number=number, amount=goal - reached))
        number, reached = number + 1, goal
    return steps, number


def earlier(history: History, seen: Mapping[int, tuple[str, int]]) -> History:
    """The history with better places: `seen` says for older heights the block's hash and the balance then.

    What the owner has taken away must have been gone at all of these heights.
    """
    placed: list[Step] = []
    reached = -history.swept
    for step in history.steps:
        reached += step.amount
        heights = [height for height, (_, balance) in seen.items() if balance >= reached]
        best = min(heights, default=None)
        if step.height is not None and best is not None and best < step.height:
            placed.append(replaced(step, height=best, block=seen[best][0]))
        else:
            placed.append(step)
    return replaced(history, steps=tuple(placed))


def moved(history: History, blocks: Mapping[int, str], *, height: int, block: str) -> tuple[History, bool]:
    """After a reorganisation: steps whose block is another one now are taken to the newest block; whether any was."""
    steps = tuple(
        replaced(step, height=height, block=block)
        if step.height is not None and (step.height > height or blocks.get(step.height, step.block) != step.block)
        else step
        for step in history.steps
    )
    return replaced(history, steps=steps), steps != history.steps


def transfers(asset: str, address: str, history: History) -> list[Transfer]:
    """The steps under ids that stay the same as long as the facts do."""
    return [
        Transfer(
            asset=asset,
            address=address,
            txid=f"{BALANCE}{address}:{step.number}",
            position="0",
            amount=step.amount,
            height=step.height,
            block=step.block,
        )
        for step in history.steps
    ]


def written(history: History) -> list[Any]:
    """As JSON can hold it; numbers as text, because wei exceed what others read."""
    steps = [[step.number, str(step.amount), step.height, step.block] for step in history.steps]
    return [history.next, str(history.swept), history.nonce, steps]


def read(value: Any) -> History:
    """What `written` gave. Raises ValueError, TypeError or KeyError for anything else."""
    after, taken, nonce, steps = value
    return History(
        next=int(after),
        swept=int(taken),
        nonce=int(nonce),
        steps=tuple(
            Step(
                number=int(number),
                amount=int(amount),
                height=None if height is None else int(height),
                block=None if block is None else str(block),
            )
            for number, amount, height, block in steps
        ),
    )
