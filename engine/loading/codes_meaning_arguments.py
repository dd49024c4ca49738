"""F04: arguments and outcomes of actions, sources, validators and called flows."""

from engine.loading.code import Code
from engine.loading.codes_meaning_entry import error, steps, steps_and_done

_CALL = """
    look:
      do: http.get
      with: {url: https://example.org/state}
      transitions: {ok: done, not_found: done, refused: done, failed: done}
    """

ARGUMENTS: tuple[Code, ...] = (
    error(
        "F0401",
        "A missing argument",
        """An action, source, validator or called flow needs an argument that `with:` does not give. A flow that
        a button starts gets no arguments at all.""",
        steps_and_done(
            """
            begin:
              do: conversations.start
            """
        ),
        ("conversations.start\n", "conversations.start\n    with: {flow: \"'example'\"}\n"),
    ),
    error(
        "F0402",
        "An unknown argument",
        "`with:` gives something that the action, source, validator or flow does not take.",
        steps_and_done(_CALL.replace("state}", "state, tmeout: 5}")),
        (", tmeout: 5", ""),
    ),
    error(
        "F0403",
        "An argument of the wrong type",
        """The value has another type than the parameter, or is not set on every way to this step. In `with:` a
        plain string is an expression (`service.id`); a text needs inner quotes (`"'text'"`) or `{{ }}`.""",
        steps(
            """
            amount:
              ask: integer
              text: How many?
            begin:
              do: conversations.start
              with: {flow: amount}
            done:
              text: Done.
              end: completed
            """
        ),
        ("flow: amount", "flow: \"'example'\""),
    ),
    error(
        "F0404",
        "Outcomes that nobody handles",
        """An action can end in several ways. Each needs a transition; one alone may go unnamed on to the step
        below.""",
        steps_and_done(
            """
            look:
              do: http.get
              with: {url: https://example.org/state}
              transitions: {failed: done}
            """
        ),
        ("{failed: done}", "{not_found: done, refused: done, failed: done}"),
    ),
    error(
        "F0405",
        "An outcome that the action does not have",
        """A transition, or `after:` of an `undo:`, names an outcome that this action never gives. `failed` is never
        undone.""",
        steps_and_done(_CALL.replace("refused: done,", "refused: done, missing: done,")),
        (" missing: done,", ""),
    ),
    error(
        "F0406",
        "An external action without `failed`",
        "An action that calls another system can fail after its last retry. Say where the customer goes then.",
        steps_and_done(_CALL.replace(", failed: done", "")),
        ("refused: done}", "refused: done, failed: done}"),
    ),
    error(
        "F0407",
        "A retry where nothing can be retried",
        "A transactional action works inside the bot's own database: it is done or undone, never half done.",
        steps_and_done(
            """
            begin:
              do: conversations.start
              with: {flow: "'example'"}
              retry: {attempts: 5}
            """
        ),
        ("    retry: {attempts: 5}\n", ""),
    ),
    error(
        "F0408",
        "A validator that does not fit",
        "A validator judges answers of one type; this question's answer has another.",
        steps_and_done(
            """
            amount:
              ask: integer
              text: How many?
              validators: [{pattern: "^[0-9]$"}]
            """
        ),
        ('[{pattern: "^[0-9]$"}]', "[{range: {min: 0, max: 9}}]"),
    ),
    error(
        "F0409",
        "Unlike things under one name",
        "Two steps keep values of unlike types under one name, so nobody could say what it holds.",
        steps(
            """
            name:
              ask: text
              text: What is your name?
            age:
              ask: integer
              text: How old are you?
              save: name
            done:
              text: Done.
              end: completed
            """
        ),
        ("save: name", "save: age"),
    ),
    error(
        "F0410",
        "An argument that a customer cannot give",
        """A flow with a command or a menu entry can be started without arguments, so its arguments must be
        optional (`text?`).""",
        "flow: example\ntitle: Example\nentry: {commands: [example]}\narguments: {topic: text}\n"
        "steps:\n  done:\n    text: Hello{% if topic %}, {{ topic }}{% endif %}!\n    end: completed\n",
        ("topic: text", "topic: text?"),
    ),
    error(
        "F0411",
        "A validator that cannot work",
        """The constants that a validator was given make no sense: a pattern that is no regular expression, a least
        that is more than the most, a date that does not exist.""",
        steps_and_done(
            """
            name:
              ask: text
              text: What is your name?
              validators: [{pattern: "[a-z+"}]
            """
        ),
        ("[a-z+", "[a-z]+"),
    ),
)
