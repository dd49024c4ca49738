"""The catalog: categories and products, with pages and search. Reads only."""

from engine.actions import Context, Page, Rows, action, source
from plugins.shop.records import Category, CategoryFound, Gone, Product, ProductFound
from storage.shop import carts
from storage.shop import catalog as store


@source(transactional=True)
async def categories(context: Context, *, parent: int | None = None) -> list[Category]:
    """The categories in a category; without one, those at the top.

    Args:
        parent: A category's id.
    """
    return [_category(found) for found in await store.categories(context.work, parent)]


@source(transactional=True)
async def products(context: Context, *, category: int | None = None, page: Page) -> Rows[Product]:
    """The products of a category, or with a search all that match it in there; without a category the whole shop's.

    Args:
        category: A category's id.
    """
    found, total = await store.products(context.work, category, page)
    return Rows(items=[_product(each) for each in found], total=total)


@action(transactional=True)
async def category(context: Context, *, category: int) -> CategoryFound | Gone:
    """One category.

    Args:
        category: Its id.
    """
    found = await store.category(context.work, category)
    if found is None:
        return Gone()
    return CategoryFound(
        id=found.id, name=found.name, parent=found.parent, categories=found.categories, products=found.products
    )


@action(transactional=True)
async def product(context: Context, *, product: int) -> ProductFound | Gone:
    """One product as it is now: price, free pieces, picture.

    Args:
        product: Its id.
    """
    found = await store.product(context.work, product)
    if found is None:
        return Gone()
    shelf = None if found.category is None else await store.category(context.work, found.category)
    return ProductFound(
        id=found.id,
        sku=found.sku,
        name=found.name,
        description=found.description,
        price=found.price,
        available=found.available,
        picture=found.picture,
        category=found.category,
        category_name=shelf.name if shelf else "",
        digital=found.digital,
        in_cart=await carts.quantity(context.work, context.chat, found.id),
    )


def _category(found: store.Category) -> Category:
    return Category(
        id=found.id, name=found.name, parent=found.parent, categories=found.categories, products=found.products
    )


def _product(found: store.Product) -> Product:
    return Product(
        id=found.id,
        sku=found.sku,
        name=found.name,
        description=found.description,
        price=found.price,
        available=found.available,
        picture=found.picture,
        category=found.category,
        digital=found.digital,
    )
