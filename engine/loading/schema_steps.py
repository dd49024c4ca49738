"""The schema of steps: keyboards, transitions, and which keys each kind of step has. Catalog-free."""

from typing import Final

from engine.loading.durations import DURATION_PATTERN
from engine.loading.parser_keyboards import FORM_KEYS
from engine.loading.parser_questions import ASK_KINDS
from engine.loading.schema_words import DOTTED, ENDING, SIGNAL, Schema, flag, integer, of, record, ref, words

KIND_KEYS: Final = ("ask", "do", "wait", "call", "end")
"""A step has at most one of these keys; without one it shows a text."""
_ONE_CLOCK: Final = {"oneOf": [{"required": ["after"]}, {"required": ["until"]}]}


def step_words() -> dict[str, Schema]:
    """The `$defs` of everything inside a step."""
    return {**_ways(), **_keyboards(), **_invocations()}


def _ways() -> dict[str, Schema]:
    way = {
        "to": ref("target", "The next step.", "confirm"),
        "if": ref("expression", "Only when this holds; the first that holds wins.", "score > 3"),
        "text": ref("template", "Said on the way, as a message of its own.", "Well done!"),
        "set": of("object", "names and values", "Values to keep; every name stands in `data:`.",
                  {"score": "score + 1"}, minProperties=1, additionalProperties={"$ref": "#/$defs/value"},
                  propertyNames={"title": "a name declared in `data:`", "pattern": DOTTED}),
    }  # fmt: skip
    title = "a step, {to: step, if: …, text: …, set: …}, or a list of those"
    one: Schema = {"title": "a step, or {to: step, if: …}", "type": ["string", "object"], "minLength": 1,
                   "properties": way, "required": ["to"], "additionalProperties": False}  # fmt: skip
    return {
        "way": one,
        "ways": of(["string", "object", "array"], title, "Where to go on.", "confirm",
                   {"to": "placed", "if": "total > 0"}, minLength=1, properties=way, required=["to"],
                   additionalProperties=False, items={"$ref": "#/$defs/way"}, minItems=1),
        "transitions": of(["string", "object", "array"], "a step, or trigger: step",
                          "Where to go on, by trigger. A single step is for the usual trigger.",
                          {"pickup": "confirm", "shipping": "address"}, "confirm", minLength=1, minProperties=1,
                          minItems=1, additionalProperties={"$ref": "#/$defs/ways"},
                          items={"$ref": "#/$defs/way"},
                          propertyNames={"title": "the name of a trigger", "minLength": 1, "maxLength": 64}),
    }  # fmt: skip


def _keyboards() -> dict[str, Schema]:
    return {
        "button": {**record("One button.", {
            "text": ref("label", "What it says.", "✅ Order"),
            "trigger": of("string", "the name of a trigger", "A press fires this trigger.", "order", minLength=1),
            "edit": ref("names", "Steps the customer may go back to and change from here.", ["name", "email"]),
            "start": ref("name", "A press starts this flow.", "print_order"),
            "url": ref("template", "A press opens this address.", "https://example.com"),
            "if": ref("expression", "Only shown when this holds.", "cart.total.minor > 0"),
            "only": ref("names", "Only shown to these roles.", "staff"),
        }, ["text"], {"text": "✅ Order", "trigger": "order"}),
            "oneOf": [{"required": [key]} for key in ("trigger", "edit", "start", "url")]},
        "rows": of("array", "a list of rows, each a list of buttons", "Rows of buttons.",
                   [[{"text": "✅ Order", "trigger": "order"}]], minItems=1,
                   items={"title": "a row: a list of buttons in [ ]", "type": "array", "minItems": 1,
                          "items": {"$ref": "#/$defs/button"}}),
        "option_buttons": of("array", "a list of buttons, each with text: and trigger:", "The buttons of each option.",
                             [{"text": "➕", "trigger": "more"}], minItems=1, maxItems=8,
                             items={"$ref": "#/$defs/option_button"}),
        "option_button": record("A button that stands in the row of each option.", {
            "text": ref("label", "What it says; it sees `option`.", "{{ option.name }}"),
            "trigger": of("string", "the name of a trigger", "A press fires this trigger; the option is the answer.",
                          "more", minLength=1),
            "if": ref("expression", "Only shown when this holds; it sees `option`.", "option.quantity > 1"),
            "only": ref("names", "Only shown to these roles.", "staff"),
        }, ["text", "trigger"], {"text": "➕", "trigger": "more"}),
        "option": of(["string", "number", "object"], "the option's label, or {text: label, if: …}",
                     "One option.", "Pickup (free)", {"text": "Delivery", "if": "settings.delivery"},
                     minLength=1, required=["text"], additionalProperties=False, properties={
                         "text": ref("label", "What the button says.", "Delivery"),
                         "if": ref("expression", "Only offered when this holds.", "settings.delivery")}),
        "options": of("object", "value: label, one per option", "The options: value: label.",
                      {"pla": "PLA (basic)", "abs": "ABS (strong)"}, minProperties=1, maxProperties=500,
                      propertyNames={"title": "the option's value", "minLength": 1},
                      additionalProperties={"$ref": "#/$defs/option"}),
        "keyboard_form": {**record("A keyboard with settings.", _form(), [], {"from": "print3d.services", "page": 6}),
                          "not": {"required": ["from", "items"]}, "dependentRequired": {"with": ["from"]},
                          "allOf": [{"not": {"required": ["buttons", word]}} for word in ("text", "columns")],
                          "if": {"required": ["buttons"]}, "then": {"anyOf": [{"required": ["from"]},
                                                                              {"required": ["items"]}]}},
        "keyboard": {"title": "value: label, settings with from:/options:/rows:, or a list of rows",
                     "type": ["object", "array"],
                     "description": "The buttons under the message: options (value: label), options from a source, "
                                    "or rows of buttons.",
                     "examples": [{"pla": "PLA", "abs": "ABS"}, {"from": "print3d.services", "page": 6},
                                  [[{"text": "Go on", "trigger": "go"}]]],
                     "if": {"anyOf": [{"type": "object", "required": [key]} for key in FORM_KEYS]},
                     "then": {"$ref": "#/$defs/keyboard_form"},
                     "else": {"if": {"type": "array"}, "then": {"$ref": "#/$defs/rows"},
                              "else": {"if": {"type": "object"}, "then": {"$ref": "#/$defs/options"}}}},
    }  # fmt: skip


