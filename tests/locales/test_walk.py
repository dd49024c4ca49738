"""A customer who speaks German or Russian walks a flow: refusals, numbers and dates are in their language."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from engine.core.wording import Wording
from engine.runtime.locales import wordings
from tests.core.walker import Walker, world_of

FLOW = """\
flow: booking
progress: true
steps:
  name:
    ask: text
    text: "1"
    validators:
      - length: {min: 3}
  amount:
    ask: decimal
    text: "2"
  pieces:
    ask: integer
    text: "3"
    max: 5000
  day:
    ask: date
    text: "4"
    validators:
      - within_days: 30
  price:
    ask: money
    currency: EUR
    text: "5"
  agree:
    ask: yes_no
    text: "{{ amount | number }} / {{ pieces | number }} / {{ day | date }} / {{ price | money }}"
  done:
    text: "6"
    end: completed
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What a customer types, and what they read, in one language."""

    progress: str
    short_name: str
    no_number: str
    amount: str
    not_whole: str
    pieces: str
    too_many: str
    no_date: str
    no_such_day: str
    late: str
    tomorrow: str
    price: str
    summary: str
    yes_no: list[str]
    ways_out: list[str]
    kept: str
    yes: str


SPOKEN: dict[str, Spoken] = {
    "de": Spoken(
        progress="Schritt 1 von 6",
        short_name="Bitte mindestens 3 Zeichen eingeben. Jetzt sind es 2.",
        no_number="Bitte eine Zahl eingeben, zum Beispiel 12.",
        amount="1.234,5",
        not_whole="Bitte eine ganze Zahl eingeben.",
        pieces="1.234",
        too_many="Bitte höchstens 5.000.",
        no_date="Bitte ein Datum eingeben, zum Beispiel 02.03.2026.",
        no_such_day="Diesen Tag gibt es nicht. Bitte das Datum prüfen.",
        late="Bitte ein Datum von heute bis 01.04.2026 eingeben.",
        tomorrow="Morgen",
        price="12,50 €",
        summary="1.234,5 / 1.234 / 03.03.2026 / 12,50 €",
        yes_no=["Ja", "Nein"],
        ways_out=["⬅️ Zurück", "✖️ Abbrechen"],
        kept="✔️ Behalten: 12,50 €",
        yes="jawohl",
    ),
    "ru": Spoken(
        progress="Шаг 1 из 6",
        short_name="Число символов должно быть не меньше 3. Сейчас: 2.",
        no_number="Пожалуйста, введите число, например 12.",
        amount="1 234,5",
        not_whole="Пожалуйста, введите целое число.",
        pieces="1\u00a0234",
        too_many="Не больше, чем 5 000, пожалуйста.",
        no_date="Пожалуйста, введите дату, например 02.03.2026.",
        no_such_day="Такого дня нет. Пожалуйста, проверьте дату.",
        late="Подойдёт дата не позже 1 апр. 2026 г. и не раньше сегодняшней.",
        tomorrow="Завтра",
        price="12,50 €",
        summary="1 234,5 / 1 234 / 3 мар. 2026 г. / 12,50 €",
        yes_no=["Да", "Нет"],
        ways_out=["⬅️ Назад", "✖️ Отмена"],
        kept="✔️ Оставить: 12,50 €",
        yes="Конечно",
    ),
}
LANGUAGES = list(SPOKEN)


def spaced(text: str) -> str:
    """With usual spaces: which of the narrow ones stands before € or г. differs between versions of Babel."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def starts(language: str, **fields: Any) -> Walker:
    wording: Wording = wordings([language])[language]
    return Walker(FLOW, world=world_of(wording=wording, formats_language=language, **fields)).start()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_walk_in_the_language(language: str) -> None:
    spoken, walker = SPOKEN[language], starts(language)
    assert walker.text.startswith(spoken.progress)
    assert walker.say("Li").said == [spoken.short_name]
    walker.say("Liv")

    assert walker.say("viel").said == [spoken.no_number]
    walker.say(spoken.amount)
    assert walker.data["amount"] == Decimal("1234.5")

    assert walker.say(spoken.amount).said == [spoken.not_whole]
    assert [spaced(text) for text in walker.say("5001").said] == [spoken.too_many]
    walker.say(spoken.pieces)
    assert walker.data["pieces"] == 1234

    assert walker.say("soon").said == [spoken.no_date]
    assert walker.say("31.02.2026").said == [spoken.no_such_day]
    assert [spaced(text) for text in walker.say("02.04.2026").said] == [spoken.late]
    walker.say(spoken.tomorrow)
    assert walker.data["day"] == date(2026, 3, 3)

    walker.say(spoken.price)
    assert spaced(walker.text).endswith(spoken.summary)
    assert walker.labels == [spoken.yes_no, spoken.ways_out]

    walker.back()
    assert spaced(walker.button("n:keep").text) == spoken.kept
    walker.press("n:keep")
    assert walker.say(spoken.yes).over
    assert walker.data["agree"] is True
    assert walker.troubles == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_leaving_in_the_language(language: str) -> None:
    wording = wordings([language])[language]
    walker = starts(language).say("Liv").press("n:cancel")
    assert walker.text == wording.say("cancel.sure")
    assert walker.labels == [[wording.say("cancel.yes")], [wording.say("cancel.no")]]
    walker.press(wording.say("cancel.yes"))
    assert walker.over
    assert walker.said == [wording.say("cancel.done", title="booking")]


def test_a_point_is_not_guessed_to_group_where_it_does_not() -> None:
    """Russian groups with spaces: `1.234,5` has no reading there, and is refused rather than guessed."""
    walker = starts("ru").say("Liv")
    assert walker.say("1.234,5").said == [SPOKEN["ru"].no_number]
    assert walker.step == "amount"
