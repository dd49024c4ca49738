"""The table of all codes: `stepgram explain` prints from it, tests walk it. A code is never used twice."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engine.loading import codes_form, codes_meaning, codes_transcripts, codes_translations
from engine.loading.code import Code


def _merged(*tables: tuple[Code, ...]) -> Mapping[str, Code]:
    merged: dict[str, Code] = {}
    for code in (code for table in tables for code in table):
        if code.code in merged:
            raise ValueError(f"two entries for {code.code}")
        merged[code.code] = code
    return MappingProxyType(dict(sorted(merged.items())))


CODES: Final = _merged(codes_form.CODES, codes_meaning.CODES, codes_transcripts.CODES, codes_translations.CODES)
