"""Flows with a summary whose edit button leads back to their questions; shared by the tests of editing."""

from tests.core.walker import Walker, action, catalog_of, source

CATALOG = catalog_of(
    actions={"shop.order": action("what"), "shop.cancel": action("order"), "up.load": action("file")},
    sources={"shop.slots": source("place")},
)
ASK = "    ask: text\n    text: "
HOME = """  home:
    text: Home
    keyboard:
      - [{text: Go, trigger: go}]
      - [{text: Edit, edit: [EDITS]}]
    transitions: {go: the_end}
  the_end:
    end: completed
"""


def flow(steps: str, edits: str, head: str = "") -> str:
    return f"flow: f\n{head}steps:\n{steps}{HOME.replace('EDITS', edits)}"


def started(steps: str, edits: str, head: str = "") -> Walker:
    return Walker(flow(steps, edits, head), CATALOG).start()


def edit(walker: Walker, step: str) -> Walker:
    """Open the edit of a step from the summary."""
    walker.press("Edit")
    if walker.step != step:
        walker.press(f"e:{step}")
    assert walker.step == step
    return walker
