"""A well-formed answer before its step's validators: what they make of it, or what they say against it. Pure."""

from datetime import date
from decimal import Decimal
from html import escape
from typing import Any

from engine.core.display import display
from engine.core.expressions import EvaluationError
from engine.core.program import Check, Node
from engine.core.turn import Turn
from engine.core.values import Money, Value
from engine.core.verdicts import Accepted, Answer, Refusal, Refused


def accept(turn: Turn, node: Node, value: Value, triggers: tuple[str, ...] = ("answered",)) -> Answer | Refusal:
    """A well-formed answer after the step's validators; the first that refuses speaks."""
    for check in node.checks:
        verdict = _checked(turn, check, value)
        if isinstance(verdict, Refusal):
            return verdict
        value = verdict
    return Answer(value=value, triggers=triggers)


def _checked(turn: Turn, check: Check, value: Value) -> Any:
    scope = turn.scope({"answer": value})
    try:
        arguments = {name: evaluate(scope) for name, evaluate in check.arguments}
        verdict = check.judge(value, **arguments)
    except EvaluationError as error:
        turn.trouble(f"validator {check.name}: {error}")
        return Refusal(text=turn.words("answer.unchecked"), rule=check.name)
    except Exception as error:
        turn.trouble(f"validator {check.name} raised {type(error).__name__}: {error}")
        return Refusal(text=turn.words("answer.unchecked"), rule=check.name)
    match verdict:
        case Accepted(value=accepted):
            return accepted
        case Refused(message=message, key=key, values=values):
            if check.message is not None:
                return Refusal(text=turn.said(check.message, scope), rule=check.name)
            shown = {name: _in_words(turn, item) for name, item in values.items()}
            sentence = escape(message, quote=False) or turn.words(key or "answer.refused", **shown)
            return Refusal(text=sentence, rule=check.name)
        case _:
            turn.trouble(f"validator {check.name} returned {type(verdict).__name__}, not Accepted or Refused")
            return Refusal(text=turn.words("answer.unchecked"), rule=check.name)


def _in_words(turn: Turn, value: object) -> object:
    """A value of a refusal's sentence: text escaped, dates and amounts as the language writes them."""
    if isinstance(value, str):
        return escape(value, quote=False)
    return display(turn, value) if isinstance(value, date | Decimal | Money) else value
