"""Names and their types over the ways of a flow: set before used, optional where a way does not set them."""

import pytest

from engine.diagnostics import Severity
from tests.loading.rules.bench import HEAD, check, codes, steps

PHONE = "phone:\n  ask: phone\n  text: Your number?\n  optional: Skip\n"
NAME = "name:\n  ask: text\n  text: Your name?\n"
AGE = "age:\n  ask: integer\n  text: Your age?\n"
SIZE = "size:\n  ask: choice\n  text: Which?\n  keyboard: {small: Small, large: Large}\n"


def said(text: str) -> str:
    return f'last:\n  text: "{text}"\n'


CLEAN = {
    "an answer is known below its question": NAME + said("{{ name }}"),
    "an optional answer behind a condition": PHONE + said("Hi{% if phone %} {{ phone }}{% endif %}"),
    "an optional answer with a default": PHONE + said("{{ phone | default('none') }}"),
    "a step's own condition proves a name set": PHONE + "call:\n  if: phone\n  text: We call {{ phone }}.\n",
    "a saved path is a record": NAME.replace("text: Your", "save: contact.name\n  text: Your")
    + said("{{ contact.name }}"),
    "two ways that both set a name": SIZE
    + "  transitions: {small: one, large: two}\n"
    + "one:\n  ask: text\n  text: A word?\n  save: word\n  transitions: last\n"
    + "two:\n  ask: text\n  text: Another word?\n  save: word\n"
    + said("{{ word }}"),
    "a transition's condition proves a name set": PHONE
    + "  transitions: [{if: phone, to: call}, {to: other}]\n"
    + "call:\n  text: We call {{ phone }}.\n  transitions: done\nother:\n  text: All right.\n",
    "and the way below it that the name is not missing": PHONE
    + "  transitions: [{if: phone is none, to: other}, {if: not phone, to: other}, {to: call}]\n"
    + "call:\n  text: We call {{ phone }}.\n  transitions: done\nother:\n  text: All right.\n",
    "the outcome's record is known on its way only": "look:\n  do: http.get\n  with: {url: https://example.org}\n"
    + "  transitions: {ok: yes_, not_found: done, refused: no_, failed: done}\n"
    + "yes_:\n  text: It says {{ look.text }}.\n  transitions: done\nno_:\n  text: No, {{ look.reason }}.\n",
    "what a transition sees": AGE + "  transitions: {answered: {to: done, if: answer > 3, text: 'So {{ answer }}.'}}\n",
    "why something failed": "look:\n  do: http.get\n  with: {url: https://example.org}\n"
    + "  transitions: {ok: done, not_found: done, refused: {to: done, text: '{{ outcome.reason }}'},"
    + " failed: {to: done, text: '{{ failure.reason }}'}}\n",
    "options can be compared": SIZE + "last:\n  if: size == 'small'\n  text: Small.\n",
    "a file of a collection": "files:\n  ask: files\n  text: Send.\n" + said("{{ files | count }}"),
    "a row of a source": "service:\n  ask: choice\n  text: Which?\n"
    + '  keyboard: {from: print3d.services, text: "{{ option.name }}", value: option.id}\n'
    + said("{{ service.name }}"),
    "a button beside the rows of a source": "service:\n  ask: choice\n  text: Which?\n  keyboard:\n"
    + '    from: print3d.services\n    text: "{{ option.name }}"\n    value: option.id\n'
    + "    rows: [[{text: None, trigger: none_of_them}]]\n  transitions: {none_of_them: done}\n"
    + said("{{ service.name }}"),
    "the text of a row's button": "service:\n  ask: choice\n  text: Which?\n  keyboard:\n"
    + '    from: print3d.services\n    text: "{{ option.name }}"\n    value: option.id\n'
    + "    rows: [[{text: None, trigger: other}]]\n  transitions: {other: word, answered: done}\n"
    + "word:\n  if: service == 'other'\n  text: Something else.\n",
    "options drawn from a list of the data": "files:\n  ask: files\n  text: Send.\nwhich:\n  ask: choice\n"
    + '  text: Which?\n  keyboard: {items: files, text: "{{ option.name }}", value: option.ref}\n'
    + said("{{ which.size }}"),
    "yes and no": "sure:\n  ask: yes_no\n  text: Sure?\nlast:\n  if: sure\n  text: Sure.\n",
}

