"""bot.yaml becomes a `Bot`. Secrets stay names of environment variables; only roles and hosts are looked up."""

from collections.abc import Mapping
from dataclasses import dataclass

from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies

from engine.actions.catalog import Catalog
from engine.core.model import Bot, Retry
from engine.core.types import ValueType
from engine.core.values import MINOR_DIGITS
from engine.diagnostics import Diagnostic
from engine.loading.documents import Document, Mapping_, Node, Scalar_, Sequence_
from engine.loading.findings import Findings
from engine.loading.parser_arguments import mapping, scalar
from engine.loading.parser_hours import calendar
from engine.loading.parser_plugins import plugin_settings
from engine.loading.parser_steps import retry_policy
from engine.loading.parser_types import setting
from engine.loading.zones import time_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedBot:
    """`bot` is None when something in the file keeps it from being used."""

    bot: Bot | None
    findings: tuple[Diagnostic, ...]


def parse_bot(document: Document, environment: Mapping[str, str], catalog: Catalog | None = None) -> ParsedBot:
    """The bot of a document that the schema accepts. A variable that is not set counts as empty. `catalog`: whose
    plugins may have settings; None: there are none."""
    findings = Findings()
    bot = _bot(mapping(document.root), environment, findings, catalog or Catalog())
    return ParsedBot(bot=None if findings.all() else bot, findings=findings.all())


def _bot(root: Mapping_, environment: Mapping[str, str], findings: Findings, catalog: Catalog) -> Bot:
    usual = Bot()
    values, types = _settings(root.get("settings"), findings)
    zone = time_zone(root.get("time_zone"), findings) or usual.time_zone
    return Bot(
        name=scalar(root.get("bot")).text,
        languages=_languages(root.get("languages"), findings) or usual.languages,
        currency=_currency(root.get("currency"), findings) or usual.currency,
        time_zone=zone,
        region=_region(root.get("region"), findings),
        roles={pair.key.text: _listed(pair.value, environment) for pair in _pairs(root.get("roles"))},
        retry=_policies(root.get("retry")),
        settings=values,
        setting_types=types,
        secrets={pair.key.text: scalar(pair.value).text for pair in _pairs(root.get("secrets"))},
        hours={pair.key.text: calendar(pair, zone, findings) for pair in _pairs(root.get("hours"))},
        allowed_hosts=_listed(root.get("allowed_hosts"), environment),
        plugins=plugin_settings(root.get("plugins"), catalog, findings),
    )


def _pairs(node: Node | None) -> Mapping_ | tuple[()]:
    return () if node is None else mapping(node)


def _listed(node: Node | None, environment: Mapping[str, str]) -> tuple[str, ...]:
    """One entry or several; `env:NAME` stands for the comma-separated entries of that variable."""
    if node is None:
        return ()
    found: list[str] = []
    for item in node.items if isinstance(node, Sequence_) else (node,):
        text = scalar(item).text
        if text.startswith("env:"):
            value = environment.get(text.removeprefix("env:"), "")
            found += [part.strip() for part in value.split(",") if part.strip()]
        else:
            found.append(text)
    return tuple(found)


def _policies(node: Node | None) -> dict[str, Retry]:
    return {pair.key.text: retry_policy(mapping(pair.value)) for pair in _pairs(node)}


def _settings(node: Node | None, findings: Findings) -> tuple[dict[str, object], dict[str, ValueType]]:
    values: dict[str, object] = {}
    types: dict[str, ValueType] = {}
    for pair in _pairs(node):
        read = setting(pair, findings)
        if read is not None:
            values[pair.key.text], types[pair.key.text] = read
        elif isinstance(pair.value, Scalar_):
            findings.error("F0212", pair.key.content, f"The setting “{pair.key.text}” has no value.",
                           expected=f"{pair.key.text}: a value")  # fmt: skip
    return values, types


def _languages(node: Node | None, findings: Findings) -> tuple[str, ...]:
    if node is None:
        return ()
    assert isinstance(node, Sequence_), "the schema lets only a list through here"
    found = [scalar(item) for item in node.items]
    for item in found:
        try:
            Locale.parse(item.text.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            findings.error("F0902", item.content, f"There is no language “{item.text}”.",
                           expected="a language such as en, de or pt_BR")  # fmt: skip
    return tuple(item.text.replace("-", "_") for item in found)


def _currency(node: Node | None, findings: Findings) -> str | None:
    if node is None:
        return None
    found, known = scalar(node), list_currencies() | set(MINOR_DIGITS)
    if found.text not in known:
        findings.error("F0904", found.content, f"There is no currency “{found.text}”.",
                       expected="a currency such as EUR, USD or BTC")  # fmt: skip
    return found.text


def _region(node: Node | None, findings: Findings) -> str | None:
    if node is None:
        return None
    found, known = scalar(node), Locale("en").territories
    if found.text not in known:
        findings.error("F0903", found.content, f"There is no country “{found.text}”.",
                       expected="two letters such as PL or DE")  # fmt: skip
    return found.text
