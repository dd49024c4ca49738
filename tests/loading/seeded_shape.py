"""Faults of form and of the way through a flow: YAML, missing and doubled parts, orphans, circles, dead ends."""

from collections.abc import Iterator

from engine.core.model import Ask, Do, End, Files
from engine.loading.documents import Mapping_, Pair, Scalar_, Style
from tests.loading.seeded_case import Case, Fault, last_line


def _one_line_keys(case: Case) -> Iterator[tuple[Pair, Pair]]:
    """Keys of block-style steps whose value stands on their own line, with their step."""
    for step, body in case.steps():
        for pair in body:
            single = last_line(pair.value) == pair.key.span.line and not getattr(pair.value, "block", False)
            if single and case.lines[pair.key.span.line - 1].startswith(f"    {pair.key.text}:"):
                yield step, pair


def doubled_key(case: Case) -> Iterator[Fault]:
    for _, pair in _one_line_keys(case):
        line = pair.key.span.line
        yield case.insert("doubled_key", line, case.lines[line - 1], lines={line, line + 1})


def doubled_step(case: Case) -> Iterator[Fault]:
    for step, _ in case.steps():
        first, last = case.block(step.key.text)
        again = case.lines[first - 1 : last]
        yield case.insert("doubled_step", last, *again, lines={first, last + 1})


def wrong_indentation(case: Case) -> Iterator[Fault]:
    for step, pair in _one_line_keys(case):
        line = pair.key.span.line
        alone = isinstance(step.value, Mapping_) and len(step.value.pairs) == 1
        for prefix in () if alone else (" ", "  "):
            changed = case.lines
            changed[line - 1] = prefix + changed[line - 1]
            lines = {step.key.span.line, line - 1, line, line + 1}
            yield case.whole("wrong_indentation", changed, lines)


def outdented_key(case: Case) -> Iterator[Fault]:
    for step, pair in _one_line_keys(case):
        line = pair.key.span.line
        changed = case.lines
        changed[line - 1] = changed[line - 1][2:]
        yield case.whole("outdented_key", changed, {step.key.span.line, line - 1, line, line + 1})


def tab(case: Case) -> Iterator[Fault]:
    for _, pair in _one_line_keys(case):
        line = pair.key.span.line
        changed = case.lines
        changed[line - 1] = "\t" + changed[line - 1].lstrip()
        yield case.whole("tab", changed, {line})


def unclosed_quote(case: Case) -> Iterator[Fault]:
    for step, body in case.steps():
        for pair in body:
            value = pair.value
            quoted = isinstance(value, Scalar_) and value.style in {Style.SINGLE, Style.DOUBLE}
            if quoted and value.span.line == value.span.end_line:
                first, last = case.block(step.key.text)
                changed = case.lines
                line = changed[value.span.line - 1]
                changed[value.span.line - 1] = line[: value.span.end_column - 2]
                yield case.whole("unclosed_quote", changed, set(range(value.span.line, last + 2)) | {first})


def unclosed_brace(case: Case) -> Iterator[Fault]:
    for _, pair in _one_line_keys(case):
        line = pair.key.span.line
        text = case.lines[line - 1].rstrip()
        if text.endswith(("}", "]")) and not text.endswith("}}"):
            changed = case.lines
            changed[line - 1] = text[:-1]
            yield case.whole("unclosed_brace", changed, {line, line + 1, line + 2})


def colon_without_space(case: Case) -> Iterator[Fault]:
    for _, pair in _one_line_keys(case):
        line = pair.key.span.line
        changed = case.lines
        changed[line - 1] = changed[line - 1].replace(": ", ":", 1)
        yield case.whole("colon_without_space", changed, {line - 1, line, line + 1})


def removed_flow_key(case: Case) -> Iterator[Fault]:
    pair = case.root.pair("flow")
    if pair is not None:
        line = pair.key.span.line
        yield case.drop("removed_flow_key", line, line, lines={1, 2, 3})


