"""`settings(Class)`: what bot.yaml says under `plugins:` for one plugin, as a frozen dataclass.

Declarations only: files are read and values made in engine.loading.
"""

import dataclasses
from typing import Any

import msgspec

from engine.actions.errors import SignatureError
from engine.actions.setting_kinds import VariableMark, classes_of, fields_of

Variable = VariableMark()
"""`Annotated[str, Variable]`: this setting is the name of an environment variable, such as `ETH_NODE`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SettingsOffer:
    """A plugin's settings: bot.yaml has them under `plugins:` and the plugin's namespace."""

    kind: type[Any]


def settings(kind: type[Any], /) -> SettingsOffer:
    """Declare a plugin's settings: `settings_of = settings(PaymentSettings)` in its module.

    The class is a frozen, keyword-only dataclass, each field with a default; what it holds may have fields that must
    be there. The string below a field is what a shop's owner reads about it. A method `check(self) -> str | None`
    says in words what is wrong with the settings together, or None. Raises SignatureError for a class that cannot be
    settings.
    """
    check_class(kind)
    for found in classes_of(kind):
        check_class(found)
    for item in fields_of(kind).values():
        if item.required:
            where = f"{kind.__module__}.{kind.__qualname__}"
            raise SignatureError(f"{where}: give “{item.name}” a default: bot.yaml need not say anything")
    return SettingsOffer(kind=kind)


def check_class(kind: type[Any]) -> None:
    """Raise SignatureError unless this is a frozen dataclass."""
    if not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
        raise SignatureError(f"{kind!r}: settings are a class, `@dataclass(frozen=True, slots=True, kw_only=True)`")
    parameters = getattr(kind, "__dataclass_params__", None)
    if not (issubclass(kind, msgspec.Struct) or (parameters is not None and parameters.frozen)):
        where = f"{kind.__module__}.{kind.__qualname__}"
        raise SignatureError(f"{where}: make it frozen, `@dataclass(frozen=True, slots=True, kw_only=True)`")
