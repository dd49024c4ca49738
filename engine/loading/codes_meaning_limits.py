"""F07: what Telegram takes. Lengths count characters, callback data counts bytes."""

from engine.loading.code import Code
from engine.loading.codes_meaning_entry import error, steps, steps_and_done, warning

_END = "steps:\n  done:\n    text: Done.\n    end: completed\n"


def _flow(entry: str, name: str = "example") -> str:
    return f"flow: {name}\ntitle: Example\nentry: {{{entry}}}\n{_END}"


def _button(text: str) -> str:
    return steps_and_done(
        f"""
        hello:
          text: Hello!
          keyboard: [[{{text: {text}, trigger: fine}}]]
        """
    )


def _said(text: str) -> str:
    return steps(f"done:\n  text: {text}\n  end: completed\n")


_MANY = ", ".join(f"c{number}" for number in range(101))
_ROW = ", ".join(f"{{text: T{number}, trigger: t{number}}}" for number in range(9))
_BIG = "{" + ", ".join(f"{'w' * 30}{number}: {'ж' * 32}" for number in range(99)) + "}"

LIMITS: tuple[Code, ...] = (
    error(
        "F0701",
        "A command that Telegram does not take",
        "A command has 1 to 32 of the letters a–z, digits and _. It is written without the slash.",
        _flow("commands: [New-Order]"),
        ("New-Order", "new_order"),
    ),
    error(
        "F0702",
        "A command of the engine",
        "/back, /skip, /resume and /retry work in every flow, so no flow can be started by them.",
        _flow("commands: [back]"),
        ("[back]", "[go_back]"),
    ),
    error(
        "F0703",
        "Two flows with one command",
        "A command starts one flow. Give one of the two another command.",
        "# file: one.yaml\n"
        + _flow("commands: [order]", "one")
        + "# file: two.yaml\n"
        + _flow("commands: [order, buy]", "two"),
        ("[order, buy]", "[buy]"),
    ),
    error(
        "F0704",
        "Too many commands",
        "A bot has at most 100 commands, all flows together. Use menu entries and buttons for the rest.",
        _flow(f"commands: [{_MANY}]"),
        (", c100", ""),
    ),
    error(
        "F0705",
        "A menu entry of a wrong length",
        "A menu entry has 1 to 256 characters.",
        _flow("commands: [example], menu: " + "a" * 257),
        ("a" * 257, "Order"),
    ),
    error(
        "F0706",
        "A button without text, or with too much",
        "A button's text has 1 to 64 characters.",
        _button("I have read all of this and I agree to everything that is written in it"),
        ("I have read all of this and I agree to everything that is written in it", "I agree"),
    ),
    warning(
        "F0707",
        "A long button",
        "Telephones show about 32 characters of a button; the rest is cut off.",
        _button("I have read all of this and agree to it"),
        ("I have read all of this and agree to it", "I agree"),
    ),
    error(
        "F0708",
        "Too many buttons",
        "A keyboard has at most 100 buttons and 8 per row. `page:` shows many options page by page.",
        steps_and_done(f"\nhello:\n  text: Hello!\n  keyboard: [[{_ROW}]]\n"),
        (", {text: T8, trigger: t8}", ""),
    ),
    error(
        "F0709",
        "A text that is too long",
        "A message has at most 4096 characters, 1024 under a picture. What is filled in counts as well.",
        _said("a" * 4097),
        ("a" * 4097, "Short."),
    ),
    error(
        "F0710",
        "An option's name that is too long",
        """A button carries its name back to the bot, in at most 64 bytes together with the conversation's id.
        The name of an option or trigger has at most 40 bytes; its text may be longer.""",
        _button("Go").replace("fine", "f" * 41),
        ("f" * 41, "fine"),
    ),
    error(
        "F0711",
        "HTML that Telegram refuses",
        """Telegram knows b, i, u, s, a, code, pre, blockquote, tg-spoiler and a few more; every tag must be closed in
        order. The signs themselves are written `&lt;` and `&amp;`.""",
        _said("<b>Done."),
        ("Done.", "Done.</b>"),
    ),
    error(
        "F0712",
        "A deep link that Telegram does not take",
        "A link carries 1 to 64 of the letters A–Z and a–z, digits, _ and -.",
        _flow('deep_link: "summer sale"'),
        ('"summer sale"', "summer_sale"),
    ),
    error(
        "F0713",
        "A link that Telegram does not open",
        "A button's `url:` starts with https://, http:// or tg://.",
        _button("Go").replace("}]]", "}, {text: Help, url: www.example.org}]]"),
        ("www.", "https://www."),
    ),
    error(
        "F0714",
        "Two flows with one name",
        "Flows are found by their `flow:` key, so each has its own.",
        "# file: one.yaml\n" + _flow("commands: [one]", "one") + "# file: two.yaml\n" + _flow("commands: [two]", "one"),
        ("flow: one\ntitle: Example\nentry: {commands: [two]}", "flow: two\ntitle: Example\nentry: {commands: [two]}"),
    ),
    error(
        "F0715",
        "Two flows with one deep link",
        "A link starts one flow.",
        "# file: one.yaml\n" + _flow("deep_link: sale", "one") + "# file: two.yaml\n" + _flow("deep_link: sale", "two"),
        (
            "deep_link: sale}\nsteps:\n  done:\n    text: Done.\n    end: completed\n# file",
            "deep_link: offer}\n" + _END + "# file",
        ),
    ),
    error(
        "F0716",
        "A text that can be empty",
        "Telegram refuses an empty message. Write something for the case that no condition holds.",
        _said('"{% if customer.username %}Hello, {{ customer.username }}!{% endif %}"'),
        ("{% endif %}", "{% else %}Hello!{% endif %}"),
    ),
    error(
        "F0717",
        "A keyboard that is too big",
        "All buttons of a message have at most about 10,000 bytes. `page:` shows many options page by page.",
        steps_and_done(f"\nword:\n  ask: choice\n  text: Which?\n  keyboard: {{columns: 2, options: {_BIG}}}\n"),
        ("columns: 2", "page: 20"),
    ),
)
