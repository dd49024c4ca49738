"""Finds what plugins offer: the shipped package, a product's own folder, installed distributions.

A plugin that cannot be loaded stops the start with a PluginError that names it: nothing goes missing silently.
"""

import asyncio
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final, assert_never

import engine
from engine.actions import validators
from engine.actions.catalog import Catalog, CommandSignature, SettingsSignature
from engine.actions.commands import CommandOffer
from engine.actions.configuring import SettingsOffer
from engine.actions.errors import PluginError, origin, words
from engine.actions.offers import Action, Source, Validator
from engine.actions.services import Service
from engine.actions.webhooks import Webhook

GROUP = "stepgram.plugins"
"""The entry point group; an entry point's name is the namespace of what its module offers."""
SHIPPED = "plugins"
Offer = Action | Source | Validator | Service | Webhook | SettingsOffer | CommandOffer
_KINDS: Final = (Action, Source, Validator, Service, Webhook, SettingsOffer, CommandOffer)
_SAID: Final = {"Webhook": "webhook of the path", "SettingsOffer": "class of settings for", "CommandOffer": "command"}
_LOCAL = "stepgram_local_"
"""Modules of a product's own folder are imported under this prefix, so that they shadow nothing."""


_BROKEN = (Exception, SystemExit, GeneratorExit, asyncio.CancelledError)
"""What a module may raise while it is imported. KeyboardInterrupt is the developer's own."""


class _Gathered:
    """Signatures found so far, and who brought each: two of one name are refused."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = {kind.__name__: {} for kind in _KINDS}
        self._owners: dict[tuple[str, str], str] = {}

    def take(self, namespace: str, offers: Sequence[Offer], owner: str) -> None:
        for offer in offers:
            name, signature = _signature(namespace, offer)
            kind = type(offer).__name__
            before = self._owners.setdefault((kind, name), owner)
            if before != owner or name in self._found[kind]:
                said = _SAID.get(kind, kind.lower())
                raise PluginError(f"the {said} “{name}” is offered twice, by {before} and by {owner}: rename one")
            self._found[kind][name] = signature

    def catalog(self) -> Catalog:
        actions, sources, judges, services, webhooks, settings, commands = (
            dict(sorted(self._found[kind.__name__].items())) for kind in _KINDS
        )
        return Catalog(
            actions=actions,
            sources=sources,
            validators=judges,
            services=services,
            webhooks=webhooks,
            settings=settings,
            commands=commands,
        )


def _signature(namespace: str, offer: Offer) -> tuple[str, object]:
    """What an offer is known by, and its signature under that name."""
    match offer:
        case Action(signature=signature) | Source(signature=signature) | Validator(signature=signature):
            name = f"{namespace}.{signature.name}" if namespace else signature.name
            return name, replace(signature, name=name)
        case Service(signature=service):
            name = f"{namespace}.{service.name}"
            return name, replace(service, name=name)
        case Webhook(signature=webhook):
            return webhook.path, replace(webhook, name=f"{namespace}.{webhook.name}")
        case SettingsOffer(kind=kind):
            return namespace, SettingsSignature(namespace=namespace, kind=kind)
        case CommandOffer(name=name):
            return name, CommandSignature(name=name, summary=offer.summary, load=offer.load)
        case _:
            assert_never(offer)


def builtin_catalog() -> Catalog:
    """The shipped plugins and the built-in validators: what flows.schema.json knows."""
    return discover(entry_points=False)


def discover(folders: Sequence[Path] = (), *, entry_points: bool = True) -> Catalog:
    """The shipped plugins and validators, those in `folders`, and those of installed distributions.

    A folder that does not exist holds nothing. In a clone of Stepgram the clone's own `plugins` are the shipped
    ones, also when Stepgram is installed elsewhere. Raises PluginError for a plugin that cannot be loaded, and
    for two that offer the same name.
    """
    gathered = _Gathered()
    gathered.take("", offers_of(validators), "the engine")
    shipped = _shipped(folders)
    for namespace, module in _modules(shipped):
        gathered.take(namespace, offers_of(module), f"{SHIPPED}/{namespace}")
    for folder in folders:
        if folder.is_dir() and folder.resolve() not in {Path(path).resolve() for path in shipped.__path__}:
            for namespace, module in _local_modules(folder):
                gathered.take(namespace, offers_of(module), f"{folder / namespace}")
    if entry_points:
        for point in importlib.metadata.entry_points(group=GROUP):
            owner = f"{point.dist.name if point.dist else 'a distribution'} ({point.value})"
            gathered.take(point.name, _offers_at(point, owner), owner)
    return gathered.catalog()


def offers_of(module: ModuleType) -> list[Offer]:
    """What a module offers of its own or, for a package, gathers from its own parts."""
    root = module.__name__
    found: list[Offer] = []
    for value in vars(module).values():
        if isinstance(value, _KINDS) and all(value is not known for known in found) and _belongs(value, root):
            found.append(value)
    return found


def _belongs(offer: Offer, root: str) -> bool:
    """Whether the function is the module's own. Settings may be a class that several plugins share."""
    if isinstance(offer, SettingsOffer | CommandOffer):
        return True
    function = offer.function if isinstance(offer, Validator) else offer.signature.function
    return function.__module__ == root or function.__module__.startswith(f"{root}.")


