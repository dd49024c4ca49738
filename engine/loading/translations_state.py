"""How far the translations of a bot are: what is missing, stale, unused, for each language and flow. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.model import Flow
from engine.loading.translatable import texts_of
from engine.loading.translations import Entry, Locale, serving, wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A text that needs somebody. `source`: what stands in the flow; empty where nothing does."""

    name: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowState:
    """The translation of one flow into one language."""

    flow: str
    total: int
    """Texts that say something in words."""
    missing: tuple[Lacking, ...]
    stale: tuple[Lacking, ...]
    """Translated from a source that has changed since."""
    unused: tuple[Lacking, ...]
    """Translations of texts that do not exist."""

    @property
    def whole(self) -> bool:
        return not (self.missing or self.stale or self.unused)


def states(flows: Sequence[Flow], locales: Sequence[Locale], language: str) -> tuple[FlowState, ...]:
    """Every flow in one language, in the order of the flows; then flows that only the files of translations know."""
    files = serving(language, locales)
    known = {flow.name for flow in flows}
    strangers = dict.fromkeys(entry.flow for file in files for entry in file.entries if entry.flow not in known)
    return (
        *(_state(flow, files) for flow in flows),
        *(FlowState(flow=name, total=0, missing=(), stale=(), unused=_all(name, files)) for name in strangers),
    )


def _state(flow: Flow, files: Sequence[Locale]) -> FlowState:
    sources, needed = texts_of(flow), wanted(flow)
    entries: dict[str, Entry] = {}
    for file in files:
        entries.update({name: entry for name, entry in file.of(flow.name).items() if entry.text is not None})
    return FlowState(
        flow=flow.name,
        total=len(needed),
        missing=tuple(Lacking(name=name, source=text.source) for name, text in needed.items() if name not in entries),
        stale=tuple(
            Lacking(name=name, source=sources[name].source)
            for name, entry in entries.items()
            if name in sources and entry.is_old(sources[name])
        ),
        unused=tuple(lacking for lacking in _all(flow.name, files) if lacking.name not in sources),
    )


def _all(flow: str, files: Sequence[Locale]) -> tuple[Lacking, ...]:
    return tuple(Lacking(name=name) for name in dict.fromkeys(name for file in files for name in file.of(flow)))
