"""How the entries of the table are written down: an example flow, and the one change that puts it right."""

from textwrap import dedent, indent

from engine.diagnostics import Severity
from engine.loading.code import Code

HEAD = "flow: example\ntitle: Example\nentry: {commands: [example]}\nsteps:\n"
DONE = """
done:
  text: Done.
  end: completed
"""
"""The last step of most examples."""


def steps(text: str) -> str:
    """A whole flow around the steps of an example."""
    return HEAD + indent(dedent(text).strip("\n") + "\n", "  ")


def steps_and_done(text: str) -> str:
    """The same with the last step `done`."""
    return steps(dedent(text).strip("\n") + DONE)


def error(code: str, title: str, explanation: str, bad: str, *fixes: tuple[str, str]) -> Code:
    """An entry of the table; `fixes` are the changes that turn the bad example into the good one."""
    return _entry(Severity.ERROR, code, (title, explanation), bad, fixes)


def warning(code: str, title: str, explanation: str, bad: str, *fixes: tuple[str, str]) -> Code:
    """The same for a finding that does not keep a flow from loading."""
    return _entry(Severity.WARNING, code, (title, explanation), bad, fixes)


def _entry(severity: Severity, code: str, words: tuple[str, str], bad: str, fixes: tuple[tuple[str, str], ...]) -> Code:
    good = bad
    for old, new in fixes:
        if old not in good:
            raise ValueError(f"{code}: the example does not contain {old!r}")
        good = good.replace(old, new)
    return Code(
        code=code,
        severity=severity,
        title=words[0],
        explanation=" ".join(words[1].split()),
        bad_example=bad,
        good_example=good,
    )
