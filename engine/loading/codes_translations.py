"""What the codes F097x mean: findings about translations, the files in `flows/locales`."""

from typing import Final

from engine.diagnostics import Severity
from engine.loading.code import Code
from engine.loading.fingerprints import fingerprint

_BOT: Final = "# file: bot.yaml\nbot: Print shop\nlanguages: [en, de]\n"
_HELLO: Final = (
    "# file: hello.yaml\nflow: hello\ntitle: Hello\nentry: {commands: [hello]}\nsteps:\n"
    "  hi: {text: 'Hello, {{ customer.name }}!', end: completed}\n"
)
_TITLE: Final = "    title: Hallo\n"
_HI: Final = "    hi.text: Hallo, {{ customer.name }}!\n"
_NOTED: Final = fingerprint("Hallo, {{ customer.name }}!")
_LINES: Final = (
    "# file: lines.yaml\nflow: lines\ntitle: '7'\nentry: {commands: [lines]}\nsteps:\n"
    "  ask: {ask: integer, text: '?'}\n"
    '  hi: {text: \'{{ ask }} {{ ask | plural("line", "lines") }}\', end: completed}\n'
)


def _file(lines: str, language: str = "de", more: str = "") -> str:
    return f"# file: locales/{language}.yaml\ntexts:\n  hello:\n{lines}{more}"


def _russian(text: str) -> str:
    bot = _BOT.replace("de]", "ru]")
    return f"{bot}{_LINES}# file: locales/ru.yaml\ntexts:\n  lines:\n    hi.text: '{text}'\n"


def _warning(code: str, title: str, explanation: str, bad: str, good: str) -> Code:
    return Code(
        code=code, severity=Severity.WARNING, title=title, explanation=explanation, bad_example=bad, good_example=good
    )


_GOOD: Final = _BOT + _HELLO + _file(_TITLE + _HI)

CODES: Final[tuple[Code, ...]] = (
    _warning(
        "F0971",
        "Translations that nobody reads",
        "The file's name is its language: locales/de.yaml. It is read when bot.yaml lists that language under "
        "languages:, behind the first one, which is the one that the flows are written in.",
        _GOOD + "# file: locales/fr.yaml\ntexts:\n  hello:\n    title: Bonjour\n",
        _GOOD.replace("[en, de]", "[en, de, fr]")
        + "# file: locales/fr.yaml\ntexts:\n  hello:\n    title: Bonjour\n    hi.text: Bonjour, {{ customer.name }}!\n",
    ),
    _warning(
        "F0972",
        "A translation of nothing",
        "There is no such flow, or it has no text of that name. `stepgram texts` lists the names: the step, a dot, and "
        "the field. After a step was renamed, rename it here, too.",
        _BOT + _HELLO + _file(_TITLE + _HI + "    hi.txt: Hallo\n"),
        _GOOD,
    ),
    _warning(
        "F0973",
        "Texts without a translation",
        "Customers who speak this language read these texts as the flow has them. `stepgram texts` lists them; "
        "`stepgram texts --write de` adds their names to the file.",
        _BOT + _HELLO + _file(_TITLE),
        _GOOD,
    ),
    _warning(
        "F0974",
        "A translation of what the text used to be",
        "The text in the flow was changed after it was translated. Translate it anew. If the translation is still "
        "right, take its line under made_from: (or the word stale:) away, and type `stepgram texts --write de`.",
        _BOT + _HELLO + _file(_TITLE + _HI, more=f"made_from:\n  hello:\n    hi.text: qwerty-{_NOTED}\n"),
        _GOOD,
    ),
    _warning(
        "F0975",
        "A translation that leaves something out",
        "The text in the flow puts a value in, such as a name or an amount. In this language it is not shown.",
        _BOT + _HELLO + _file(_TITLE + "    hi.text: Hallo!\n"),
        _GOOD,
    ),
    Code(
        code="F0976",
        severity=Severity.ERROR,
        title="A text that is translated twice",
        explanation="Two files of one language have this text. Files lie in a folder locales beside flows of any "
        "folder; keep each text in one of them.",
        bad_example=_GOOD + "# file: more/locales/de.yaml\ntexts:\n  hello:\n    title: Guten Tag\n",
        good_example=_GOOD,
    ),
    _warning(
        "F0977",
        "Another number of plural forms",
        "Languages count differently. plural() has one form for each way: English and German have two (1 file, 2 "
        "files), Russian and Polish three, for one, few and many (1, 2 and 5).",
        _russian('{{ ask }} {{ ask | plural("строка", "строки") }}'),
        _russian('{{ ask }} {{ ask | plural("строка", "строки", "строк") }}'),
    ),
)
