"""F05: the way through a flow: every step is reached, and every step leads to an end."""

from engine.loading.code import Code
from engine.loading.codes_meaning_entry import HEAD, error, steps, steps_and_done, warning

_NAME = """
name:
  ask: text
  text: What is your name?
"""

PATHS: tuple[Code, ...] = (
    error(
        "F0501",
        "A step that nobody reaches",
        "No transition leads to this step, and no step above goes on to it.",
        steps(
            """
            name:
              ask: text
              text: What is your name?
              transitions: done
            age:
              ask: integer
              text: How old are you?
            done:
              text: Done.
              end: completed
            """
        ),
        ("transitions: done", "transitions: age"),
    ),
    error(
        "F0502",
        "A step that nobody leaves",
        "From here the conversation can never come to an end: every way leads around in a circle.",
        steps(
            """
            name:
              ask: text
              text: What is your name?
              transitions:
                answered: [{if: name == 'Anna', to: done}, {to: again}]
            again:
              ask: text
              text: Once more?
              transitions: again
            done:
              text: Done.
              end: completed
            """
        ),
        ("transitions: again", "transitions: name"),
    ),
    error(
        "F0503",
        "The last step leads nowhere",
        "A step without a transition goes on to the step below it. Below this one there is none.",
        HEAD + "  name:\n    ask: text\n    text: What is your name?\n",
        ("name?\n", "name?\n  done:\n    text: Done.\n    end: completed\n"),
    ),
    error(
        "F0504",
        "A circle without a wait",
        "These steps go around without ever waiting for the customer. The bot would send messages for ever.",
        steps(
            """
            hello:
              text: Hello!
            again:
              text: Hello again!
              transitions:
                next: [{if: customer.name == 'Anna', to: done}, {to: hello}]
            done:
              text: Done.
              end: completed
            """
        ),
        (
            "text: Hello again!\n    transitions:\n      next:",
            "ask: text\n    text: And now?\n    transitions:\n      answered:",
        ),
    ),
    error(
        "F0505",
        "Editing behind a closed door",
        "A step with `final: true` closes the way back. What lies before it cannot be edited any more.",
        steps(
            """
            name:
              ask: text
              text: What is your name?
            pay:
              text: Thank you, it is paid.
              final: true
            confirm:
              ask: choice
              text: All right, {{ name }}?
              keyboard:
                - [{text: Yes, trigger: fine}]
                - [{text: Change, edit: [name]}]
            done:
              text: Done.
              end: completed
            """
        ),
        ("    final: true\n", ""),
    ),
    error(
        "F0506",
        "A flow that calls itself",
        "A called flow comes back when it has ended. One that calls itself would never come back.",
        steps_and_done(
            """
            again:
              call: example
            """
        ),
        ("call: example", "text: Hello!"),
    ),
    error(
        "F0507",
        "A wait without a way out",
        "The step waits, and nothing that it waits for leads on: no button with a trigger, no signal, no timeout.",
        steps_and_done(
            """
            help:
              text: Read this first.
              keyboard: [[{text: Open, url: https://example.org/help}]]
            """
        ),
        ("help}]]", "help}, {text: Go on, trigger: go_on}]]"),
    ),
    error(
        "F0508",
        "A timeout without a transition",
        "When the time of a step is over the trigger `timeout` fires; a transition says where to.",
        steps_and_done(
            """
            name:
              ask: text
              text: What is your name?
              timeout: 10m
            """
        ),
        ("timeout: 10m\n", "timeout: 10m\n    transitions: {timeout: done}\n"),
    ),
    error(
        "F0509",
        "A transition for a timeout that never comes",
        "`timeout` fires only at a step that has `timeout:`.",
        steps_and_done(
            """
            name:
              ask: text
              text: What is your name?
              transitions: {timeout: done}
            """
        ),
        ("    transitions:", "    timeout: 10m\n    transitions:"),
    ),
    error(
        "F0510",
        "Nothing to choose",
        "`ask: choice` and `ask: choices` need options: fixed ones, or rows drawn from a source.",
        steps_and_done(
            """
            size:
              ask: choice
              text: Which size?
            """
        ),
        ("size?\n", "size?\n    keyboard: {small: Small, large: Large}\n"),
    ),
    error(
        "F0511",
        "Two buttons that cannot be told apart",
        "Two options or buttons of one keyboard have one name, or a name that the engine uses itself.",
        steps_and_done(
            """
            hello:
              text: Hello!
              keyboard:
                - [{text: Yes, trigger: fine}, {text: No, trigger: fine}]
            """
        ),
        ("No, trigger: fine", "No, trigger: bad"),
    ),
    error(
        "F0512",
        "A keyboard with no place",
        "Options belong to `ask: choice` and `ask: choices`; other steps have rows of buttons, if they wait at all.",
        steps_and_done(
            """
            name:
              ask: text
              text: What is your name?
              keyboard: {anna: Anna, ben: Ben}
            """
        ),
        ("ask: text", "ask: choice"),
    ),
    error(
        "F0513",
        "Bounds that no answer meets",
        "The least is more than the most, or more than there is to choose from.",
        steps_and_done(
            """
            age:
              ask: integer
              text: How old are you?
              min: 90
              max: 18
            """
        ),
        ("min: 90", "min: 9"),
    ),
    warning(
        "F0514",
        "A flow that nothing starts",
        "The flow has no command, menu entry or deep link, and no other flow calls or starts it. One that begins with a"
        " developer's news has the argument `news`.",
        "flow: example\ntitle: Example\nsteps:\n  done:\n    text: Done.\n    end: completed\n",
        ("title: Example\n", "title: Example\nentry: {commands: [example]}\n"),
    ),
    error(
        "F0515",
        "A transition that is never taken",
        "Transitions are tried in order. One without `if:` always holds, so those after it are never tried.",
        steps(
            """
            name:
              ask: text
              text: What is your name?
              transitions:
                answered: [{to: done}, {if: name == 'Anna', to: done}]
            done:
              text: Done.
              end: completed
            """
        ),
        ("[{to: done}, {if: name == 'Anna', to: done}]", "[{if: name == 'Anna', to: done}, {to: done}]"),
    ),
    error(
        "F0516",
        "A skipped timer that was the only way on",
        """`late: skip` lets a timer go whose moment has passed while the bot was down. Then something else has to
        lead on: a signal, a button, an answer, or a transition `timeout_late`.""",
        steps_and_done(
            """
            pause:
              text: We come back to you in an hour.
              keyboard: [[{text: Our page, url: "https://example.com"}]]
              timeout: {after: 1h, late: skip}
              transitions: {timeout: done}
            """
        ),
        ("{timeout: done}", "{timeout: done, timeout_late: done}"),
    ),
    warning(
        "F0517",
        "Signals that find no conversation",
        """A signal is sent to a flow and a key. Without `key:` it finds no conversation of this flow. The key is what
        the sender knows: the number of an order, of an invoice.""",
        """
flow: example
title: Example
entry: {commands: [example]}
steps:
  number:
    ask: text
    text: What is the number of your parcel?
  packed:
    text: We write to you as soon as it is packed.
    wait: {parcel.packed: done}
  done:
    text: "{{ number }} is packed."
    end: completed
""".lstrip(),
        ("title: Example\n", "title: Example\nkey: number\n"),
    ),
)
