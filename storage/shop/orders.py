"""Orders and their lines: reading them, and moving them from one status to the next, once.

created → paid → shipped; created → cancelled | expired; and back to created or paid for a payment that came late.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from engine.actions import Money, Page, Work
from engine.core.records import record
from storage.shop import returns
from storage.shop.ledger import marks, portions
from storage.shop.moments import millis, moment

Status = Literal["created", "paid", "shipped", "cancelled", "expired"]
STATUSES: Final = ("created", "paid", "shipped", "cancelled", "expired")
OVER: Final = frozenset({"cancelled", "expired"})
_MOVED: Final = frozenset(
    {"pay_with", "expires_at", "paid_at", "shipped_at", "closed_at", "reason", "tracking", "extra"}
)
COLUMNS: Final = (
    "id, number, customer, chat, status, total, currency, pay_with, created_at, expires_at, paid_at, shipped_at, "
    "closed_at, reason, tracking, extra, version"
)


@record
class Order:
    """An order as it was read; `version` says which change of it that was."""

    id: str
    number: str
    customer: str
    chat: str
    status: str
    total: Money
    pay_with: str
    created_at: datetime
    expires_at: datetime | None
    paid_at: datetime | None
    shipped_at: datetime | None
    closed_at: datetime | None
    reason: str
    tracking: str
    extra: Mapping[str, object]
    version: int


@record
class OrderLine:
    """What was ordered, at the price of that moment."""

    product: int
    sku: str
    name: str
    price: Money
    quantity: int
    total: Money
    sold: int
    """So many have left the stock: none or all."""


def _maybe(stamp: object) -> datetime | None:
    return None if stamp is None else moment(stamp)


async def order(work: Work, id: str) -> Order | None:  # noqa: A002 - the interface's word
    """The order with this id."""
    rows = await work.query(f"SELECT {COLUMNS} FROM shop_orders WHERE id = ?", (id,))  # noqa: S608 - our own names
    return of_row(rows[0]) if rows else None


async def several(work: Work, ids: Iterable[str]) -> Mapping[str, Order]:
    """The orders with these ids, as far as they are there."""
    found: dict[str, Order] = {}
    for part in portions(sorted(set(ids))):
        rows = await work.query(f"SELECT {COLUMNS} FROM shop_orders WHERE id IN ({marks(part)})", part)  # noqa: S608
        found.update((str(row["id"]), of_row(row)) for row in rows)
    return found


async def by_key(work: Work, key: str) -> Order | None:
    """The order that was made of this version of a cart."""
    rows = await work.query(f"SELECT {COLUMNS} FROM shop_orders WHERE key = ?", (key,))  # noqa: S608 - our own names
    return of_row(rows[0]) if rows else None


async def open_of(work: Work, customer: str) -> Sequence[Order]:
    """A customer's orders that wait for payment, newest first."""
    rows = await work.query(
        f"SELECT {COLUMNS} FROM shop_orders WHERE customer = ? AND status = 'created' "  # noqa: S608 - our own names
        "ORDER BY created_at DESC, id LIMIT 1000",
        (customer,),
    )
    return [of_row(row) for row in rows]


