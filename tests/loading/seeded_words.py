"""Faults of one wrong word: misspelt keys, steps, triggers, actions, arguments, filters, names and values."""

import re
from collections.abc import Iterator

from engine.core.model import Ask, Do, File, Files
from engine.diagnostics import Span
from engine.loading.documents import Mapping_, Pair, Scalar_, Sequence_
from tests.loading.seeded_case import Case, Fault

_PRINTED = re.compile(r"\{\{ *([a-z_]+)((?:\.[a-z_]+)*)")


def _mappings(case: Case) -> Iterator[tuple[Pair, Pair]]:
    """Every key of every step, with its step."""
    for step, body in case.steps():
        for pair in body:
            yield step, pair


def misspelt_step_key(case: Case) -> Iterator[Fault]:
    for step, pair in _mappings(case):
        word = pair.key.text
        near = {pair.key.span.line, step.key.span.line}
        meant = word if word not in {"ask", "do", "end", "call", "wait"} else None
        yield case.put("misspelt_step_key", pair.key.span, case.misspelt(word), lines=near, meant=meant)


def misspelt_flow_key(case: Case) -> Iterator[Fault]:
    for pair in case.root:
        if pair.key.text != "flow":
            lines = {pair.key.span.line, case.root.pairs[0].key.span.line}
            yield case.put(
                "misspelt_flow_key", pair.key.span, case.misspelt(pair.key.text), lines=lines, meant=pair.key.text
            )


def misspelt_entry_key(case: Case) -> Iterator[Fault]:
    entry = case.root.get("entry")
    for pair in entry if isinstance(entry, Mapping_) else ():
        yield case.put("misspelt_entry_key", pair.key.span, case.misspelt(pair.key.text), meant=pair.key.text)


def misspelt_keyboard_key(case: Case) -> Iterator[Fault]:
    for _, body in case.steps():
        keyboard = body.get("keyboard")
        if isinstance(keyboard, Mapping_) and keyboard.pair("from"):
            for pair in keyboard:
                if pair.key.text != "from":
                    lines = {pair.key.span.line}
                    slip = case.misspelt(pair.key.text)
                    yield case.put("misspelt_keyboard_key", pair.key.span, slip, lines=lines, meant=pair.key.text)


def misspelt_button_key(case: Case) -> Iterator[Fault]:
    for button in _buttons(case):
        for pair in button:
            yield case.put("misspelt_button_key", pair.key.span, case.misspelt(pair.key.text), meant=pair.key.text)


def _buttons(case: Case) -> Iterator[Mapping_]:
    for _, body in case.steps():
        keyboard = body.get("keyboard")
        rows = keyboard.get("rows") if isinstance(keyboard, Mapping_) else keyboard
        for row in rows.items if isinstance(rows, Sequence_) else ():
            for button in row.items if isinstance(row, Sequence_) else ():
                if isinstance(button, Mapping_):
                    yield button


