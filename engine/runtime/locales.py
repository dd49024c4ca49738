"""The engine's own texts: `engine/locales/LANGUAGE.yaml`, nested keys flattened with dots. No flow's texts."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from engine.core.wording import Wording
from engine.loading.documents import Mapping_, Node, Scalar_
from engine.loading.source import read_file

FOLDER: Final = Path(__file__).resolve().parent.parent / "locales"
FALLBACK: Final = "en"


class LocaleError(Exception):
    """A locale file is missing or is no mapping of texts; the message says which."""


def wordings(languages: Iterable[str], folder: Path = FOLDER) -> Mapping[str, Wording]:
    """The wording of every language; what one has not said yet is said in English. Raises LocaleError."""
    english = messages(folder / f"{FALLBACK}.yaml")
    found = {}
    for language in dict.fromkeys((*languages, FALLBACK)):
        # `de-AT` has no file of its own: German says it.
        names = dict.fromkeys((language, language.replace("_", "-").partition("-")[0]))
        path = next((file for name in names if (file := folder / f"{name}.yaml").is_file()), None)
        own = messages(path) if path is not None else {}
        found[language] = Wording(language=language, messages={**english, **own})
    return found


def messages(path: Path) -> Mapping[str, str]:
    """One file's texts by dotted key. Raises LocaleError."""
    read = read_file(path)
    if read.document is None or read.findings:
        why = read.findings[0].message if read.findings else "it is empty"
        raise LocaleError(f"The texts in {path.name} cannot be used: {why}")
    flat: dict[str, str] = {}
    _flatten(read.document.root, "", flat, path)
    return flat


def _flatten(node: Node, prefix: str, flat: dict[str, str], path: Path) -> None:
    match node:
        case Mapping_(pairs=pairs):
            for pair in pairs:
                name = f"{prefix}.{pair.key.text}" if prefix else pair.key.text
                _flatten(pair.value, name, flat, path)
        case Scalar_(text=text):
            flat[prefix] = text.rstrip("\n")
        case _:
            raise LocaleError(f"The texts in {path.name} cannot be used: “{prefix}” is a list.")
