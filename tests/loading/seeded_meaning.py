"""Faults of meaning: names before they are set, unlike types, Telegram's limits, HTML, secrets, doubled commands."""

import re
from collections.abc import Iterator

from engine.core.model import Ask, Choice, Text
from engine.loading.documents import Mapping_, Pair, Scalar_, Sequence_, Style
from tests.loading.seeded_case import Case, Fault

TOKEN = "7245016398:AAF3kVz0" + "qXh2mYt8LrWb5NcJd1SgKpEuT4o"
"""Shaped like a bot's token, made up."""


def _texts(case: Case) -> Iterator[tuple[Pair, Scalar_]]:
    """Texts of steps, with their step."""
    for step, body in case.steps():
        node = body.get("text")
        if isinstance(node, Scalar_):
            yield step, node


def _end_of(node: Scalar_) -> int:
    """The line of a text's last words."""
    return node.span.line + (len(node.text.rstrip().split("\n")) if node.block else 0)


def _with_text(case: Case, kind: str, added: str) -> Iterator[Fault]:
    """Every text with something more at its end."""
    for _, node in _texts(case):
        line = _end_of(node)
        changed = case.lines
        text = changed[line - 1]
        if node.style in {Style.SINGLE, Style.DOUBLE}:
            at = node.span.end_column - 2
            changed[line - 1] = text[:at] + added + text[at:]
        else:
            changed[line - 1] = text.rstrip() + added
        yield case.whole(kind, changed, {line})


def unclosed_tag(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "unclosed_tag", " <b>Important")


def unknown_tag(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "unknown_tag", " <big>now</big>")


def crossed_tags(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "crossed_tags", " <b><i>now</b></i>")


def bare_sign(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "bare_sign", " Terms & conditions")


def link_without_address(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "link_without_address", " <a>here</a>")


def unclosed_place(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "unclosed_place", " {{ customer.name")


def unclosed_if(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "unclosed_if", " {% if customer.name %}you")


def broken_expression(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "broken_expression", " {{ customer.name | }}")


def function_call(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "function_call", " {{ customer.name.upper() }}")


def private_attribute(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "private_attribute", " {{ customer.__class__ }}")


def text_plus_number(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "text_plus_number", " {{ customer.name + 1 }}")


def filter_on_wrong_type(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "filter_on_wrong_type", " {{ customer.name | money }}")


def unlike_compared(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "unlike_compared", " {% if customer.name == 5 %}five{% endif %}")


def too_long_text(case: Case) -> Iterator[Fault]:
    for fault, (_, node) in zip(_with_text(case, "too_long_text", " " + "word " * 900), _texts(case), strict=True):
        lines = fault.lines | {node.span.line}
        yield Fault(kind=fault.kind, file=fault.file, text=fault.text, lines=lines)


def token(case: Case) -> Iterator[Fault]:
    yield from _with_text(case, "token", f" {TOKEN}")


def used_before_set(case: Case) -> Iterator[Fault]:
    """An earlier text uses the answer of a later question."""
    asked = [step for step in case.flow.steps if isinstance(step.body, Ask) and len(step.target) == 1]
    order = [step.id for step in case.flow.steps]
    for later in asked:
        shown = later.target[0]
        for fault, (step, _) in zip(
            _with_text(case, "used_before_set", f" {{{{ {shown} }}}}"), _texts(case), strict=True
        ):
            first = order.index(step.key.text) < order.index(later.id)
            if first and order.index(step.key.text) == 0 and isinstance(later.body, Ask):
                yield fault


def used_where_it_may_be_missing(case: Case) -> Iterator[Fault]:
    """An optional answer is printed without a condition."""
    optional = [step for step in case.flow.steps if isinstance(step.body, Ask) and step.body.optional is not None]
    order = [step.id for step in case.flow.steps]
    for missing in optional:
        shown = ".".join(missing.target)
        kind = "used_where_it_may_be_missing"
        for fault, (step, _) in zip(_with_text(case, kind, f" {{{{ {shown} }}}}"), _texts(case), strict=True):
            if order.index(step.key.text) > order.index(missing.id):
                yield fault


def moved_up(case: Case) -> Iterator[Fault]:
    """A question that uses an earlier answer stands before the question that asks for it."""
    for user in case.flow.steps:
        for setter in case.flow.steps:
            if user.text is None or setter.id == user.id or not isinstance(user.body, Ask):
                continue
            asked = isinstance(setter.body, Ask) and setter.body.optional is None
            name = ".".join(setter.target)
            asked = asked and not re.search(rf"\{{%[^%]*\b{re.escape(name)}\b", user.text.source)
            if asked and "{{ " + name in user.text.source and not setter.transitions:
                first, last = case.block(user.id)
                above, _ = case.block(setter.id)
                if above < first:
                    changed = case.lines
                    block = changed[first - 1 : last]
                    del changed[first - 1 : last]
                    changed[above - 1 : above - 1] = block
                    yield case.whole("moved_up", changed, set(range(above, above + len(block))))


def wrong_condition(case: Case) -> Iterator[Fault]:
    """A step's condition compares unlike things, or an option that does not exist."""
    choices = [step for step in case.flow.steps if _fixed(step.body) and step.keyboard and step.keyboard.options]
    order = [step.id for step in case.flow.steps]
    for choice in choices:
        below = order.index(choice.id) + 1
        for name in order[below : below + 2]:
            line, _ = case.block(name)
            shown = ".".join(choice.target)
            yield case.insert("compared_with_no_option", line, f"    if: {shown} == 'none_of_these'")
            yield case.insert("compared_with_number", line, f"    if: {shown} > 3")


