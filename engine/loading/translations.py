"""`locales/LANGUAGE.yaml`: the texts of flows in another language. Lays them beside the flows' own, and says what is
wrong with them as translations.

Whether a translation is sound (names, markup, lengths) is judged by the same rules as the text it stands for.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Final

from engine.core.expressions import Parsed
from engine.core.model import Bot, Flow, Template
from engine.diagnostics import Diagnostic, Span
from engine.loading.documents import Document, Mapping_, Node, Scalar_
from engine.loading.fingerprints import fingerprint
from engine.loading.parser_arguments import mapping, scalar, template
from engine.loading.plurals import wrong_plurals
from engine.loading.rules.findings import finding, unknown
from engine.loading.rules.proving import parse
from engine.loading.translatable import changed, texts_of

FOLDER: Final = "locales"
_MARKS: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<[^>]*>|&\w+;", re.DOTALL)
"""What is no word of a text: what is put in, tags, and characters by name."""
_MOST: Final = 50
"""More texts of one flow than this that do not exist are one mistake, said often enough."""


def is_locale(name: str) -> bool:
    """Whether a file of this name holds translations: it lies in a folder `locales`."""
    return PurePath(name).parent.name == FOLDER


def language_of(name: str) -> str:
    """The language of a file of translations: `locales/pt-BR.yaml` → `pt_BR`."""
    return PurePath(name).stem.replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a file of translations."""

    flow: str
    name: str
    span: Span
    """The name's place."""
    text: Template | None
    """None: there is only the name as yet."""
    stale: bool = False
    """Somebody has noted that the source has changed since."""
    made_from: str | None = None
    """What was noted of it: a `mark`."""

    def is_old(self, source: Template) -> bool:
        """Whether it translates what the source used to be: that has changed since, and the translation has not."""
        if self.stale or self.made_from is None or self.text is None:
            return self.stale
        was, said = self.made_from.split("-")
        return was != fingerprint(source.source) and said == fingerprint(self.text.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """One file of translations."""

    path: str
    language: str
    span: Span
    """Of the key `texts`."""
    flows: Mapping[str, Span]
    """Flows that the file has texts of, and where they begin."""
    texts: Mapping[str, Mapping[str, Entry]]
    """Flow → name → entry."""

    @property
    def entries(self) -> Iterator[Entry]:
        """All of them, in the order of the file."""
        return (entry for entries in self.texts.values() for entry in entries.values())

    def of(self, flow: str) -> Mapping[str, Entry]:
        """The entries of one flow by name."""
        return self.texts.get(flow, {})


def parse_locale(document: Document) -> Locale:
    """The translations of a document that the schema accepts."""
    root = mapping(document.root)
    pair = root.pair("texts")
    assert pair is not None, "the schema demands it"
    noted = _noted(root.get("made_from"))
    flows = mapping(pair.value) if isinstance(pair.value, Mapping_) else ()
    return Locale(
        path=document.path,
        language=language_of(document.path),
        span=pair.key.content,
        flows={flow.key.text: flow.key.content for flow in flows},
        texts={
            flow.key.text: {entry.name: entry for entry in _entries(flow.key.text, flow.value, noted)} for flow in flows
        },
    )


def _noted(node: Node | None) -> Mapping[tuple[str, str], str]:
    if not isinstance(node, Mapping_):
        return {}
    return {
        (flow.key.text, pair.key.text): scalar(pair.value).text
        for flow in node
        if isinstance(flow.value, Mapping_)
        for pair in flow.value
    }


def _entries(flow: str, node: Node, noted: Mapping[tuple[str, str], str]) -> Iterator[Entry]:
    for pair in node if isinstance(node, Mapping_) else ():
        name, value = pair.key.text, pair.value
        inner = value.get("stale") if isinstance(value, Mapping_) else value
        yield Entry(
            flow=flow,
            name=name,
            span=pair.key.content,
            text=template(inner) if isinstance(inner, Scalar_) and inner.text.strip() else None,
            stale=isinstance(value, Mapping_),
            made_from=noted.get((flow, name)),
        )


# --- what needs a translation -------------------------------------------------------------------------------


def wanted(flow: Flow) -> Mapping[str, Template]:
    """The texts of a flow that say something in words; addresses of links and bare values need no translation."""
    return {
        name: text
        for name, text in texts_of(flow).items()
        if not name.endswith(".url") and text.span != flow.span and _has_words(text)
    }


def _has_words(text: Template) -> bool:
    if "plural" in text.source:
        return True
    return any(letter.isalpha() for letter in _MARKS.sub("", text.source))


# --- laying them beside the flows -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """The flows with their translations, and what is wrong with those as translations."""

    flows: tuple[Flow, ...]
    findings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What has to be put right first: nothing is said about it."""

    flows: Collection[str]
    """Flows whose own file has errors."""
    languages: Collection[str]
    """Languages of which a file could not be read."""


def translate(
    flows: Sequence[Flow], bot: Bot, locales: Sequence[Locale], *, bot_file: Document | None, lost: Lost
) -> Translated:
    """Lay every translation beside its text."""
    work = _Work(bot=bot, locales=locales, lost=lost)
    if len(bot.languages) > 1 or locales:
        work.files()
        translated = tuple(work.flow(flow) for flow in flows)
        work.missing(flows, bot_file)
        return Translated(flows=translated, findings=tuple(work.findings))
    return Translated(flows=tuple(flows), findings=())


def _main(language: str) -> str:
    """`de_AT` → `de`."""
    return language.partition("_")[0]


def serving(language: str, locales: Iterable[Locale]) -> list[Locale]:
    """The files that speak a language, the nearest last: for `de_AT` those of `de`, then its own."""
    found = [locale for locale in locales if locale.language in (language, _main(language))]
    return sorted(found, key=lambda locale: locale.language == language)


@dataclass(kw_only=True)
class _Work:
    bot: Bot
    locales: Sequence[Locale]
    lost: Lost
    findings: list[Diagnostic] = field(default_factory=list)

    def files(self) -> None:
        """F0971, F0976: files that nobody reads, and texts that stand in two of one language."""
        seen: dict[tuple[str, str, str], Entry] = {}
        for locale in self.locales:
            self._language(locale)
            for entry in locale.entries:
                first = seen.setdefault((locale.language, entry.flow, entry.name), entry)
                if first is not entry:
                    message = f"“{entry.flow}.{entry.name}” is translated in another file, too ({first.span})."
                    self.findings.append(finding("F0976", entry.span, message, expected="one of the two"))

    def _language(self, locale: Locale) -> None:
        source, *others = self.bot.languages
        served = {name for language in others for name in (language, _main(language))}
        if locale.language in served:
            return
        if locale.language == source:
            message = f"The flows are written in “{source}”: its texts stand in the flows themselves."
            self.findings.append(
                finding("F0971", locale.span, message, expected="translations into another of the bot's languages")
            )
            return
        message = f"The bot does not speak “{locale.language}”, so nobody reads these texts."
        self.findings.append(unknown("F0971", locale.span, message, name=locale.language, among=others))

    def flow(self, flow: Flow) -> Flow:
        """One flow with its translations; its version is another when they are."""
        names = texts_of(flow)
        given: dict[str, list[tuple[str, Template]]] = {}
        for language in self.bot.languages[1:]:
            for entry in self._entries(flow.name, language).values():
                if entry.name in names and entry.text is not None:
                    given.setdefault(entry.name, []).append((language, entry.text))
        for locale in self.locales:
            self._judge(flow, locale, names)
        if not given:
            return flow
        translated = changed(flow, lambda name, text: replace(text, translations=tuple(given.get(name, ()))))
        return replace(translated, version=_version(flow.version, given))

    def _entries(self, flow: str, language: str) -> Mapping[str, Entry]:
        found: dict[str, Entry] = {}
        for locale in serving(language, self.locales):
            found.update({name: entry for name, entry in locale.of(flow).items() if entry.text is not None})
        return found

    def _judge(self, flow: Flow, locale: Locale, names: Mapping[str, Template]) -> None:
        entries = locale.of(flow.name)
        for stranger in [entry for name, entry in entries.items() if name not in names][:_MOST]:
            message = f"The flow “{flow.name}” has no text “{stranger.name}”."
            self.findings.append(unknown("F0972", stranger.span, message, name=stranger.name, among=names))
        for name, source in names.items():
            entry = entries.get(name)
            if entry is not None and entry.text is not None:
                if entry.is_old(source):
                    self.findings.append(_stale(entry, source))
                self.findings += _unlike(entry.text, source)
                self.findings += wrong_plurals(entry.text, locale.language)

    def missing(self, flows: Sequence[Flow], bot_file: Document | None) -> None:
        """F0972 for whole flows, and F0973: how much has no translation, once for each language and flow."""
        known = {flow.name for flow in flows}
        for locale in self.locales:
            for name, span in locale.flows.items():
                if name not in known and name not in self.lost.flows:
                    message = f"There is no flow “{name}”."
                    self.findings.append(unknown("F0972", span, message, name=name, among=known))
        source = _main(self.bot.languages[0])
        for language in self.bot.languages[1:]:
            if _main(language) != source and not {language, _main(language)} & set(self.lost.languages):
                self._missing(language, flows, bot_file)

    def _missing(self, language: str, flows: Sequence[Flow], bot_file: Document | None) -> None:
        lacking = {flow.name: [*wanted(flow).keys() - self._entries(flow.name, language).keys()] for flow in flows}
        files = serving(language, self.locales)
        if not files:
            total, place = sum(map(len, lacking.values())), _place(bot_file, language)
            if total and place is not None:
                message = f"None of the flows' {total} texts is translated into “{language}”."
                self.findings.append(_missing(place, message, language))
            return
        for flow in flows:
            if count := len(lacking[flow.name]):
                texts = "one text" if count == 1 else f"{count} texts"
                message = f"The flow “{flow.name}” has {texts} without a translation into “{language}”."
                place = next((file.flows[flow.name] for file in files if flow.name in file.flows), files[-1].span)
                self.findings.append(_missing(place, message, language))


def _missing(place: Span, message: str, language: str) -> Diagnostic:
    return finding("F0973", place, message, expected=f"`stepgram texts` lists them, --write {language} adds them")


def _place(bot_file: Document | None, language: str) -> Span | None:
    """Where bot.yaml names the language."""
    root = bot_file.root if bot_file is not None else None
    listed = root.get("languages") if isinstance(root, Mapping_) else None
    items = getattr(listed, "items", ())
    return next((item.content for item in items if item.text.replace("-", "_") == language), None)


def _stale(entry: Entry, source: Template) -> Diagnostic:
    now = " ".join(source.source.split())
    shown = now if len(now) <= 60 else f"{now[:59]}…"
    return finding(
        "F0974",
        entry.span,
        f"The text of “{entry.flow}.{entry.name}” has changed since this was translated.",
        expected=f"a translation of: {shown}",
    )


def _unlike(text: Template, source: Template) -> Iterator[Diagnostic]:
    """F0975: what the source puts in and the translation leaves out."""
    own, given = parse(source.source, template=True), parse(text.source, template=True)
    if isinstance(own, Parsed) and isinstance(given, Parsed):
        paths = own.paths - given.paths
        inner = {path[:length] for path in paths for length in range(1, len(path))}
        lacking = sorted(".".join(path) for path in paths - inner)
        if lacking and not given.paths - own.paths:  # else something else, or a misspelt name, is put in instead
            names = ", ".join(f"“{name}”" for name in lacking)
            message = f"The source puts {names} in; this translation does not."
            yield finding("F0975", text.span, message, expected=f"{{{{ {lacking[0]} }}}} somewhere in the text")


def _version(version: str, given: Mapping[str, Sequence[tuple[str, Template]]]) -> str:
    digest = hashlib.sha256(version.encode())
    for name in sorted(given):
        for language, text in given[name]:
            digest.update(f"\0{name}\0{language}\0{text.source}".encode())
    return digest.hexdigest()[:16]
