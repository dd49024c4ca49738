"""A customer reads a flow in their own language, what has no translation in the flow's; one language costs nothing."""

import pytest

from engine.actions.discovery import builtin_catalog
from engine.core.effects import Say, Show
from engine.core.machine import compile_flows
from engine.core.program import Program
from engine.loading.library import Loaded, load_texts
from engine.runtime.locales import wordings
from tests.core.walker import Walker, world_of

BOT = "bot: Shop\nlanguages: [en, de, ru]\n"
FLOW = """
flow: order
title: Order
entry: {commands: [order], menu: Order something}
expires: 1h
expired: Too late.
steps:
  name:
    ask: text
    text: "Hello, what is your name?"
    label: Name
    optional: Skip
    validators: [{length: {min: 2}, message: "Too short, {{ answer }}."}]
  size:
    ask: choice
    text: Which size?
    label: Size
    keyboard: {small: Small, large: Large}
  count:
    ask: integer
    text: How many?
    label: Count
  gift:
    ask: yes_no
    text: As a gift?
    yes: As a gift
    no: For myself
  extras:
    ask: choices
    text: Extras?
    done: That is all
    keyboard: {box: Box, card: Card}
  confirm:
    ask: choice
    text: '{{ count }} {{ count | plural("piece", "pieces") }}, {% if name %}{{ name }}{% endif %}'
    keyboard:
      - [{text: Order, trigger: order}, {text: Later, trigger: later}]
      - [{text: Change, edit: [name, size, count]}]
    transitions:
      order: {to: placed, text: "Thank you{% if name %}, {{ name }}{% endif %}."}
      later: {to: confirm, text: As you like.}
  placed:
    text: Done.
    end: completed
"""
GERMAN = """
texts:
  order:
    title: Bestellung
    menu: Etwas bestellen
    expired: Zu spät.
    name.text: "Guten Tag, wie heißen Sie?"
    name.label: Ihr Name
    name.optional: Überspringen
    name.validators.length: "Zu kurz, {{ answer }}."
    size.text: Welche Größe?
    size.label: Größe
    size.keyboard.small: Klein
    size.keyboard.large: Groß
    count.text: Wie viele?
    count.label: Anzahl
    gift.text: Als Geschenk?
    gift.yes: Als Geschenk
    gift.no: Für mich
    extras.text: Noch etwas?
    extras.done: Das ist alles
    extras.keyboard.box: Schachtel
    extras.keyboard.card: Karte
    confirm.text: '{{ count }} {{ count | plural("Stück", "Stücke") }}, {% if name %}{{ name }}{% endif %}'
    confirm.keyboard.order: Bestellen
    confirm.keyboard.later: Später
    confirm.keyboard.edit: Ändern
    confirm.transitions.order: "Danke{% if name %}, {{ name }}{% endif %}."
    confirm.transitions.later: Wie Sie möchten.
    placed.text: Fertig.
"""
RUSSIAN = """
texts:
  order:
    size.text: Какой размер?
    confirm.text: '{{ count }} {{ count | plural("штука", "штуки", "штук") }}, {% if name %}{{ name }}{% endif %}'
"""
SPOKEN = wordings(["en", "de", "ru"])


def loaded(bot: str = BOT, **locales: str) -> Loaded:
    files = {"bot.yaml": bot, "order.yaml": FLOW.strip() + "\n"}
    found = load_texts(
        {**files, **{f"locales/{name}.yaml": text.strip() + "\n" for name, text in locales.items()}}, builtin_catalog()
    )
    assert found.report.ok, found.report.findings
    return found


def program(bot: str = BOT, **locales: str) -> Program:
    found = loaded(bot, **locales)
    return compile_flows(found.flows, found.bot, builtin_catalog())["order"]


ALL = program(de=GERMAN, ru=RUSSIAN)


def customer(language: str, of: Program = ALL) -> Walker:
    """Somebody at the first question."""
    walk = Walker(FLOW, world=world_of(wording=SPOKEN[language], formats_language=language))
    walk.programs = {"order": of}
    return walk.start()


def test_the_whole_conversation_is_german() -> None:
    walk = customer("de")
    assert (walk.text, walk.labels[0]) == ("Guten Tag, wie heißen Sie?", ["Überspringen"])
    walk.say("A")
    assert walk.said == ["Zu kurz, A."]
    walk.say("Anna")
    assert (walk.text, walk.labels[:2]) == ("Welche Größe?", [["Klein"], ["Groß"]])
    walk.say("groß")
    assert walk.text == "Wie viele?"
    walk.say("2")
    assert walk.labels[0] == ["Als Geschenk", "Für mich"]
    walk.say("für mich")
    assert walk.labels[:3] == [["Schachtel"], ["Karte"], ["Das ist alles"]]
    walk.press("Karte").press("Das ist alles (1)")
    assert walk.text == "2 Stücke, Anna"
    walk.press("Später")
    assert walk.effects[0] == Say(text="Wie Sie möchten.")
    walk.say("bestellen")
    assert [effect.text for effect in walk.effects if isinstance(effect, Say | Show)] == ["Danke, Anna.", "Fertig."]
    assert walk.conversation.frames[0].data == {
        "name": "Anna", "size": "large", "count": 2, "gift": False, "extras": ("card",), "confirm": "order",
    }  # fmt: skip


