"""bot.yaml becomes a Bot."""

from datetime import date, timedelta

import pytest

from engine.core import types as t
from engine.core.model import Bot, Retry
from engine.core.values import Money
from engine.loading.bot import parse_bot
from engine.loading.schema_check import check_document
from tests.loading.reading import document

WHOLE = """
bot: Print shop
languages: [en, pt-BR]
currency: USD
time_zone: Europe/Berlin
region: PL
roles: {staff: env:STAFF, owner: [1, "2", env:NOBODY], single: 7}
retry: {patient: {attempts: 9, first: 2s, factor: 3, longest: 10m}, usual: {}}
settings:
  support: "@help"
  limit: 5
  hold: {type: duration, value: 30m}
  price: {type: money, value: 12.50 EUR}
  opened: {type: date, value: 2026-01-31}
  days: [mon, tue]
  shop: {name: Nord, open: true}
  rate: {type: decimal, value: 2}
secrets: {api: API_TOKEN}
allowed_hosts: [api.example.com, "localhost:8080", env:HOSTS]
"""


def parsed(text, environment=None):
    return parse_bot(document(text), environment or {})


def test_everything_a_bot_can_have():
    bot = parsed(WHOLE, {"STAFF": "10, 11,", "HOSTS": "a.example"}).bot
    assert (bot.name, bot.languages, bot.currency, bot.time_zone, bot.region) == (
        "Print shop", ("en", "pt_BR"), "USD", "Europe/Berlin", "PL")  # fmt: skip
    assert bot.roles == {"staff": ("10", "11"), "owner": ("1", "2"), "single": ("7",)}
    assert bot.retry["patient"] == Retry(
        attempts=9, first=timedelta(seconds=2), factor=3.0, longest=timedelta(minutes=10)
    )
    assert bot.retry["usual"] == Retry()
    assert bot.settings == {
        "support": "@help", "limit": 5, "hold": timedelta(minutes=30), "price": Money(minor=1250, asset="EUR"),
        "opened": date(2026, 1, 31), "days": ("mon", "tue"), "shop": {"name": "Nord", "open": True}, "rate": 2,
    }  # fmt: skip
    assert bot.setting_types["hold"] == t.DURATION
    assert bot.setting_types["price"] == t.MONEY
    assert bot.setting_types["days"] == t.ListType(item=t.TEXT)
    assert bot.setting_types["rate"] == t.DECIMAL
    assert bot.secrets == {"api": "API_TOKEN"}
    assert bot.allowed_hosts == ("api.example.com", "localhost:8080", "a.example")


HOURS = """
bot: Print shop
time_zone: Europe/Berlin
hours:
  shop:
    mon-thu: [13:00-18:00, 09:00-12:00]
    fri: 09:00 - 12:00
    closed: [12-25, 02-29, 2026-12-31, 2026-07-30 to 2026-08-02]
  hotline: {fri-mon: 18:00-02:00, time_zone: Europe/Warsaw}
  always: {mon-sun: 00:00-24:00}
"""


def test_working_hours():
    hours = parsed(HOURS).bot.hours
    shop, hotline = hours["shop"], hours["hotline"]
    assert shop.week == (*[((540, 720), (780, 1080))] * 4, ((540, 720),), (), ())
    assert (shop.time_zone, hotline.time_zone) == ("Europe/Berlin", "Europe/Warsaw")
    assert shop.closed_yearly == {(12, 25), (2, 29)}
    assert shop.closed == {date(2026, 12, 31), date(2026, 7, 30), date(2026, 7, 31), date(2026, 8, 1), date(2026, 8, 2)}
    assert [bool(day) for day in hotline.week] == [True, False, False, False, True, True, True]
    assert hotline.week[0] == ((1080, 1560),)
    assert hours["always"].week[3] == ((0, 1440),)


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ("{mon-fri: 09:00-18:00, wed: 09:00-12:00}", "F0906", "has its times already"),
        ("{mon: [09:00-12:00, 11:00-18:00]}", "F0906", "overlap"),
        ("{mon: 09:00-09:00}", "F0906", "one and the same moment"),
        ("{time_zone: Europe/Berlin}", "F0906", "never opens"),
        ("{mon: 09:00-18:00, closed: [02-30]}", "F0906", "no such day"),
        ("{mon: 09:00-18:00, closed: [2026-02-29]}", "F0906", "no such day"),
        ("{mon: 09:00-18:00, closed: [2026-08-02 to 2026-07-20]}", "F0906", "no range"),
        ("{mon: 09:00-18:00, closed: [2026-08-02 to 2036-07-20]}", "F0906", "no range"),
        ("{mon: 09:00-18:00, time_zone: Europe/Berlln}", "F0901", "no time zone"),
    ],
)
def test_hours_that_cannot_be_meant(wrong, code, words):
    found = parsed(f"bot: Print shop\nhours: {{shop: {wrong}}}\n").findings
    assert [one.code for one in found] == [code]
    assert words in found[0].message


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("{mon-fri: 9-18}", "F0205"),
        ("{mon-fri: 09:00-25:00}", "F0205"),
        ("{mon-fri: 24:00-02:00}", "F0205"),
        ("{mon-fri: 18}", "F0203"),
        ("{mon-fri: []}", "F0207"),
        ("{monday: 09:00-18:00}", "F0201"),
        ("{mon: 09:00-18:00, closed: 12-25}", "F0203"),
        ("{mon: 09:00-18:00, closed: [25.12.]}", "F0205"),
        ("{}", "F0207"),
        ("09:00-18:00", "F0203"),
    ],
)
def test_hours_in_the_wrong_form(wrong, code):
    found = check_document(document(f"bot: Print shop\nhours: {{shop: {wrong}}}\n"))
    assert [one.code for one in found] == [code]


def test_what_is_not_said():
    assert parsed("bot: Shop\n").bot == Bot(name="Shop")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("time_zone: Europe/Berlln", ("F0901", 2, 12, "Europe/Berlin")),
        ("languages: [en, xq]", ("F0902", 2, 17, None)),
        ("region: XQ", ("F0903", 2, 9, None)),
        ("currency: EUE", ("F0904", 2, 11, None)),
        ("settings: {a: {type: duration, value: soon}}", ("F0211", 2, 39, None)),
        ("settings: {a: {type: integer, value: x}}", ("F0211", 2, 38, None)),
        ("settings: {a: {type: integer}}", ("F0212", 2, 15, None)),
        ("settings: {a: {type: nothing, value: 1}}", ("F0210", 2, 22, None)),
        ("settings: {a: null}", ("F0212", 2, 12, None)),
    ],
)
def test_what_the_schema_cannot_know(line, expected):
    result = parsed(f"bot: Shop\n{line}\n")
    assert result.bot is None
    assert [(f.code, f.span.line, f.span.column) for f in result.findings] == [expected[:3]]
    assert expected[3] in (None, result.findings[0].suggestion)
