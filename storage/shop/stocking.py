"""The catalog of bot.yaml into the tables. What the tables know better stays: the stock of a product they know.

Only rows that differ are written, products by their id, so that shopping goes on meanwhile.
"""

import hashlib
from collections.abc import Mapping, Sequence

from engine.actions import Work
from engine.core.records import record
from storage.shop.settings import CatalogCategory, CatalogProduct

ORIGIN = "bot.yaml"
_BETWEEN = " / "


@record
class _Wanted:
    """A product of bot.yaml and where it stands."""

    product: CatalogProduct
    category: int
    position: int

    def columns(self) -> dict[str, object]:
        """Everything but the stock."""
        one = self.product
        return {
            "category_id": self.category, "name": one.name, "description": one.description, "price": one.price.minor,
            "currency": one.price.asset, "picture": one.picture or None, "delivers": one.delivers or None,
            "position": self.position, "active": 1, "origin": ORIGIN,
        }  # fmt: skip


async def stock_up(work: Work, catalog: Sequence[CatalogCategory]) -> int:
    """Bring the tables to what the catalog says; how many rows were changed.

    A product that has gone from the catalog is not sold any more, a category is hidden; both stay in old orders.
    """
    wanted: list[_Wanted] = []
    paths: set[str] = set()
    changed = 0
    for at, category in enumerate(catalog):
        top, new = await _category(work, category.name, None, at, hidden=category.hidden, path=category.name)
        paths.add(category.name)
        changed += new
        wanted += [_Wanted(product=one, category=top, position=i) for i, one in enumerate(category.products)]
        for below, shelf in enumerate(category.shelves):
            path = f"{category.name}{_BETWEEN}{shelf.name}"
            inner, new = await _category(work, shelf.name, top, below, hidden=shelf.hidden, path=path)
            paths.add(path)
            changed += new
            wanted += [_Wanted(product=one, category=inner, position=i) for i, one in enumerate(shelf.products)]
    return changed + await _hide(work, paths) + await _products(work, wanted)


async def _category(
    work: Work, name: str, parent: int | None, position: int, *, hidden: bool, path: str
) -> tuple[int, int]:
    """Its id, and 1 when it was written."""
    rows = await work.query("SELECT id, parent_id, position, hidden FROM shop_categories WHERE path = ?", (path,))
    values = (name, parent, position, int(hidden))
    if not rows:
        await work.execute(
            "INSERT INTO shop_categories (name, parent_id, position, hidden, path) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (*values, path),
        )
        rows = await work.query("SELECT id FROM shop_categories WHERE path = ?", (path,))
        return int(str(rows[0]["id"])), 1
    row = rows[0]
    if (row["parent_id"], row["position"], row["hidden"]) == values[1:]:
        return int(str(row["id"])), 0
    await work.execute(
        "UPDATE shop_categories SET name = ?, parent_id = ?, position = ?, hidden = ? WHERE id = ?",
        (*values, row["id"]),
    )
    return int(str(row["id"])), 1


async def _hide(work: Work, paths: set[str]) -> int:
    rows = await work.query("SELECT id, path FROM shop_categories WHERE path IS NOT NULL AND hidden = 0 ORDER BY id")
    gone = [row["id"] for row in rows if row["path"] not in paths]
    for id in gone:  # noqa: A001 - what it is
        await work.execute("UPDATE shop_categories SET hidden = 1 WHERE id = ?", (id,))
    return len(gone)


async def _products(work: Work, wanted: Sequence[_Wanted]) -> int:
    rows = await work.query("SELECT * FROM shop_products ORDER BY id")
    by_sku = {each.product.sku: each for each in wanted}
    changed = 0
    for row in rows:
        each = by_sku.pop(str(row["sku"]), None)
        if each is not None:
            changed += await _update(work, row, each)
        elif row["origin"] == ORIGIN and row["active"]:
            changed += await work.execute("UPDATE shop_products SET active = 0 WHERE id = ?", (row["id"],))
    for each in by_sku.values():
        changed += await _insert(work, each)
    return changed


async def _update(work: Work, row: Mapping[str, object], each: _Wanted) -> int:
    columns, id = each.columns(), int(str(row["id"]))  # noqa: A001 - what it is
    changed = 0
    if any(row[name] != value for name, value in columns.items()):
        names = ", ".join(f"{name} = ?" for name in columns)
        await work.execute(f"UPDATE shop_products SET {names} WHERE id = ?", (*columns.values(), id))  # noqa: S608
        changed = 1
    return changed | await _codes(work, id, each.product.codes)


async def _insert(work: Work, each: _Wanted) -> int:
    columns = {**each.columns(), "sku": each.product.sku, "stock": 0 if each.product.codes else each.product.stock}
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    await work.execute(
        f"INSERT INTO shop_products ({names}, reserved) VALUES ({marks}, 0) ON CONFLICT DO NOTHING",  # noqa: S608
        tuple(columns.values()),
    )
    rows = await work.query("SELECT id FROM shop_products WHERE sku = ?", (each.product.sku,))
    await _codes(work, int(str(rows[0]["id"])), each.product.codes)
    return 1


async def _codes(work: Work, product: int, codes: Sequence[str]) -> int:
    """Take in new codes; the stock grows by their number. 1 when there were some."""
    if not codes:
        return 0
    rows = await work.query("SELECT digest FROM shop_goods WHERE product_id = ?", (product,))
    known = {str(row["digest"]) for row in rows}
    fresh = {digest(code): code for code in codes}
    fresh = {key: code for key, code in fresh.items() if key not in known}
    if not fresh:
        return 0
    await work.execute("UPDATE shop_products SET reserved = reserved WHERE id = ?", (product,))
    for key, code in fresh.items():
        await work.execute(
            "INSERT INTO shop_goods (product_id, content, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (product, code, key),
        )
    await work.execute(
        "UPDATE shop_products SET digital = 1, stock = (SELECT count(*) FROM shop_goods g WHERE "
        "g.product_id = shop_products.id AND g.order_id IS NULL) WHERE id = ? AND reserved <= (SELECT count(*) "
        "FROM shop_goods g WHERE g.product_id = shop_products.id AND g.order_id IS NULL)",
        (product,),
    )
    return 1


def digest(code: str) -> str:
    """What a code is known again by."""
    return hashlib.sha256(code.encode()).hexdigest()
