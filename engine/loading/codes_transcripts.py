"""What the codes F095x mean: findings about transcripts, the tests in `flows/tests`."""

from typing import Final

from engine.diagnostics import Severity
from engine.loading.code import Code

_HEAD: Final = "test: Somebody asks for the menu\n"
_STEPS: Final = "steps:\n  - says: /start\n  - bot: {has: Hello}\n"


def _code(code: str, title: str, explanation: str, bad: str, good: str) -> Code:
    return Code(
        code=code, severity=Severity.ERROR, title=title, explanation=explanation, bad_example=bad, good_example=good
    )


CODES: Final[tuple[Code, ...]] = (
    _code("F0951", "A step that is nothing, or two things",
          "A step of a test is one thing: what the customer does (says, presses, sends, shares), what happens (wait, "
          "signal, timer, starts), or what is expected (bot, edits, notice, alert, ends, data). An action gives an "
          "outcome or fails, a source gives rows or fails.",
          _HEAD + "steps:\n  - say: /start\n", _HEAD + "steps:\n  - says: /start\n"),
    _code("F0952", "No such action or source",
          "Under actions: stand names of actions and sources that the flows use, such as http.get.",
          _HEAD + "actions:\n  http.got:\n    - {fails: timeout}\n" + _STEPS,
          _HEAD + "actions:\n  http.get:\n    - {fails: timeout}\n" + _STEPS),
    _code("F0953", "Not what this action gives",
          "An action gives one of its outcomes: the guide, or the plugin's, names them. A source gives rows.",
          _HEAD + "actions:\n  http.get:\n    - {outcome: okay, with: {status: 200, json: null, text: ''}}\n" + _STEPS,
          _HEAD + "actions:\n  http.get:\n    - {outcome: ok, with: {status: 200, json: null, text: ''}}\n" + _STEPS),
    _code("F0954", "A value that does not fit",
          "What an action gives has the fields of its outcome, each of its type: money is 12.50 EUR, a date "
          "2026-11-21, a time 2026-11-21T10:00:00Z, a duration 1h30m. What may be missing can be left out.",
          _HEAD + "actions:\n  http.get:\n    - {outcome: ok, with: {status: many, json: null, text: ''}}\n" + _STEPS,
          _HEAD + "actions:\n  http.get:\n    - {outcome: ok, with: {status: 200, json: null, text: ''}}\n" + _STEPS),
)  # fmt: skip
