"""F07: what Telegram takes: commands, buttons, keyboards, texts, callback data, links."""

import re
from collections.abc import Iterator

from engine.core.model import Flow, Step, Template
from engine.diagnostics import Diagnostic, Span
from engine.loading.rules.branches import Shown, ways_through
from engine.loading.rules.checked import Checked
from engine.loading.rules.findings import finding, nearest
from engine.loading.rules.markup import TAGS, faults, visible
from engine.loading.rules.sites import THE_TEXT, Site, Use
from engine.loading.rules.triggers import buttons, option_buttons

COMMAND = re.compile(r"[a-z0-9_]{1,32}")
RESERVED_COMMANDS = frozenset({"back", "skip", "resume", "retry"})
MOST_COMMANDS = 100
MENU_TITLE = 256
BUTTON_MOST, BUTTON_SHOWN = 64, 32
BUTTONS, PER_ROW, ROWS = 100, 8, 100
PAGING = 6
"""Buttons that turn pages, end a search, and lead back and out."""
TEXT_MOST, CAPTION_MOST = 4096, 1024
CALLBACK_BYTES = 64
CALLBACK_HEAD = 10 + 1 + 5 + 1 + 4 + 1
"""`conversation.visit.draw.` in front of the code."""
ROW_PLACE = 5
"""`b:12:` in front of the trigger of a button in an option's row."""
KEYBOARD_BYTES = 10_000
"""Telegram answers “reply markup is too long” at about this size, fewer than 100 buttons or not."""
PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
SCHEMES = ("http://", "https://", "tg://")


def command_names(checked: Checked) -> Iterator[Diagnostic]:
    """F0701, F0702: how a command may be called."""
    for flow in checked.flows:
        for name, span in flow.entry.commands:
            if not COMMAND.fullmatch(name):
                yield finding(
                    "F0701",
                    span,
                    f"Telegram does not take “/{name}” as a command.",
                    expected="1 to 32 of the letters a–z, digits and _, without the slash",
                )
            elif name in RESERVED_COMMANDS:
                yield finding(
                    "F0702",
                    span,
                    f"“/{name}” belongs to the engine: customers use it in every flow.",
                    expected="another command",
                )


def commands_once(checked: Checked) -> Iterator[Diagnostic]:
    """F0703, F0704: one command starts one flow, and there are at most 100."""
    owners: dict[str, tuple[Flow, Span]] = {}
    for flow in checked.flows:
        for name, span in flow.entry.commands:
            if name in owners:
                other = owners[name][0]
                yield finding(
                    "F0703",
                    span,
                    f"“/{name}” already starts the flow “{other.name}” ({owners[name][1]}).",
                    expected="one flow per command",
                )
            owners.setdefault(name, (flow, span))
    if len(owners) > MOST_COMMANDS:
        span = list(owners.values())[MOST_COMMANDS][1]
        yield finding(
            "F0704",
            span,
            f"These are {len(owners)} commands; Telegram shows {MOST_COMMANDS}.",
            expected=f"at most {MOST_COMMANDS} in all flows together",
        )


def menu_titles(checked: Checked) -> Iterator[Diagnostic]:
    """F0705: the menu entry's length."""
    for flow in checked.flows:
        for menu in flow.entry.menu.wordings if flow.entry.menu is not None else ():
            length = len(_longest(menu).strip())
            if not 1 <= length <= MENU_TITLE:
                yield finding(
                    "F0705",
                    menu.span,
                    f"The menu entry has {length} characters.",
                    expected=f"1 to {MENU_TITLE}",
                )


def _longest(template: Template) -> str:
    return max((shown.text for shown in ways_through(template.source)), key=len)


def _labels(checked: Checked) -> Iterator[Site]:
    for judged in checked.judged:
        for site, _ in judged.sites:
            if site.use is Use.LABEL and site.step is not None and site.what != "the label":
                yield site


def button_texts(checked: Checked) -> Iterator[Diagnostic]:
    """F0706, F0707: a button's text is there, and short enough to be read."""
    for site in _labels(checked):
        ways = [shown.text.strip() for shown in ways_through(site.piece.source)]
        length = len(max(ways, key=len))
        if length == 0 or length > BUTTON_MOST:
            shown = "has no text" if length == 0 else f"has {length} characters"
            yield finding("F0706", site.piece.span, f"This button {shown}.", expected=f"1 to {BUTTON_MOST} characters")
        elif length > BUTTON_SHOWN:
            yield finding(
                "F0707",
                site.piece.span,
                f"This button has {length} characters; telephones show about {BUTTON_SHOWN}.",
                expected=f"at most {BUTTON_SHOWN} characters",
            )


def keyboard_sizes(checked: Checked) -> Iterator[Diagnostic]:
    """F0708, F0717: how many buttons, how many per row, how many bytes."""
    for flow in checked.flows:
        for step in flow.steps:
            keyboard = step.keyboard
            if keyboard is None:
                continue
            for row in keyboard.rows:
                if len(row) > PER_ROW:
                    yield _too_many(row[PER_ROW].span, f"This row has {len(row)} buttons.", f"{PER_ROW} per row")
            if not 1 <= keyboard.columns <= PER_ROW:
                yield _too_many(keyboard.span, f"These are {keyboard.columns} columns.", f"1 to {PER_ROW} per row")
            total = _shown(step) + sum(len(row) for row in keyboard.rows)
            if total > BUTTONS:
                yield _too_many(keyboard.span, f"These are {total} buttons.", f"{BUTTONS}; `page:` makes pages")
            elif _bytes(step) > KEYBOARD_BYTES:
                yield finding(
                    "F0717",
                    keyboard.span,
                    f"This keyboard has {_bytes(step)} bytes; Telegram refuses it.",
                    expected=f"at most {KEYBOARD_BYTES}: shorter texts, or pages with `page:`",
                )


