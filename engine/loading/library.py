"""Files and folders become flows, the bot and one report of everything that is wrong with them."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from engine.actions.catalog import Catalog
from engine.core.model import Bot, Flow
from engine.diagnostics import Diagnostic, Report, Severity, Span
from engine.loading.bot import parse_bot
from engine.loading.documents import Document
from engine.loading.parser import parse, version_of
from engine.loading.pictures import Place, check_pictures, placed
from engine.loading.rules import check
from engine.loading.schema_check import check_document, is_bot
from engine.loading.secrets import check_secrets
from engine.loading.source import Read, read_bytes, read_file
from engine.loading.translations import FOLDER, Locale, Lost, is_locale, language_of, parse_locale, translate

_NOT_FLOWS: Final = "tests"
_ENDINGS: Final = (".yaml", ".yml")
_BOT: Final = "bot.yaml"
_NAMED: Final = re.compile(r"^flow: *[\"']?(\w+)", re.MULTILINE)
_UNKNOWN_FLOW: Final = "F0302"
_NEVER_STARTED: Final = "F0514"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`flows` has those that could be read, whatever the rules say of them; run only when `report.ok`."""

    flows: tuple[Flow, ...]
    bot: Bot
    documents: Mapping[str, Document]
    """By path as in the spans. Also of files with findings, as long as they are YAML."""
    report: Report
    texts: Mapping[str, str] = field(default_factory=dict)
    """What stands in every file that was asked for, also in those that are not YAML: for showing findings."""
    locales: tuple[Locale, ...] = ()
    """The files of translations that could be read."""


def load(paths: Path | Sequence[Path], catalog: Catalog, *, environment: Mapping[str, str] | None = None) -> Loaded:
    """Everything in the folders and files.

    A file brings its whole folder as context (bot.yaml, flows that it calls), but only findings about the files
    that were asked for are reported. `environment` (None: the process's) resolves `env:NAME` of roles and hosts.
    """
    asked = [paths] if isinstance(paths, Path) else list(paths)
    files, shown = _files(asked)
    loading = _Loading(catalog=catalog, environment=os.environ if environment is None else environment)
    for file, place in files:
        loading.file(file, place)
    loaded = loading.done()
    if shown is None:
        return loaded
    kept = Report.of(finding for finding in loaded.report.findings if finding.span.file in shown)
    texts = {name: text for name, text in loaded.texts.items() if name in shown}
    return replace(loaded, report=kept, texts=texts)


def load_texts(texts: Mapping[str, str], catalog: Catalog, *, environment: Mapping[str, str] | None = None) -> Loaded:
    """The same for texts by file name, without a disk."""
    loading = _Loading(catalog=catalog, environment=environment or {})
    for name, text in texts.items():
        loading.content(name, text.encode())
    return loading.done()


def _files(asked: Sequence[Path]) -> tuple[list[tuple[Path, Place]], frozenset[str] | None]:
    """Files to read and where they stand, and the names of those to report on (None: all)."""
    files: dict[str, tuple[Path, Place]] = {}
    shown: set[str] = set()
    for path in asked:
        root = _root_of(path)
        around = list(_folder(root)) if path.exists() else []
        if path.is_dir():
            found = around
            shown.update(str(file) for file in found if file.is_relative_to(path))
        else:
            found = [path, *around]
            shown.add(str(path))
        for file in found:
            files.setdefault(str(file), (file, Place.of(file, root)))
    everything = shown == set(files)
    return list(files.values()), None if everything else frozenset(shown)


def _root_of(path: Path) -> Path:
    """The folder of flows that a file (or a folder) belongs to: translations lie in a folder of their own in it."""
    folder = path if path.is_dir() else path.parent
    return folder.parent if folder.name == FOLDER else folder


