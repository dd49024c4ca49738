"""What the print shop speaks about: services, materials, orders, and the JSON of an order. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.actions import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something the shop does, and its lowest price."""

    id: int
    name: str
    description: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a model can be printed in."""

    id: str
    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """A colour that a material comes in."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom the order is for."""

    name: str
    email: str
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """How it is to be printed."""

    material: str
    quality: str
    infill: str
    colour: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A file that the shop has received."""

    id: str
    name: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """The shop has the order."""

    number: str
    """For people: `P-261120-7F3K`."""
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The shop does not take the order."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order of this customer."""

    number: str
    status: str
    created_at: datetime
    files: int
    """How many files belong to it."""
    summary: str
    """What is printed and how: `cube.stl, plate.stl · PLA, standard, 30 %, red`. Plain text."""


SERVICES = (
    Service(id=1, name="FDM printing", description="Strong parts, layer by layer", price=Money(minor=500, asset="EUR")),
    Service(id=2, name="Resin printing", description="Fine details", price=Money(minor=1200, asset="EUR")),
    Service(id=3, name="3D modelling", description="A model from your sketch", price=Money(minor=3000, asset="EUR")),
)
"""What the shop offers as long as no backend says otherwise."""

MATERIALS = (
    Material(id="pla", name="PLA", description="basic"),
    Material(id="petg", name="PETG", description="durable"),
    Material(id="abs", name="ABS", description="heat-resistant"),
    Material(id="tpu", name="TPU", description="flexible"),
)

COLOURS: Mapping[str, tuple[Colour, ...]] = {
    "pla": (
        Colour(id="white", name="White"),
        Colour(id="black", name="Black"),
        Colour(id="grey", name="Grey"),
        Colour(id="red", name="Red"),
        Colour(id="blue", name="Blue"),
        Colour(id="green", name="Green"),
    ),
    "petg": (
        Colour(id="clear", name="Clear"),
        Colour(id="black", name="Black"),
        Colour(id="blue", name="Blue"),
    ),
    "abs": (Colour(id="black", name="Black"), Colour(id="white", name="White")),
    "tpu": (Colour(id="black", name="Black"), Colour(id="clear", name="Clear")),
}
"""Material → its colours."""


def summary(order: Mapping[str, Any]) -> str:
    """One line for people from the JSON of an order."""
    specs = order["specifications"]
    names = ", ".join(str(file["name"]) for file in specs["files_info"])
    how = [str(specs["material"]).upper(), str(specs["quality"]), f"{specs['infill']} %"]
    return f"{names} · " + ", ".join([*how, *([str(specs["colour"])] if "colour" in specs else [])])


def document(
    *, contact: Contact, service: int, specs: Specs, files: Sequence[Uploaded], address: str | None
) -> dict[str, Any]:
    """The JSON of an order, as the backend documents it."""
    specifications: dict[str, Any] = {
        "material": specs.material,
        "quality": specs.quality,
        "infill": specs.infill,
        "files_info": [{"id": file.id, "name": file.name, "size": file.size} for file in files],
    }
    if specs.colour:
        specifications["colour"] = specs.colour
    return {
        "customer_name": contact.name,
        "customer_email": contact.email,
        "customer_phone": contact.phone,
        "service_id": service,
        "source": "TELEGRAM",
        "specifications": specifications,
        "delivery_needed": "true" if address else "false",
        "delivery_details": address,
    }
