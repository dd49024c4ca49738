"""The canary: after a whole run no word of the seed, no private key and no xprv is anywhere but in the wallet's paper.

Looked through: the database's files, the marks, the log at DEBUG, what was sent, answers, reprs, tracebacks with the
names of every frame, and what `stepgram keys` prints apart from `reveal`.
"""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.actions import Money
from engine.actions.commands import CommandContext
from engine.actions.context import Request, Voiced
from engine.actions.testing import Configured
from plugins.keys import online
from plugins.keys.commands import keys as command
from plugins.payments.records import Invoiced, Quoted
from plugins.payments.selling import create_invoice, invoice, quote
from plugins.payments.team import reveal_key
from storage import outside_work
from storage.shop import addresses, hot, pool, uris, wallets
from storage.shop.addresses import NoAddress
from storage.shop.hot import Revealed
from storage.shop.keys import base58, bip32, native, slip10
from storage.shop.keys.errors import KeyTrouble
from storage.shop.settings import ChainSetting, ChainSettings
from storage.sqlite_store import SqliteStore
from tests.shop.hot_shop import ASSETS, ENVIRONMENT, HOT, KEYS, NEW_KEYS, sealed
from tests.shop.issuing import OTHER_SEED, PHRASE, SEED, invoiced, solana_pool
from tests.shop.till import PRICE, Till

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ORDERS = 6


def forms(raw: bytes) -> Iterator[bytes]:
    """How a secret may look where it must not be."""
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield repr(raw)[2:-1].encode()
    yield base58.encode(raw).encode()
    yield str(int.from_bytes(raw)).encode()


def secrets_of_the_shop() -> set[bytes]:
    """The phrase (any three words in a row), both seeds, every key on the way down to an order's, the sealing keys."""
    words = PHRASE.split()
    found = {" ".join(words[at : at + 3]).encode() for at in range(len(words) - 2)}
    raw = [SEED, SEED[:32], SEED[32:], OTHER_SEED, bytes(range(32)), bytes(range(32, 64))]
    for path in ("m/84'/0'/0'", "m/84'/2'/0'", "m/44'/60'/0'"):
        master = bip32.Private.of(SEED)
        for at in range(1, path.count("/") + 2):
            node = master.down("/".join(path.split("/")[:at]), native.public)
            raw += [node.secret]
            found.add(
                base58.encode_checked(bytes.fromhex("0488ade4") + bytes(41) + b"\0" + node.secret)[20:80].encode()
            )
        raw += [master.down(f"{path}/0/{number}", native.public).secret for number in range(ORDERS)]
    master_of_sol = slip10.Secret.of(SEED)
    raw += [master_of_sol.secret]
    raw += [master_of_sol.down(wallets.SOLANA_PATH.format(number)).secret for number in range(ORDERS)]
    for secret in raw:
        found |= set(forms(secret))
    found |= {hot._written(asset, secret, main=True).encode() for asset in ("BTC", "LTC") for secret in raw[6:]}
    found |= {part.split(":")[1].encode() for part in NEW_KEYS.split(",")}
    return found | {b"xprv", b"zprv", b"Ltpv"}


def spill(said: list[bytes], data: Path) -> bytes:
    return b"\n".join([*said, *(file.read_bytes() for file in sorted(data.rglob("*")) if file.is_file())])


async def a_run(data: Path, said: list[bytes]) -> list[str]:
    """Orders in hot mode, a pool, every kind of error, one key revealed. The keys that were shown on purpose."""
    store = SqliteStore(data / "bot.sqlite3")
    await store.open()
    shown, requests = [], list[Request]()
    try:
        for asset in ASSETS:
            for number in range(ORDERS):
                async with store.transaction() as transaction:
                    work, order = Voiced(transaction, requests), f"{asset}-{number}"
                    found = await addresses.issue(
                        work, asset, chains=HOT, environment=ENVIRONMENT, data=data, key=order, at=1
                    )
                    said.append(repr(found).encode())
                    assert not isinstance(found, NoAddress), found
                    await invoiced(work, asset, order, found)
            async with store.transaction() as transaction:
                revealed = await hot.reveal(
                    transaction, f"{asset}-3", who="w", reason="why", now=NOW, chains=HOT, environment=ENVIRONMENT
                )
                assert isinstance(revealed, Revealed)
                said.append(repr(revealed).encode())
                shown.append(revealed.key.text())
            await the_errors(store, asset, data, said)
        async with store.transaction() as transaction:
            await pool.put(transaction, solana_pool(5))
    finally:
        await store.close()
    said.append(repr(requests).encode())
    return shown


BAD: tuple[dict[str, str], ...] = (
    {"SHOP_KEY": ""}, {"SHOP_KEY": "k1:AAAA"}, {"SHOP_KEY": NEW_KEYS.split(",", maxsplit=1)[0]},
    *({f"{asset}_SEED": PHRASE for asset in ASSETS}, {f"{asset}_SEED": SEED.hex() for asset in ASSETS}),
    {f"{asset}_SEED": sealed("BTC" if asset != "BTC" else "LTC") for asset in ASSETS},
    {f"{asset}_SEED": sealed(asset, seed=OTHER_SEED) for asset in ASSETS},
)  # fmt: skip


