"""The tables of the shop, as Tortoise models: catalog, stock, customers, carts, orders. Part of `storage.models`.

Moments are epoch milliseconds, money is whole minor units with its currency beside it. The code works with these
tables in SQL (`storage.shop`), never through these classes.
"""

from typing import ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model


# A shelf of the catalog; without a parent it stands at the top.
class ShopCategory(Model):
    id = fields.BigIntField(primary_key=True)
    parent_id = fields.BigIntField(null=True)
    name = fields.TextField()
    position = fields.IntField()
    hidden = fields.IntField()
    path = fields.CharField(max_length=500, null=True, unique=True)
    """Names from the top down; only of those that bot.yaml declares."""

    class Meta:
        table = "shop_categories"
        indexes: ClassVar = [Index(fields=["parent_id", "position"], name="shop_categories_parent")]


# Something to buy. Free is `stock - reserved`.
class ShopProduct(Model):
    id = fields.BigIntField(primary_key=True)
    sku = fields.CharField(max_length=64, unique=True)
    category_id = fields.BigIntField(null=True)
    name = fields.TextField()
    description = fields.TextField()
    price = fields.BigIntField()
    currency = fields.CharField(max_length=8)
    stock = fields.BigIntField()
    reserved = fields.BigIntField()
    picture = fields.TextField(null=True)
    delivers = fields.TextField(null=True)
    position = fields.IntField()
    active = fields.IntField()
    origin = fields.CharField(max_length=32)
    digital = fields.IntField(db_default=0)
    """1: each piece is a row of shop_goods, and the stock is their number."""

    class Meta:
        table = "shop_products"
        indexes: ClassVar = [Index(fields=["category_id", "position"], name="shop_products_category")]
        constraints: ClassVar = [
            CheckConstraint(check="price >= 0", name="shop_products_price"),
            CheckConstraint(check="stock >= 0", name="shop_products_stock"),
            CheckConstraint(check="reserved >= 0", name="shop_products_reserved"),
            CheckConstraint(check="reserved <= stock", name="shop_products_held"),
        ]


# A piece of a digital product: a code, a key, a link. With an order it is sold.
class ShopGood(Model):
    id = fields.BigIntField(primary_key=True)
    product_id = fields.BigIntField()
    content = fields.TextField()
    order_id = fields.CharField(max_length=20, null=True)
    digest = fields.CharField(max_length=64)
    """SHA-256 of the content: the same one is never there twice."""

    class Meta:
        table = "shop_goods"
        unique_together: ClassVar = (("product_id", "digest"),)
        indexes: ClassVar = [
            Index(fields=["product_id", "order_id"], name="shop_goods_free"),
            Index(fields=["order_id"], name="shop_goods_order"),
        ]


# Whoever has used the shop, by their chat's id.
class ShopCustomer(Model):
    customer = fields.CharField(max_length=128, primary_key=True)
    chat = fields.CharField(max_length=128)
    name = fields.TextField()
    language = fields.CharField(max_length=16)
    strikes = fields.IntField()
    last_strike_at = fields.BigIntField(null=True)
    blocked = fields.IntField()
    wallet = fields.BigIntField()
    currency = fields.CharField(max_length=8)
    cart_version = fields.BigIntField()
    """Grows with every change of the cart."""

    class Meta:
        table = "shop_customers"
        indexes: ClassVar = [Index(fields=["strikes"], name="shop_customers_strikes")]
        constraints: ClassVar = [
            CheckConstraint(check="strikes >= 0", name="shop_customers_count"),
            CheckConstraint(check="wallet >= 0", name="shop_customers_wallet"),
        ]


class ShopCartLine(Model):
    id = fields.BigIntField(primary_key=True)
    customer = fields.CharField(max_length=128)
    product_id = fields.BigIntField()
    quantity = fields.IntField()
    added_at = fields.BigIntField()

    class Meta:
        table = "shop_cart_lines"
        unique_together: ClassVar = (("customer", "product_id"),)
        constraints: ClassVar = [CheckConstraint(check="quantity > 0", name="shop_cart_lines_quantity")]


class ShopOrder(Model):
    id = fields.CharField(max_length=20, primary_key=True)
    number = fields.CharField(max_length=32, unique=True)
    customer = fields.CharField(max_length=128)
    chat = fields.CharField(max_length=128)
    status = fields.CharField(max_length=16)
    total = fields.BigIntField()
    currency = fields.CharField(max_length=8)
    pay_with = fields.CharField(max_length=32)
    key = fields.CharField(max_length=200, unique=True)
    """Customer and version of the cart: one cart is ordered once."""
    created_at = fields.BigIntField()
    expires_at = fields.BigIntField(null=True)
    paid_at = fields.BigIntField(null=True)
    shipped_at = fields.BigIntField(null=True)
    closed_at = fields.BigIntField(null=True)
    reason = fields.TextField()
    tracking = fields.TextField()
    extra = fields.TextField()
    """JSON."""
    version = fields.BigIntField()

    class Meta:
        table = "shop_orders"
        indexes: ClassVar = [
            Index(fields=["customer", "created_at"], name="shop_orders_customer"),
            Index(fields=["status", "created_at"], name="shop_orders_status"),
        ]
        constraints: ClassVar = [
            CheckConstraint(check="total >= 0", name="shop_orders_total"),
            CheckConstraint(
                check="status IN ('created', 'paid', 'shipped', 'cancelled', 'expired')", name="shop_orders_known"
            ),
        ]


# What was ordered, with the name and the price of that moment.
class ShopOrderLine(Model):
    id = fields.BigIntField(primary_key=True)
    order_id = fields.CharField(max_length=20)
    product_id = fields.BigIntField()
    sku = fields.CharField(max_length=64)
    name = fields.TextField()
    price = fields.BigIntField()
    quantity = fields.IntField()
    sold = fields.IntField(db_default=0)
    """How many of them have left the stock: none or all."""

    class Meta:
        table = "shop_order_lines"
        unique_together: ClassVar = (("order_id", "product_id"),)
        constraints: ClassVar = [
            CheckConstraint(check="price >= 0", name="shop_order_lines_price"),
            CheckConstraint(check="quantity > 0", name="shop_order_lines_quantity"),
            CheckConstraint(check="sold >= 0 AND sold <= quantity", name="shop_order_lines_sold"),
        ]


# Pieces held for an order that is not paid yet: their sum is the product's `reserved`.
class ShopReservation(Model):
    id = fields.BigIntField(primary_key=True)
    order_id = fields.CharField(max_length=20)
    product_id = fields.BigIntField()
    quantity = fields.IntField()

    class Meta:
        table = "shop_reservations"
        unique_together: ClassVar = (("order_id", "product_id"),)
        indexes: ClassVar = [Index(fields=["product_id"], name="shop_reservations_product")]
        constraints: ClassVar = [CheckConstraint(check="quantity > 0", name="shop_reservations_quantity")]
