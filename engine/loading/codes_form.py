"""What the codes F01, F02, F08 and F09 mean: findings about the form of a file, secrets, and bot.yaml."""

from typing import Final

from engine.diagnostics import Severity
from engine.loading.code import Code

_HEAD: Final = "flow: example\nentry: {commands: [example]}\n"
_GOOD: Final = "flow: example\nentry: {commands: [example]}\nsteps:\n  hello: {text: Hello!, end: completed}\n"
_STEPS: Final = _GOOD.removeprefix(_HEAD)
_TAIL: Final = _GOOD.removeprefix("flow: example\n")


def _flow(rest: str) -> str:
    return _HEAD + rest


def _steps(rest: str) -> str:
    return f"{_HEAD}steps:\n{rest}  done: {{text: Thank you!, end: completed}}\n"


def _keyed(steps: str) -> str:
    return _steps(steps).replace("steps:\n", "key: customer.id\nsteps:\n", 1)


def _bot(rest: str) -> str:
    return f"bot: Print shop\n{rest}"


def _code(code: str, title: str, explanation: str, bad: str, good: str) -> Code:
    return Code(
        code=code, severity=Severity.ERROR, title=title, explanation=explanation, bad_example=bad, good_example=good
    )


_ASK: Final = "  name:\n    ask: text\n    text: Your name?\n"

YAML: Final = (
    _code("F0101", "This is not YAML",
          "The file breaks the rules of YAML, so nothing in it can be read. Usual reasons: a quote or a bracket that "
          "is not closed, a colon inside a text without quotes, keys of one level that do not stand under each other.",
          _flow("steps:\n  hello: {text: Hello!, end: completed\n"), _GOOD),
    _code("F0102", "A key stands twice",
          "Under one key there can be only one value. The first one counts, so that the rest can be checked.",
          _steps(_ASK + "    text: And your name?\n"), _steps(_ASK)),
    _code("F0103", "A tab",
          "YAML is indented with spaces. An editor can be told to write spaces for the tab key.",
          _flow("steps:\n\thello: {text: Hello!, end: completed}\n"), _GOOD),
    _code("F0104", "Not UTF-8 text",
          "A file holds text, saved as UTF-8, without control characters.",
          _steps("  name:\n    ask: text\n    text: Your \x07 name?\n"), _steps(_ASK)),
    _code("F0105", "Nested too deeply",
          "Values inside values can go 40 levels deep. No flow needs more.",
          _flow("data: {deep: " + "[" * 45 + "]" * 45 + "}\n" + _STEPS), _GOOD),
    _code("F0106", "Too large",
          "A file has at most 512 KB and 20,000 values; what a reference (`*name`) brings is counted in full.",
          _flow("data:\n  a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n  b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
                "  c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n  d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
                "  e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n" + _STEPS), _GOOD),
    _code("F0107", "Several documents in one file",
          "One file holds one flow. A line `---` would begin a second one.", _GOOD + "---\n" + _GOOD, _GOOD),
    _code("F0108", "A tag, or a key that is not a word",
          "Tags such as `!!python/name` are never followed. A key is a word, not a list or a mapping.",
          _steps("  name:\n    ask: text\n    text: !!binary SGk=\n"), _steps(_ASK)),
    _code("F0109", "Nothing to read",
          "A file holds keys and values: a flow with its steps, or the bot's settings.", "- hello\n", _GOOD),
    _code("F0110", "The file cannot be read",
          "The file is not there, or this program may not open it.", "", ""),
)  # fmt: skip

FORM: Final = (
    _code("F0201", "An unknown key",
          "This key has no meaning here. Keys are written as in the guide, in small letters.",
          "flow: example\nexpirs: 24h\n" + _TAIL, "flow: example\nexpires: 24h\n" + _TAIL),
    _code("F0202", "A missing key", "Something that has to be said is not there.",
          _steps("  name:\n    ask: text\n"), _steps(_ASK)),
    _code("F0203", "A value of the wrong kind",
          "A text, a number, a list or keys and values: here another one is needed. Mind that `yes`, `no` and `on` "
          "are texts; the switches are `true` and `false`.",
          "flow: example\nprogress: yes\n" + _TAIL, "flow: example\nprogress: true\n" + _TAIL),
    _code("F0204", "Not one of the possible values", "Only certain words can stand here.",
          _steps("  name:\n    ask: txt\n    text: Your name?\n"), _steps(_ASK)),
    _code("F0205", "A value in the wrong form",
          "A duration is written 30s, 5m, 24h, 7d or 1h30m; a size 50 MB; a name in small letters, digits and _.",
          "flow: example\nexpires: 24 hours\n" + _TAIL, "flow: example\nexpires: 24h\n" + _TAIL),
    _code("F0206", "A key of another kind of step",
          "The key exists, but not for this kind of step or question.",
          _steps(_ASK + "    max_size: 5 MB\n"),
          _steps("  model:\n    ask: file\n    text: Your model?\n    max_size: 5 MB\n")),
    _code("F0207", "Too little or too much", "A number is out of its range, or something is empty or too long.",
          _steps("  name:\n    ask: text\n    text: ''\n"), _steps(_ASK)),
    _code("F0208", "A name that is taken",
          "Texts and conditions know customer, chat, settings, now, today, hours, option, answer, outcome, failure, "
          "file, result and loop already. A step or a place for an answer needs another name.",
          _steps("  customer:\n    ask: text\n    text: Your name?\n"), _steps(_ASK)),
    _code("F0209", "Two things at once, or none",
          "A step asks, does, waits, calls or ends. A button has one of trigger, edit, start and url. A keyboard draws "
          "its options from: a source or from the items: of a list.",
          _steps("  name:\n    do: shop.read_cart\n    end: completed\n"), _steps(_ASK)),
    _code("F0210", "An unknown type",
          "Types are text, integer, decimal, boolean, money, date, time, duration, file, location and any; `list of "
          "text`, `text?` for what may be missing, and {field: type}.",
          _flow("data: {score: {type: int}}\n" + _STEPS), _GOOD),
    _code("F0211", "A first value of another type",
          "What a name holds first must be of the type that stands beside it.",
          _flow("data: {score: {type: integer, initial: none}}\n" + _STEPS), _GOOD),
    _code("F0212", "A name without type and value",
          "Nothing says what this will hold: give it a first value, or a type.",
          _flow("data: {score: }\n" + _STEPS), _GOOD),
    _code("F0213", "Two time limits", "A step stops waiting at one moment: until:, after: or timeout:.",
          _keyed("  paid:\n    text: Waiting.\n    timeout: 1h\n    wait:\n      paid: done\n"
                 "      after: {time: 2h, to: done}\n"),
          _keyed("  paid:\n    text: Waiting.\n    wait:\n      paid: done\n      after: {time: 2h, to: done}\n")),
)  # fmt: skip

