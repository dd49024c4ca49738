"""Every kind of question: what it accepts, every way of refusing, what it looks like."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from engine.core.effects import Accepts
from engine.core.values import Money
from tests.core.asking import one
from tests.core.walker import Walker


def test_text_is_trimmed_and_kept() -> None:
    walker = one("    ask: text").say("  Anna  ")
    assert walker.data == {"q": "Anna"}
    assert walker.over
    assert walker.finish.outcome == "completed"


@pytest.mark.parametrize("typed", ["", "   ", "\n\t"])
def test_empty_text_is_refused(typed: str) -> None:
    walker = one("    ask: text").say(typed)
    assert walker.said == ["Please type your answer."]
    assert walker.step == "q"
    assert walker.traces == [("q", "refused")]


def test_the_longest_text_is_a_message_long() -> None:
    assert one("    ask: text").say("x" * 4096).over
    walker = one("    ask: text").say("x" * 4097)
    assert walker.said == ["This is too long. 4096 characters at most, please."]
    assert walker.step == "q"


@pytest.mark.parametrize(
    "typed", ["{{7*7}}", "{% for x in y %}", "<b>fat</b>", "{0.__class__}", "%s", "${x}", "\\N{DASH}"]
)
def test_typed_markup_stays_text(typed: str) -> None:
    walker = Walker(
        "flow: echo\nsteps:\n  q:\n    ask: text\n    text: Say.\n  again:\n    ask: text\n    text: 'You: {{ q }}'\n"
    ).start()
    walker.say(typed)
    escaped = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert walker.data["q"] == typed
    assert escaped in walker.text
    assert "49" not in walker.text
    walker.back()
    assert walker.button("n:keep").text.endswith(typed)


@pytest.mark.parametrize(
    ("language", "typed", "value"),
    [
        ("en", "1,234.5", Decimal("1234.5")),
        ("en", "1.5", Decimal("1.5")),
        ("en", "1,5", Decimal("1.5")),
        ("en", "1,234", Decimal(1234)),
        ("de", "1.234,5", Decimal("1234.5")),
        ("de", "1,5", Decimal("1.5")),
        ("de", "1.234", Decimal(1234)),
        ("ru", "1 234,5", Decimal("1234.5")),
        ("ru", "1\u00a0234,5", Decimal("1234.5")),
        ("pl", "1\u00a0234,5", Decimal("1234.5")),
        ("pl", "−2,5", Decimal("-2.5")),
        ("pl", "2.5", Decimal("2.5")),
        ("en", "-7", Decimal(-7)),
        ("en", "0", Decimal(0)),
    ],
)
def test_numbers_as_the_language_writes_them(language: str, typed: str, value: Decimal) -> None:
    assert one("    ask: decimal", formats_language=language).say(typed).data == {"q": value}


@pytest.mark.parametrize(
    "typed", ["", "twelve", "1.2.3", "1e5", "0x1F", "NaN", "inf", "१२", "--5", "5-", "9" * 31, "1_000"]
)
def test_what_is_no_number(typed: str) -> None:
    walker = one("    ask: decimal").say(typed)
    assert walker.said == ["Please type a number, for example 12."]


def test_integers_are_whole_and_within_bounds() -> None:
    walker = one("    ask: integer\n    min: 2\n    max: 5")
    assert walker.say("2.5").said == ["Please type a whole number."]
    assert walker.say("1").said == ["At least 2, please."]
    assert walker.say("6").said == ["5 at most, please."]
    assert walker.say("5.0").data == {"q": 5}
    assert type(walker.data["q"]) is int


@pytest.mark.parametrize(
    ("language", "typed", "minor"),
    [
        ("en", "12.50", 1250),
        ("en", "€12.50", 1250),
        ("en", "1,234.56 EUR", 123456),
        ("de", "12,50 €", 1250),
        ("de", "1.234,56", 123456),
        ("ru", "12,5 eur", 1250),
        ("pl", "1 234,56", 123456),
    ],
)
def test_money(language: str, typed: str, minor: int) -> None:
    walker = one("    ask: money", formats_language=language).say(typed)
    assert walker.data == {"q": Money(minor=minor, asset="EUR")}


def test_money_refuses_what_the_currency_cannot_be_and_its_bounds() -> None:
    walker = one("    ask: money\n    currency: EUR\n    min: 5\n    max: 10")
    assert walker.say("5.001").said == ["This has more decimal places than EUR knows."]
    assert walker.say("much").said == ["Please type an amount in EUR, for example 12.50."]
    assert walker.say("4.99").said == ["At least €5.00, please."]
    assert walker.say("10.01").said == ["€10.00 at most, please."]
    assert walker.say("10").data == {"q": Money(minor=1000, asset="EUR")}
    assert one("    ask: money\n    currency: JPY").say("5.5").said == ["This has more decimal places than JPY knows."]


@pytest.mark.parametrize("typed", ["a@b.co", " Anna.Nowak+x@Example.ORG ", "a@xn--bcher-kva.example", "ö@bücher.de"])
def test_emails(typed: str) -> None:
    local, _, domain = typed.strip().partition("@")
    assert one("    ask: email").say(typed).data == {"q": f"{local}@{domain.lower()}"}


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a",
        "a@",
        "@b.co",
        "a@b",
        "a b@c.de",
        "a@b..de",
        ".a@b.de",
        "a@-b.de",
        "a@b.de\nx",
        "a" * 65 + "@b.de",
        "a@" + "b" * 260 + ".de",
    ],
)
def test_what_is_no_email(typed: str) -> None:
    walker = one("    ask: email").say(typed)
    assert walker.said == ["This is no e-mail address. Please type it like name@example.com."]


def test_telephone_numbers_typed_and_shared() -> None:
    assert one("    ask: phone").say("+48 100-200-300").data == {"q": "+48100200300"}
    assert one("    ask: phone").say("0048 100 200 300").data == {"q": "+48100200300"}
    assert one("    ask: phone\n    region: PL").say("512 345 678").data == {"q": "+48512345678"}
    assert "no telephone number" in one("    ask: phone", region="DE").say("12345").said[0]
    assert one("    ask: phone", region="DE").say("030 123456").data == {"q": "+4930123456"}
    assert one("    ask: phone").contact("48100200300").data == {"q": "+48100200300"}
    walker = one("    ask: phone")
    assert walker.shown.accepts == {Accepts.TEXT, Accepts.CONTACT}
    assert "country code" in walker.say("100 200 300").said[0]
    assert walker.say("+48 12").said == [
        "This is no telephone number. Please type it with the country code, for example +48 100 200 300."
    ]
    assert "no telephone number" in walker.say("call me " * 10).said[0]
    assert walker.contact(own=False).said == ["Please share your own number, or type it."]
    assert walker.location().said == ["Please type your telephone number or share your contact."]
    assert walker.step == "q"


def test_a_location() -> None:
    walker = one("    ask: location")
    assert walker.shown.accepts == {Accepts.LOCATION}
    assert walker.say("Warsaw").said == ["Please share your location."]
    assert walker.contact().said == ["Please share your location."]
    walker.location(52.25, 21.0)
    assert walker.data == {"q": {"latitude": Decimal("52.25"), "longitude": Decimal("21.0")}}


@pytest.mark.parametrize(
    ("language", "typed"),
    [
        ("en", "2026-12-31"), ("en", "12/31/2026"), ("en", "12/31/26"), ("de", "31.12.2026"), ("de", "31.12.26."),
        ("ru", "31.12.2026"), ("pl", "31.12.2026"), ("pl", "31-12-2026"), ("de", "2026-12-31"),
    ],
)  # fmt: skip
def test_dates_as_the_language_writes_them(language: str, typed: str) -> None:
    assert one("    ask: date", formats_language=language).say(typed).data == {"q": date(2026, 12, 31)}


def test_dates_refused_and_spoken() -> None:
    walker = one("    ask: date\n    min: 2026-03-02\n    max: 2026-03-31")
    assert walker.say("soon").said == ["Please type a date, for example 03/02/2026."]
    assert walker.say("2026-02-30").said == ["There is no such day. Please check the date."]
    assert walker.say("2026-03-01").said[0].startswith("At least")
    assert walker.say("2026-04-01").said[0].endswith("at most, please.")
    assert walker.say("99/99/9999").said == ["There is no such day. Please check the date."]
    assert walker.say("Tomorrow").data == {"q": date(2026, 3, 3)}
    assert one("    ask: date", time_zone="Pacific/Kiritimati").say("today").data == {"q": date(2026, 3, 3)}


def test_validators_that_need_the_clock() -> None:
    walker = one("    ask: date\n    validators: [future, {within_days: 10}]")
    assert walker.say("today").said == ["Please give a date after today."]
    assert walker.troubles == []
    walker.say("2026-03-20")
    assert len(walker.said) == 1
    assert walker.say("tomorrow").over


def test_yes_and_no() -> None:
    text = "    ask: yes_no\n    yes: Sure!\n    transitions: {yes: done, no: q}"
    walker = one(text)
    assert walker.labels[0] == ["Sure!", "No"]
    assert walker.say("maybe").said == ["Please choose one of the buttons."]
    assert walker.press("Sure!").data == {"q": True}
    walker = one(text).say(" NO ")
    assert walker.step == "q"
    assert walker.visit.number == 2
    assert one("    ask: yes_no").say("yeah").data == {"q": True}
    assert one("    ask: yes_no").press("No").data == {"q": False}


def test_kept_yes_or_no_goes_where_the_press_went() -> None:
    walker = Walker(
        "flow: f\nsteps:\n  q:\n    ask: yes_no\n    text: Q\n    transitions: {yes: a, no: b}\n"
        "  a:\n    ask: text\n    text: A\n  b:\n    ask: text\n    text: B\n"
    ).start()
    assert walker.press("No").step == "b"
    assert walker.back().step == "q"
    assert walker.press("n:keep").step == "b"
    assert walker.data == {"q": False}


def test_a_choice_by_press_and_by_typing() -> None:
    keyboard = "    ask: choice\n    keyboard: {pla: PLA (basic), abs: ABS}"
    walker = one(keyboard)
    assert walker.labels[:2] == [["PLA (basic)"], ["ABS"]]
    assert walker.shown.accepts == frozenset()
    assert walker.say("wood").said == ["Please choose one of the buttons."]
    assert walker.send().said == ["Please choose one of the buttons."]
    assert walker.say("").said == ["Please choose one of the buttons."]
    assert walker.press("ABS").data == {"q": "abs"}
    assert one(keyboard).say("pla (BASIC)").data == {"q": "pla"}
    assert one(keyboard).say("PLA").data == {"q": "pla"}


def test_a_choice_fires_its_value_else_answered() -> None:
    text = "    ask: choice\n    keyboard: {a: A, b: B}\n    transitions: {a: q, answered: done}"
    assert one(text).press("A").visit.number == 2
    assert one(text).press("B").over


def test_options_that_are_not_open_any_more() -> None:
    walker = one("    ask: choice\n    keyboard: {a: A, b: {text: B, if: customer.name == 'Bob'}}")
    assert walker.labels[0] == ["A"]
    assert walker.press_code("o:b").notices == ["This choice is not open any more."]
    assert walker.press_code("o:zzz").notices == ["This choice is not open any more."]
    assert walker.say("B").said == ["Please choose one of the buttons."]
    assert walker.press_code("t:nothing").notices == ["This choice is not open any more."]
    assert walker.step == "q"


def test_buttons_for_roles() -> None:
    rows = (
        "    ask: choice\n"
        "    keyboard:\n"
        "      - [{text: All, trigger: done}, {text: Staff, trigger: secret, only: staff}]"
    )
    walker = one(rows)
    assert walker.labels[0] == ["All"]
    assert walker.press_code("t:secret").notices == ["This choice is not open any more."]
    staff = {"id": "7", "name": "Ada", "roles": ("staff",)}
    assert one(rows, customer=staff).press("Staff").data == {"q": "secret"}


def test_several_choices_with_limits() -> None:
    walker = one("    ask: choices\n    min: 1\n    max: 2\n    done: That is it\n    keyboard: {a: A, b: B, c: C}")
    assert walker.button("That is it").code == "x:ok"
    walker.press("x:ok")
    assert walker.notices == ["Please choose at least 1."]
    walker.press("B")
    assert walker.shown.edit
    assert walker.labels[1] == ["✅ B"]
    assert walker.button("x:ok").text == "That is it (1)"
    walker.say("a")
    assert not walker.shown.edit
    assert walker.press("C").notices == ["You can choose 2 at most."]
    walker.press("✅ B").press("C").press("x:ok")
    assert walker.data == {"q": ("a", "c")}


def test_quantity() -> None:
    walker = one("    ask: quantity\n    min: 2\n    max: 6\n    step: 2\n    start: 4")
    assert walker.labels[:2] == [["➖", "4", "➕"], ["✅ Take 4"]]
    walker.press("➕")
    assert walker.labels[0][1] == "6"
    assert walker.press("➕").notices == ["6 at most, please."]
    assert walker.press("q:=").effects == ()
    walker.press("➖").press("➖")
    assert walker.press("➖").notices == ["At least 2, please."]
    assert walker.say("7").said == ["6 at most, please."]
    assert walker.say("many").said == ["Please type a number, for example 12."]
    assert walker.press("q:ok").data == {"q": 2}
    assert one("    ask: quantity").say("3").data == {"q": 3}
    assert one("    ask: quantity\n    max: customer.id == '7' and 5 or 9").press("q:ok").data == {"q": 1}


def test_quantity_whose_start_is_too_high() -> None:
    walker = one("    ask: quantity\n    start: 9\n    max: 3")
    assert walker.labels[0][1] == "3"


def test_one_file() -> None:
    walker = one("    ask: file\n    accept: [.stl, .obj]\n    max_size: 1 KB")
    assert walker.shown.accepts == {Accepts.FILE}
    assert walker.say("here").said == ["Please send a file."]
    assert walker.send("virus.exe").said == ["“virus.exe” has a format that does not work here. These do: .stl, .obj"]
    assert walker.send("a.stl", 0).said == ["“a.stl” is empty. Please send it again."]
    assert walker.send("a.stl", 1025).said == ["“a.stl” is too big. 1 KB at most, please."]
    assert walker.send("A.STL", 1024).data["q"]["name"] == "A.STL"
    photo = one("    ask: photo")
    assert photo.shown.accepts == {Accepts.PHOTO}
    assert photo.send("a.jpg").said == ["Please send a photo."]
    assert photo.send("a.jpg", kind="photo").over


def test_file_names_are_data() -> None:
    walker = one("    ask: file\n    accept: .stl").send("<b>" + "x" * 200 + "&.exe")
    assert "<b>" not in walker.said[0]
    assert len(walker.said[0]) < 160
    walker = one("    ask: file\n    each: {do: up.load, with: {file: file}}").send("<i>a</i>.stl")
    walker.outcome("refused", reason="<b>no</b>")
    assert "<i>" not in walker.said[0]
    assert "<b>" not in walker.said[0]


def test_one_file_that_is_checked() -> None:
    walker = one("    ask: file\n    each: {do: up.load, with: {file: file}}").send("a.stl")
    file: Any = walker.last_call().arguments["file"]
    assert file["name"] == "a.stl"
    walker.outcome("refused", reason="too thin")
    assert walker.said == ["“a.stl” did not get through: too thin"]
    walker.press("Try again").fail()
    assert walker.button("Try again").code.startswith("F:")
    walker.press("Try again").outcome("ready", number=5)
    assert walker.data == {"q": {"number": 5}}


def test_validators_refuse_in_their_or_the_authors_words() -> None:
    walker = one(
        "    ask: text\n"
        "    validators:\n"
        "      - length: {min: 2, max: 5}\n"
        "      - pattern: '[A-Z]+'\n"
        "        message: Capitals, not {{ answer }}!"
    )
    assert walker.say("A").said == ["Please write between 2 and 5 characters. You wrote 1."]
    assert walker.say("<b>").said == ["Capitals, not &lt;b&gt;!"]
    assert walker.say("ABC").over


def test_a_refusal_that_repeats_the_answer_is_escaped() -> None:
    walker = one("    ask: text\n    validators: [{not_one_of: ['<b>x</b>']}]").say("<b>X</b>")
    assert "<b>" not in walker.said[0]


@pytest.mark.parametrize("validator", ["boom", "mad"])
def test_a_broken_validator_is_not_the_customers_fault(validator: str) -> None:
    walker = one(f"    ask: text\n    validators: [{validator}]").say("x")
    assert walker.said == ["Your answer could not be checked just now. Please try again in a moment."]
    assert walker.troubles
    assert walker.step == "q"


def test_skip() -> None:
    walker = one("    ask: text\n    optional: Leave it out")
    assert walker.button("Leave it out").code == "n:skip"
    assert walker.press("Leave it out").over
    assert walker.data == {}
    assert one("    ask: text\n    optional: Skip").skip().over
    assert one("    ask: text").skip().said == ["This question cannot be skipped. Please answer it."]
    assert one("    ask: text").press_code("n:skip").notices == ["This button belongs to an earlier message."]
    walker = one("    ask: text\n    optional: Skip\n    transitions: {skipped: q}").skip()
    assert (walker.step, walker.visit.number) == ("q", 2)


def test_a_prefill_that_could_not_be_typed_is_not_offered() -> None:
    assert "n:keep" not in one("    ask: email\n    prefill: customer.name").codes
    assert "n:keep" not in one("    ask: phone\n    prefill: customer.name").codes


def test_prefill() -> None:
    walker = one("    ask: text\n    prefill: customer.name")
    assert walker.press("✔️ Keep: Ada").data == {"q": "Ada"}
    assert "n:keep" not in one("    ask: text\n    prefill: customer.username").codes
    assert one("    ask: text").press_code("n:keep").notices


def test_what_is_offered_is_judged_too() -> None:
    walker = one("    ask: text\n    prefill: customer.name\n    validators: [{length: {min: 9}}]").press("n:keep")
    assert len(walker.said) == 1
    assert walker.step == "q"


def test_the_words_of_a_button_may_be_typed() -> None:
    walker = Walker(
        """
        flow: words
        title: Words
        entry: {commands: [words]}
        steps:
          sure:
            ask: yes_no
            text: Sure?
            "yes": Certainly
            "no": Rather not
          pick:
            ask: choice
            text: Pick one
            keyboard:
              options: {a: Apple, b: Pear}
              rows: [[{text: None of these, trigger: none}]]
            transitions: {none: nothing}
          menu:
            text: Go on?
            keyboard: [[{text: ➡️ Go on, trigger: on}]]
            transitions: {on: over}
          nothing:
            text: Nothing
            end: empty
          over:
            text: Over
            end: completed
        """
    )
    walker.start("words")
    walker.say("certainly")
    assert walker.data["sure"] is True
    assert walker.step == "pick"
    walker.say("none of THESE")
    assert walker.step == "nothing"

    walker.start("words")
    walker.say("Rather not")
    assert walker.data["sure"] is False
    walker.say("Pear")
    assert walker.step == "menu"
    walker.say("onwards")
    assert walker.step == "menu"
    walker.say("➡️ go on")
    assert walker.step == "over"
