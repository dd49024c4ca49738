"""How the tests of the rules check flows: YAML in, findings out, with the shipped plugins."""

import re
from functools import lru_cache
from textwrap import dedent, indent

from engine.actions.catalog import Catalog
from engine.actions.discovery import builtin_catalog
from engine.diagnostics import Diagnostic
from engine.loading.library import load_texts

HEAD = "flow: example\ntitle: Example\nentry: {commands: [example]}\nsteps:\n"
DONE = "done:\n  text: Done.\n  end: completed\n"


@lru_cache(maxsize=1)
def shipped() -> Catalog:
    return builtin_catalog()


def files(text: str) -> dict[str, str]:
    """An example as files: a line `# file: NAME` opens each; without one it is a single flow."""
    parts = re.split(r"^# file: (.+)\n", text, flags=re.MULTILINE)
    if len(parts) == 1:
        return {"example.yaml": text}
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def check(text: str) -> tuple[Diagnostic, ...]:
    """Findings of one or several files."""
    return load_texts(files(text), shipped()).report.findings


def steps(text: str, *, head: str = HEAD) -> tuple[Diagnostic, ...]:
    """Findings of a flow with these steps; a step `done` that ends stands below them."""
    return check(head + indent(dedent(text).strip("\n") + "\n" + DONE, "  "))


def codes(findings: tuple[Diagnostic, ...]) -> list[str]:
    return [finding.code for finding in findings]
