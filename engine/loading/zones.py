"""Time zones as bot.yaml names them. Knows no other setting."""

import zoneinfo

from engine.loading.documents import Node
from engine.loading.findings import Findings, nearest
from engine.loading.parser_arguments import scalar


def time_zone(node: Node | None, findings: Findings) -> str | None:
    """The name of a time zone; None when there is none, or when it is a finding (F0901)."""
    if node is None:
        return None
    found = scalar(node)
    try:
        zoneinfo.ZoneInfo(found.text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        findings.error("F0901", found.content, f"There is no time zone “{found.text}”.",
                       expected="a time zone such as Europe/Berlin",
                       suggestion=nearest(found.text, zoneinfo.available_timezones()))  # fmt: skip
    return found.text
