"""A conversation's key as it is stored and looked for. One rule for flows and for whoever sends signals."""

import hashlib
import re
from typing import Final

LONGEST_KEY: Final = 200
"""Characters of a key; a longer one is known by its digest."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def short_key(key: str) -> str:
    """The key itself, or a digest of one that is too long or holds what no database keeps (NUL, lone surrogates)."""
    if len(key) <= LONGEST_KEY and "\0" not in key and (key.isascii() or _SURROGATE.search(key) is None):
        return key
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
