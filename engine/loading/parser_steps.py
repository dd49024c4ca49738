"""Steps: their bodies, transitions, timeouts and pictures."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from engine.core.model import (
    Assignment,
    Body,
    Call,
    Do,
    End,
    Late,
    Path,
    Picture,
    Retry,
    Show,
    Step,
    Timeout,
    Transition,
    Wait,
)
from engine.diagnostics import Span
from engine.loading.documents import Mapping_, Node, Pair, Scalar_, Sequence_
from engine.loading.durations import parse_duration
from engine.loading.findings import Findings
from engine.loading.parser_arguments import (
    argument,
    arguments,
    flag,
    invocation,
    invoked,
    mapping,
    names,
    optional_expression,
    optional_template,
    path,
    scalar,
    spoken,
    template,
)
from engine.loading.parser_keyboards import keyboard
from engine.loading.parser_questions import Validators, ask

RESERVED = frozenset(
    (
        "customer",
        "chat",
        "settings",
        "now",
        "today",
        "hours",
        "option",
        "answer",
        "outcome",
        "failure",
        "file",
        "result",
        "loop",
    )
)
"""Names that expressions see already: no step, answer or data may be called so."""

CLOCKS = ("until", "after")
"""Keys of `wait:` that are no signals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the parts of one file's parser share."""

    findings: Findings
    validators: Validators


def steps(node: Mapping_, reading: Reading) -> tuple[Step, ...]:
    """All steps in the order of the file, each knowing the one below it."""
    below: list[str | None] = [pair.key.text for pair in node.pairs[1:]]
    return tuple(_step(pair, following, reading) for pair, following in zip(node, [*below, None], strict=True))


def _step(pair: Pair, following: str | None, reading: Reading) -> Step:
    node = mapping(pair.value)
    refuse_reserved(pair.key.text, pair.key.content, reading.findings)
    save, save_span = _save(node, reading)
    timeout, clocked = _timeout(node, reading)
    photo, keys, refresh = node.get("photo"), node.get("keyboard"), node.get("refresh")
    return Step(
        id=pair.key.text,
        span=pair.key.content,
        body=_body(node, reading),
        text=optional_template(node.get("text")),
        label=optional_template(node.get("label")),
        photo=None if photo is None else _picture(photo),
        keyboard=None if keys is None else keyboard(keys),
        transitions=(*_signals(node), *clocked, *_transitions(node.get("transitions"))),
        save=save,
        save_span=save_span,
        condition=optional_expression(node.get("if")),
        only=names(node.get("only")),
        final=flag(node.get("final"), False),
        timeout=timeout,
        refresh=None if refresh is None else duration(refresh),
        redraw=flag(node.get("redraw"), False),
        following=following,
    )


def refuse_reserved(name: str, span: Span, findings: Findings) -> None:
    """A finding when `name` is one that expressions see already."""
    if name in RESERVED:
        findings.error("F0208", span, f"“{name}” is a name that texts and conditions know already.",
                       expected=f"another name, such as {name}_1")  # fmt: skip


def _save(node: Mapping_, reading: Reading) -> tuple[Path | None, Span | None]:
    found = node.get("save")
    if found is None:
        return None, None
    target, span = path(scalar(found).text), scalar(found).content
    refuse_reserved(target[0], span, reading.findings)
    return target, span


# --- bodies ---------------------------------------------------------------------------------------------


def _body(node: Mapping_, reading: Reading) -> Body:
    if node.pair("ask"):
        return ask(node, reading.validators)
    if node.pair("do"):
        return _do(node)
    if wait := node.get("wait"):
        return Wait(signals=tuple((p.key.text, p.key.content) for p in mapping(wait) if p.key.text not in CLOCKS))
    if call := node.get("call"):
        flow = scalar(call)
        return Call(flow=flow.text, flow_span=flow.content, arguments=arguments(node.get("with")))
    if end := node.get("end"):
        return _end(end)
    return Show()


def _do(node: Mapping_) -> Do:
    again, undo, timeout = node.get("retry"), node.get("undo"), node.get("timeout")
    return Do(
        action=invocation(node.get("do"), node.get("with")),
        retry=None if again is None else _retry(again),
        undo=None if undo is None else invoked(undo),
        undo_after=names(undo.get("after")) if isinstance(undo, Mapping_) else (),
        timeout=None if timeout is None else duration(timeout),
    )


def _retry(node: Node) -> Retry | tuple[str, Span]:
    return retry_policy(node) if isinstance(node, Mapping_) else names(node)[0]


def retry_policy(node: Mapping_) -> Retry:
    """`{attempts, first, factor, longest}`, what is not said being as `Retry` has it."""
    usual = Retry()
    attempts, first, factor, longest = (node.get(key) for key in ("attempts", "first", "factor", "longest"))
    return Retry(
        attempts=usual.attempts if attempts is None else int(scalar(attempts).text),
        first=usual.first if first is None else duration(first),
        factor=usual.factor if factor is None else float(scalar(factor).text),
        longest=usual.longest if longest is None else duration(longest),
    )