SECRETS: Final = (
    _code("F0801", "A secret in the file",
          "This looks like a token, a key or a password. Files are copied, shared and kept for ever, so write the name "
          "of an environment variable into bot.yaml under `secrets:`, and change the secret.",
          _steps("  name:\n    ask: text\n    text: Write to 123456789:AAExampleExampleExampleExampleExample0\n"),
          _steps(_ASK)),
    _code("F0802", "A password written out",
          "The key says that its value is a secret. Write it into an environment variable and its name into bot.yaml.",
          _bot("settings: {shop_password: swordfish}\n"), _bot("secrets: {shop_password: SHOP_PASSWORD}\n")),
    _code("F0803", "Not the name of a variable",
          "Under `secrets:` stand names of environment variables, in capital letters, never the secrets themselves.",
          _bot("secrets: {api: swordfish}\n"), _bot("secrets: {api: API_TOKEN}\n")),
)  # fmt: skip

BOT: Final = (
    _code("F0901", "An unknown time zone", "Time zones are named by continent and city.",
          _bot("time_zone: Europe/Berlln\n"), _bot("time_zone: Europe/Berlin\n")),
    _code("F0902", "An unknown language", "Languages are two or three letters, with a country where it matters.",
          _bot("languages: [xq]\n"), _bot("languages: [en, pt_BR]\n")),
    _code("F0903", "An unknown country", "Countries are two capital letters (ISO 3166).",
          _bot("region: XQ\n"), _bot("region: PL\n")),
    _code("F0904", "An unknown currency", "Currencies are three capital letters (ISO 4217), or a known coin.",
          _bot("currency: EUE\n"), _bot("currency: EUR\n")),
    _code("F0906", "Impossible working hours",
          "Each day has its times once, in order: mon-fri: [09:00-12:00, 13:00-18:00]. 18:00-02:00 goes on until the "
          "next morning, 00:00-24:00 is a whole day. A closed day is 2026-12-31, or 12-25 for each year.",
          _bot("hours: {shop: {mon-fri: 09:00-18:00, fri: 09:00-12:00}}\n"),
          _bot("hours: {shop: {mon-thu: 09:00-18:00, fri: 09:00-12:00}}\n")),
    _code("F0905", "Two files for the bot", "One bot has one bot.yaml.", "", ""),
    _code("F0907", "No plugin of this name",
          "Under `plugins:` stand plugins that have settings, each by its name: what stands before the dot in its "
          "actions.",
          _bot("plugins: {shopp: {hold: 30m}}\n"), _bot("plugins: {shop: {hold: 30m}}\n")),
    _code("F0908", "No such setting of a plugin",
          "The plugin has no setting of this name. plugins/README.md and the editor's completion list them.",
          _bot("plugins: {shop: {hod: 30m}}\n"), _bot("plugins: {shop: {hold: 30m}}\n")),
    _code("F0909", "A setting of another kind",
          "A duration is 30m, an amount of money 5.00 EUR, a whole number has no quotes. Where the name of an "
          "environment variable is wanted, its value must not stand: that would be a secret in a file.",
          _bot("plugins: {shop: {hold: soon}}\n"), _bot("plugins: {shop: {hold: 30m}}\n")),
    _code("F0910", "Settings that do not go together",
          "Each of these settings may be as it is, but not with the others: the plugin says what is wrong.",
          _bot("plugins: {shop: {most_pieces: 0}}\n"), _bot("plugins: {shop: {most_pieces: 10}}\n")),
)  # fmt: skip

CODES: Final[tuple[Code, ...]] = (*YAML, *FORM, *SECRETS, *BOT)
