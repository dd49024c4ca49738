"""`stepgram keys`: made offline, imported and shown beside the bot, one key revealed on the operator's terminal."""

import asyncio
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.actions.commands import CommandContext
from engine.actions.discovery import builtin_catalog
from engine.actions.testing import Configured
from engine.cli_beside import command_context
from plugins.keys import online
from plugins.keys.commands import keys
from storage import outside_work
from storage.errors import StoreError
from storage.shop import addresses, pool, wallets
from storage.shop.keys import base58, bip32, bip39, sealing
from storage.shop.settings import ChainSetting, ChainSettings
from storage.sqlite_store import SqliteStore
from tests.shop import hot_shop
from tests.shop.issuing import CHAINS, ENVIRONMENT, PHRASE, SEED, invoiced, ordered, solana_pool, xpub


def typed(*arguments: str, given: str = "", code: int = 0) -> Result:
    result = CliRunner().invoke(keys, list(arguments), input=given)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandContext:
    """A bot with real chains and an empty database."""
    store = SqliteStore(tmp_path / "bot.sqlite3")

    async def made() -> None:
        await store.open()
        await store.close()

    asyncio.run(made())
    return surrounded(monkeypatch, tmp_path, CHAINS, ENVIRONMENT)


def surrounded(
    monkeypatch: pytest.MonkeyPatch, folder: Path, chains: ChainSettings, environment: dict[str, str]
) -> CommandContext:
    context = CommandContext(
        environment=environment,
        configured=Configured(values={ChainSettings: chains}),
        begin=lambda: outside_work.on_file(folder / "bot.sqlite3"),
        data=folder / "kept",
    )
    monkeypatch.setattr(online, "_bot", lambda _flows, _database: context)
    return context


def test_the_plugin_offers_the_command():
    offered = builtin_catalog().commands["keys"]
    assert offered.load() is keys
    assert "keys" in offered.summary


@pytest.mark.parametrize("words", ["12", "24"])
def test_new_shows_a_phrase_and_its_public_keys(words: str):
    output = typed("new", "--words", words).output
    phrase = " ".join(re.findall(r"\b\d{1,2}\. ([a-z]+)", output))
    seed = bip39.seed_of(phrase)
    assert len(phrase.split()) == int(words)
    for asset in ("BTC", "LTC", "ETH"):
        (text,) = re.findall(rf"^{asset}_XPUB=(\S+)$", output, re.MULTILINE)
        node = bip32.read_account(text, asset=asset, network="main")
        assert node == wallets.account_of_seed(asset, "main", seed)
    assert typed("new").output != typed("new").output


@pytest.mark.parametrize("given", [f"{PHRASE}\n", f"  {PHRASE.upper()}  \n", f"{SEED.hex()}\n"])
def test_public_shows_the_keys_of_a_phrase(given: str):
    output = typed("public", given=given).output
    account = wallets.account_of_seed("BTC", "main", SEED)
    assert f"the first address is {wallets.accounts.address('BTC', account, 0, 'bc')}" in output
    assert "BTC_XPUB=zpub" in output
    assert "BTC_XPUB=vpub" in typed("public", "--network", "test", given=given).output


def test_a_phrase_with_a_password_is_another_seed():
    output = typed("public", "--password", given=f"{PHRASE}\nsecret\n").output
    assert output != typed("public", given=f"{PHRASE}\n").output
    node = wallets.account_of_seed("ETH", "main", bip39.seed_of(PHRASE, "secret"))
    (text,) = re.findall(r"^ETH_XPUB=(\S+)$", output, re.MULTILINE)
    assert bip32.read_account(text, asset="ETH", network="main") == node


@pytest.mark.parametrize("given", ["", "\n", "legal winner\n", f"{PHRASE} zebra\n", "ab" * 63 + "\n", "x" * 100_000])
def test_what_is_no_seed_is_said_without_repeating_it(given: str):
    for command in ("public", "pool"):
        result = typed(command, given=given, code=2)
        assert "This is no seed" in result.output
        assert len(given.strip()) < 3 or given.strip()[:30] not in result.output


def test_a_pool_is_made_and_imported(bot: CommandContext, tmp_path: Path):
    file = tmp_path / "pool.txt"
    made = CliRunner().invoke(keys, ["pool", "--count", "25"], input=PHRASE)
    file.write_text(made.stdout)
    assert pool.read(made.stdout) == solana_pool(25)
    assert "your wallet must show it" in made.stderr
    assert "25 new addresses" in typed("import", str(file)).output
    assert "0 new addresses" in typed("import", str(file)).output
    more = CliRunner().invoke(keys, ["pool", "--start", "20", "--count", "10"], input=PHRASE).stdout
    assert "5 new addresses" in typed("import", "-", given=more).output
    assert "30 of 30 addresses are left" in typed("show").output
    assert bot.data == tmp_path / "kept"


