"""`stepgram rehearse`: what the payment settings of a bot.yaml do, told before anybody pays."""

from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.actions import Money
from plugins.payments.command import rehearse as command
from plugins.payments.rehearsal import SCENARIOS, Ending, rehearse, table
from storage.shop.policy import LateRule, PaymentSettings
from storage.shop.settings import ShopSettings
from tests.shop.till import settings


async def _endings(payments: PaymentSettings, asset: str = "BTC") -> dict[str, Ending]:
    found = await rehearse(payments, ShopSettings(), asset=asset, currency="EUR", total=Decimal(20))
    return {one.title: one for one in found}


@pytest.mark.parametrize("asset", ["BTC", "LTC", "ETH", "SOL"])
async def test_every_story_ends(asset: str) -> None:
    found = await _endings(PaymentSettings(), asset)
    assert list(found) == [one.title for one in SCENARIOS]
    assert found["paid and confirmed"].invoice == "settled"
    assert found["paid and confirmed"].stock == "4, 0 held"
    assert found["paid twice"].money.endswith("due (double)")
    assert found["never paid"].order == "expired"
    assert found["time over, node down"].invoice == "new (delayed)"


async def test_another_late_policy_is_seen_at_once() -> None:
    usual = await _endings(settings())
    strict = await _endings(settings(late=[LateRule(do="refund")]))
    changed = {title for title in usual if usual[title] != strict[title]}
    assert changed == {
        "late, goods there, same rate", "late, goods sold", "late, coin 10 % cheaper", "cancelled, then paid",
    }  # fmt: skip
    assert usual["late, goods there, same rate"].invoice == "settled (late)"
    assert strict["late, goods there, same rate"].money == "0.0004 due (late)"


async def test_the_table_is_readable() -> None:
    text = table(list((await _endings(settings())).values()), asset="BTC", total=Money(minor=2000, asset="EUR"))
    lines = text.splitlines()
    assert lines[0] == "An order of 20.00 EUR, one of 5 pieces in stock, paid with BTC:"
    assert len(lines) == 4 + len(SCENARIOS)
    assert lines[2].split()[:2] == ["case", "what"]


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text(
        "bot: shop\nplugins:\n  payments: {over: keep, rates: {fixed: {BTC: 50000.00 EUR}, sources: []}}\n"
        "  chains: {LTC: {via: practice}}\n"
    )
    (tmp_path / "a.yaml").write_text("flow: a\nentry: {commands: [a]}\nsteps:\n  only: {text: A., end: completed}\n")
    runner = CliRunner()
    said = runner.invoke(command, ["--flows", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert "paid with LTC" in said.output
    assert "kept (over)" in said.output
    for total in ("20", "20 XX", "0.00 EUR", "NaN EUR", "99999999999999999999 EUR"):
        wrong = runner.invoke(command, ["--flows", str(tmp_path), "--total", total])
        assert wrong.exit_code == 2
        assert "write such as --total '20.00 EUR'" in wrong.output
    unknown = runner.invoke(command, ["--flows", str(tmp_path), "--coin", "doge"])
    assert "there is no doge; it is one of BTC, LTC, ETH, SOL" in unknown.output
