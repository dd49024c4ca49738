"""Small signs for what a step does, drawn as paths so that no font is needed; 18 by 18 pixels each."""

from collections.abc import Mapping
from typing import Final

from engine.core.graph.model import NodeKind

ICONS: Final[Mapping[NodeKind, str]] = {
    NodeKind.ASK: "M3 4.5h12v8.5h-6l-3.5 3v-3h-2.5z M7.4 7.4a1.7 1.7 0 1 1 2.3 1.5q-.7 .3 -.7 1 M9 11.3v.1",
    NodeKind.SHOW: "M3 4.5h12v8.5h-6l-3.5 3v-3h-2.5z M6 7.3h6 M6 10h4",
    NodeKind.DO: "M10 2.5l-5.5 7.5h4l-1 5.5l6 -8h-4.3z",
    NodeKind.WAIT: "M9 2.8a6.2 6.2 0 1 1 0 12.4a6.2 6.2 0 1 1 0 -12.4z M9 5.6v3.6l2.4 1.6",
    NodeKind.CALL: "M3 3.5h5v5h-5z M10 9.5h5v5h-5z M5.5 11v2h2 M6.3 11.8l1.6 1.2l-1.6 1.2",
    NodeKind.END: "M4.5 15.5v-12.5 M4.5 3.5h9l-2.2 3l2.2 3h-9",
}
LOCK: Final = "M1.5 5h7v5h-7z M3 5v-1.5a2 2 0 0 1 4 0v1.5"
"""Of a step that has no way back; 10 by 11 pixels."""
