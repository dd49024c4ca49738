"""F06: names and types in texts, conditions and values."""

from engine.loading.code import Code
from engine.loading.codes_meaning_entry import error, steps, steps_and_done, warning

_ASKED = "\nname:\n  ask: text\n  text: What is your name?\nage:\n  ask: integer\n  text: How old are you?\n"


def _thanks(text: str) -> str:
    return steps(f'{_ASKED}done:\n  text: "{text}"\n  end: completed\n')


def _skip(condition: str) -> str:
    return steps(f"{_ASKED}gift:\n  if: {condition}\n  text: Here is a gift.\ndone:\n  text: Done.\n  end: completed\n")


def _with_data(data: str, change: str) -> str:
    body = steps_and_done(
        f"""
        hello:
          text: "Points: {{{{ points }}}}"
          keyboard: [[{{text: More, trigger: more}}]]
          transitions: {{more: {{to: done, set: {{{change}}}}}}}
        """
    )
    return body.replace("steps:\n", f"data: {{{data}}}\nsteps:\n", 1)


NAMES: tuple[Code, ...] = (
    error(
        "F0601",
        "An expression that cannot be read",
        "A bracket, quote or operator is missing or too many. The caret shows where reading stopped.",
        _thanks("Thank you, {{ name | }}!"),
        ("name | ", "name "),
    ),
    error(
        "F0602",
        "Something that texts may not do",
        "Texts and conditions compare and combine. Calling functions, macros and includes are not part of them.",
        _thanks("Thank you, {{ name.upper() }}!"),
        ("name.upper()", "name | upper"),
    ),
    error(
        "F0603",
        "An unknown name",
        """Nothing in this flow sets this name. Names are steps' ids or what `save:` says, `data:`, `arguments:`,
        and customer, chat, settings, now.""",
        _thanks("Thank you, {{ nmae }}!"),
        ("nmae", "name"),
    ),
    error(
        "F0604",
        "A name that may not be set",
        """On some way to this place the name has not been set: the question was skipped, lies on another branch
        or further down. Ask first (`{% if phone %}`), or give a `default`.""",
        steps(
            """
            phone:
              ask: phone
              text: Your phone number?
              optional: Skip
            done:
              text: "We call {{ phone }}."
              end: completed
            """
        ),
        ("{{ phone }}", "{% if phone %}{{ phone }}{% else %}nobody{% endif %}"),
    ),
    error(
        "F0605",
        "An attribute that is not there",
        "The value has no such part: a misspelling, or another type than you think.",
        _thanks("Thank you, {{ customer.nmae }}!"),
        ("nmae", "name"),
    ),
    error(
        "F0606",
        "Unlike things compared",
        """Text is never equal to a number, and an option is never equal to a word that is not among the options.
        Nothing is converted: `"48" == 48` is false for ever.""",
        _skip("age > '17'"),
        ("'17'", "17"),
    ),
    error(
        "F0607",
        "An operation on the wrong type",
        "Numbers are added, texts are joined with `~`, filters take the types they are made for.",
        _thanks("In ten years you are {{ name + 10 }}."),
        ("name + 10", "age + 10"),
    ),
    error(
        "F0608",
        "An expression that is too big",
        "An expression has at most 8,192 characters, 1,000 parts and 40 levels. Let an action do this work.",
        _thanks("You are {{ " + "(" * 60 + "age" + ")" * 60 + " }}."),
        ("(" * 60 + "age" + ")" * 60, "age"),
    ),
    warning(
        "F0609",
        "A condition that is always the same",
        "The condition reads no answer at all, so it is always true or always false.",
        _skip("1 < 2"),
        ("1 < 2", "age < 2"),
    ),
    error(
        "F0610",
        "`set:` of an undeclared name",
        "`set:` changes names that `data:` declares, so that everybody can see their type and first value.",
        _with_data("points: 0", "pints: points + 1"),
        ("pints", "points"),
    ),
    error(
        "F0611",
        "A value of the wrong type",
        "The place takes another type: a declared name, a moment, a bound, a prefilled answer.",
        _with_data("points: 0", "points: customer.name"),
        ("customer.name", "points + 1"),
    ),
    error(
        "F0612",
        "A `key` that identifies nothing",
        "Signals find the conversation by its `key`, so it must be text or a whole number.",
        _thanks("Thank you, {{ name }}, {{ age }}.").replace("steps:", "key: age > 3\nsteps:", 1),
        ("key: age > 3", "key: age"),
    ),
    error(
        "F0613",
        "A `value` that identifies nothing",
        "`value:` tells the rows of a source apart, so it must be text or a whole number.",
        steps_and_done(
            """
            service:
              ask: choice
              text: Which service?
              keyboard: {from: print3d.services, text: "{{ option.name }}", value: option}
            """
        ),
        ("value: option}", "value: option.id}"),
    ),
    error(
        "F0614",
        "Results of unlike types",
        "Two ends of a flow with the same outcome give results of unlike types; a calling flow could not use them.",
        steps(
            """
            which:
              ask: yes_no
              text: A number?
              transitions: {yes: number, no: word}
            number:
              text: A number.
              end: {outcome: done, result: 1}
            word:
              text: A word.
              end: {outcome: done, result: customer.name}
            """
        ),
        ("result: 1}", "result: customer.id}"),
    ),
    warning(
        "F0615",
        "Data that nothing reads",
        "A name of `data:` is never used in a text, a condition or an argument.",
        _with_data("points: 0, rounds: 0", "points: points + 1"),
        (", rounds: 0", ""),
    ),
    error(
        "F0616",
        "Rows without a `value`",
        "Each row of this source is a record. `value:` says what identifies it, such as `option.id`.",
        steps_and_done(
            """
            service:
              ask: choice
              text: Which service?
              keyboard: {from: print3d.services, text: "{{ option.name }}"}
            """
        ),
        ('name }}"}', 'name }}", value: option.id}'),
    ),
)