def removed_text(case: Case) -> Iterator[Fault]:
    for step, body in case.steps():
        pair = body.pair("text")
        if body.pair("ask") and pair is not None:
            lines = {step.key.span.line, step.key.span.line + 1}
            yield case.drop("removed_text", pair.key.span.line, last_line(pair.value), lines=lines)


def removed_keyboard(case: Case) -> Iterator[Fault]:
    for step, body in case.steps():
        pair = body.pair("keyboard")
        question = body.get("ask")
        if pair is not None and isinstance(question, Scalar_) and question.text == "choice":
            line = step.key.span.line
            yield case.drop("removed_keyboard", pair.key.span.line, last_line(pair.value), lines={line, line + 1})


def removed_source_value(case: Case) -> Iterator[Fault]:
    for step, body in case.steps():
        keyboard = body.get("keyboard")
        source = keyboard.pair("from") if isinstance(keyboard, Mapping_) else None
        value = keyboard.pair("value") if isinstance(keyboard, Mapping_) else None
        if source is not None and value is not None:
            lines = {source.key.span.line, step.key.span.line}
            yield case.drop("removed_source_value", value.key.span.line, value.key.span.line, lines=lines)


def removed_arguments(case: Case) -> Iterator[Fault]:
    for step, body in case.steps():
        given, owner = body.pair("with"), body.pair("do")
        if given is not None and owner is not None:
            lines = {owner.key.span.line, step.key.span.line}
            yield case.drop("removed_arguments", given.key.span.line, last_line(given.value), lines=lines)


def removed_one_argument(case: Case) -> Iterator[Fault]:
    for _, body in case.steps():
        given, owner = body.get("with"), body.pair("do")
        if isinstance(given, Mapping_) and owner is not None and len(given.pairs) > 1:
            for pair in given:
                if pair.key.text not in {"address", "colour"}:
                    line = pair.key.span.line
                    yield case.drop("removed_one_argument", line, line, lines={owner.key.span.line})