async def the_errors(store: SqliteStore, asset: str, data: Path, said: list[bytes]) -> None:
    chain = HOT.of(asset)
    assert chain is not None
    for changes in BAD:
        environment = ENVIRONMENT | changes
        async with store.transaction() as transaction:
            answers = [
                await addresses.issue(
                    Voiced(transaction, []), asset, chains=HOT, environment=environment, data=data, key="bad", at=1
                ),
                await hot.reveal(
                    transaction, f"{asset}-4", who="w", reason="why", now=NOW, chains=HOT, environment=environment
                ),
            ]
        said.append(repr(answers).encode())
        trouble = failing(asset, chain, environment)
        if trouble is not None:
            said += [line.encode() for line in told(trouble, environment)]


def failing(asset: str, chain: ChainSetting, environment: dict[str, str]) -> KeyTrouble | None:
    """An error as it comes out of the depth, with all its frames."""
    try:
        wallets.read(asset, chain, environment)
        hot._key(asset, "another address", "m/44'/501'/0'" if asset == "SOL" else "m/84'/0'/0'/0/0", chain, environment)
    except KeyTrouble as trouble:
        return trouble
    return None


def told(trouble: KeyTrouble, environment: dict[str, str]) -> list[str]:
    """The traceback with the names of every frame, as some reporters of errors send it; without the environment itself.

    Where the environment holds the bare phrase (against all advice), without the names.
    """
    bare = any(PHRASE in value or SEED.hex() in value for value in environment.values())
    frames = traceback.TracebackException.from_exception(trouble, capture_locals=not bare)
    lines = "".join(frames.format()).splitlines()
    return [line for line in lines if not line.strip().startswith(("environment = ", "changes = ", "bot = "))]


def test_no_secret_is_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    said: list[bytes] = []
    with caplog.at_level(logging.DEBUG):
        shown = asyncio.run(a_run(tmp_path, said))
    said += [caplog.text.encode(), *(repr(record.__dict__).encode() for record in caplog.records)]
    everything = spill(said, tmp_path)
    assert b"BTC-3" in everything, "the run is not in what is looked through"
    for secret in (*secrets_of_the_shop(), *(key.encode() for key in shown)):
        assert secret not in everything


def test_the_canary_sings(tmp_path: Path):
    """Put one secret into a row, a mark or a log: each is found."""
    (tmp_path / "log").write_bytes(f"key {SEED.hex()}".encode())
    assert any(secret in spill([], tmp_path) for secret in secrets_of_the_shop())
    for leak in (f"the words {PHRASE}", f"{bip32.Private.of(SEED).secret!r}", KEYS):
        assert any(secret in leak.encode() for secret in secrets_of_the_shop()), leak


def test_the_commands_print_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    asyncio.run(a_run(tmp_path, []))
    bot = CommandContext(
        environment=ENVIRONMENT | {"SHOP_KEY": NEW_KEYS},
        configured=Configured(values={ChainSettings: HOT}),
        begin=lambda: outside_work.on_file(tmp_path / "bot.sqlite3"),
        data=tmp_path,
    )
    monkeypatch.setattr(online, "_bot", lambda _flows, _database: bot)
    said = []
    with caplog.at_level(logging.DEBUG):
        for arguments in (
            ["show"], ["public"], ["pool", "--count", "3"], ["encrypt"], ["encrypt", "--again"],
            ["reveal", "BTC-3", "--reason", "again"], ["reveal", "BTC-5", "--reason", ""], ["import", "-"],
        ):  # fmt: skip
            result = CliRunner().invoke(command, arguments, input=f"{PHRASE}\n")
            assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
            said.append(result.output.encode())
    everything = spill([*said, caplog.text.encode()], tmp_path)
    assert b"_SEED=sealed1:k2:" in everything
    for secret in secrets_of_the_shop():
        assert secret not in everything, secret


async def test_a_checkout_in_hot_mode_tells_no_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Order, quote, invoice, payment, refused reveal in chat: by the plugin's actions, with all rows and news."""
    till, said = Till(), list[bytes]()
    surroundings = {"configured": {ChainSettings: HOT}, "environment": ENVIRONMENT, "data": tmp_path}
    with caplog.at_level(logging.DEBUG):
        for coin in ("BTC", "ETH"):
            order = await till.order()
            total = Money(minor=PRICE, asset="EUR")
            quoted = await quote(till.context(idempotency_key=order, **surroundings), total=total, currency=coin)
            assert isinstance(quoted, Quoted)
            made = await create_invoice(till.context(**surroundings), order=order, quote=quoted.id)
            assert isinstance(made, Invoiced), made
            found = await invoice(till.context(**surroundings), order=order)
            asked = await reveal_key(till.context(team=True, **surroundings), order=order, reason="refund")
            said += [repr(one).encode() for one in (quoted, made, found, asked)]
            wallet = wallets.read(coin, HOT.of(coin) or ChainSetting(), ENVIRONMENT)
            assert not isinstance(wallet, wallets.PoolWallet)
            assert made.address == wallet.address(0)
            assert made.uri == uris.uri(coin, made.address, made.amount.minor, label=made.number, chain_id=1)
            assert not made.practice
        await till.confirmed()
    assert await till.state(1) == ("settled", frozenset())
    everything = "\n".join([*till.database.connection.iterdump(), repr(till.requests), caplog.text]).encode()
    everything = spill([everything, *said], tmp_path)
    assert b"payment.settled" in everything
    for secret in secrets_of_the_shop():
        assert secret not in everything, secret