FAULTY = {
    "an answered way that a skip takes too": (
        PHONE + "  transitions: {answered: {to: done, text: 'So {{ answer }}.'}}\n",
        ["F0604"],
    ),
    "an unknown field of a list's rows": (
        "files:\n  ask: files\n  text: Send.\nwhich:\n  ask: choice\n"
        '  text: Which?\n  keyboard: {items: files, text: "{{ option.title }}", value: option.ref}\n',
        ["F0605"],
    ),
    "options drawn from something that is no list": (
        NAME + 'which:\n  ask: choice\n  text: Which?\n  keyboard: {items: name, text: "{{ option }}"}\n',
        ["F0611"],
    ),
    "a name from further down": (said("{{ name }}") + NAME, ["F0604"]),
    "a name that one way does not set": (
        SIZE + "  transitions: {small: done, large: word}\n" + "word:\n  ask: text\n  text: A word?\n" + "",
        [],
    ),
    "a skipped answer": (PHONE + said("{{ phone }}"), ["F0604"]),
    "a step with if may not have set it": (
        AGE + "word:\n  if: age > 3\n  ask: text\n  text: A word?\n" + said("{{ word }}"),
        ["F0604"],
    ),
    "a step for some roles may not have set it": (
        "word:\n  only: owner\n  ask: text\n  text: A word?\n" + said("{{ word }}"),
        ["F0308", "F0604"],
    ),
    "one of two ways does not set it": (
        SIZE
        + "  transitions: {small: last, large: word}\n"
        + "word:\n  ask: text\n  text: A word?\n"
        + said("{{ word }}"),
        ["F0604"],
    ),
    "a failed action leaves no result": (
        "look:\n  do: http.get\n  with: {url: https://example.org}\n"
        "  transitions: {ok: last, not_found: done, refused: done, failed: last}\n" + said("{{ look.text }}"),
        ["F0604"],
    ),
    "an outcome's field on another way": (
        "look:\n  do: http.get\n  with: {url: https://example.org}\n"
        "  transitions: {ok: done, not_found: last, refused: done, failed: done}\n" + said("{{ look.text }}"),
        ["F0605"],
    ),
    "text is no number": (NAME + "last:\n  if: name == 48\n  text: Forty-eight.\n", ["F0606"]),
    "an option that is not there": (SIZE + "last:\n  if: size == 'huge'\n  text: Huge.\n", ["F0606"]),
    "a button's press answers no text": (
        NAME + "  keyboard: [[{text: Nobody, trigger: nobody}]]\n" + said("{{ name }}"),
        ["F0604"],
    ),
    "the answer of a transition that skips": (
        PHONE + "  transitions: {skipped: {to: done, text: 'No {{ answer }}.'}}\n",
        ["F0604"],
    ),
    "failure is only known where something failed": (
        NAME + "  transitions: {answered: {to: done, text: '{{ failure.reason }}'}}\n",
        ["F0603"],
    ),
    "a file where a text belongs": (
        "paper:\n  ask: file\n  text: Send.\nlook:\n  do: print3d.upload\n  with: {file: paper.name}\n"
        "  transitions: {failed: done}\n",
        ["F0403"],
    ),
    "a moment that is a text": (
        NAME + "last:\n  wait: {until: {time: name, to: done}}\n  text: Wait.\n",
        ["F0611"],
    ),
    "a prefilled answer of another type": (NAME + AGE + "  prefill: name\n", ["F0611"]),
    "a validator's argument": (NAME + "  validators: [{length: {min: much}}]\n", ["F0403"]),
}


@pytest.mark.parametrize("text", CLEAN.values(), ids=CLEAN.keys())
def test_clean(text: str) -> None:
    assert [str(finding) for finding in steps(text)] == []


@pytest.mark.parametrize(("text", "expected"), FAULTY.values(), ids=FAULTY.keys())
def test_faulty(text: str, expected: list[str]) -> None:
    found = steps(text)
    assert sorted(codes(found)) == expected, [str(finding) for finding in found]


def test_the_place_is_exact() -> None:
    (finding,) = steps(NAME + "last:\n  text: |\n    Hello,\n    dear {{ nmae }}!\n")
    assert (finding.span.line, finding.span.column, finding.span.end_column) == (11, 15, 19)
    assert finding.suggestion == "name"