def removed_failed(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        for way in step.transitions if isinstance(step.body, Do) else ():
            if way.trigger == "failed" and isinstance(step.body, Do):
                line = way.trigger_span.line
                yield case.drop("removed_failed", line, line, lines={step.body.action.span.line})


def removed_transitions_of_action(case: Case) -> Iterator[Fault]:
    for _, body in case.steps():
        pair, action = body.pair("transitions"), body.pair("do")
        if pair is not None and action is not None:
            line = action.key.span.line
            kind = "removed_transitions_of_action"
            yield case.drop(kind, pair.key.span.line, last_line(pair.value), lines={line})


def removed_end(case: Case) -> Iterator[Fault]:
    """The last step has a text, so without its end it would go on to nowhere."""
    steps = list(case.steps())
    step, body = steps[-1]
    end = body.pair("end")
    if end is not None:
        line = end.key.span.line
        yield case.drop("removed_end", line, line, lines={step.key.span.line})


def emptied_value(case: Case) -> Iterator[Fault]:
    for step, pair in _one_line_keys(case):
        if pair.key.text in {"text", "ask", "do", "end", "save", "retry", "optional", "done", "max_size"}:
            line = pair.key.span.line
            changed = case.lines
            changed[line - 1] = f"    {pair.key.text}:"
            yield case.whole("emptied_value", changed, {line, step.key.span.line})


def unknown_outcome(case: Case) -> Iterator[Fault]:
    for step, body in case.steps():
        pair = body.pair("transitions")
        if body.pair("do") and pair is not None and isinstance(pair.value, Mapping_):
            line = pair.value.pairs[0].key.span.line
            if line > pair.key.span.line:
                for name in ("vanished", "postponed"):
                    yield case.insert("unknown_outcome", line - 1, f"      {name}: {step.key.text}")


def orphan(case: Case) -> Iterator[Fault]:
    """A step below an end, to which nothing leads."""
    for step in case.flow.steps:
        if isinstance(step.body, End):
            _, last = case.block(step.id)
            added = ("", "  left_over:", "    text: Nobody reads this.", "    end: completed")
            yield case.insert("orphan", last, *added, lines={last + 2})


def _plain_questions(case: Case) -> Iterator[tuple[Pair, int]]:
    """Questions without transitions, and the line below which a key may be put in."""
    for step, body in case.steps():
        if body.pair("ask") and not body.pair("transitions"):
            yield step, step.key.span.line


def self_loop(case: Case) -> Iterator[Fault]:
    for step, line in _plain_questions(case):
        added = f"    transitions: {{answered: {step.key.text}}}"
        optional = next(body for pair, body in case.steps() if pair is step).pair("optional")
        if optional is None:
            yield case.insert("self_loop", line, added, lines={line, line + 1})


def jump_over(case: Case) -> Iterator[Fault]:
    """A question jumps over the one below it, which nothing else leads to."""
    steps = [step for step, _ in case.steps()]
    targets = {way.target for step in case.flow.steps for way in step.transitions}
    plain = {step.key.text: line for step, line in _plain_questions(case)}
    for step, below, after in zip(steps, steps[1:], steps[2:], strict=False):
        name = below.key.text
        optional = case.flow.step(step.key.text)
        skips = isinstance(optional.body, Ask) and optional.body.optional is not None if optional else True
        if step.key.text in plain and name not in targets and not skips:
            added = f"    transitions: {{answered: {after.key.text}}}"
            yield case.insert("jump_over", plain[step.key.text], added, lines={below.key.span.line + 1})


def silent_circle(case: Case) -> Iterator[Fault]:
    """Two messages that lead to each other for ever, before the first step."""
    first = next(iter(case.steps()))[0].key.span.line
    added = (
        "  hello:",
        "    text: Hello!",
        "  hello_again:",
        "    text: Hello again!",
        "    transitions:",
        "      next: [{if: customer.name == 'Anna', to: " + case.flow.steps[0].id + "}, {to: hello}]",
    )
    yield case.insert("silent_circle", first - 1, *added)


def recursion(case: Case) -> Iterator[Fault]:
    first = next(iter(case.steps()))[0].key.span.line
    added = ("  again:", f"    call: {case.flow.name}")
    yield case.insert("recursion", first - 1, *added)


def timeout_without_way(case: Case) -> Iterator[Fault]:
    for _, line in _plain_questions(case):
        yield case.insert("timeout_without_way", line, "    timeout: 5m")


def way_without_timeout(case: Case) -> Iterator[Fault]:
    for step, line in _plain_questions(case):
        added = f"    transitions: {{timeout: {step.key.text}}}"
        yield case.insert("way_without_timeout", line, added)


def skipping_what_is_not_optional(case: Case) -> Iterator[Fault]:
    for step, line in _plain_questions(case):
        body = next(body for pair, body in case.steps() if pair is step)
        if body.pair("optional") is None:
            added = f"    transitions: {{skipped: {step.key.text}}}"
            yield case.insert("skipping_what_is_not_optional", line, added)


def bounds_crossed(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        match step.body:
            case Ask(question=Files(minimum=low, maximum=high)) if high is not None:
                first, last = case.block(step.id)
                for line in range(first, last + 1):
                    if f"max: {high}" in case.lines[line - 1]:
                        yield case.swap("bounds_crossed", line, f"min: {low}", f"min: {high + 5}", lines={line, first})
            case Ask(validators=validators):
                for validator in validators:
                    line = validator.invocation.span.line
                    if "min: " in case.lines[line - 1] and "max: " in case.lines[line - 1]:
                        yield case.swap("bounds_crossed", line, "min: ", "min: 9")
            case _:
                pass


SHAPE = (
    doubled_key, doubled_step, wrong_indentation, outdented_key, tab, unclosed_quote, unclosed_brace,
    colon_without_space, removed_flow_key, removed_text, removed_keyboard, removed_source_value, removed_arguments,
    removed_one_argument, removed_failed, removed_transitions_of_action, removed_end, emptied_value, unknown_outcome,
    orphan, self_loop, jump_over, silent_circle, recursion, timeout_without_way, way_without_timeout,
    skipping_what_is_not_optional, bounds_crossed,
)  # fmt: skip