def _folder(folder: Path) -> Iterator[Path]:
    """The YAML files of a folder and its folders, in order, also translations; not transcripts and hidden ones."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if entry.name != _NOT_FLOWS and not entry.is_symlink():
                yield from _folder(entry)
        elif entry.suffix in _ENDINGS:
            yield entry


@dataclass(kw_only=True)
class _Loading:
    """One run of loading: collects as the files come."""

    catalog: Catalog
    environment: Mapping[str, str]
    flows: list[Flow] = field(default_factory=list)
    bot: Bot | None = None
    bots: list[str] = field(default_factory=list)
    locales: list[Locale] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    """Languages of which a file of translations could not be read."""
    no_bot: bool = False

    def file(self, path: Path, place: Place) -> None:
        read = read_file(path)
        self._read(str(path), read, read.content, place)

    def content(self, name: str, content: bytes) -> None:
        self._read(name, read_bytes(content, name), content)

    def _read(self, name: str, read: Read, content: bytes, place: Place | None = None) -> None:
        self.findings += read.findings
        self.texts[name] = content.decode("utf-8-sig", "replace")
        bot = Path(name).name == _BOT
        if is_locale(name):
            self._locale(name, read.document)
        elif read.document is not None:
            self._document(read.document, content, place, bot=bot or is_bot(read.document))
        else:
            self._lost(name, bot=bot)

    def _lost(self, name: str, *, bot: bool) -> None:
        """A file that gave no flow: what others say about its flow cannot be judged."""
        self.no_bot = self.no_bot or bot
        if flow := _NAMED.search(self.texts[name]):
            self.lost.add(flow[1])

    def _document(self, document: Document, content: bytes, place: Place | None, *, bot: bool) -> None:
        self.documents[document.path] = document
        self.findings += check_secrets(document, bot=bot)
        wrong = check_document(document, bot=bot)
        self.findings += wrong
        if wrong:
            self._lost(document.path, bot=bot)
        elif bot:
            self._bot(document)
        else:
            parsed = parse(document, self.catalog, version_of(content))
            self.findings += parsed.findings
            if parsed.flow is None:
                self._lost(document.path, bot=False)
            else:
                self.findings += check_pictures(parsed.flow, place)
                self.flows.append(placed(parsed.flow, place))

    def _locale(self, name: str, document: Document | None) -> None:
        wrong: Sequence[Diagnostic] = ()
        if document is not None:
            self.documents[document.path] = document
            wrong = check_document(document, locale=True)
            self.findings += [*check_secrets(document, bot=False), *wrong]
        if document is None or wrong:
            self.mute.add(language_of(name))
        else:
            self.locales.append(parse_locale(document))

    def _bot(self, document: Document) -> None:
        if self.bots:
            span = Span(file=document.path, line=1, column=1, end_line=1, end_column=2)
            self.findings.append(
                Diagnostic(code="F0905", severity=Severity.ERROR, span=span, message="There are two files for the bot.",
                           expected=f"one bot.yaml (the other is {self.bots[0]})")
            )  # fmt: skip
        self.bots.append(document.path)
        parsed = parse_bot(document, self.environment, self.catalog)
        self.findings += parsed.findings
        self.no_bot = self.no_bot or parsed.bot is None
        self.bot = self.bot or parsed.bot

    def done(self) -> Loaded:
        bot = self.bot or Bot()
        self._translate(bot)
        if not self.no_bot:  # without the bot's settings and roles half of the findings would be false
            found = check(self.flows, bot, self.catalog, self.documents)
            self.findings += [finding for finding in found if not self._hearsay(finding)]
        return Loaded(
            flows=tuple(self.flows),
            bot=bot,
            documents=dict(self.documents),
            report=Report.of(self.findings),
            texts=dict(self.texts),
            locales=tuple(self.locales),
        )

    def _translate(self, bot: Bot) -> None:
        bot_file = self.documents.get(self.bots[0]) if self.bots else None
        lost = Lost(flows=self.lost, languages=self.mute)
        translated = translate(self.flows, bot, self.locales, bot_file=bot_file, lost=lost)
        self.flows = list(translated.flows)
        if not self.no_bot:
            self.findings += translated.findings

    def _hearsay(self, finding: Diagnostic) -> bool:
        """Whether a finding is only about a flow whose own file has to be put right first."""
        if not self.lost:
            return False
        if finding.code == _NEVER_STARTED:
            return True
        span, document = finding.span, self.documents.get(finding.span.file)
        line = document.lines[span.line - 1] if document else ""
        return finding.code == _UNKNOWN_FLOW and line[span.column - 1 : span.end_column - 1] in self.lost
