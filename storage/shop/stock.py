"""Stock: what is free, held for an order, sold, put back. Statements over an open transaction that cannot oversell.

Every deed may be repeated and comes in any order. Locks are always taken in this order: products by their id, orders,
invoices, customers. A deed that changes a product's row first and then its own row cannot act twice: whoever comes
second has waited for the product, finds its own row gone and takes its change back.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from engine.actions import Money, Work
from engine.core.records import record
from storage.shop.ledger import marks, portions

_HOLD = "UPDATE shop_products SET reserved = reserved + ? WHERE id = ? AND active = 1 AND stock - reserved >= ?"
_HOLD_AT = _HOLD + " AND price = ? AND currency = ?"
_HOLD_AGAIN = "UPDATE shop_products SET reserved = reserved + ? WHERE id = ? AND stock - reserved >= ?"
_LET_GO = "UPDATE shop_products SET reserved = reserved - ? WHERE id = ? AND reserved >= ?"
_TAKE = "UPDATE shop_products SET stock = stock - ?, reserved = reserved - ? WHERE id = ? AND reserved >= ?"
_GIVE = "UPDATE shop_products SET stock = stock + ?, reserved = reserved + ? WHERE id = ?"
_ROW = "DELETE FROM shop_reservations WHERE order_id = ? AND product_id = ? AND quantity = ?"


@record
class Line:
    """So many pieces of a product."""

    product: int
    quantity: int


@record
class Shortage:
    """A product of which there is less than was asked for."""

    product: int
    wanted: int
    available: int
    """0 also for one that is not sold any more, or is not there."""


def summed(lines: Iterable[Line]) -> tuple[Line, ...]:
    """One line per product, by id: the order in which products are locked. Raises ValueError for less than a piece."""
    pieces: dict[int, int] = {}
    for line in lines:
        if line.quantity < 1:
            raise ValueError(f"{line.quantity} pieces of product {line.product}: at least one")
        pieces[line.product] = pieces.get(line.product, 0) + line.quantity
    return tuple(Line(product=product, quantity=pieces[product]) for product in sorted(pieces))


async def lock(work: Work, order: str) -> None:
    """Be alone with the products of an order, and so with the order, until the transaction is over."""
    for line in await _lines(work, order):
        await work.execute("UPDATE shop_products SET reserved = reserved WHERE id = ?", (line.product,))


async def reserve(work: Work, order: str, lines: Iterable[Line], at: datetime) -> tuple[Shortage, ...]:
    """Hold all of it for an order, or nothing: then what is short. Nothing is done for an order that holds something
    or was sold. `at` is the moment of the order; holds end by `release`, not by themselves."""
    wanted = summed(lines)
    if await _settled(work, order):
        return ()
    return await _hold(work, order, wanted, _HOLD)


async def reserve_at(
    work: Work, order: str, lines: Iterable[Line], prices: Mapping[int, Money]
) -> tuple[Shortage, ...]:
    """`reserve` for an order that nobody else can know of yet, as long as its products cost this.

    A shortage with as much available as wanted is a price that has changed.
    """
    return await _hold(work, order, summed(lines), _HOLD_AT, prices)


async def retake(work: Work, order: str, at: datetime) -> bool:
    """Hold an order's goods again, all or nothing; True as well when they are held or sold already."""
    if await _settled(work, order):
        return True
    wanted = await _lines(work, order)
    return bool(wanted) and not await _hold(work, order, wanted, _HOLD_AGAIN)


async def release(work: Work, order: str) -> bool:
    """Let go of whatever is held for an order; whether something was."""
    held = await _held(work, order)
    taken = [line for line in held if await work.execute(_LET_GO, (line.quantity, line.product, line.quantity))]
    gone = 0
    for line in held:
        mine = await work.execute(_ROW, (order, line.product, line.quantity)) == 1
        gone += mine
        if line in taken and not mine:  # another transaction has let go of it meanwhile
            await work.execute(
                "UPDATE shop_products SET reserved = reserved + ? WHERE id = ?", (line.quantity, line.product)
            )
    return gone > 0


