"""What there is to buy, as customers see it: categories, products, one page at a time. Reads only."""

from collections.abc import Mapping, Sequence

from engine.actions import Money, Page, Work
from engine.core.records import record

_PRODUCT = (
    "id, sku, category_id, name, description, price, currency, stock - reserved AS free, picture, delivers, digital"
)


LAST = 2**63 - 1
"""No row has a greater id, and no database takes one."""


@record
class Category:
    """A category that customers may see."""

    id: int
    name: str
    parent: int | None
    categories: int
    """How many are in it."""
    products: int
    """How many products are in it, not counting those further down."""


@record
class Product:
    """A product that is sold, though perhaps not at the moment."""

    id: int
    sku: str
    category: int | None
    name: str
    description: str
    price: Money
    available: int
    """Free pieces."""
    picture: str | None
    digital: bool
    """Its buyer gets a text at once."""


class Shelves:
    """All categories that customers may see: one whose parent is hidden is not among them."""

    def __init__(self, rows: Sequence[Mapping[str, object]]) -> None:
        known = {int(str(row["id"])): row for row in rows}
        self._parents = {one: _maybe(row["parent_id"]) for one, row in known.items()}
        hidden = {one for one, row in known.items() if row["hidden"]}
        self._order = [int(str(row["id"])) for row in rows if self._shown(int(str(row["id"])), hidden)]
        self._names = {one: str(known[one]["name"]) for one in self._order}

    def _shown(self, category: int, hidden: set[int]) -> bool:
        seen: set[int] = set()
        at: int | None = category
        while at is not None:
            if at in hidden or at in seen or at not in self._parents:
                return False
            seen.add(at)
            at = self._parents[at]
        return True

    def __contains__(self, category: object) -> bool:
        return category in self._names

    def name(self, category: int) -> str:
        """Its name."""
        return self._names[category]

    def parent(self, category: int) -> int | None:
        """The category that it is in."""
        return self._parents[category]

    def children(self, parent: int | None) -> list[int]:
        """In the shop's order."""
        return [one for one in self._order if self._parents[one] == parent]

    def below(self, category: int) -> set[int]:
        """It and all further down."""
        found, new = {category}, [category]
        while new:
            new = [one for parent in new for one in self.children(parent) if one not in found]
            found.update(new)
        return found


async def shelves(work: Work) -> Shelves:
    """All categories that customers may see."""
    return Shelves(await work.query("SELECT id, parent_id, name, hidden FROM shop_categories ORDER BY position, id"))


async def categories(work: Work, parent: int | None) -> list[Category]:
    """The categories in a category, or at the top."""
    seen = await shelves(work)
    counted = await work.query(
        "SELECT category_id, count(*) AS n FROM shop_products WHERE active = 1 GROUP BY category_id"
    )
    products = {_maybe(row["category_id"]): int(str(row["n"])) for row in counted}
    return [_category(seen, one, products) for one in seen.children(parent)]


async def category(work: Work, id: int) -> Category | None:  # noqa: A002 - what it is
    """One category, if customers may see it."""
    seen = await shelves(work)
    if id not in seen:
        return None
    rows = await work.query("SELECT count(*) AS n FROM shop_products WHERE active = 1 AND category_id = ?", (id,))
    return _category(seen, id, {id: int(str(rows[0]["n"]))})


async def products(work: Work, category: int | None, page: Page) -> tuple[list[Product], int]:
    """One page of a category's products, and how many there are; without a category those of the whole shop.

    With a search: what has all its words in name, description or sku, also further down in the category.
    """
    seen = await shelves(work)
    wanted = None if category is None else (seen.below(category) if page.search.strip() else {category})
    if category is not None and category not in seen:
        return [], 0
    rows = await work.query(
        f"SELECT {_PRODUCT} FROM shop_products WHERE active = 1 "  # noqa: S608 - our own names
        + ("" if category is None or page.search.strip() else "AND category_id = ? ")
        + "ORDER BY category_id, position, id",
        () if category is None or page.search.strip() else (category,),
    )
    found = [
        row
        for row in rows
        if (row["category_id"] is None or row["category_id"] in seen)
        and (wanted is None or row["category_id"] in wanted)
        and _matches(row, page.search)
    ]
    return [_product(row) for row in found[page.offset : page.offset + page.limit]], len(found)


async def product(work: Work, id: int) -> Product | None:  # noqa: A002 - what it is
    """One product, if customers may see it."""
    if not 0 < id <= LAST:
        return None
    rows = await work.query(f"SELECT {_PRODUCT} FROM shop_products WHERE id = ? AND active = 1", (id,))  # noqa: S608
    if not rows:
        return None
    found = _product(rows[0])
    return found if found.category is None or found.category in await shelves(work) else None


def _matches(row: Mapping[str, object], search: str) -> bool:
    """In Python: SQLite knows small and capital letters of English only."""
    text = f"{row['name']} {row['description']} {row['sku']}".casefold()
    return all(word in text for word in search.casefold().split())


def _category(seen: Shelves, id: int, products: Mapping[int | None, int]) -> Category:  # noqa: A002 - what it is
    return Category(
        id=id,
        name=seen.name(id),
        parent=seen.parent(id),
        categories=len(seen.children(id)),
        products=products.get(id, 0),
    )


def _product(row: Mapping[str, object]) -> Product:
    return Product(
        id=int(str(row["id"])),
        sku=str(row["sku"]),
        category=_maybe(row["category_id"]),
        name=str(row["name"]),
        description=str(row["description"]),
        price=Money(minor=int(str(row["price"])), asset=str(row["currency"])),
        available=max(0, int(str(row["free"]))),
        picture=str(row["picture"]) if row["picture"] else None,
        digital=bool(row["digital"]) or bool(row["delivers"]),
    )


def _maybe(value: object) -> int | None:
    return None if value is None else int(str(value))
