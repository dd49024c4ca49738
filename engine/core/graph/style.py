"""How a diagram looks: the only place with its colours. `engine/channels/web/assets/diagram.css` is `css()` as a file.

A page gives its own colours by setting `--diagram-NAME` on something around the diagram.
"""

import re
from collections.abc import Mapping
from typing import Final

FONT: Final = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', 'Liberation Sans', Arial, sans-serif"
COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "canvas": ("#ffffff", "#17191d"),
    "node": ("#ffffff", "#22262c"),
    "border": ("#c3cad4", "#454d59"),
    "text": ("#1c232d", "#e8ebf0"),
    "muted": ("#66707f", "#9aa4b2"),
    "line": ("#8a94a3", "#7d8796"),
    "label": ("#f1f3f6", "#2a2f37"),
    "ask": ("#2f6fdb", "#6ea2ff"),
    "show": ("#64748b", "#94a3b8"),
    "do": ("#8250c8", "#b78cf5"),
    "wait": ("#b7791f", "#e0ab4f"),
    "call": ("#0e8a86", "#45c4bf"),
    "end": ("#2e8b57", "#58c187"),
    "timeout": ("#b7791f", "#e0ab4f"),
    "failed": ("#c9403a", "#f0807a"),
    "back": ("#5b7db1", "#86a6d6"),
    "walked": ("#2f6fdb", "#6ea2ff"),
    "walked-fill": ("#eaf1fd", "#1f2c42"),
    "current": ("#e8590c", "#ff9f5a"),
    "current-fill": ("#fff1e6", "#3d2a1b"),
}
"""Name → light, dark."""
_KINDS: Final = ("ask", "show", "do", "wait", "call", "end")
_RULES: Final = """\
.diagram { background: $canvas; font-family: FONT; }
.diagram .canvas { fill: $canvas; }
.diagram .edge .line { fill: none; stroke: $line; stroke-width: 1.5; stroke-linejoin: round; }
.diagram .edge .arrow { fill: $line; stroke: none; }
.diagram .edge .plate { fill: $label; stroke: $canvas; stroke-width: 2; }
.diagram .edge text { fill: $muted; font-size: 11.5px; text-anchor: middle; }
.diagram .edge.back .line { stroke: $back; }
.diagram .edge.back .arrow { fill: $back; }
.diagram .edge.passed .line { stroke-dasharray: 2 4; }
.diagram .edge.timeout .line { stroke: $timeout; stroke-dasharray: 6 4; }
.diagram .edge.timeout .arrow, .diagram .edge.timeout text { fill: $timeout; }
.diagram .edge.failed .line { stroke: $failed; stroke-dasharray: 6 4; }
.diagram .edge.failed .arrow, .diagram .edge.failed text { fill: $failed; }
.diagram .edge.walked .line { stroke: $walked; stroke-width: 2.5; stroke-dasharray: none; }
.diagram .edge.walked .arrow { fill: $walked; }
.diagram .edge.walked text { fill: $text; }
.diagram .step .box { fill: $node; stroke: $border; stroke-width: 1.25; }
.diagram .step .title { fill: $text; font-size: 13px; font-weight: 500; }
.diagram .step .detail { fill: $muted; font-size: 11px; }
.diagram .step .icon { fill: none; stroke: $muted; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.diagram .step .lock { fill: none; stroke: $muted; stroke-width: 1.3; }
KINDS
.diagram .step.first .box { stroke-width: 2; }
.diagram .step.walked .box { fill: $walked-fill; stroke: $walked; }
.diagram .step.current .box { fill: $current-fill; stroke: $current; stroke-width: 3; }
.diagram .step.current .title { font-weight: 700; }
"""
_PAGE: Final = """\
.diagram .step { cursor: pointer; outline: none; }
.diagram .step:hover .box { stroke: $text; }
.diagram .step:focus-visible .box { stroke: $text; stroke-width: 2.5; }
.diagram .step.current:hover .box, .diagram .step.current:focus-visible .box { stroke: $current; }
"""
_USE: Final = re.compile(r"\$([a-z-]+)")


def _rules() -> str:
    kinds = [
        f".diagram .step.{kind} .icon {{ stroke: ${kind}; }}\n.diagram .step.{kind} .mark {{ fill: ${kind}; }}"
        for kind in _KINDS
    ]
    return _RULES.replace("FONT", FONT).replace("KINDS", "\n".join(kinds))


def _declared(dark: bool) -> str:
    return " ".join(f"--d-{name}: var(--diagram-{name}, {pair[dark]});" for name, pair in COLOURS.items())


def css(dark: bool | None = None) -> str:
    """The style sheet: None follows what the reader prefers, True and False are dark and light."""
    rules = _USE.sub(lambda found: f"var(--d-{found[1]})", _rules() + _PAGE)
    parts = [f".diagram {{ {_declared(bool(dark))} }}"]
    if dark is None:
        parts.append(f"@media (prefers-color-scheme: dark) {{ .diagram {{ {_declared(True)} }} }}")
    return "\n".join(parts) + "\n" + rules


def flat_css(dark: bool) -> str:
    """The same for renderers that know neither custom properties nor a pointer: plain colours."""
    return _USE.sub(lambda found: COLOURS[found[1]][dark], _rules())