def _shipped(folders: Sequence[Path]) -> ModuleType:
    """The `plugins` package beside `engine`, even where a product has a folder of that name."""
    cloned = next((folder.resolve() for folder in folders if _in_clone(folder)), None)
    home = cloned or Path(engine.__file__).resolve().parent.parent / SHIPPED
    loaded = sys.modules.get(SHIPPED)
    if loaded is not None and home in {Path(path).resolve() for path in getattr(loaded, "__path__", ())}:
        return loaded
    return _load(SHIPPED, home / "__init__.py", "the shipped plugins", search=home)


def _in_clone(folder: Path) -> bool:
    """Whether this is the `plugins` folder of Stepgram's source: it stands beside the engine's."""
    return (folder / "__init__.py").is_file() and (folder.parent / "engine/actions/discovery.py").is_file()


def _modules(package: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda item: item.name):
        if found.name.startswith("_"):
            continue
        name = f"{package.__name__}.{found.name}"
        try:
            yield found.name, importlib.import_module(name)
        except _BROKEN as error:
            raise _broken(f"{SHIPPED}/{found.name}", error) from error


def _local_modules(folder: Path) -> Iterator[tuple[str, ModuleType]]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("_", ".")):
            continue
        if path.suffix == ".py":
            yield path.stem, _load(_LOCAL + path.stem, path, str(path))
        elif (path / "__init__.py").is_file():
            yield path.name, _load(_LOCAL + path.name, path / "__init__.py", str(path), search=path)


def _load(name: str, path: Path, owner: str, search: Path | None = None) -> ModuleType:
    places = [str(search)] if search else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=places)
    if spec is None or spec.loader is None:
        raise PluginError(f"the plugin {owner} cannot be read")
    module = importlib.util.module_from_spec(spec)
    for stale in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[stale]
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except _BROKEN as error:
        sys.modules.pop(name, None)
        raise _broken(owner, error) from error
    return module


def _offers_at(point: importlib.metadata.EntryPoint, owner: str) -> list[Offer]:
    try:
        loaded = point.load()
    except _BROKEN as error:
        raise _broken(owner, error) from error
    if isinstance(loaded, _KINDS):
        return [loaded]
    if isinstance(loaded, ModuleType):
        return offers_of(loaded)
    raise PluginError(f"the plugin {owner} is no module and no action: let its entry point name a module")


def _broken(owner: str, error: BaseException) -> PluginError:
    said, kind = words(error), type(error).__name__
    if not isinstance(error, PluginError):
        said = kind if said == kind else f"{kind}: {said}"
        said += "" if isinstance(error, SyntaxError) else f" (at {origin(error)})"
    return PluginError(f"the plugin {owner} cannot be loaded: {said}")