def _end(node: Node) -> End:
    if isinstance(node, Scalar_):
        return End(outcome=node.text)
    found = mapping(node)
    outcome, result = found.get("outcome"), found.get("result")
    return End(
        outcome="completed" if outcome is None else scalar(outcome).text,
        result=None if result is None else argument(result),
    )


def duration(node: Node) -> timedelta:
    """A duration; a bare number is seconds (the schema says where it may be one)."""
    found = scalar(node)
    if isinstance(found.value, int | Decimal):
        return timedelta(seconds=float(found.value))
    return parse_duration(found.text) or timedelta()


def _picture(node: Node) -> Picture:
    if isinstance(node, Scalar_):
        return Picture(kind="value", content=spoken(node), span=node.span)
    found = mapping(node)
    if qr := found.get("qr"):
        return Picture(kind="qr", content=spoken(qr), span=scalar(qr).content)
    file = scalar(found.get("file"))
    return Picture(kind="path", content=template(file), span=file.content)


# --- ways on --------------------------------------------------------------------------------------------


def _transitions(node: Node | None) -> tuple[Transition, ...]:
    """A string or a list goes on from the step's usual trigger, which is written as ""."""
    match node:
        case None:
            return ()
        case Mapping_():
            return tuple(way for pair in node for way in ways(pair.key.text, pair.key.content, pair.value))
        case _:
            return ways("", node.span, node)


def _signals(node: Mapping_) -> tuple[Transition, ...]:
    wait = node.get("wait")
    if wait is None:
        return ()
    return tuple(
        way
        for pair in mapping(wait)
        if pair.key.text not in CLOCKS
        for way in ways(pair.key.text, pair.key.content, pair.value)
    )


def ways(trigger: str, trigger_span: Span, node: Node) -> tuple[Transition, ...]:
    """A target, `{to, if, text, set}`, or a list of those."""
    match node:
        case Sequence_(items=items):
            return tuple(way for item in items for way in ways(trigger, trigger_span, item))
        case Scalar_(text=target):
            return (Transition(trigger=trigger, trigger_span=trigger_span, target=target, target_span=node.content),)
        case Mapping_():
            return (_way(trigger, trigger_span, node),)


def _way(trigger: str, trigger_span: Span, node: Mapping_) -> Transition:
    target, changes = scalar(node.get("to")), node.get("set")
    return Transition(
        trigger=trigger,
        trigger_span=trigger_span,
        target=target.text,
        target_span=target.content,
        condition=optional_expression(node.get("if")),
        text=optional_template(node.get("text")),
        assignments=() if changes is None else tuple(_assignment(pair) for pair in mapping(changes)),
    )


def _assignment(pair: Pair) -> Assignment:
    return Assignment(path=path(pair.key.text), value=argument(pair.value), span=pair.key.content)


def _timeout(node: Mapping_, reading: Reading) -> tuple[Timeout | None, tuple[Transition, ...]]:
    """`timeout:` of the step, or `until:` / `after:` of its `wait:` with the transition they carry."""
    if node.pair("do"):
        return None, ()
    wait = node.get("wait")
    clocks = [pair for pair in mapping(wait) if pair.key.text in CLOCKS] if wait is not None else []
    own = node.pair("timeout")
    pairs = [*clocks, *([own] if own else [])]
    for pair in pairs[1:]:
        reading.findings.error(
            "F0213", pair.key.content, "This step has a time limit already.",
            expected=f"one of: until, after, timeout (the first is on line {pairs[0].key.span.line})",
        )  # fmt: skip
    if not pairs:
        return None, ()
    if own is pairs[0]:
        return _limit(own), ()
    clock = mapping(pairs[0].value)
    return _limit(pairs[0]), (_way("timeout", pairs[0].key.content, clock),)


def _limit(pair: Pair) -> Timeout:
    key, value = pair.key.text, pair.value
    if not isinstance(value, Mapping_):
        return Timeout(after=duration(value), span=pair.key.content)
    after, until = (value.get("after"), value.get("until")) if key == "timeout" else (None, None)
    if key == "until":
        until = value.get("time")
    elif key == "after":
        after = value.get("time")
    hours, late = value.get("hours"), value.get("late")
    return Timeout(
        after=None if after is None else duration(after),
        until=optional_expression(until),
        span=pair.key.content,
        hours=None if hours is None else (scalar(hours).text, scalar(hours).content),
        late=None if late is None else lateness(late),
    )


def lateness(node: Node) -> Late:
    """`fire`, `skip`, a duration, or one of them as `{grace: …, then: …}`."""
    grace = None
    if isinstance(node, Mapping_):
        grace, node = node.get("grace"), scalar(node.get("then"))
    word = scalar(node).text
    usual = Late()
    return Late(
        grace=usual.grace if grace is None else duration(grace),
        skip=word == "skip",
        more=None if word in ("fire", "skip") else duration(node),
    )
