"""Flows out of a few steps, with an end below them; shared by the tests of steps and moves."""

from tests.core.walker import Walker, action, catalog_of, source, world_of

CATALOG = catalog_of(
    actions={"shop.order": action("item", "note", templates=["note"]), "shop.cancel": action("order")},
    sources={"shop.list": source()},
)


def flow(steps: str, head: str = "") -> str:
    return f"flow: f\n{head}steps:\n{steps}  the_end:\n    end: completed\n"


def started(steps: str, head: str = "", **world: object) -> Walker:
    return Walker(flow(steps, head), CATALOG, world=world_of(**world)).start()


ASK = "    ask: text\n    text: "
