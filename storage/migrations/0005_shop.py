"""The shop: catalog, stock, customers, carts, orders. From `storage.models_shop`; never changed."""
# ruff: noqa: RUF012

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

from storage.checked import CreateChecked


class Migration(migrations.Migration):
    dependencies = [("stepgram", "0004_news")]

    operations = [
        CreateChecked(
            name="ShopCategory",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("parent_id", fields.BigIntField(null=True)),
                ("name", fields.TextField(unique=False)),
                ("position", fields.IntField()),
                ("hidden", fields.IntField()),
                ("path", fields.CharField(null=True, unique=True, max_length=500)),
            ],
            options={
                "table": "shop_categories",
                "app": "stepgram",
                "indexes": [Index(fields=["parent_id", "position"], name="shop_categories_parent")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="ShopProduct",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("sku", fields.CharField(unique=True, max_length=64)),
                ("category_id", fields.BigIntField(null=True)),
                ("name", fields.TextField(unique=False)),
                ("description", fields.TextField(unique=False)),
                ("price", fields.BigIntField()),
                ("currency", fields.CharField(max_length=8)),
                ("stock", fields.BigIntField()),
                ("reserved", fields.BigIntField()),
                ("picture", fields.TextField(null=True, unique=False)),
                ("delivers", fields.TextField(null=True, unique=False)),
                ("position", fields.IntField()),
                ("active", fields.IntField()),
                ("origin", fields.CharField(max_length=32)),
                ("digital", fields.IntField(db_default=0)),
            ],
            options={
                "table": "shop_products",
                "app": "stepgram",
                "indexes": [Index(fields=["category_id", "position"], name="shop_products_category")],
                "constraints": [
                    CheckConstraint(check="price >= 0", name="shop_products_price"),
                    CheckConstraint(check="stock >= 0", name="shop_products_stock"),
                    CheckConstraint(check="reserved >= 0", name="shop_products_reserved"),
                    CheckConstraint(check="reserved <= stock", name="shop_products_held"),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="ShopGood",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("product_id", fields.BigIntField()),
                ("content", fields.TextField(unique=False)),
                ("order_id", fields.CharField(null=True, max_length=20)),
                ("digest", fields.CharField(max_length=64)),
            ],
            options={
                "table": "shop_goods",
                "app": "stepgram",
                "unique_together": (("product_id", "digest"),),
                "indexes": [
                    Index(fields=["product_id", "order_id"], name="shop_goods_free"),
                    Index(fields=["order_id"], name="shop_goods_order"),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="ShopCustomer",
            fields=[
                ("customer", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ("chat", fields.CharField(max_length=128)),
                ("name", fields.TextField(unique=False)),
                ("language", fields.CharField(max_length=16)),
                ("strikes", fields.IntField()),
                ("last_strike_at", fields.BigIntField(null=True)),
                ("blocked", fields.IntField()),
                ("wallet", fields.BigIntField()),
                ("currency", fields.CharField(max_length=8)),
                ("cart_version", fields.BigIntField()),
            ],
            options={
                "table": "shop_customers",
                "app": "stepgram",
                "indexes": [Index(fields=["strikes"], name="shop_customers_strikes")],
                "constraints": [
                    CheckConstraint(check="strikes >= 0", name="shop_customers_count"),
                    CheckConstraint(check="wallet >= 0", name="shop_customers_wallet"),
                ],
                "pk_attr": "customer",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="ShopCartLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("customer", fields.CharField(max_length=128)),
                ("product_id", fields.BigIntField()),
                ("quantity", fields.IntField()),
                ("added_at", fields.BigIntField()),
            ],
            options={
                "table": "shop_cart_lines",
                "app": "stepgram",
                "unique_together": (("customer", "product_id"),),
                "constraints": [CheckConstraint(check="quantity > 0", name="shop_cart_lines_quantity")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="ShopOrder",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=20)),
                ("number", fields.CharField(unique=True, max_length=32)),
                ("customer", fields.CharField(max_length=128)),
                ("chat", fields.CharField(max_length=128)),
                ("status", fields.CharField(max_length=16)),
                ("total", fields.BigIntField()),
                ("currency", fields.CharField(max_length=8)),
                ("pay_with", fields.CharField(max_length=32)),
                ("key", fields.CharField(unique=True, max_length=200)),
                ("created_at", fields.BigIntField()),
                ("expires_at", fields.BigIntField(null=True)),
                ("paid_at", fields.BigIntField(null=True)),
                ("shipped_at", fields.BigIntField(null=True)),
                ("closed_at", fields.BigIntField(null=True)),
                ("reason", fields.TextField(unique=False)),
                ("tracking", fields.TextField(unique=False)),
                ("extra", fields.TextField(unique=False)),
                ("version", fields.BigIntField()),
            ],
            options={
                "table": "shop_orders",
                "app": "stepgram",
                "indexes": [
                    Index(fields=["customer", "created_at"], name="shop_orders_customer"),
                    Index(fields=["status", "created_at"], name="shop_orders_status"),
                ],
                "constraints": [
                    CheckConstraint(check="total >= 0", name="shop_orders_total"),
                    CheckConstraint(
                        check="status IN ('created', 'paid', 'shipped', 'cancelled', 'expired')",
                        name="shop_orders_known",
                    ),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="ShopOrderLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("order_id", fields.CharField(max_length=20)),
                ("product_id", fields.BigIntField()),
                ("sku", fields.CharField(max_length=64)),
                ("name", fields.TextField(unique=False)),
                ("price", fields.BigIntField()),
                ("quantity", fields.IntField()),
                ("sold", fields.IntField(db_default=0)),
            ],
            options={
                "table": "shop_order_lines",
                "app": "stepgram",
                "unique_together": (("order_id", "product_id"),),
                "constraints": [
                    CheckConstraint(check="price >= 0", name="shop_order_lines_price"),
                    CheckConstraint(check="quantity > 0", name="shop_order_lines_quantity"),
                    CheckConstraint(check="sold >= 0 AND sold <= quantity", name="shop_order_lines_sold"),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateChecked(
            name="ShopReservation",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("order_id", fields.CharField(max_length=20)),
                ("product_id", fields.BigIntField()),
                ("quantity", fields.IntField()),
            ],
            options={
                "table": "shop_reservations",
                "app": "stepgram",
                "unique_together": (("order_id", "product_id"),),
                "indexes": [Index(fields=["product_id"], name="shop_reservations_product")],
                "constraints": [CheckConstraint(check="quantity > 0", name="shop_reservations_quantity")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
    ]
