"""One print order as a customer gives it, step by step, and the JSON that the shop gets for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.journeys.shop import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A question of the flow and the answer that this customer gives."""

    name: str
    question: str
    way: str
    """`presses`, `says`, `sends`."""
    answer: tuple[str, ...]

    async def answered(self, customer: Customer) -> None:
        if self.way == "sends":
            for name in self.answer:
                await customer.sends(name)
            await customer.presses("That's all")
        else:
            await getattr(customer, self.way)(self.answer[0])


ORDER: Sequence[Step] = (
    Step(name="service", question="Which service do you need?", way="presses", answer=("FDM printing",)),
    Step(name="name", question="What is your name?", way="says", answer=("Zoë O'Neill",)),
    Step(name="email", question="Where do we send", way="says", answer=("zoe@example.com",)),
    Step(name="phone", question="Your phone number", way="says", answer=("+49 30 901820",)),
    Step(name="files", question="Send your models", way="sends", answer=("cube.stl", "plate <1>.3mf")),
    Step(name="material", question="Which material?", way="presses", answer=("PETG",)),
    Step(name="quality", question="Which quality?", way="presses", answer=("Standard",)),
    Step(name="infill", question="How strong should it be?", way="presses", answer=("30 % standard",)),
    Step(name="colour", question="Which colour? These are in stock for PETG.", way="presses", answer=("Blue",)),
    Step(name="delivery", question="How do you want to get it?", way="presses", answer=("Delivery",)),
    Step(name="address", question="The full address, please.", way="says", answer=("Am Hafen 1, 20457 Hamburg",)),
    Step(name="confirm", question="Please check your order", way="presses", answer=("✅ Order",)),
)
QUESTIONS: Sequence[Step] = ORDER[:-1]
"""Everything but the summary."""

DOCUMENT: dict[str, Any] = {
    "customer_name": "Zoë O'Neill",
    "customer_email": "zoe@example.com",
    "customer_phone": "+4930901820",
    "service_id": 1,
    "source": "TELEGRAM",
    "specifications": {
        "material": "petg",
        "quality": "standard",
        "infill": "30",
        "colour": "blue",
        "files_info": [
            {"id": "f1", "name": "cube.stl", "size": 3000},
            {"id": "f2", "name": "plate <1>.3mf", "size": 3000},
        ],
    },
    "delivery_needed": "true",
    "delivery_details": "Am Hafen 1, 20457 Hamburg",
}
"""What POST /orders gets for ORDER, the first at a new backend."""


async def walk(customer: Customer, *, start: str | None = None, until: str | None = None) -> None:
    """Answer from the step `start` (None: /order comes first) up to the question of `until` (None: to the end)."""
    names = [step.name for step in ORDER]
    if start is None:
        await customer.says("/order")
    first = 0 if start is None else names.index(start)
    last = len(ORDER) if until is None else names.index(until)
    for step in ORDER[first:last]:
        customer.sees(step.question)
        await step.answered(customer)
    if until is not None:
        customer.sees(ORDER[last].question)


def without_ids(order: dict[str, Any]) -> dict[str, Any]:
    """An order without the ids that the backend gave to its files."""
    specs = order["specifications"]
    files = [{"name": file["name"], "size": file["size"]} for file in specs["files_info"]]
    return {**order, "specifications": {**specs, "files_info": files}}
