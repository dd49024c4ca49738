"""A shop in memory for tests: tables, a small catalog, customers, calls of actions as the engine makes them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.actions import Catalog, Page, Request, invoke
from engine.actions.context import Context, Voiced
from engine.actions.discovery import builtin_catalog
from engine.actions.testing import MOMENT, Database, context, service_context, work
from storage.plugin_sql import TABLES
from storage.shop.settings import ShopSettings

PAGE = Page(search="", offset=0, limit=10)
TEAM: Mapping[str, object] = {"id": "9", "name": "Tom", "language": "en", "roles": ("admin",)}


def catalog() -> Catalog:
    """All shipped plugins."""
    return builtin_catalog()


@dataclass(kw_only=True)
class Shop:
    """A database with tables, and somebody who uses the shop."""

    database: Database = field(default_factory=lambda: Database.of(TABLES))
    settings: ShopSettings = field(default_factory=ShopSettings)
    requests: list[Request] = field(default_factory=list)
    """What was sent, of everybody."""
    now: datetime = MOMENT
    offers: Catalog = field(default_factory=catalog)

    @property
    def work(self) -> Voiced:
        return work(self.database, self.requests)

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def stocked(self, *rows: tuple[str, int, int], currency: str = "EUR") -> list[int]:
        """Products: sku, price, stock; their ids."""
        return [self._product(*row, currency=currency) for row in rows]

    def _product(self, sku: str, price: int, pieces: int, *, currency: str) -> int:
        cursor = self.database.connection.execute(
            "INSERT INTO shop_products (sku, name, description, price, currency, stock, reserved, position, active, "
            "origin) VALUES (?, ?, '', ?, ?, ?, 0, 0, 1, '')",
            (sku, sku.title(), price, currency, pieces),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def context(self, who: str = "anna", **given: Any) -> Context:
        person: Mapping[str, object] = TEAM if who == "team" else {"id": who, "name": who.title(), "roles": ()}
        return context(
            database=self.database,
            transactional=True,
            chat=f"test:{who}",
            customer=person,
            now=self.now,
            configured={ShopSettings: self.settings},
            requests=self.requests,
            **given,
        )

    def does(self, name: str, who: str = "anna", **arguments: Any) -> tuple[str, Any]:
        """Call an action of the shop in a transaction; its outcome and fields."""

        async def call() -> tuple[str, Any]:
            async with self.database.transaction():
                return await invoke(self.offers.actions[f"shop.{name}"], self.context(who), arguments)

        return asyncio.run(call())

    def lists(self, name: str, who: str = "anna", page: Page | None = None, **arguments: Any) -> Any:
        """Ask a source of the shop; its rows."""
        found = self.offers.sources[f"shop.{name}"]
        _, answer = asyncio.run(invoke(found, self.context(who), arguments, page or PAGE))
        return answer["rows"] if isinstance(answer, Mapping) else answer

    def service(self, **given: Any) -> Any:
        return service_context(
            database=self.database, requests=self.requests, configured={ShopSettings: self.settings}, **given
        )

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return [dict(row) for row in self.database.connection.execute(sql, values).fetchall()]

    def value(self, sql: str, *values: object) -> Any:
        return self.database.connection.execute(sql, values).fetchone()[0]

    def stock(self, product: int) -> tuple[int, int]:
        """In stock, reserved."""
        (row,) = self.rows("SELECT stock, reserved FROM shop_products WHERE id = ?", product)
        return row["stock"], row["reserved"]

    def ordered(self, who: str = "anna", pay_with: str = "BTC", **pieces: int) -> str:
        """Fill a cart, order it; the order's id. `p1=2`: two pieces of product 1."""
        for name, quantity in pieces.items():
            assert self.does("add", who, product=int(name[1:]), quantity=quantity)[0] == "added"
        _, cart = self.does("read_cart", who)
        outcome, placed = self.does("place_order", who, cart=cart, currency=pay_with)
        assert outcome == "placed", (outcome, placed)
        return str(placed["id"])

    def sent(self, name: str) -> list[Any]:
        """Signals and news of this name, and what the team was told under it."""
        return [
            each
            for each in self.requests
            if getattr(each, "name", None) == name or getattr(each, "arguments", {}).get("news") == name
        ]