def test_data_and_settings() -> None:
    bot = "# file: bot.yaml\nbot: Shop\nsettings: {limit: 5}\n# file: example.yaml\n"
    head = HEAD.replace("steps:", "data: {score: 0, note: {type: text}}\nsteps:")
    text = (
        "ask_it:\n  ask: integer\n  text: How many? You have {{ score }}.\n"
        "  transitions: {answered: {to: last, set: {score: score + answer, note: \"'some'\"}}}\n"
        "last:\n  if: score > settings.limit\n  text: Good, {{ note }}.\n"
    )
    assert steps(text, head=bot + head) == ()
    wrong = text.replace("settings.limit", "settings.limits").replace("score + answer", "\"'many'\"")
    assert sorted(codes(steps(wrong, head=bot + head))) == ["F0605", "F0611"]


def test_a_name_set_on_one_way_only_is_optional() -> None:
    head = HEAD.replace("steps:", "data: {note: {type: text}}\nsteps:")
    text = (
        AGE + "  transitions: [{if: answer > 3, to: last, set: {note: \"'old'\"}}, {to: last}]\n" + said("{{ note }}")
    )
    assert codes(steps(text, head=head)) == ["F0604"]


CALLED = (
    "flow: helper\ntitle: Helper\narguments: {topic: text}\nsteps:\n"
    "  size:\n    ask: integer\n    text: How big is {{ topic }}?\n"
    "  end_:\n    text: Good.\n    end: {outcome: chosen, result: {size: size}}\n"
)


def calling(step: str) -> list[str]:
    both = f"# file: helper.yaml\n{CALLED}# file: example.yaml\n{HEAD}"
    return codes(steps(step, head=both))


def test_a_called_flow_gives_its_result() -> None:
    step = "ask_size:\n  call: helper\n  with: {topic: \"'it'\"}\n  transitions: {chosen: last, cancelled: done}\n"
    assert calling(step + said("{{ ask_size.size + 1 }}")) == []
    assert calling(step + said("{{ ask_size.sice }}")) == ["F0605"]
    assert calling(step.replace("cancelled: done", "cancelled: last") + said("{{ ask_size.size }}")) == ["F0604"]
    assert calling(step.replace(", cancelled: done", "") + said("{{ ask_size.size }}")) == []
    assert calling(step.replace("topic: \"'it'\"", "topic: 5") + said("x")) == ["F0403"]
    assert calling(step.replace("topic:", "topics:") + said("x")) == ["F0401", "F0402"]
    assert calling(step.replace("chosen:", "chsen:") + said("x")) == ["F0303"]


def test_warnings_let_the_flow_load() -> None:
    findings = steps(AGE + "last:\n  if: 1 > 2\n  text: Never.\n")
    assert [finding.severity for finding in findings] == [Severity.WARNING]
    assert check("flow: example\ntitle: Example\nsteps:\n  d:\n    text: D.\n    end: completed\n")[0].code == "F0514"
    told = "flow: example\narguments: {news: text}\nsteps:\n  d:\n    text: '{{ news }}'\n    end: completed\n"
    assert not check(told)


HOURS = "# file: bot.yaml\nbot: Shop\nhours: {shop: {mon-fri: 09:00-18:00}}\n# file: example.yaml\n" + HEAD


@pytest.mark.parametrize("condition", ["hours.shop", "not hours.shop", "hours.shop and customer.name"])
def test_working_hours_alone_are_no_condition(condition: str) -> None:
    found = steps(f"gone:\n  if: {condition}\n  text: We are closed.\n", head=HOURS)
    assert codes(found) == ["F0609"]
    assert found[0].expected == "hours.shop.open"


def test_working_hours_that_are_open_are_a_condition() -> None:
    assert codes(steps("gone:\n  if: not hours.shop.open\n  text: We are closed.\n", head=HOURS)) == []


@pytest.mark.parametrize(
    ("moment", "code", "expected"),
    [
        ("30m", "F0601", "a length of time with a name"),
        ("now + 30m", "F0601", "a length of time with a name"),
        ("today", "F0611", "a time such as now + settings.hold"),
        ("today | at('25:00')", "F0607", "text such as “12:00”"),
    ],
)
def test_a_moment_that_is_none_is_told_what_one_is(moment: str, code: str, expected: str) -> None:
    step = f'gone:\n  ask: text\n  text: Well?\n  timeout: {{until: "{moment}"}}\n  transitions: {{timeout: done}}\n'
    found = steps(step)
    assert codes(found) == [code]
    assert (found[0].expected or "").startswith(expected)
