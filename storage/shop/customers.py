"""Whoever uses the shop: strikes, a balance that the shop keeps, the version of their cart. Statements only."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.actions import Money, Page, Work
from engine.core.records import record
from storage.shop.moments import moment
from storage.shop.orders import contains

_COLUMNS = "customer, chat, name, language, strikes, last_strike_at, blocked, wallet, currency, cart_version"


@record
class Customer:
    """A customer, by their chat's id."""

    id: str
    name: str
    language: str
    strikes: int
    last_strike_at: datetime | None
    blocked: bool
    """By hand, in the table."""
    wallet: Money
    """What the shop owes them: credited, never paid out by itself."""
    cart_version: int


async def ensure(work: Work, customer: str, *, name: str, language: str) -> Customer:
    """The customer, whose name and language are as given from now on."""
    known = await find(work, customer)
    name, language = name[:200], language[:16]
    if known is not None and (known.name, known.language) == (name, language):
        return known
    await work.execute(
        "INSERT INTO shop_customers (customer, chat, name, language, strikes, blocked, wallet, currency, cart_version)"
        " VALUES (?, ?, ?, ?, 0, 0, 0, '', 0) ON CONFLICT (customer) DO UPDATE SET name = excluded.name, "
        "language = excluded.language",
        (customer, customer, name, language),
    )
    found = await find(work, customer)
    assert found is not None
    return found


async def find(work: Work, customer: str) -> Customer | None:
    """The customer, if they have ever used the shop."""
    rows = await work.query(f"SELECT {_COLUMNS} FROM shop_customers WHERE customer = ?", (customer,))  # noqa: S608
    return _customer(rows[0]) if rows else None


async def listed(work: Work, page: Page) -> tuple[Sequence[Customer], int]:
    """One page of customers, those with the most strikes first, whose name or id contains the search; how many."""
    wanted = contains(page.search.strip())
    where = "(name LIKE ? ESCAPE '!' OR customer LIKE ? ESCAPE '!')"
    (counted,) = await work.query(f"SELECT count(*) AS n FROM shop_customers WHERE {where}", (wanted, wanted))  # noqa: S608
    rows = await work.query(
        f"SELECT {_COLUMNS} FROM shop_customers WHERE {where} "  # noqa: S608 - our own names
        "ORDER BY strikes DESC, customer LIMIT ? OFFSET ?",
        (wanted, wanted, page.limit, page.offset),
    )
    return [_customer(row) for row in rows], int(str(counted["n"]))


async def touch(work: Work, customer: str) -> None:
    """The cart is changed: its next version. Nobody else changes it until the transaction is over."""
    await work.execute("UPDATE shop_customers SET cart_version = cart_version + 1 WHERE customer = ?", (customer,))


async def forgive(work: Work, customer: str) -> bool:
    """No strikes, not blocked; False when there is no such customer."""
    changed = await work.execute(
        "UPDATE shop_customers SET strikes = 0, last_strike_at = NULL, blocked = 0 WHERE customer = ?", (customer,)
    )
    return changed == 1


def _customer(row: Mapping[str, object]) -> Customer:
    return Customer(
        id=str(row["customer"]),
        name=str(row["name"]),
        language=str(row["language"]),
        strikes=int(str(row["strikes"])),
        last_strike_at=None if row["last_strike_at"] is None else moment(row["last_strike_at"]),
        blocked=bool(row["blocked"]),
        wallet=Money(minor=int(str(row["wallet"])), asset=str(row["currency"]) or "EUR"),
        cart_version=int(str(row["cart_version"])),
    )
