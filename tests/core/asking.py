"""A flow of one question and its end; shared by the tests of questions."""

from tests.core.walker import Walker, action, catalog_of, source, world_of


def one(question: str, **world: object) -> Walker:
    """A flow with this question and an end that says the answer."""
    text = f"flow: one\nsteps:\n  q:\n    text: Tell me.\n{question}\n  done:\n    text: Thanks.\n    end: completed\n"
    return Walker(text, CATALOG, world=world_of(**world)).start()


CATALOG = catalog_of(
    actions={"up.load": action("file")},
    sources={"shop.list": source("of")},
    judges={"boom": lambda _value: 1 / 0, "mad": lambda _value: "yes"},
)
