"""The schema of the three files: a flow, bot.yaml, and translations. Catalog-free."""

from engine.loading.parser_hours import CLOSED_PATTERN, DAYS_PATTERN, SPAN_PATTERN
from engine.loading.parser_questions import ASK_KINDS
from engine.loading.schema_locales import locale_file
from engine.loading.schema_steps import KIND_KEYS, question_words, step_kinds, step_words
from engine.loading.schema_words import HOST, NAME, Schema, flag, of, record, ref, words


def definitions() -> dict[str, Schema]:
    """All `$defs` that do not depend on plugins."""
    return {
        **words(), **question_words(), **step_words(), **step_kinds(),
        "step": _step(), "declaration": declaration_word(), "setting": setting_word(), "calendar": calendar_word(),
        "flow": flow_file(), "bot": bot_file(), "locale": locale_file(),
    }  # fmt: skip


def _step() -> Schema:
    """One step for editors: each kind's keys behind an `if`, so that findings and completion stay exact."""
    other = {"anyOf": [{"required": [key]} for key in KIND_KEYS]}
    ways: list[Schema] = [
        {"if": {"required": ["ask"], "properties": {"ask": {"const": kind}}},
         "then": {"$ref": f"#/$defs/step_ask_{kind}"}}
        for kind in ASK_KINDS
    ]  # fmt: skip
    ways += [{"if": {"required": [key]}, "then": {"$ref": f"#/$defs/step_{key}"}} for key in KIND_KEYS if key != "ask"]
    ways.append({"if": {"not": other}, "then": {"$ref": "#/$defs/step_show"}})
    asked = of("string", "a kind of question", "What is asked for.", "choice", enum=list(ASK_KINDS))
    return {
        "title": "a step", "type": "object", "description": "One step.",
        "examples": [{"ask": "text", "text": "What is your name?"}],
        "properties": {"ask": asked}, "allOf": ways,
    }  # fmt: skip


def flow_file() -> Schema:
    """One flow."""
    keys = {
        "flow": ref("name", "The flow's name, unique among the flows.", "print_order"),
        "title": ref("template", "What customers read where flows are listed.", "3D print order"),
        "entry": _entry(),
        "key": ref("expression", "Signals from outside find the conversation by this value.", "order.id"),
        "expires": ref("duration", "Idle time after which the conversation is over.", "24h"),
        "expired": ref("template", "What the customer is told then.", "This order was put away."),
        "late": ref("late", "What becomes of timers that come late, because the bot was down at their moment.", "skip",
                    {"grace": "10m", "then": "1h"}),
        "progress": flag("Questions show how far the customer is."),
        "second_start": of("string", "resume, restart, ask or parallel",
                           "What happens when the flow is started again while it is running.", "ask",
                           enum=["resume", "restart", "ask", "parallel"]),
        "only": ref("names", "Roles that may start it; unsaid: everybody.", "staff"),
        "arguments": of("object", "name: type", "What a caller or a deep link gives.", {"product": "text"},
                        propertyNames=_names(), additionalProperties={"$ref": "#/$defs/type"}),
        "data": of("object", "name: first value, or name: {type: …}", "Values that `set:` changes.",
                   {"score": 0, "best": {"type": "integer?"}}, propertyNames=_names(),
                   additionalProperties={"$ref": "#/$defs/declaration"}),
        "retention": of("string", "a duration such as 30d, forever or none",
                        "How long answers are kept after the end.", "30d", "forever", "none",
                        pattern=r"^(forever|none|(?=[0-9])([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?)$"),
        "back": flag("Questions show ⬅️ Back.", example=False),
        "cancel": flag("Questions show ✖️ Cancel.", example=False),
        "remind": flag("Put aside, it is offered again later.", example=False),
        "steps": of("object", "the steps by id", "The steps, from top to bottom.",
                    {"name": {"ask": "text", "text": "What is your name?"}}, minProperties=1, maxProperties=500,
                    propertyNames=_names(), additionalProperties={"$ref": "#/$defs/step"}),
    }  # fmt: skip
    example = {"flow": "hello", "steps": {"hi": {"text": "Hello!", "end": "completed"}}}
    return record("One flow.", keys, ["flow", "steps"], example)


def _names() -> Schema:
    return {"title": "a name: small letters, digits and _, at most 40, a letter first", "pattern": NAME}


def _entry() -> Schema:
    link = record("A link with an argument.", {
        "name": ref("name", "The part behind ?start=.", "product"),
        "argument": ref("name", "The flow's argument that takes the rest.", "product"),
    }, ["name"], {"name": "product", "argument": "product"})  # fmt: skip
    return record("How customers get into this flow.", {
        "commands": of("array", "a list of commands", "Commands, without the slash.", ["order"], minItems=1,
                       items={"title": "a command without the slash", "type": "string", "minLength": 1}),
        "menu": ref("template", "Its line in the menu of /start.", "🖨 Order a 3D print"),
        "deep_link": {**link, "type": ["string", "object"], "minLength": 1,
                      "title": "a name, or {name: …, argument: …}"},
    }, [], {"commands": ["order"], "menu": "🖨 Order"})  # fmt: skip