async def release_all(work: Work, orders: Iterable[str]) -> None:
    """Let go of whatever is held for these orders, whose products the caller has locked: nobody else does so too."""
    for part in portions(sorted(set(orders))):
        rows = await work.query(
            "SELECT product_id, sum(quantity) AS held FROM shop_reservations "  # noqa: S608 - marks only
            f"WHERE order_id IN ({marks(part)}) GROUP BY product_id ORDER BY product_id",
            part,
        )
        for row in rows:
            held = _whole(row["held"])
            await work.execute(_LET_GO, (held, row["product_id"], held))
        if rows:
            await work.execute(f"DELETE FROM shop_reservations WHERE order_id IN ({marks(part)})", part)  # noqa: S608


async def sell(work: Work, order: str) -> bool:
    """What is held for an order leaves the stock for good; its codes are the order's. Whether something was held."""
    held = await _held(work, order)
    taken = [
        line for line in held if await work.execute(_TAKE, (line.quantity, line.quantity, line.product, line.quantity))
    ]
    gone = 0
    for line in held:
        mine = await work.execute(_ROW, (order, line.product, line.quantity)) == 1
        gone += mine
        if mine:
            await work.execute(
                "UPDATE shop_order_lines SET sold = quantity WHERE order_id = ? AND product_id = ?",
                (order, line.product),
            )
            await _allot(work, order, line)
        elif line in taken:
            await work.execute(_GIVE, (line.quantity, line.quantity, line.product))
    return gone > 0


async def restock(work: Work, order: str) -> bool:
    """Sold goods come back into the stock; whether some did. Codes do not: their buyer has read them."""
    sold = await work.query(
        "SELECT l.product_id, l.sold FROM shop_order_lines l JOIN shop_products p ON p.id = l.product_id "
        "WHERE l.order_id = ? AND l.sold > 0 AND p.digital = 0 ORDER BY l.product_id",
        (order,),
    )
    lines = [Line(product=_whole(row["product_id"]), quantity=_whole(row["sold"])) for row in sold]
    for line in lines:
        await work.execute("UPDATE shop_products SET stock = stock + ? WHERE id = ?", (line.quantity, line.product))
    back = 0
    for line in lines:
        mine = await work.execute(
            "UPDATE shop_order_lines SET sold = 0 WHERE order_id = ? AND product_id = ? AND sold = ?",
            (order, line.product, line.quantity),
        )
        back += mine
        if not mine:
            await work.execute("UPDATE shop_products SET stock = stock - ? WHERE id = ?", (line.quantity, line.product))
    return back > 0


async def goods(work: Work, order: str) -> tuple[str, ...]:
    """What a paid order's buyer gets as text: the codes that are theirs, then what its products deliver."""
    codes = await work.query("SELECT content FROM shop_goods WHERE order_id = ? ORDER BY product_id, id", (order,))
    texts = await work.query(
        "SELECT p.delivers FROM shop_order_lines l JOIN shop_products p ON p.id = l.product_id "
        "WHERE l.order_id = ? AND l.sold > 0 AND p.delivers IS NOT NULL AND p.delivers <> '' ORDER BY l.id",
        (order,),
    )
    return tuple(str(row["content"]) for row in codes) + tuple(str(row["delivers"]) for row in texts)


async def differences(work: Work) -> tuple[str, ...]:
    """Where the books of the stock do not agree, in words; empty when all is well."""
    held = await work.query(
        "SELECT p.sku, p.reserved, coalesce(r.held, 0) AS held FROM shop_products p LEFT JOIN "
        "(SELECT product_id, sum(quantity) AS held FROM shop_reservations GROUP BY product_id) r "
        "ON r.product_id = p.id WHERE p.reserved <> coalesce(r.held, 0) ORDER BY p.id"
    )
    codes = await work.query(
        "SELECT p.sku, p.stock, coalesce(g.free, 0) AS free FROM shop_products p LEFT JOIN "
        "(SELECT product_id, count(*) AS free FROM shop_goods WHERE order_id IS NULL GROUP BY product_id) g "
        "ON g.product_id = p.id WHERE p.digital = 1 AND p.stock <> coalesce(g.free, 0) ORDER BY p.id"
    )
    idle = await work.query(
        "SELECT r.order_id, o.status FROM shop_reservations r LEFT JOIN shop_orders o ON o.id = r.order_id "
        "WHERE o.status IS NULL OR o.status <> 'created' ORDER BY r.id"
    )
    return (
        *(f"{row['sku']}: {row['reserved']} pieces are held, its reservations say {row['held']}" for row in held),
        *(f"{row['sku']}: {row['stock']} pieces in stock, {row['free']} codes are free" for row in codes),
        *(f"order {row['order_id']} ({row['status'] or 'not there'}) still holds goods" for row in idle),
    )


