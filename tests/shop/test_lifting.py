"""What the chain has seen is not given out again, even where both the database and the marks are old."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from engine.actions.testing import Database, service_context, work
from storage.shop import lifting, pool
from storage.shop.lifting import Lifted, NotLifted
from storage.shop.settings import ChainSetting, ChainSettings
from tests.shop.issuing import CHAINS, ENVIRONMENT, ordered, shop, solana_pool


class Chain:
    """A chain that has seen some addresses."""

    def __init__(self, seen: Collection[str]) -> None:
        self.seen = seen
        self.asked: list[int] = []

    async def __call__(self, addresses: Sequence[str]) -> Collection[str]:
        self.asked.append(len(addresses))
        return {address for address in addresses if address in self.seen}


async def lifted(database: Database, asset: str, chain: Chain, data: Path) -> tuple[Lifted, ...] | NotLifted:
    begin = service_context(database=database).begin
    return await lifting.lift(begin, asset, chains=CHAINS, environment=ENVIRONMENT, data=data, used=chain, at=1)


@pytest.mark.parametrize("asset", ["BTC", "LTC", "ETH", "SOL"])
async def test_an_old_backup_without_marks_goes_on_behind_what_the_chain_knows(asset: str, tmp_path: Path):
    """50 were given out, the 38th was paid; then the machine was lost, and a backup from the beginning came back."""
    database, restored = shop(), shop()
    for one in (database, restored):
        await pool.put(work(one), solana_pool(100))
    given = [(await ordered(work(database), asset, f"o{at}", tmp_path / "lost")).address for at in range(50)]
    chain = Chain({given[0], given[19], given[37]})
    found = await lifted(restored, asset, chain, tmp_path / "new")
    assert isinstance(found, tuple)
    assert [(one.next, one.by) for one in found] == [(38, 38)]
    assert chain.asked == [20, 20, 20]
    fresh = await ordered(work(restored), asset, "p0", tmp_path / "new")
    assert fresh.address == given[38]
    rows = await restored.query("SELECT kind, text FROM pay_cases")
    assert [row["kind"] for row in rows] == ["lifted"]
    assert "38 numbers were passed over" in str(rows[0]["text"])
    again = await lifted(restored, asset, chain, tmp_path / "new")
    assert isinstance(again, tuple)
    assert again[0].by == 0


async def test_nothing_is_asked_of_practice_and_a_bad_key_is_told(tmp_path: Path):
    chain = Chain(set())
    begin = service_context(database=shop()).begin
    practised = ChainSettings(BTC=ChainSetting())
    for asset in ("BTC", "ETH"):
        assert await lifting.lift(begin, asset, chains=practised, environment={}, data=tmp_path, used=chain, at=1) == ()
    found = await lifting.lift(begin, "BTC", chains=CHAINS, environment={}, data=tmp_path, used=chain, at=1)
    assert isinstance(found, NotLifted)
    assert "BTC_XPUB" in found.reason
    assert chain.asked == []


async def test_a_pool_that_is_used_up_ends_the_search(tmp_path: Path):
    database, made = shop(), solana_pool(10)
    await pool.put(work(database), made)
    chain = Chain({address for _, address in made.addresses})
    found = await lifted(database, "SOL", chain, tmp_path)
    assert isinstance(found, tuple)
    assert (found[0].next, chain.asked) == (10, [10])
