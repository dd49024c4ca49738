"""Types and faults before anything runs."""

import pytest

from engine.core.expressions import FILTERS, infer
from engine.core.types import BOOLEAN, DECIMAL, DURATION, INTEGER, MONEY, TEXT, ListType, TextType, ValueType, optional
from tests.core.expressions.samples import CONTACT, ITEM, TYPES, expression, faults, template, type_of


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("score + 1", INTEGER),
        ("score / 2", DECIMAL),
        ("price * 2 + price", MONEY),
        ("now - now", DURATION),
        ("day + pause", TYPES["day"]),
        ("score > 3 and paid", BOOLEAN),
        ("'pla'", TextType(choices=frozenset({"pla"}))),
        ("email ~ score", TEXT),
        ("nickname", optional(TEXT)),
        ("nickname or email", TEXT),
        ("nickname | default('x')", TEXT),
        ("nickname if nickname else 'x'", TEXT),
        ("reply.email", optional(TEXT)),
        ("items[0]", optional(ITEM)),
        ("items[0].price if items else price", MONEY),
        ("items | map('count')", ListType(item=INTEGER)),
        ("items | sum('price')", MONEY),
        ("items | sort('price') | first", optional(ITEM)),
        ("items[:2]", ListType(item=ITEM)),
        ("[1, 2.5]", ListType(item=DECIMAL)),
        ("score | round", INTEGER),
        ("ratio | round(2)", DECIMAL),
        ("json.a.b[0] + 1", TYPES["json"]),
        ("1 if paid", optional(INTEGER)),
    ],
)
def test_types(source: str, kind: ValueType) -> None:
    assert type_of(source) == kind


@pytest.mark.parametrize(
    ("source", "kind", "place", "suggestion"),
    [
        ("scor > 3", "unknown_name", "scor", "score"),
        ("contact.emial == email", "unknown_attribute", "emial", "email"),
        ("contact['nmae']", "unknown_attribute", "'nmae'", "name"),
        ("email.lenght", "unknown_attribute", "lenght", None),
        ("items | map('prise')", "unknown_attribute", "prise", "price"),
        ("email | uper", "unknown_filter", "uper", "upper"),
        ("score is evn", "unknown_filter", "evn", "even"),
        ("nickname | upper", "unset_name", "nickname", None),
        ("nickname == 'x'", "unset_name", "nickname", None),
        ("contact.phone ~ '!'", "unset_name", "contact.phone", None),
        ("score + email", "type", "score + email", None),
        ("email + email", "type", "email + email", None),
        ("price * price", "type", "price * price", None),
        ("-email", "type", "email", None),
        ("score | upper", "type", "upper", None),
        ("email | truncate", "type", "truncate", None),
        ("email | truncate('5')", "type", "'5'", None),
        ("email | truncate(5, edn='x')", "type", "'x'", "end"),
        ("email | upper(1)", "type", "1", None),
        ("email | link('javascript:x')", "type", "'javascript:x'", None),
        ("email[0]", "type", "email[0]", None),
        ("files | join", "type", "join", None),
        ("'48' == 48", "comparison", "'48' == 48", None),
        ("email == score", "comparison", "email == score", None),
        ("price < 3", "comparison", "price < 3", None),
        ("paid > 1", "comparison", "paid > 1", None),
        ("material == 'plaa'", "comparison", "material == 'plaa'", "pla"),
        ("material in ['pla', 'wood']", "comparison", "'wood'", None),
        ("score in ['a']", "comparison", "'a'", None),
        ("score in email", "comparison", "score", None),
    ],
)
def test_faults(source: str, kind: str, place: str, suggestion: str | None) -> None:
    (fault,) = faults(source)
    assert (fault.kind, source[fault.offset : fault.offset + fault.length]) == (kind, place)
    assert fault.suggestion == suggestion


@pytest.mark.parametrize(
    "source",
    [
        "nickname is set and nickname == 'x'",
        "nickname and nickname == 'x'",
        "not nickname or nickname == 'x'",
        "nickname == none or nickname == 'x'",
        "nickname != none and nickname == 'x'",
        "nickname is none or nickname == 'x'",
        "nickname == 'x' if nickname is not none else false",
        "reply.phone and reply.email == email",
        "reply.phone is set and reply.phone == email",
        "maybe_items | default([]) | count > 0",
        "maybe_items is empty or maybe_items[0].name == 'x'",
        "items | count > 0 and items[0].name == 'x'",
        "items and (items | first).name == 'x'",
        "material in ['pla', 'petg'] and material == 'pla'",
        "score is in [1, 2]",
        "not (nickname is not set) and nickname == 'x'",
    ],
)
def test_conditions_that_prove_enough(source: str) -> None:
    assert faults(source) == ()


@pytest.mark.parametrize(
    "source",
    [
        "nickname or nickname == 'x'",
        "not nickname and nickname == 'x'",
        "(nickname or paid) and nickname == 'x'",
        "reply and reply.phone == 'x'",
        "items[1].name == 'x' and items",
        "items | count == 0 and items[0].name == 'x'",
    ],
)
def test_conditions_that_prove_too_little(source: str) -> None:
    assert {fault.kind for fault in faults(source)} == {"unset_name"}


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("{{ nickname }}", {"unset_name"}),
        ("{% if nickname %}{{ nickname }}{% endif %}", set()),
        ("{% if nickname %}{% else %}{{ nickname }}{% endif %}", {"unset_name"}),
        ("{% if nickname is not set %}-{% elif paid %}{{ nickname }}{% else %}{{ nickname }}{% endif %}", set()),
        ("{% if contact.phone %}, {{ contact.phone }}{% endif %}", set()),
        ("{{ nickname or 'friend' }}", set()),
        ("{{ files }}", {"type"}),
        ("{{ contact }}", {"type"}),
        ("{{ none }}", {"unset_name"}),
        ("{% for f in files %}{{ f.name }}{{ loop.index }}{% endfor %}", set()),
        ("{% for f in files %}{% endfor %}{{ f.name }}", {"unknown_name"}),
        ("{% for f in email %}{% endfor %}", {"type"}),
        ("{% for i in maybe_items %}{% endfor %}", {"unset_name"}),
        (
            "{% if nickname %}{% for nickname in files %}{{ nickname.nme }}{% endfor %}{% endif %}",
            {"unknown_attribute"},
        ),
    ],
)
def test_texts(source: str, kinds: set[str]) -> None:
    assert {fault.kind for fault in faults(source, of_text=True)} == kinds


def test_all_faults_come_at_once_and_in_order() -> None:
    found = faults("{{ scor }} {{ contact.nam }} {{ nickname }}", of_text=True)
    assert [fault.kind for fault in found] == ["unknown_name", "unknown_attribute", "unset_name"]


def test_locals_hide_names_of_the_environment() -> None:
    assert infer(expression("score.email"), TYPES, {"score": CONTACT}).type == TEXT


def test_every_example_of_a_filter_has_no_faults() -> None:
    people = ListType(item=CONTACT)
    for known in FILTERS.values():
        parsed = template("{{ " + known.example[0] + " }}")
        assert infer(parsed, {**TYPES, "people": people}).faults == (), known.name
