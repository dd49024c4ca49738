"""What the shop's actions and sources speak of. Values only."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from engine.actions import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A category that customers may see."""

    id: int
    name: str
    parent: int | None
    """The category that it is in."""
    categories: int
    """How many categories are in it."""
    products: int
    """How many products are in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFound:
    """The category."""

    __outcome__: ClassVar[str] = "found"

    id: int
    name: str
    parent: int | None
    categories: int
    products: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something to buy."""

    id: int
    sku: str
    name: str
    description: str
    price: Money
    available: int
    """Pieces that are free now."""
    picture: str | None
    category: int | None
    digital: bool
    """Its buyer gets a code or a text at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFound:
    """The product."""

    __outcome__: ClassVar[str] = "found"

    id: int
    sku: str
    name: str
    description: str
    price: Money
    available: int
    picture: str | None
    category: int | None
    category_name: str
    digital: bool
    in_cart: int
    """How many are in the customer's cart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """It is not there, not sold any more, or not for this customer to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """It is in the cart."""

    product: int
    name: str
    quantity: int
    """How many of it are in the cart now."""
    total: Money
    """Of the whole cart."""
    pieces: int
    """In the whole cart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The cart has so many of it now; 0: it is out."""

    __outcome__: ClassVar[str] = "changed"

    product: int
    name: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldOut:
    """There is not as much, or one cart takes no more; the cart is as it was."""

    product: int
    name: str
    available: int
    """How many the cart could have of it."""
    quantity: int
    """How many it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """It is out of the cart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """The cart is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLine:
    """So many pieces of one product."""

    product: int
    name: str
    price: Money
    quantity: int
    total: Money
    available: int
    """Pieces that are free now; 0 for a product that is not sold any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """What the customer has chosen, at the prices of now."""

    lines: list[CartLine]
    total: Money
    pieces: int
    version: int
    """Grows with every change."""
    short: bool = False
    """There is less of something than the cart has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """There is nothing in the cart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """The cart has no more of anything than there is."""

    lines: list[CartLine]
    total: Money
    pieces: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The order is there, its goods are held, the cart is empty."""

    id: str
    number: str
    """For people: `S-261121-7F3K`."""
    total: Money
    expires_at: datetime | None
    """Until when the goods are held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLine:
    """A product of which there is less than the cart has."""

    product: int
    name: str
    wanted: int
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """There is less than the cart has; nothing was ordered."""

    lines: list[ShortLine]
    can_reduce: bool
    """`when_short: reduce` is set and something is left: `shop.reduce_cart` brings the cart down to what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """Another order of this customer waits for its payment."""

    id: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CartChanged:
    """The cart or a price in it is not as the customer saw it; nothing was ordered."""

    __outcome__: ClassVar[str] = "changed"

    total: Money
    """Of the cart as it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """This customer left too many orders unpaid."""

    strikes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The order is cancelled."""

    order: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLate:
    """It cannot be cancelled any more."""

    status: str
    """The order's; `paying`: its money is on its way; `gone`: there is no such order of theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """The order is on its way, and the customer is told."""

    order: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """Only a paid order can be shipped."""

    status: str
    """The order's; `gone`: there is no such order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgiven:
    """The customer has no strikes and may order again."""

    customer: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """So many pieces of one product at the price of that moment."""

    product: int
    name: str
    price: Money
    quantity: int
    total: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """An order in a list."""

    id: str
    number: str
    status: str
    """created, paid, shipped, cancelled or expired."""
    total: Money
    created_at: datetime
    customer: str
    """The customer's id."""
    customer_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFound:
    """The order."""

    __outcome__: ClassVar[str] = "found"

    id: str
    number: str
    status: str
    """created, paid, shipped, cancelled or expired."""
    lines: list[OrderLine]
    total: Money
    currency: str
    """Of the total."""
    pay_with: str
    """What the customer chose to pay with."""
    created_at: datetime
    expires_at: datetime | None
    paid_at: datetime | None
    shipped_at: datetime | None
    tracking: str
    reason: str
    """Why it was cancelled."""
    goods: list[str] = field(default_factory=list)
    """Codes and texts that it delivered."""
    customer: str
    customer_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """A customer in a list."""

    id: str
    name: str
    strikes: int
    blocked: bool
    """They cannot order."""
    wallet: Money | None
    """What the shop owes them; nothing for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """How the shop knows this customer."""

    strikes: int
    limit: int
    """So many strikes, and no order is taken; 0: no limit."""
    blocked: bool
    wallet: Money | None
    """What the shop owes them; nothing for nothing."""
    covers: bool
    """It pays for the whole cart."""
    open_order: str | None
    """The id of the newest order that waits for payment."""
    open_number: str | None
    pieces: int
    """In the cart."""