def declaration_word() -> Schema:
    """`data:` takes any constant, or `{type: …, initial: …}`."""
    return {
        "title": "a first value, or {type: …, initial: …}",
        "description": "A first value, or {type: …, initial: …}.",
        "examples": [0, {"type": "list of text", "initial": []}],
        "if": {"type": "object", "required": ["type"], "maxProperties": 2},
        "then": {"properties": {"type": ref("type", "Its type.", "integer?")}},
    }


def bot_file() -> Schema:
    """bot.yaml."""
    strings = {"title": "a text", "type": "string", "minLength": 1}
    keys = {
        "bot": of("string", "the bot's name", "The bot's name.", "Print shop", minLength=1, maxLength=64),
        "languages": of("array", "a list of languages such as [en, de]", "The first is the flows' own.", ["en", "de"],
                        minItems=1, items={"title": "a language such as en", "type": "string",
                                           "pattern": "^[a-z]{2,3}([-_][A-Za-z]{2,4})?$"}),
        "currency": ref("currency", "The currency of amounts.", "EUR"),
        "time_zone": of("string", "a time zone such as Europe/Berlin", "The bot's time zone.", "Europe/Berlin",
                        minLength=1),
        "region": ref("region", "Country of telephone numbers typed without +.", "PL"),
        "roles": of("object", "role: list of customer ids", "Who has which role.",
                    {"staff": ["env:STAFF_IDS"]}, propertyNames=_names(), additionalProperties={
                        "title": "customer ids, or env:NAME", "type": ["string", "integer", "array"],
                        "items": {"title": "a customer id, or env:NAME", "type": ["string", "integer"]}}),
        "retry": of("object", "name: policy", "Retry policies that flows name.", {"patient": {"attempts": 10}},
                    propertyNames=_names(), additionalProperties={"$ref": "#/$defs/retry_policy"}),
        "settings": of("object", "name: value", "Values that texts and conditions see as settings.…",
                       {"support": "@help", "hold": {"type": "duration", "value": "30m"}}, propertyNames=_names(),
                       additionalProperties={"$ref": "#/$defs/setting"}),
        "secrets": of("object", "name: NAME_OF_VARIABLE", "Secrets, each as the name of an environment variable.",
                      {"api_token": "API_TOKEN"}, propertyNames=_names(), additionalProperties=strings),
        "hours": of("object", "name: days and times", "Working hours, which timers and conditions name.",
                    {"shop": {"mon-fri": "09:00-18:00"}}, propertyNames=_names(),
                    additionalProperties={"$ref": "#/$defs/calendar"}),
        "plugins": of("object", "the name of a plugin: its settings", "Settings of plugins, by the plugin's name.",
                      {"shop": {"hold": "30m"}}, propertyNames=_names(), additionalProperties={
                          "title": "keys and values", "type": ["object", "null"]}),
        "allowed_hosts": of("array", "a list of hosts such as [api.example.com]", "Hosts that http actions may call.",
                            ["api.example.com"], items={
                                "title": "a host such as api.example.com, or env:NAME", "type": "string",
                                "pattern": HOST}),
    }  # fmt: skip
    return record("What belongs to the bot and not to one flow.", keys, ["bot"], {"bot": "Print shop"})


def calendar_word() -> Schema:
    """One calendar: `mon-fri: 09:00-18:00`, `closed:` and `time_zone:`."""
    span = {"title": "times such as 09:00-18:00", "type": "string", "pattern": SPAN_PATTERN}
    keys = {
        "closed": of("array", "a list of days such as [2026-12-31, 12-25]",
                     "Days on which it is closed: a day, a day of each year, or the first and the last of several.",
                     ["2026-12-31", "12-25", "2026-07-20 to 2026-08-02"], maxItems=366, items={
                         "title": "a day such as 2026-12-31 or 12-25, or 2026-07-20 to 2026-08-02", "type": "string",
                         "pattern": CLOSED_PATTERN}),
        "time_zone": of("string", "a time zone such as Europe/Berlin", "Their time zone; unsaid: the bot's.",
                        "Europe/Berlin", minLength=1),
    }  # fmt: skip
    days = of(["string", "array"], "times such as 09:00-18:00, or a list of those",
              "When it is open on these days.", "09:00-18:00", ["09:00-12:00", "13:00-18:00"], pattern=SPAN_PATTERN,
              minItems=1, maxItems=20, items=span)  # fmt: skip
    return {**of("object", "days and times", "When somebody is there.",
                 {"mon-fri": "09:00-18:00", "sat": "10:00-14:00"}, minProperties=1, properties=keys),
            "patternProperties": {DAYS_PATTERN: days}, "additionalProperties": False}  # fmt: skip


def setting_word() -> Schema:
    """A constant, or `{type: duration, value: 30m}`."""
    return {
        "title": "a value, or {type: …, value: …}",
        "description": "A value, or {type: …, value: …} for durations, money and dates.",
        "examples": ["@help", {"type": "duration", "value": "30m"}],
        "if": {"type": "object", "required": ["type"], "maxProperties": 2},
        "then": {"properties": {"type": ref("type", "Its type.", "duration")}},
    }