def _shown(step: Step) -> int:
    """Buttons of the options of one page, with those that turn it where every option has several."""
    keyboard = step.keyboard
    assert keyboard is not None
    wide = len(option_buttons(step))
    return (keyboard.page or 0) * wide + PAGING if wide else keyboard.page or len(keyboard.options)


def _too_many(span: Span, message: str, most: str) -> Diagnostic:
    return finding("F0708", span, message, expected=f"at most {most}")


def _bytes(step: Step) -> int:
    if step.keyboard is None:
        return 0
    options = step.keyboard.options[: step.keyboard.page]
    texts = [_widest(option.text) + option.value for option in options]
    texts += [_widest(button.text) + (button.trigger or "") for button in buttons(step)]
    return sum(len(text.encode()) + CALLBACK_HEAD + 2 for text in texts)


def _widest(template: Template) -> str:
    return max((wording.source for wording in template.wordings), key=lambda source: len(source.encode()))


def callback_sizes(checked: Checked) -> Iterator[Diagnostic]:
    """F0710: what a button carries back to the bot has 64 bytes."""
    for flow in checked.flows:
        for step in flow.steps:
            options = step.keyboard.options if step.keyboard is not None else ()
            carried = [(option.value, option.span) for option in options]
            carried += [(button.trigger, button.span) for button in buttons(step) if button.trigger]
            inside = {button.trigger for button in option_buttons(step)}
            carried += [(button.trigger, button.span) for button in option_buttons(step) if button.trigger]
            for name, span in carried:
                size = len(name.encode())
                most = CALLBACK_BYTES - CALLBACK_HEAD - (ROW_PLACE if name in inside else 2)
                if size > most or not name:
                    yield finding(
                        "F0710",
                        span,
                        f"“{name[:20]}…” has {size} bytes: too long for a button's name."
                        if name
                        else "This option's name is empty.",
                        expected=f"1 to {most} bytes; the text of the button may be longer",
                    )


def _messages(checked: Checked) -> Iterator[Site]:
    for judged in checked.judged:
        for site, _ in judged.sites:
            if site.use is Use.MESSAGE:
                yield site


def text_sizes(checked: Checked) -> Iterator[Diagnostic]:
    """F0709, F0716: a message has 1 to 4096 characters, under a picture at most 1024."""
    for site in _messages(checked):
        captioned = site.step is not None and site.step.photo is not None and site.what == THE_TEXT
        most = CAPTION_MOST if captioned else TEXT_MOST
        lengths = [len(visible(shown.text).strip()) for shown in ways_through(site.piece.source)]
        if max(lengths) > most:
            yield finding(
                "F0709",
                site.piece.span,
                f"This text has at least {max(lengths)} characters.",
                expected=f"at most {most}" + (" under a picture" if captioned else ""),
            )
        elif min(lengths) == 0 and not captioned:
            where = "is empty" if max(lengths) == 0 else "is empty when none of its conditions holds"
            yield finding("F0716", site.piece.span, f"This text {where}; Telegram refuses that.", expected="some text")


def html(checked: Checked) -> Iterator[Diagnostic]:
    """F0711: HTML that Telegram refuses."""
    for site in _messages(checked):
        for shown in ways_through(site.piece.source):
            yield from _html_of(checked, site, shown)


def _html_of(checked: Checked, site: Site, shown: Shown) -> Iterator[Diagnostic]:
    for fault in faults(shown.text):
        start = shown.offset(fault.offset)
        end = shown.offset(fault.offset + fault.length - 1) + 1
        found = finding(
            "F0711", checked.place(site.piece, start, max(1, end - start)), fault.message, expected=fault.expected
        )
        yield Diagnostic(
            code=found.code,
            severity=found.severity,
            span=found.span,
            message=found.message,
            expected=found.expected,
            suggestion=nearest(fault.name, TAGS) if fault.name else None,
        )


def deep_links(checked: Checked) -> Iterator[Diagnostic]:
    """F0712, F0715: the form of a deep link, and one flow per link."""
    owners: dict[str, Flow] = {}
    for flow in checked.flows:
        link = flow.entry.deep_link
        if link is None:
            continue
        if not PAYLOAD.fullmatch(link.name):
            yield finding(
                "F0712",
                link.span,
                f"“{link.name}” cannot stand in a link.",
                expected="1 to 64 of the letters A–Z and a–z, digits, _ and -",
            )
        if link.name in owners:
            yield finding(
                "F0715",
                link.span,
                f"The link “{link.name}” already starts the flow “{owners[link.name].name}”.",
                expected="one flow per link",
            )
        owners.setdefault(link.name, flow)


def link_schemes(checked: Checked) -> Iterator[Diagnostic]:
    """F0713: a button's link starts with http, https or tg."""
    for flow in checked.flows:
        for step in flow.steps:
            for button in buttons(step):
                for url in button.url.wordings if button.url is not None else ():
                    filled = url.source.lstrip().startswith("{{")
                    shown = [way.text.strip().lower() for way in ways_through(url.source)]
                    if not filled and not all(text.startswith(SCHEMES) for text in shown):
                        yield finding(
                            "F0713",
                            url.span,
                            "Telegram does not open this link.",
                            expected="a link that starts with https://, http:// or tg://",
                        )


def one_name(checked: Checked) -> Iterator[Diagnostic]:
    """F0714: two flows with one name."""
    owners: dict[str, Flow] = {}
    for flow in checked.flows:
        if flow.name in owners:
            yield finding(
                "F0714",
                flow.span,
                f"There is already a flow “{flow.name}” ({owners[flow.name].span}).",
                expected="a name of its own for each flow",
            )
        owners.setdefault(flow.name, flow)