# --- parts -----------------------------------------------------------------------------------------------


async def _hold(
    work: Work, order: str, wanted: tuple[Line, ...], statement: str, prices: Mapping[int, Money] | None = None
) -> tuple[Shortage, ...]:
    held: list[Line] = []
    short: list[Line] = []
    for line in wanted:
        price = () if prices is None else (prices[line.product].minor, prices[line.product].asset)
        done = await work.execute(statement, (line.quantity, line.product, line.quantity, *price))
        (held if done else short).append(line)
    if short:
        await _let_go(work, held)
        return await _shortages(work, short)
    mine = await _note(work, order, wanted)
    await _let_go(work, [line for line in wanted if line.product not in mine])
    return ()


async def _note(work: Work, order: str, lines: tuple[Line, ...]) -> set[int]:
    """The products of the rows that were added: not where another transaction has reserved for this order before us."""
    marks = ", ".join(["(?, ?, ?)"] * len(lines))
    rows = await work.query(
        f"INSERT INTO shop_reservations (order_id, product_id, quantity) VALUES {marks} "  # noqa: S608 - marks only
        "ON CONFLICT DO NOTHING RETURNING product_id",
        [value for line in lines for value in (order, line.product, line.quantity)],
    )
    return {_whole(row["product_id"]) for row in rows}


async def _let_go(work: Work, lines: Iterable[Line]) -> None:
    for line in lines:
        await work.execute(_LET_GO, (line.quantity, line.product, line.quantity))


async def _shortages(work: Work, lines: Iterable[Line]) -> tuple[Shortage, ...]:
    found: list[Shortage] = []
    for line in lines:
        free = await available(work, line.product)
        found.append(Shortage(product=line.product, wanted=line.quantity, available=min(free, line.quantity)))
    return tuple(found)


async def available(work: Work, product: int) -> int:
    """How many pieces are free now; 0 for a product that is not sold."""
    rows = await work.query(
        "SELECT stock - reserved AS free FROM shop_products WHERE id = ? AND active = 1", (product,)
    )
    return _whole(rows[0]["free"]) if rows else 0


async def _settled(work: Work, order: str) -> bool:
    """Whether the order holds or has its goods."""
    rows = await work.query(
        "SELECT 1 AS found FROM shop_reservations WHERE order_id = ? UNION ALL "
        "SELECT 1 AS found FROM shop_order_lines WHERE order_id = ? AND sold > 0 LIMIT 1",
        (order, order),
    )
    return bool(rows)


async def _held(work: Work, order: str) -> tuple[Line, ...]:
    return _read(
        await work.query(
            "SELECT product_id, quantity FROM shop_reservations WHERE order_id = ? ORDER BY product_id", (order,)
        )
    )


async def _lines(work: Work, order: str) -> tuple[Line, ...]:
    return _read(
        await work.query(
            "SELECT product_id, quantity FROM shop_order_lines WHERE order_id = ? ORDER BY product_id", (order,)
        )
    )


def _read(rows: Iterable[Mapping[str, object]]) -> tuple[Line, ...]:
    return tuple(Line(product=_whole(row["product_id"]), quantity=_whole(row["quantity"])) for row in rows)


async def _allot(work: Work, order: str, line: Line) -> None:
    """The product's row is locked by us, so nobody else takes these codes."""
    await work.execute(
        "UPDATE shop_goods SET order_id = ? WHERE order_id IS NULL AND id IN (SELECT id FROM shop_goods "
        "WHERE product_id = ? AND order_id IS NULL ORDER BY id LIMIT ?)",
        (order, line.product, line.quantity),
    )


def _whole(value: object) -> int:
    return int(str(value))