def _form() -> Schema:
    return {
        "from": ref("source", "The source that lists the options.", "print3d.services"),
        "with": ref("arguments", "The source's arguments.", {"category": "category.id"}),
        "items": ref("expression", "A list of the conversation's data that the options are drawn from.", "slots",
                     "free.json.times"),
        "text": ref("template", "The label of one option.", "{{ option.name }}"),
        "value": ref("expression", "What identifies an option.", "option.id"),
        "buttons": ref("option_buttons", "Each option is a row of these buttons, in place of `text:`.",
                       [{"text": "{{ option.name }}", "trigger": "open"}, {"text": "❌", "trigger": "remove"}]),
        "options": ref("options", "Fixed options, in the form with settings.", {"red": "Red", "blue": "Blue"}),
        "rows": ref("rows", "Rows of buttons below the options.", [[{"text": "None of these", "trigger": "none"}]]),
        "columns": integer("How many options stand side by side.", 2, 1, 8),
        "page": integer("How many options stand on one page.", 6, 1, 90),
        "search": flag("Typed text narrows the options down."),
        "empty": ref("template", "Said in place of the text when the source lists nothing.", "Nothing here yet."),
    }  # fmt: skip


def _invocations() -> dict[str, Schema]:
    invocation = {
        "do": ref("action", "The action.", "print3d.upload"),
        "with": ref("arguments", "Its arguments.", {"file": "file"}),
    }
    return {
        "action": {"$ref": "#/$defs/invoked"},
        "source": {"$ref": "#/$defs/invoked"},
        "invocation": of(["string", "object"], "the name of an action, or {do: name, with: …}", "An action.",
                         "shop.cancel_order", {"do": "print3d.upload", "with": {"file": "file"}}, minLength=1,
                         properties=invocation, required=["do"], additionalProperties=False),
        "undoing": of(["string", "object"], "the name of an action, or {do: name, with: …, after: [outcomes]}",
                      "An action that takes another one's effect back.", "shop.cancel_order",
                      {"do": "shop.cancel_order", "with": {"order": "result.id"}, "after": ["created"]}, minLength=1,
                      properties={**invocation, "after": ref(
                          "names", "The outcomes that it belongs to; unsaid: those that `transitions:` does not name, "
                                   "or all when each one is named.", ["created"])},
                      required=["do"], additionalProperties=False),
        "validator": {"title": "name, or name: arguments, with a message: beside it",
                      "type": ["string", "object"], "minLength": 1,
                      "properties": {"message": ref("template", "What the customer reads when it refuses.",
                                                    "Letters only, please.")},
                      "if": {"required": ["message"]},
                      "then": {"minProperties": 2, "maxProperties": 2, "title": "one validator beside message:"},
                      "else": {"minProperties": 1, "maxProperties": 1, "title": "one validator per list entry"}},
        "validators": of("array", "a list of validators", "They judge an answer, one after the other.",
                         [{"length": {"min": 2, "max": 50}}], items={"$ref": "#/$defs/validator"}),
    }  # fmt: skip


# --- which keys a step has --------------------------------------------------------------------------------


