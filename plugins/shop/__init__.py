"""A shop: catalog, cart, orders, their life after the chat. Stock and money add up in `storage.shop`; this is its door.

Nothing here knows how an order is paid.
"""

from engine.actions import settings
from plugins.shop.browsing import categories, category, product, products
from plugins.shop.carting import add, change, clear, read_cart, reduce_cart, remove
from plugins.shop.ordering import cancel_order, me, my_orders, order, place_order
from plugins.shop.services import catalog, clock
from plugins.shop.team import cancel_by_shop, customers, forgive, orders, ship_order
from storage.shop.settings import ShopSettings

__all__ = [
    "add", "cancel_by_shop", "cancel_order", "catalog", "categories", "category", "change", "clear", "clock",
    "customers", "forgive", "me", "my_orders", "order", "orders", "place_order", "product", "products", "read_cart",
    "reduce_cart", "remove", "settings_of", "ship_order",
]  # fmt: skip

settings_of = settings(ShopSettings)