def misspelt_target(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        for way in step.transitions:
            yield case.put("misspelt_target", way.target_span, case.misspelt(way.target), meant=way.target)


def misspelt_trigger(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        for way in step.transitions if not isinstance(step.body, Do) else ():
            if not way.trigger:
                continue  # `transitions: STEP` names none
            yield case.put("misspelt_trigger", way.trigger_span, case.misspelt(way.trigger), meant=way.trigger)


def misspelt_outcome(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        for way in step.transitions if isinstance(step.body, Do) else ():
            if not way.trigger:
                continue
            yield case.put("misspelt_outcome", way.trigger_span, case.misspelt(way.trigger), meant=way.trigger)


def misspelt_action(case: Case) -> Iterator[Fault]:
    for span, name in _actions(case):
        yield case.put("misspelt_action", span, _end_misspelt(case, name), meant=name)


def _end_misspelt(case: Case, name: str) -> str:
    plugin, _, word = name.rpartition(".")
    return f"{plugin}.{case.misspelt(word)}"


def _actions(case: Case) -> Iterator[tuple[Span, str]]:
    for step in case.flow.steps:
        match step.body:
            case Do(action=action):
                yield action.span, action.name
            case Ask(question=File(each=each) | Files(each=each)) if each is not None:
                yield each.span, each.name
            case _:
                pass


def misspelt_plugin(case: Case) -> Iterator[Fault]:
    for span, name in _actions(case):
        plugin, _, word = name.rpartition(".")
        yield case.put("misspelt_plugin", span, f"{case.misspelt(plugin)}.{word}", meant=name)


def misspelt_argument(case: Case) -> Iterator[Fault]:
    for step, _ in case.steps():
        for argument in _arguments(case, step.key.text):
            yield case.put(
                "misspelt_argument", argument.key.span, case.misspelt(argument.key.text), meant=argument.key.text
            )


def _arguments(case: Case, name: str) -> Iterator[Pair]:
    for step, body in case.steps():
        if step.key.text == name:
            holders = [body, body.get("keyboard"), body.get("each")]
            for holder in holders:
                given = holder.get("with") if isinstance(holder, Mapping_) else None
                yield from given if isinstance(given, Mapping_) else ()


def misspelt_source(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        source = step.keyboard.source if step.keyboard else None
        if source is not None and source.source is not None:
            name = source.source.name
            yield case.put("misspelt_source", source.source.span, _end_misspelt(case, name), meant=name)


def misspelt_validator(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        for validator in step.body.validators if isinstance(step.body, Ask) else ():
            name = validator.invocation.name
            yield case.put("misspelt_validator", validator.invocation.span, case.misspelt(name), meant=name)


def misspelt_validator_argument(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        for validator in step.body.validators if isinstance(step.body, Ask) else ():
            for argument in validator.invocation.arguments:
                if argument.name in {"min", "max"}:
                    slip = f"{argument.name}imum"
                    yield case.put("misspelt_validator_argument", argument.name_span, slip)


def misspelt_filter(case: Case) -> Iterator[Fault]:
    for number, line in _printing_lines(case):
        for match in re.finditer(r"\| ([a-z]+)", line):
            span = _span(case, number, match.start(1), match.end(1))
            word = match.group(1)
            yield case.put("misspelt_filter", span, case.misspelt(word), meant=word)


def _printing_lines(case: Case) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(case.lines, start=1):
        if "{{" in line and not line.lstrip().startswith("#"):
            yield number, line


def _span(case: Case, line: int, start: int, end: int) -> Span:
    return Span(file=case.document.path, line=line, column=start + 1, end_line=line, end_column=end + 1)


def misspelt_name(case: Case) -> Iterator[Fault]:
    for number, line in _printing_lines(case):
        for match in _PRINTED.finditer(line):
            span = _span(case, number, match.start(1), match.end(1))
            yield case.put("misspelt_name", span, case.misspelt(match.group(1)), meant=match.group(1))


def misspelt_attribute(case: Case) -> Iterator[Fault]:
    for number, line in _printing_lines(case):
        for match in _PRINTED.finditer(line):
            if match.group(2):
                word = match.group(2).rpartition(".")[2]
                span = _span(case, number, match.end(2) - len(word), match.end(2))
                yield case.put("misspelt_attribute", span, case.misspelt(word), meant=word)


def misspelt_argument_name(case: Case) -> Iterator[Fault]:
    """A name inside an expression of `with:`."""
    for step, _ in case.steps():
        for argument in _arguments(case, step.key.text):
            value = argument.value
            if isinstance(value, Scalar_) and isinstance(value.value, str) and value.text != "file":
                root = value.text.partition(".")[0].partition(" ")[0]
                if not root.isidentifier():
                    continue  # a text of its own, such as 'paid'
                slip = case.misspelt(root) + value.text[len(root) :]
                yield case.put("misspelt_argument_name", value.span, slip, meant=root)


def misspelt_question(case: Case) -> Iterator[Fault]:
    for _, body in case.steps():
        kind = body.get("ask")
        if isinstance(kind, Scalar_):
            yield case.put("misspelt_question", kind.span, case.misspelt(kind.text), meant=kind.text)


def misspelt_policy(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        if isinstance(step.body, Do) and isinstance(step.body.retry, tuple):
            name, span = step.body.retry
            yield case.put("misspelt_policy", span, case.misspelt(name), meant=name)


def misspelt_edit_target(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        for row in step.keyboard.rows if step.keyboard else ():
            for button in row:
                for name, span in button.edit or ():
                    yield case.put("misspelt_edit_target", span, case.misspelt(name), meant=name)


def misspelt_started_flow(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        for row in step.keyboard.rows if step.keyboard else ():
            for button in row:
                if button.start is not None:
                    name, span = button.start
                    yield case.put("misspelt_started_flow", span, case.misspelt(name), meant=name)


def misspelt_policy_of_second_start(case: Case) -> Iterator[Fault]:
    value = case.root.get("second_start")
    if isinstance(value, Scalar_):
        slip = case.misspelt(value.text)
        yield case.put("misspelt_second_start", value.span, slip, meant=value.text)


def renamed_step(case: Case) -> Iterator[Fault]:
    """The key of a step is misspelt, so that a transition does not find it."""
    for step, _ in case.steps():
        lines = {
            way.target_span.line
            for other in case.flow.steps
            for way in other.transitions
            if way.target == step.key.text
        }
        if lines:
            yield case.put("renamed_step", step.key.span, case.misspelt(step.key.text), lines=lines)


def wrong_value(case: Case) -> Iterator[Fault]:
    """Text where a number or a truth value belongs."""
    for key in ("progress", "back", "cancel"):
        node = case.root.get(key)
        if isinstance(node, Scalar_):
            yield case.put("wrong_value", node.span, "maybe")
    for _, body in case.steps():
        keyboard = body.get("keyboard")
        for key in ("page", "columns"):
            node = keyboard.get(key) if isinstance(keyboard, Mapping_) else None
            if isinstance(node, Scalar_):
                yield case.put("wrong_value", node.span, "many")
        count = body.get("count")
        for pair in count if isinstance(count, Mapping_) else ():
            yield case.put("wrong_value", pair.value.span, "few")


def bad_duration(case: Case) -> Iterator[Fault]:
    for key in ("expires", "retention"):
        node = case.root.get(key)
        if isinstance(node, Scalar_):
            for wrong in ("24 hours", "1x", "h24"):
                yield case.put("bad_duration", node.span, wrong)


def bad_size(case: Case) -> Iterator[Fault]:
    for _, body in case.steps():
        node = body.get("max_size")
        if isinstance(node, Scalar_):
            for wrong in ("50 XB", "fifty MB", "-1 MB"):
                yield case.put("bad_size", node.span, wrong)


WORDS = (
    misspelt_step_key, misspelt_flow_key, misspelt_entry_key, misspelt_keyboard_key, misspelt_button_key,
    misspelt_target, misspelt_trigger, misspelt_outcome, misspelt_action, misspelt_plugin, misspelt_argument,
    misspelt_source, misspelt_validator, misspelt_validator_argument, misspelt_filter, misspelt_name,
    misspelt_attribute, misspelt_argument_name, misspelt_question, misspelt_policy, misspelt_edit_target,
    misspelt_started_flow, misspelt_policy_of_second_start, renamed_step, wrong_value, bad_duration, bad_size,
)  # fmt: skip