def test_a_menu_of_changes_is_german() -> None:
    walk = customer("de").say("Anna").say("klein").say("1").press("Für mich").press("Das ist alles").press("Ändern")
    assert [row[0] for row in walk.labels[:3]] == ["Ihr Name: Anna", "Größe: Klein", "Anzahl: 1"]


def test_what_has_no_translation_is_said_as_the_flow_has_it() -> None:
    walk = customer("ru")
    assert (walk.text, walk.labels[0]) == ("Hello, what is your name?", ["Skip"])
    walk.say("Анна")
    assert (walk.text, walk.labels[0]) == ("Какой размер?", ["Small"])
    walk.say("small").say("5").press("For myself").press("That is all")
    assert walk.text == "5 штук, Анна"


def test_the_expired_text_and_the_title_are_german() -> None:
    walk = customer("de").wait(3601)
    assert walk.said == ["Zu spät."]
    walk = customer("de").cancel()
    assert any("Bestellung" in text for text in walk.said)


def test_the_same_step_has_other_buttons_for_others() -> None:
    """Buttons that never change are kept: for each language their own."""
    node = ALL.nodes["size"]
    assert node.still
    for _ in range(2):
        assert customer("en").say("Anna").labels[0] == ["Small"]
        assert customer("de").say("Anna").labels[0] == ["Klein"]


@pytest.mark.parametrize(
    ("language", "count", "shown"),
    [
        ("ru", 1, "1 piece"),
        ("ru", 21, "21 pieces"),
        ("de", 1, "1 Stück"),
        ("en", 21, "21 pieces"),
        ("de", 0, "0 Stücke"),
    ],
)
def test_plural_forms_are_those_of_the_text(language: str, count: int, shown: str) -> None:
    """A Russian customer who reads an English text: 21 is one in Russian, and many in English."""
    walk = customer(language, program(de=GERMAN)).say("Anna").press_code("o:small").say(str(count))
    walk.press_code("o:no").press_code("x:ok")
    assert walk.text == f"{shown}, Anna"


def test_numbers_are_written_as_the_customer_writes_them() -> None:
    flow = FLOW.replace("{{ count }} {{", "{{ 1234.5 | number }} {{ count }} {{")
    found = load_texts({"bot.yaml": BOT, "order.yaml": flow.strip() + "\n"}, builtin_catalog())
    own = compile_flows(found.flows, found.bot, builtin_catalog())["order"]
    walk = customer("de", own).say("Anna").press_code("o:small").say("2").press_code("o:no").press_code("x:ok")
    assert walk.text == "1.234,5 2 pieces, Anna"


def test_one_language_costs_nothing() -> None:
    """Texts without translations are compiled as ever: constants stay constants."""
    alone = program("bot: Shop\nlanguages: [en]\n")
    for text in (alone.title, alone.expired, alone.nodes["size"].text, alone.nodes["name"].optional):
        assert text is not None
        assert text.constant is not None
        assert text.worded is None


def test_the_same_word_in_every_language_is_a_constant() -> None:
    same = program(de="texts:\n  order:\n    size.label: Size\n", ru="texts:\n  order:\n    size.label: Size\n")
    label = same.nodes["size"].label
    assert label is not None
    assert label.constant == "Size"


def test_a_region_speaks_its_language() -> None:
    """`de_AT` reads German, where it has no words of its own."""
    bot = "bot: Shop\nlanguages: [en, de_AT]\n"
    own = program(bot, de=GERMAN, de_AT="texts:\n  order:\n    size.text: Welche Größe, bitteschön?\n")
    for place, text in (("size", "Welche Größe, bitteschön?"), ("count", "Wie viele?")):
        said = own.nodes[place].text
        assert said is not None
        assert said.wording("de_AT") == text


def test_whoever_looks_on_is_told_of_the_flow_s_own_text() -> None:
    seen: list[tuple[str, object]] = []
    found = loaded(de=GERMAN)

    def watch(source: object, value: object) -> None:
        seen.append((getattr(source, "span").file, value))  # noqa: B009 - a Template or an Expression

    watched = compile_flows(found.flows, found.bot, builtin_catalog(), watch)["order"]
    walk = customer("de", watched).say("Anna").say("klein").say("2").press("Für mich").press("Das ist alles")
    assert walk.text == "2 Stücke, Anna"
    assert ("order.yaml", "2 Stücke, Anna") in seen
    assert {file for file, _ in seen} == {"order.yaml"}