async def listed(
    work: Work, page: Page, *, customer: str | None = None, status: str | None = None
) -> tuple[Sequence[Order], int]:
    """One page of orders, newest first, those whose number contains the search; and how many there are."""
    conditions, values = ["number LIKE ? ESCAPE '!'"], [contains(page.search.strip().upper())]
    for column, value in (("customer", customer), ("status", status)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    where = " AND ".join(conditions)
    (counted,) = await work.query(f"SELECT count(*) AS n FROM shop_orders WHERE {where}", values)  # noqa: S608 - as above
    rows = await work.query(
        f"SELECT {COLUMNS} FROM shop_orders WHERE {where} ORDER BY created_at DESC, id LIMIT ? OFFSET ?",  # noqa: S608
        (*values, page.limit, page.offset),
    )
    return [of_row(row) for row in rows], int(str(counted["n"]))


def contains(text: str) -> str:
    """The LIKE pattern, escaped with `!`, of texts with this one in them."""
    return "%" + "".join(f"!{letter}" if letter in "!%_" else letter for letter in text) + "%"


async def lines(work: Work, id: str) -> tuple[OrderLine, ...]:  # noqa: A002 - the interface's word
    """What an order is made of, as it was put into the cart."""
    rows = await work.query(
        "SELECT l.product_id, l.sku, l.name, l.price, l.quantity, l.sold, o.currency FROM shop_order_lines l "
        "JOIN shop_orders o ON o.id = l.order_id WHERE l.order_id = ? ORDER BY l.id",
        (id,),
    )
    return tuple(_line(row) for row in rows)


async def move(work: Work, order: Order, *, to: Status, at: datetime, **fields: object) -> bool:
    """Give an order its next status, and other columns new values; False when somebody else has changed it since it
    was read. A moment is a datetime or milliseconds. `at`: when, for `closed_at`, `paid_at` and `shipped_at`, where
    they are not given. The goods of an order that is over unpaid go back into its customer's cart, if that is empty.

    Raises ValueError for a column that may not be changed.
    """
    if not await change(work, order, to, at, fields):
        return False
    if to in OVER and order.status == "created":
        await returns.into_cart(work, order.id, order.customer, at)
    if order.status in OVER and to not in OVER:
        await returns.out_of_cart(work, order.id, order.customer)
    return True


async def change(work: Work, order: Order, to: Status, at: datetime, fields: Mapping[str, object]) -> bool:
    """The same without a look at the cart."""
    unknown = sorted(set(fields) - _MOVED)
    if unknown:
        raise ValueError(f"{unknown[0]} of an order is not to be changed")
    stamps: Mapping[str, dict[str, object]] = {
        "paid": {"paid_at": at}, "shipped": {"shipped_at": at}, "cancelled": {"closed_at": at},
        "expired": {"closed_at": at}, "created": {},
    }  # fmt: skip
    changes = {**(stamps[to] if order.status != to else {}), **fields}
    names = "".join(f", {name} = ?" for name in changes)
    changed = await work.execute(
        f"UPDATE shop_orders SET status = ?, version = version + 1{names} WHERE id = ? AND version = ?",  # noqa: S608
        (to, *map(_stored, changes.values()), order.id, order.version),
    )
    return changed == 1


def _stored(value: object) -> object:
    match value:
        case datetime():
            return millis(value)
        case Mapping():
            return json.dumps(dict(value), ensure_ascii=False)
        case _:
            return value


def of_row(row: Mapping[str, object]) -> Order:
    """An order from a row with COLUMNS."""
    return Order(
        id=str(row["id"]),
        number=str(row["number"]),
        customer=str(row["customer"]),
        chat=str(row["chat"]),
        status=str(row["status"]),
        total=Money(minor=int(str(row["total"])), asset=str(row["currency"])),
        pay_with=str(row["pay_with"]),
        created_at=moment(row["created_at"]),
        expires_at=_maybe(row["expires_at"]),
        paid_at=_maybe(row["paid_at"]),
        shipped_at=_maybe(row["shipped_at"]),
        closed_at=_maybe(row["closed_at"]),
        reason=str(row["reason"]),
        tracking=str(row["tracking"]),
        extra=json.loads(str(row["extra"]) or "{}"),
        version=int(str(row["version"])),
    )


def _line(row: Mapping[str, object]) -> OrderLine:
    price, quantity, asset = int(str(row["price"])), int(str(row["quantity"])), str(row["currency"])
    return OrderLine(
        product=int(str(row["product_id"])),
        sku=str(row["sku"]),
        name=str(row["name"]),
        price=Money(minor=price, asset=asset),
        quantity=quantity,
        total=Money(minor=price * quantity, asset=asset),
        sold=int(str(row["sold"])),
    )