POOL = pool.write("SOL", solana_pool(3).account, solana_pool(3).addresses)
LINES = POOL.splitlines()
OFF_THE_CURVE = base58.encode((2).to_bytes(32, "little"))


def sealed_again(lines: list[str]) -> str:
    """The lines with a right checksum, as somebody would write them who means to."""
    return "\n".join([*lines, f"# end {len(lines) - 1} {pool._checksum(lines)}"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no file of addresses"), ("hello\nworld\n", "no file of addresses"), ("\n".join(LINES[:-1]), "end of"),
        ("\n".join([*LINES[:2], *LINES[3:]]), "altered"), (POOL.replace(LINES[1][-4:], "1111"), "altered"),
        (sealed_again([LINES[0], LINES[1], LINES[1]]), "line 3 is there twice"),
        (sealed_again([LINES[0], f"7{LINES[1][1:]}", LINES[1]]), "line 3 is there twice"),
        (sealed_again([LINES[0], "0 bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"]), "line 2 is not"),
        (sealed_again([LINES[0], f"0 {OFF_THE_CURVE}"]), "line 2: no wallet has such an address"),
        (sealed_again([LINES[0], f"0 {'1' * 40}"]), "40 bytes"),
        ("\x00\xff" * 1000, "no file of addresses"),
    ],
)  # fmt: skip
def test_a_damaged_pool_is_refused_whole(bot: CommandContext, text: str, said: str, tmp_path: Path):
    file = tmp_path / "pool.txt"
    file.write_text(text, encoding="utf-8")
    assert said in " ".join(typed("import", str(file), code=2).output.split())
    assert "the pool is empty" in typed("show").output
    assert bot.environment is ENVIRONMENT


def test_a_pool_that_contradicts_the_table_is_refused_whole(bot: CommandContext):
    typed("import", "-", given=POOL)
    swapped = sealed_again([LINES[0], f"0 {LINES[2][2:]}", f"1 {LINES[1][2:]}", "7 " + solana_pool(8).addresses[7][1]])
    assert "of another seed" in " ".join(typed("import", "-", given=swapped, code=2).output.split())
    assert "3 of 3 addresses are left" in typed("show").output
    assert bot.data.name == "kept"


