"""F03: names of things that do not exist. In examples of several files, a line `# file: NAME` opens each."""

from engine.loading.code import Code
from engine.loading.codes_meaning_entry import error, steps, steps_and_done

_QUESTION = """
    name:
      ask: text
      text: What is your name?
    """
_ROLES = '# file: bot.yaml\nbot: Shop\nroles: {owner: ["42"]}\n# file: example.yaml\n'
_HOURS = '# file: bot.yaml\nbot: Shop\nhours: {shop: {mon-fri: "09:00-18:00"}}\n# file: example.yaml\n'
_RETRY = "# file: bot.yaml\nbot: Shop\nretry: {patient: {attempts: 9}}\n# file: example.yaml\n"

REFERENCES: tuple[Code, ...] = (
    error(
        "F0301",
        "Unknown step",
        "A transition leads to a step that this flow does not have. Steps are the keys below `steps:`.",
        steps_and_done(
            """
            name:
              ask: text
              text: What is your name?
              transitions: {answered: don}
            """
        ),
        ("don}", "done}"),
    ),
    error(
        "F0302",
        "Unknown flow",
        "`call:` and a button's `start:` name another flow by its `flow:` key. There is none of that name.",
        steps(
            """
            menu:
              text: What next?
              keyboard:
                - [{text: Again, start: exampel}]
                - [{text: Enough, trigger: enough}]
            done:
              text: Done.
              end: completed
            """
        ),
        ("exampel", "example"),
    ),
    error(
        "F0303",
        "A trigger that never fires",
        """A transition names something that cannot happen at its step. A question fires `answered` (or an
        option's name), `skipped` when it is optional, `timeout`; a message fires `next` or its buttons'
        triggers; a wait its signals; a called flow its outcomes and `cancelled`.""",
        steps_and_done(
            """
            size:
              ask: choice
              text: Which size?
              keyboard: {small: Small, large: Large}
              transitions: {smal: done}
            """
        ),
        ("smal:", "small:"),
    ),
    error(
        "F0304",
        "Unknown action",
        "`do:` names an action that no plugin offers. Actions are called `plugin.action`.",
        steps_and_done(
            """
            begin:
              do: conversations.strat
              with: {flow: "'example'"}
            """
        ),
        ("strat", "start"),
    ),
    error(
        "F0305",
        "Unknown source",
        "A keyboard's `from:` names a source that no plugin offers.",
        steps_and_done(
            """
            service:
              ask: choice
              text: Which service?
              keyboard: {from: print3d.servces, text: "{{ option.name }}", value: option.id}
            """
        ),
        ("servces", "services"),
    ),
    error(
        "F0306",
        "Unknown validator",
        "`validators:` names a validator that neither the engine nor a plugin has.",
        steps_and_done(
            """
            name:
              ask: text
              text: What is your name?
              validators: [{lenght: {min: 2}}]
            """
        ),
        ("lenght", "length"),
    ),
    error(
        "F0307",
        "Unknown filter",
        "After `|` stands a filter from a fixed list, such as money, date, upper, join or count.",
        steps(
            _QUESTION
            + """
    done:
      text: Thank you, {{ name | uper }}!
      end: completed
            """
        ),
        ("uper", "upper"),
    ),
    error(
        "F0308",
        "Unknown role",
        "`only:` names a role. Roles and who has them stand in bot.yaml under `roles:`.",
        _ROLES
        + "flow: example\ntitle: Example\nonly: ownr\nentry: {commands: [example]}\n"
        + "steps:\n  done:\n    text: Done.\n    end: completed\n",
        ("ownr", "owner"),
    ),
    error(
        "F0309",
        "Unknown retry policy",
        "`retry:` is a policy (`{attempts: 5, first: 2s}`) or the name of one in bot.yaml under `retry:`.",
        _RETRY
        + steps_and_done(
            """
            look:
              do: http.get
              with: {url: https://example.org/state}
              retry: patientt
              transitions: {ok: done, not_found: done, refused: done, failed: done}
            """
        ),
        ("patientt", "patient"),
    ),
    error(
        "F0310",
        "Unknown step to edit",
        "A button's `edit:` lists the steps whose answers may be changed from here. One of them does not exist.",
        steps(
            _QUESTION
            + """
    confirm:
      ask: choice
      text: Is {{ name }} right?
      keyboard:
        - [{text: Yes, trigger: fine}]
        - [{text: Change, edit: [nam]}]
    done:
      text: Done.
      end: completed
            """
        ),
        ("[nam]", "[name]"),
    ),
    error(
        "F0311",
        "A deep link without its argument",
        """The rest of a link `t.me/bot?start=NAME_REST` becomes an argument of the flow, which must be declared
        under `arguments:`.""",
        "flow: example\ntitle: Example\nentry: {deep_link: {name: offer, argument: cod}}\n"
        "arguments: {code: text?}\nsteps:\n  done:\n"
        "    text: Hello{% if code %}, {{ code }}{% endif %}!\n    end: completed\n",
        ("cod}", "code}"),
    ),
    error(
        "F0312",
        "Nothing to edit there",
        "A button's `edit:` names a step that asks nothing: only answers can be changed.",
        steps(
            """
            hello:
              text: Hello!
            name:
              ask: text
              text: What is your name?
            confirm:
              ask: choice
              text: Is {{ name }} right?
              keyboard:
                - [{text: Yes, trigger: fine}]
                - [{text: Change, edit: [hello]}]
            done:
              text: Done.
              end: completed
            """
        ),
        ("[hello]", "[name]"),
    ),
    error(
        "F0313",
        "Unknown currency or country",
        "A currency is written as in ISO 4217 (EUR, USD) or as a coin (BTC), a country as in ISO 3166 (PL, DE).",
        steps_and_done(
            """
            price:
              ask: money
              text: How much?
              currency: EURO
            """
        ),
        ("EURO", "EUR"),
    ),
    error(
        "F0314",
        "No such picture",
        """`photo: {file: …}` names a picture beside the flow: in the same folder as the flow's file or in a folder
        below that. It ends with .png, .jpg, .jpeg, .gif or .webp. A link that leads out of the folder of flows is
        not followed.""",
        steps(
            """
            done:
              text: That was us.
              photo: {file: logo.svg}
              end: completed
            """
        ),
        ("logo.svg", "logo.png"),
    ),
    error(
        "F0315",
        "Unknown working hours",
        "`hours:` of a time limit names a calendar that stands in bot.yaml under `hours:`.",
        _HOURS
        + steps_and_done(
            """
            name:
              ask: text
              text: What is your name?
              timeout: {after: 2h, hours: shpo}
              transitions: {timeout: done}
            """
        ),
        ("shpo", "shop"),
    ),
)
