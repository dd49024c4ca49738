"""Random flows as YAML texts, for the properties; they load, but no product owner would write them."""

from typing import Any

from hypothesis import strategies as st

from engine.core.verdicts import Accepted
from tests.core.walker import action, catalog_of, source

CATALOG = catalog_of(
    actions={
        "shop.do": action("what", "note", templates=["note"]),
        "shop.undo": action("id"),
        "up.load": action("file"),
    },
    sources={"shop.list": source("of")},
    judges={"fine": lambda value, **_arguments: Accepted(value=value)},
)
CALLED = """flow: called
arguments: {of: text?}
steps:
  inner:
    ask: text
    text: Inner {{ of }}
  work:
    do: shop.do
    with: {what: inner}
    undo: {do: shop.undo, with: {id: result.id}}
  sure:
    ask: yes_no
    text: Sure?
    transitions: {no: given_up}
  given:
    end: {outcome: given, result: {inner: inner}}
  given_up:
    end: given_up
"""
KINDS = (
    "text", "text", "integer", "choice", "choice", "choices", "yes_no", "quantity", "listed", "listed_many", "do", "do",
    "show", "menu", "wait", "call", "files", "file", "optional", "condition", "gated", "loop", "date", "email", "phone",
    "timed",
)  # fmt: skip


@st.composite
def flows(draw: Any, kinds: tuple[str, ...] = KINDS) -> list[str]:
    """The texts of a flow of 5 to 15 steps and of the flow that it calls."""
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=5, max_size=15))
    lines = ["flow: random", "expires: 1h", "progress: true", "data: {n: 0}", "steps:"]
    for index, kind in enumerate(chosen):
        earlier = f"s{draw(st.integers(0, index))}" if index else "nothing"
        later = draw(st.integers(index + 1, len(chosen)))
        target = f"s{later}" if later < len(chosen) else "home"
        lines += [f"  s{index}:", *_step(kind, index, earlier, target)]
    asks = ", ".join(f"s{index}" for index, kind in enumerate(chosen) if kind not in ("do", "show", "menu", "wait"))
    edits = f", {{text: Edit, edit: [{asks}]}}" if asks else ""
    lines += [
        "  home:",
        "    text: 'Home {{ n }}'",
        f"    keyboard: [[{{text: Go, trigger: go}}{edits}, {{text: Other, start: other}}]]",
        "    transitions: {go: last}",
        "  last:",
        "    do: shop.do",
        "    undo: {do: shop.undo, with: {id: result.id}}",
        "    transitions: {refused: {to: home, text: 'No: {{ outcome.reason }}'}, failed: home}",
        "  the_end:",
        "    text: Bye",
        "    end: completed",
    ]
    return ["\n".join(lines) + "\n", CALLED]


def _step(kind: str, index: int, earlier: str, target: str) -> list[str]:
    text = f"    text: 'S{index} {{{{ {earlier} }}}}'"
    match kind:
        case "text":
            return ["    ask: text", text, f"    validators: [{{fine: {{a: '{{{{ {earlier} }}}}'}}}}]"]
        case "integer":
            ways = f"    transitions: {{answered: [{{to: {target}, if: s{index} > 3, set: {{n: n + s{index}}}}}]}}"
            return ["    ask: integer", text, "    min: 0", ways]
        case "choice":
            options = f"{{a: A, b: B, c: {{text: C, if: {earlier} == 'a'}}}}"
            return ["    ask: choice", text, f"    keyboard: {options}", f"    transitions: {{b: {target}}}"]
        case "choices":
            keys = "{options: {a: A, b: B, c: C}, page: 2, search: true}"
            return ["    ask: choices", text, "    max: 2", f"    keyboard: {keys}"]
        case "yes_no":
            way = f"{{to: {target}, set: {{n: 7}}, text: 'On to {target}'}}"
            return ["    ask: yes_no", text, f"    transitions: {{yes: {way}}}"]
        case "quantity":
            return ["    ask: quantity", text, "    max: n + 5", "    prefill: n"]
        case "listed" | "listed_many":
            row = "text: '{{ option.id }}', value: option.id, page: 2, search: true"
            keys = f"{{from: shop.list, with: {{of: {earlier}}}, {row}}}"
            return [f"    ask: {'choice' if kind == 'listed' else 'choices'}", text, f"    keyboard: {keys}"]
        case "do":
            return [
                "    do: shop.do",
                f"    with: {{what: {earlier}, note: 'S{index} {{{{ customer.name }}}}'}}",
                "    undo: {do: shop.undo, with: {id: result.id}}",
                f"    transitions: {{refused: {target}, failed: {{to: {target}, text: '{{{{ failure.reason }}}}'}}}}",
            ] if index % 2 else ["    do: shop.do", f"    with: {{what: {earlier}}}"]  # fmt: skip
        case "show":
            return [text, f"    if: {earlier} != 'b'"]
        case "menu":
            rows = "[[{text: On, trigger: on}, {text: Jump, trigger: jump}], [{text: Site, url: 'https://x.y'}]]"
            return [text, f"    keyboard: {rows}", f"    transitions: {{jump: {target}}}"]
        case "wait":
            return [text, "    refresh: 20s", f"    wait: {{sig: {target}, after: {{time: 2m, to: {target}}}}}"]
        case "call":
            return [
                "    call: called",
                f"    with: {{of: {earlier}}}",
                f"    transitions: {{cancelled: {target}, given_up: {target}}}",
            ]
        case "files" | "file":
            count = ["    count: {min: 1, max: 2}"] if kind == "files" else []
            return [f"    ask: {kind}", text, *count, "    each: {do: up.load, with: {file: file}}"]
        case "optional":
            return ["    ask: text", text, "    optional: Skip", f"    transitions: {{skipped: {target}}}"]
        case "condition":
            return ["    ask: text", text, f"    if: {earlier} == 'a'"]
        case "gated":
            return ["    ask: text", text, "    only: staff"]
        case "loop":
            return [
                "    ask: choice",
                text,
                "    keyboard: {again: Again, on: On}",
                f"    transitions: {{again: {{to: {earlier if index else 's0'}, set: {{n: n + 1}}}}}}",
            ]
        case "timed":
            return ["    ask: text", text, "    timeout: 45s", f"    transitions: {{timeout: {target}}}"]
        case _:
            return [f"    ask: {kind}", text, "    prefill: customer.name"]