def test_show_tells_where_addresses_come_from(bot: CommandContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def orders() -> None:
        async with bot.begin() as work:
            for number in range(3):
                await ordered(work, "BTC", f"o{number}", bot.data)  # type: ignore[arg-type]

    asyncio.run(orders())
    output = typed("show").output
    assert "BTC: via bitcoin, main network, no key on this machine" in output
    assert "the next address is number 3, m/84'/0'/0'/0/3" in output
    assert "SOL: via solana" in output
    practised = ChainSettings(BTC=ChainSetting(), ETH=ChainSetting(via="ethereum", node="N", keys="ETH_XPUB"))
    surrounded(monkeypatch, tmp_path, practised, {"ETH_XPUB": "nonsense"})
    output = typed("show").output
    assert "BTC: practice" in output
    assert "ETH: ETH_XPUB: it holds no key" in output
    surrounded(monkeypatch, tmp_path, ChainSettings(), {})
    assert "offers no coin" in typed("show").output


def test_seeds_are_encrypted_and_encrypted_again(bot: CommandContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    key = typed("encrypt", "--new-key", "k1").output.strip()
    assert len(sealing.read_keys(key).get("k1")) == 32
    assert "id" in typed("encrypt", "--new-key", "k 1", code=2).output
    assert "No coin has hot:" in typed("encrypt", given=PHRASE, code=2).output
    surrounded(monkeypatch, tmp_path, hot_shop.HOT, {})
    assert "SHOP_KEY is not set" in " ".join(typed("encrypt", given=PHRASE, code=2).output.split())
    surrounded(monkeypatch, tmp_path, hot_shop.HOT, {"SHOP_KEY": key})
    printed = dict(line.split("=", 1) for line in typed("encrypt", given=PHRASE).output.splitlines())
    assert sorted(printed) == ["BTC_SEED", "ETH_SEED", "LTC_SEED", "SOL_SEED"]
    newer = typed("encrypt", "--new-key", "k2").output.strip()
    surrounded(monkeypatch, tmp_path, hot_shop.HOT, printed | {"SHOP_KEY": f"{newer},{key}"})
    again = dict(line.split("=", 1) for line in typed("encrypt", "--again").output.splitlines())
    for asset in hot_shop.ASSETS:
        opened = sealing.unseal(again[f"{asset}_SEED"], sealing.read_keys(newer), place=f"{asset}_SEED", asset=asset)
        assert opened == SEED
    assert bot.environment is ENVIRONMENT


def test_a_key_is_revealed_on_a_terminal_after_its_entry(
    bot: CommandContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    hot_bot = surrounded(monkeypatch, tmp_path, hot_shop.HOT, hot_shop.ENVIRONMENT)

    async def order() -> None:
        async with hot_bot.begin() as work:
            found = await addresses.issue(
                work,
                "ETH",
                chains=hot_shop.HOT,
                environment=hot_shop.ENVIRONMENT,
                data=bot.data,
                key="o1",  # type: ignore[arg-type]
            )
            assert isinstance(found, addresses.Issued)
            await invoiced(work, "ETH", "o1", found)  # type: ignore[arg-type]

    async def entries() -> list[tuple[object, object]]:
        async with bot.begin() as work:
            return [(row["order_id"], row["reason"]) for row in await work.query("SELECT * FROM pay_audit")]

    asyncio.run(order())
    assert "on a terminal only" in " ".join(typed("reveal", "o1", "--reason", "refund", code=2).output.split())
    assert asyncio.run(entries()) == []
    result = typed("reveal", "o1", "--reason", "refund", "--plain")
    assert re.search(r"^0x[0-9a-f]{64}$", result.stdout, re.MULTILINE)
    assert "compute every key of the account" in " ".join(result.stderr.split())
    assert asyncio.run(entries()) == [("o1", "refund")]
    assert "--again" in typed("reveal", "o1", "--reason", "refund", "--plain", code=2).output
    typed("reveal", "o1", "--reason", "lost it", "--plain", "--again")
    assert asyncio.run(entries()) == [("o1", "refund"), ("o1", "lost it")]
    assert "has no address" in typed("reveal", "nobody", "--reason", "x", "--plain", code=2).output


async def put_and_stop(file: Path) -> None:
    async with outside_work.on_file(file) as work:
        await pool.put(work, solana_pool(2))
        raise RuntimeError("stop")


async def test_beside_the_bot_nothing_is_half_written(tmp_path: Path):
    file = tmp_path / "bot.sqlite3"
    with pytest.raises(StoreError, match="no database"):
        async with outside_work.on_file(file):
            pass
    store = SqliteStore(file)
    await store.open()
    try:
        with pytest.raises(RuntimeError, match="stop"):
            await put_and_stop(file)
        async with store.transaction() as transaction:
            assert await transaction.query("SELECT * FROM pay_pool") == []
        async with outside_work.on_file(file) as work:
            await pool.put(work, solana_pool(2))
        async with store.transaction() as transaction:
            assert len(await transaction.query("SELECT * FROM pay_pool")) == 2
        with pytest.raises(StoreError, match="COMMIT"):
            async with outside_work.on_file(file) as work:
                await work.execute("COMMIT")
    finally:
        await store.close()


async def test_beside_a_bot_on_postgresql(database_url: str):
    async with outside_work.on_server(database_url) as work:
        assert await pool.put(work, solana_pool(2)) == 2
    async with outside_work.on_server(database_url) as work:
        assert len(await work.query("SELECT * FROM pay_pool")) == 2


def test_a_command_finds_the_bot_by_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """bot.yaml, .env and the folders, as `stepgram run` would find them."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/bot.yaml").write_text(
        "bot: Test bot\nplugins: {chains: {ETH: {via: ethereum, node: ETH_NODE, keys: ETH_XPUB}}}\n", encoding="utf-8"
    )
    (tmp_path / ".env").write_text(f"ETH_XPUB={xpub('ETH')}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("STEPGRAM_DATABASE", "DATABASE_URL", "STEPGRAM_FLOWS", "STEPGRAM_FILES", "ETH_XPUB"):
        monkeypatch.delenv(name, raising=False)
    found = command_context()
    chain = found.configured(ChainSettings).ETH
    assert chain is not None
    assert chain.keys == "ETH_XPUB"
    assert found.environment["ETH_XPUB"] == xpub("ETH")
    assert found.data == Path("data/kept")