def _common() -> Schema:
    return {
        "if": ref("expression", "The step is passed over when this does not hold.", "delivery == 'shipping'"),
        "only": ref("names", "The step is passed over for anybody without one of these roles.", "staff"),
        "final": flag("There is no way back over this step."),
        "transitions": ref("transitions", "Where to go on; unsaid: the step below.", {"pickup": "confirm"}),
    }


def _message() -> Schema:
    return {
        "text": ref("template", "What the customer reads.", "What is your name?"),
        "photo": ref("picture", "A picture above the text.", {"qr": "invoice.uri"}),
        "keyboard": ref("keyboard", "The buttons under the message.", {"pla": "PLA", "abs": "ABS"}),
    }


def _waiting() -> Schema:
    return {
        "timeout": of(["string", "object"], "a duration such as 10m, {after: 10m} or {until: time}",
                      "How long to wait; then the trigger `timeout` fires.", "10m", {"until": "order.expires_at"},
                      {"after": "2h", "hours": "shop"}, pattern=DURATION_PATTERN, additionalProperties=False,
                      **{"if": {"type": "object"}, "then": _ONE_CLOCK}, properties={
                          "after": ref("duration", "A length of time.", "2h"),
                          "until": ref("expression", "A moment.", "order.expires_at"),
                          **_kept_to()}),
        "refresh": ref("duration", "Draws the message again this often.", "1m"),
        "redraw": flag("Come to again by one of its own buttons, the step changes its message instead of a new one."),
    }  # fmt: skip


def _kept_to() -> Schema:
    return {
        "hours": ref("name", "Working hours of bot.yaml: `after` counts them only, `until` goes to their next opening.",
                     "shop"),
        "late": ref("late", "What becomes of it when it comes late; unsaid: as the flow says.", "skip"),
    }  # fmt: skip


def _label() -> Schema:
    return {
        "label": ref("label", "The step's name where it can be changed; unsaid: the first line of its text.", "Name")
    }


def _save() -> Schema:
    return {"save": ref("path", "Where the answer or result is kept; unsaid: under the step's id.", "contact.email")}


def _bounds(word: str, least: object, most: object) -> Schema:
    return {"min": ref(word, "The least that is accepted.", least), "max": ref(word, "The most.", most)}


def _files(*, several: bool, photo: bool) -> Schema:
    keys: Schema = {
        "max_size": ref("size", "The largest file that is accepted.", "50 MB"),
        "each": ref("invocation", "An action run with the file (`file`); its result is the answer.",
                    {"do": "print3d.upload", "with": {"file": "file"}}),
    }  # fmt: skip
    if not photo:
        keys["accept"] = of(["array", "string"], "a list of file endings such as [.stl, .obj]",
                            "Accepted file endings.", [".stl", ".obj"], minItems=1, pattern=ENDING,
                            items={"title": "a file ending such as .stl", "type": "string",
                                   "pattern": ENDING})  # fmt: skip
    if several:
        keys["count"] = record("How many.", {
            "min": integer("At least so many.", 1, 0, 100), "max": integer("At most so many.", 10, 1, 100),
        }, [], {"min": 1, "max": 10})  # fmt: skip
        keys["done"] = ref("label", "The button that ends the list.", "That's all")
    return keys


def _question(kind: str) -> Schema:
    """The keys that only this kind of question has."""
    match kind:
        case "choices":
            return {"min": integer("At least so many.", 1, 0, 100), "max": integer("At most so many.", 3, 1, 100),
                    "done": ref("label", "The button that accepts the ticks.", "Done")}  # fmt: skip
        case "integer":
            return _bounds("whole", 1, 99)
        case "decimal" | "money":
            code = {"currency": ref("currency", "The currency of the amount.", "EUR")}
            return {**_bounds("number", 0, 1000), **(code if kind == "money" else {})}
        case "phone":
            return {"region": ref("region", "Country of numbers typed without +.", "PL")}
        case "file" | "files" | "photo" | "photos":
            return _files(several=kind.endswith("s"), photo=kind.startswith("photo"))
        case "date":
            return _bounds("day", "today", "today + (30 | days)")
        case "yes_no":
            return {"yes": ref("label", "The label of yes.", "Yes, please"), "no": ref("label", "Of no.", "No")}
        case "quantity":
            return {"min": integer("The least.", 1, -1_000_000), "max": ref("amount", "The most.", "product.stock"),
                    "step": integer("How much one press changes.", 1, 1),
                    "start": ref("amount", "Where it starts.", 1)}  # fmt: skip
        case _:
            return {}


