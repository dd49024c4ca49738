"""What the actions of payments answer. Values only."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from engine.actions import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """A coin that the shop takes."""

    id: str
    name: str
    symbol: str
    practice: bool
    """Not real money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A price in coins, held for a while."""

    id: str
    currency: str
    amount: Money
    rate: Decimal
    """What one coin costs."""
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """There is no price now."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TooSmall:
    """The chain would refuse so small a payment."""

    minimum: Money
    """In coins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoiced:
    """The order waits for its payment."""

    order: str
    number: str
    amount: Money
    currency: str
    address: str
    uri: str
    expires_at: datetime
    practice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """The price or the order is no longer what it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAddress:
    """There is no address to pay to."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An invoice as it is now."""

    order: str
    number: str
    status: str
    """new, processing, settled, expired, cancelled or invalid."""
    flags: list[str]
    amount: Money
    paid: Money
    rest: Money
    total: Money
    """What the order costs."""
    currency: str
    address: str
    uri: str
    expires_at: datetime
    confirmations: int
    needed: int
    practice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """There is no such thing, or it is somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLittle:
    """The customer's credit does not cover the order; nothing was done."""

    credit: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOut:
    """A customer's credit was paid out and is empty now."""

    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The choice is noted."""

    status: str
    """The invoice's status after it: `new` when the order is held again for the rest."""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """Practice money is on its way."""

    amount: Money
    txid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The payment counts."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The practice payment has disappeared."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeOrder:
    """An order that waits for practice money, or has it."""

    order: str
    number: str
    status: str
    amount: Money
    paid: Money
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """The order's time is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLate:
    """It is no longer possible."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotInStock:
    """The goods are sold meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something that people must look at."""

    id: int
    order: str
    number: str
    kind: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The case is closed."""

    status: str
    """The invoice's status now; empty when the case is about no invoice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDue:
    """Money that must go back to a customer."""

    id: int
    order: str
    number: str
    amount: Money
    reason: str
    """over, double, partial, late, cancelled or unconfirmed."""
    customer: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """It is noted that the money was sent back."""

    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that does not add up."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """Everything adds up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Something does not add up."""

    count: int
    lines: list[str]
    """The first twenty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """The key may be seen, once, on the bot's machine."""

    order: str
    command: str
    """What to type there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It is not done, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The payment was taken down."""

    order: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """It was known already; nothing has changed."""

    order: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownInvoice:
    """No invoice has this order or address (yet): send it again later."""

    __status__: ClassVar[int] = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class BadPayment:
    """The request cannot be understood."""

    __status__: ClassVar[int] = 422
    reason: str
