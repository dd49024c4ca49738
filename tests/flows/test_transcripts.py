"""The shipped flows do what their tests say."""

from pathlib import Path

import pytest

from engine.settings import Settings
from engine.transcripts.results import Passed
from engine.transcripts.running import run, transcripts_in
from tests.flows.guide import ROOT, catalog

FILES = transcripts_in([ROOT / "flows" / "tests"])


def test_there_are_tests_of_every_shipped_flow() -> None:
    flows = {path.stem for path in (ROOT / "flows").glob("*.yaml")} - {"bot"}
    tested = " ".join(path.stem for path in FILES)
    shop = {
        "cart": "shop_buys", "catalog": "shop_buys", "checkout": "shop_buys", "order_news": "shop_part_payment",
        "practice": "shop_digital", "shop_admin": "shop_ships", "shop_orders": "shop_cancelled",
        "team_news": "shop_ships",
    }  # fmt: skip
    short = {"print_order": "order", **shop}
    assert [flow for flow in sorted(flows) if short.get(flow, flow) not in tested] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_shipped_test_passes(path: Path) -> None:
    settings = Settings(flows=ROOT / "flows", plugins=ROOT / "plugins")
    ran = await run(path, settings=settings, catalog=catalog())
    assert isinstance(ran.played, Passed), f"{ran.played} {ran.report}"