def question_words() -> dict[str, Schema]:
    """The `$defs` that only questions use."""
    return {
        "whole": of("integer", "a whole number", "A whole number.", 1),
        "day": of("string", "a day such as 2026-01-31, or an expression", "A day, or an expression.", "2026-01-31",
                  "today + (7 | days)"),
        "amount": of(["integer", "string"], "a whole number or an expression", "A number, or an expression.", 10),
        "currency": of("string", "a currency such as EUR", "Three to five capital letters.", "EUR",
                       pattern="^[A-Z]{3,5}$"),
        "region": of("string", "a country such as PL", "Two capital letters.", "PL", pattern="^[A-Z]{2}$"),
    }  # fmt: skip


def step_kinds() -> dict[str, Schema]:
    """`$defs` name → schema of one kind of step: `step_ask_text` … `step_end`."""
    kinds = {f"step_ask_{kind}": _ask(kind) for kind in ASK_KINDS}
    call = {"call": ref("target", "The flow to run; its result is this step's.", "choose_address"),
            "with": ref("arguments", "Its arguments.", {"country": "'PL'"})}  # fmt: skip
    kinds["step_show"] = _step({**_message(), **_waiting(), **_common()}, ["text"], {"text": "Welcome!"})
    kinds["step_do"] = _step({**_do(), **_save(), **_common()}, ["do"], {"do": "shop.read_cart"})
    kinds["step_wait"] = _step(
        {"wait": _wait(), **_message(), **_waiting(), **_save(), **_common()}, ["wait"],
        {"text": "Paid.", "wait": {"order.shipped": "shipped"}},
    )  # fmt: skip
    kinds["step_call"] = _step({**call, **_label(), **_save(), **_common()}, ["call"], {"call": "choose_address"})
    ending = {**_message(), "if": _common()["if"], "only": _common()["only"]}
    kinds["step_end"] = _step({"end": _end(), **ending}, ["end"], {"text": "Thank you!", "end": "completed"})
    return kinds


def _step(keys: Schema, required: list[str], example: object) -> Schema:
    return record("One step.", keys, required, example)


def _ask(kind: str) -> Schema:
    keys = {
        "ask": {"const": kind, "description": f"Asks for: {kind}.", "examples": [kind]},
        **_message(),
        **_label(),
        "validators": ref("validators", "They judge the answer.", [{"length": {"min": 2, "max": 50}}]),
        "optional": ref("label", "The label of a button that skips the question.", "Skip"),
        "prefill": ref("expression", "An answer offered as a button.", "customer.name"),
        **_question(kind), **_waiting(), **_save(), **_common(),
    }  # fmt: skip
    return _step(keys, ["ask", "text"], {"ask": kind, "text": "…"})


def _do() -> Schema:
    return {
        "do": ref("action", "The action.", "print3d.create_order"),
        "with": ref("arguments", "Its arguments.", {"service": "service.id"}),
        "retry": of(["string", "object"], "the name of a retry policy, or {attempts: …, first: …}",
                    "When a failed action is tried again.", "patient", {"attempts": 5, "first": "2s"}, minLength=1,
                    properties=words()["retry_policy"]["properties"], additionalProperties=False),
        "undo": ref("undoing", "Run when the customer goes back over this step or cancels.", "shop.cancel_order"),
        "timeout": ref("seconds", "How long one attempt may take.", "10s"),
    }  # fmt: skip


def _clock(time: Schema, example: str) -> Schema:
    keys = {"time": time,
            "to": ref("target", "The next step.", "expired"),
            "text": ref("template", "Said on the way.", "Time is up."),
            "if": ref("expression", "Only when this holds.", "not paid"),
            "set": ref("arguments", "Values to keep.", {"late": True}), **_kept_to()}  # fmt: skip
    form = record("When the waiting ends.", keys, ["time", "to"], {"time": example, "to": "expired"})
    return {**form, "title": f"{{time: {example}, to: step}}"}


def _wait() -> Schema:
    return of("object", "signal: step", "Signals, and where each leads; also until: and after:.",
              {"payment.settled": "paid", "until": {"time": "order.expires_at", "to": "expired"}}, minProperties=1,
              properties={
                  "until": _clock(ref("expression", "A moment.", "order.expires_at"), "order.expires_at"),
                  "after": _clock(ref("duration", "A length of time.", "24h"), "24h")},
              propertyNames={"title": "a signal such as payment.settled", "pattern": SIGNAL},
              additionalProperties={"$ref": "#/$defs/ways"})  # fmt: skip


def _end() -> Schema:
    keys = {"outcome": ref("name", "How the flow ended.", "completed"),
            "result": ref("value", "What the calling flow gets.", "address")}  # fmt: skip
    return of(["string", "object"], "an outcome such as completed, or {outcome: …, result: …}",
              "The conversation is over.", "completed", {"outcome": "chosen", "result": "address"},
              pattern="^[a-z][a-z0-9_]{0,39}$", additionalProperties=False,
              properties=keys)  # fmt: skip
