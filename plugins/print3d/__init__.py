"""A 3D print shop: its services, materials and colours, file upload, orders.

With API_BASE_URL set it talks to the shop's REST backend, without it the embedded database is the shop.
"""

from dataclasses import replace

from engine.actions import Context, File, Page, Rows, action, source
from plugins.print3d import backend, ledger
from plugins.print3d.records import (
    COLOURS,
    MATERIALS,
    SERVICES,
    Colour,
    Contact,
    Created,
    Material,
    Order,
    Rejected,
    Service,
    Specs,
    Uploaded,
    document,
)


@source()
async def services(context: Context) -> list[Service]:
    """What the shop offers, with the lowest price of each service."""
    base = backend.base_url(context)
    return list(SERVICES) if base is None else await backend.services(context, base)


@source()
async def materials(context: Context) -> list[Material]:
    """What models can be printed in."""
    return list(MATERIALS)


@source()
async def colours(context: Context, *, material: str | None = None) -> list[Colour]:
    """The colours that a material comes in; without a material, all of them.

    Args:
        material: A material's id, such as `specs.material`.
    """
    if material is not None:
        return list(COLOURS.get(material, ()))
    return sorted({colour.id: colour for each in COLOURS.values() for colour in each}.values(), key=_name)


def _name(colour: Colour) -> str:
    return colour.name


@source()
async def my_orders(context: Context, *, page: Page) -> Rows[Order]:
    """The orders that were placed in this chat, newest first."""
    return await ledger.orders(context, page)


@action(timeout=120)
async def upload(context: Context, *, file: File) -> Uploaded:
    """Hand one model over to the shop.

    Args:
        file: The file that the customer sent.
    """
    base = backend.base_url(context)
    if base is None:
        return await ledger.store_file(context, file)
    return await backend.upload(context, base, file)


@action()
async def create_order(
    context: Context,
    *,
    contact: Contact,
    service: int,
    specs: Specs,
    files: list[Uploaded],
    colour: str | None = None,
    address: str | None = None,
) -> Created | Rejected:
    """Place the order. Repeating it after a failure never makes a second one.

    Args:
        contact: Name, e-mail and, where given, phone of the customer.
        service: The chosen service's id.
        specs: Material, quality, infill and, where it is kept there, colour.
        files: What `print3d.upload` answered, one for each file.
        colour: A colour's id, where it is not in `specs`.
        address: Where to deliver; left out, the customer picks it up.
    """
    if colour is not None:
        specs = replace(specs, colour=colour)
    order = document(contact=contact, service=service, specs=specs, files=files, address=address)
    base = backend.base_url(context)
    if base is None:
        return await ledger.store_order(context, order)
    answer = await backend.create_order(context, base, order)
    if isinstance(answer, Created):
        await ledger.copy_order(context, answer, order)
    return answer
