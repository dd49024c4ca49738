"""The engine's own sentences in the customer's language. Loaded by `engine.runtime.locales`, used by the core."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wording:
    """`messages` maps keys such as `button.old` to sentences with `{name}` places.

    One object per language, shared by all: it is compared by identity, so that drawings can be kept by it.
    """

    language: str
    messages: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """The sentence for `key`, its places filled in. A key nobody wrote gives the key itself, so that a
        missing translation is seen and never an exception in front of a customer."""
        sentence = self.messages.get(key)
        if sentence is None:
            return key
        try:
            return sentence.format(**values) if values else sentence
        except (KeyError, IndexError, ValueError):
            return sentence