def _fixed(body: object) -> bool:
    return isinstance(body, Ask) and isinstance(body.question, Choice)


def unknown_condition_name(case: Case) -> Iterator[Fault]:
    for step, _ in case.steps():
        line = step.key.span.line
        yield case.insert("unknown_condition_name", line, "    if: nobody_set_this")


def unknown_role(case: Case) -> Iterator[Fault]:
    for step, _ in case.steps():
        yield case.insert("unknown_role", step.key.span.line, "    only: amdin")


def unlike_saves(case: Case) -> Iterator[Fault]:
    """A location is kept under the name of a text that was asked for before."""
    texts = [step for step in case.flow.steps if isinstance(step.body, Ask) and isinstance(step.body.question, Text)]
    for step in texts:
        _, last = case.block(step.id)
        target = ".".join(step.target)
        added = ("  place_of_it:", "    ask: location", "    text: Where is that?", f"    save: {target}")
        yield case.insert("unlike_saves", last, *added)


def unfit_validator(case: Case) -> Iterator[Fault]:
    for step, body in case.steps():
        kind = body.get("ask")
        if (
            isinstance(kind, Scalar_)
            and kind.text in {"files", "file", "date", "integer"}
            and not body.pair("validators")
        ):
            yield case.insert("unfit_validator", step.key.span.line, '    validators: [{pattern: "^a"}]')


def _entry_command(case: Case) -> Scalar_ | None:
    entry = case.root.get("entry")
    commands = entry.get("commands") if isinstance(entry, Mapping_) else None
    first = commands.items[0] if isinstance(commands, Sequence_) and commands.items else None
    return first if isinstance(first, Scalar_) else None


def bad_command(case: Case) -> Iterator[Fault]:
    node = _entry_command(case)
    if node is not None:
        for wrong in ("New-Order", "order!", "bestellung_ä", "o" * 33):
            yield case.put("bad_command", node.span, wrong)


def reserved_command(case: Case) -> Iterator[Fault]:
    node = _entry_command(case)
    if node is not None:
        for word in ("back", "skip", "resume", "retry"):
            yield case.put("reserved_command", node.span, word)


def _options(case: Case) -> Iterator[tuple[Pair, Scalar_]]:
    """Fixed options of keyboards."""
    for _, body in case.steps():
        keyboard = body.get("keyboard")
        if isinstance(keyboard, Mapping_):
            inside = keyboard.get("options") or keyboard
            if isinstance(inside, Mapping_) and not inside.pair("from"):
                for pair in inside:
                    if isinstance(pair.value, Scalar_):
                        yield pair, pair.value


def too_long_button(case: Case) -> Iterator[Fault]:
    for _, label in _options(case):
        yield case.put("too_long_button", label.span, "A very long text " * 5)


def too_long_option(case: Case) -> Iterator[Fault]:
    targets = {way.trigger for step in case.flow.steps for way in step.transitions}
    for pair, _ in _options(case):
        if pair.key.text not in targets:
            yield case.put("too_long_option", pair.key.span, "o" * 45)


def link_of_no_kind(case: Case) -> Iterator[Fault]:
    for _, node in _texts(case):
        line = _end_of(node)
        step = next(step for step in case.flow.steps if step.text is not None and step.text.span.line == node.span.line)
        if step.keyboard is None:
            added = "    keyboard: [[{text: More, url: www.example.org}]]"
            yield case.insert("link_of_no_kind", line, added)


def edit_of_nothing(case: Case) -> Iterator[Fault]:
    """The edit button names a step that asks nothing."""
    silent = [step.id for step in case.flow.steps if not isinstance(step.body, Ask)]
    for step in case.flow.steps:
        for row in step.keyboard.rows if step.keyboard else ():
            for name, span in row[0].edit or ():
                yield case.put("edit_of_nothing", span, silent[len(name) % len(silent)])


def closed_behind(case: Case) -> Iterator[Fault]:
    """A step between a question and the summary that edits it closes the way back."""
    for home in case.flow.steps:
        for row in home.keyboard.rows if home.keyboard else ():
            targets = row[0].edit or ()
            for name, span in targets[:-1]:
                line, _ = case.block(name)
                yield case.insert("closed_behind", line, "    final: true", lines={span.line + 1})


def reserved_save(case: Case) -> Iterator[Fault]:
    for step in case.flow.steps:
        if step.save_span is not None:
            for word in ("customer", "settings", "now"):
                yield case.put("reserved_save", step.save_span, word)


MEANING = (
    unclosed_tag, unknown_tag, crossed_tags, bare_sign, link_without_address, unclosed_place, unclosed_if,
    broken_expression, function_call, private_attribute, text_plus_number, filter_on_wrong_type, unlike_compared,
    too_long_text, token, used_before_set, used_where_it_may_be_missing, moved_up, wrong_condition,
    unknown_condition_name, unknown_role, unlike_saves, unfit_validator, bad_command, reserved_command,
    too_long_button, too_long_option, link_of_no_kind, edit_of_nothing, closed_behind, reserved_save,
)  # fmt: skip
