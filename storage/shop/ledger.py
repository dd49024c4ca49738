"""The payment ledger: append-only rows about transfers and decisions, with unique keys.

It counts nothing and decides nothing: that is `law`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from engine.actions import Work
from engine.core.records import record
from storage.shop.law import Chain, Entry
from storage.shop.moments import millis, moment
from storage.shop.rules import load
from storage.shop.transfers import BALANCE, Report, Tip, Transfer, Watched

_AT_ONCE: Final = 400
"""Placeholders of one statement."""
_WEBHOOK_GRACE: Final = 600_000
"""A node may know later of what a webhook has told: so many milliseconds its silence takes nothing back."""


@record
class Known:
    """The newest row about a transfer."""

    invoice: int
    asset: str
    address: str
    txid: str
    position: str
    kind: str
    amount: int
    height: int | None
    block: str | None
    at: int
    count: int


@record
class Place:
    """An invoice's address, with the number of the invoice."""

    invoice: int
    address: str


def whole(row: Mapping[str, object], name: str) -> int:
    """A column with a whole number, which crypto amounts keep as text."""
    return int(str(row[name]))


def maybe(row: Mapping[str, object], name: str) -> int | None:
    """The same for one that may be empty."""
    return None if row[name] is None else int(str(row[name]))


def marks(values: Sequence[object]) -> str:
    """`?, ?, ?` for a list in a statement."""
    return ", ".join("?" * len(values))


def portions(values: Iterable[object]) -> Iterable[list[object]]:
    """A long list in pieces that fit one statement."""
    every = list(values)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]


async def entries(work: Work, invoice: int) -> tuple[Entry, ...]:
    """All rows about an invoice, oldest first."""
    found = await entries_of(work, (invoice,))
    return found.get(invoice, ())


async def entries_of(work: Work, invoices: Iterable[int]) -> Mapping[int, tuple[Entry, ...]]:
    """All rows about several invoices."""
    found: dict[int, list[Entry]] = {}
    for part in portions(invoices):
        for row in await work.query(
            "SELECT id, invoice_id, asset, txid, position, kind, amount, height, at, source FROM pay_ledger "  # noqa: S608
            f"WHERE invoice_id IN ({marks(part)}) ORDER BY id",
            part,
        ):
            found.setdefault(whole(row, "invoice_id"), []).append(_entry(row))
    return {invoice: tuple(rows) for invoice, rows in found.items()}


def _entry(row: Mapping[str, object]) -> Entry:
    return Entry(
        id=whole(row, "id"),
        asset=str(row["asset"]),
        txid=str(row["txid"]),
        position=str(row["position"]),
        kind=str(row["kind"]),
        amount=whole(row, "amount"),
        height=maybe(row, "height"),
        at=whole(row, "at"),
        source=str(row["source"]),
    )


async def chain(work: Work, asset: str) -> Chain:
    """What is known of a coin's chain."""
    rows = await work.query("SELECT height, tip_at, polled_at FROM pay_chains WHERE asset = ?", (asset,))
    if not rows:
        return Chain()
    row = rows[0]
    return Chain(height=whole(row, "height"), tip_at=maybe(row, "tip_at"), polled_at=maybe(row, "polled_at"))


async def open_addresses(work: Work, asset: str, *, ended: bool = False) -> tuple[Watched, ...]:
    """See `facts.watched`. An invoice has a due moment for as long as its address is looked at."""
    rows = await work.query(
        "SELECT id, address, created_at, amount, policy, received FROM pay_invoices "
        "WHERE asset = ? AND (due_at IS NOT NULL OR 1 = ?) ORDER BY id",
        (asset, int(ended)),
    )
    return tuple(
        Watched(
            address=str(row["address"]),
            invoice=whole(row, "id"),
            created_at=moment(whole(row, "created_at")),
            expected=whole(row, "amount"),
            needed=_needed(str(row["policy"])),
            received=whole(row, "received"),
        )
        for row in rows
    )


def _needed(policy: str) -> int:
    """Confirmations by an invoice's rules. One whose rules are damaged is watched like the others: it must not blind
    the whole chain."""
    try:
        return load(policy).needed
    except ValueError:
        return 1


async def tip(work: Work, given: Tip, *, now: datetime) -> bool:
    """Note the chain's newest block and that it was looked at; whether the height is another one now."""
    before = await chain(work, given.asset)
    await work.execute(
        "INSERT INTO pay_chains (asset, height, block, tip_at, polled_at, cursor) VALUES (?, ?, ?, ?, ?, '') "
        "ON CONFLICT (asset) DO UPDATE SET height = excluded.height, block = excluded.block, "
        "tip_at = excluded.tip_at, polled_at = excluded.polled_at",
        (given.asset, given.height, given.block, millis(given.at), millis(now)),
    )
    return before.height != given.height


async def take(work: Work, report: Report, *, now: datetime) -> tuple[int, ...]:
    """Take a watcher's report down; the invoices that it concerns, in order."""
    moved = await tip(work, report.tip, now=now)
    concerned = {transfer.address for transfer in report.transfers} | set(report.complete)
    places = await _places(work, report.asset, concerned)
    touched = await _write(work, report.transfers, places, complete=frozenset(report.complete), now=millis(now))
    if moved:
        touched |= await unfinished(work, report.asset)
    return tuple(sorted(touched))


async def _places(work: Work, asset: str, addresses: Iterable[str]) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for part in portions(sorted(addresses)):
        for row in await work.query(
            f"SELECT id, address FROM pay_invoices WHERE asset = ? AND address IN ({marks(part)})",  # noqa: S608
            (asset, *part),
        ):
            found[str(row["address"])] = Place(invoice=whole(row, "id"), address=str(row["address"]))
    return found


async def unfinished(work: Work, asset: str) -> set[int]:
    """Invoices of which a new block may change something: with money that is not confirmed yet."""
    rows = await work.query("SELECT id FROM pay_invoices WHERE asset = ? AND received <> confirmed", (asset,))
    return {whole(row, "id") for row in rows}


async def webhook(work: Work, transfer: Transfer, place: Place, *, now: datetime) -> bool:
    """Take one transfer down that a webhook has told of; whether it was news."""
    known = {(one.asset, one.txid, one.position): one for one in await _known(work, (place.invoice,))}
    same = [one for one in known.values() if (one.asset, one.txid) == (transfer.asset, transfer.txid)]
    if not transfer.position and any(one.position for one in same):
        return False  # somebody has named each part of this transaction: it is known better
    before = known.get((transfer.asset, transfer.txid, transfer.position))
    if before is not None and before.kind != "withdrawn" and (transfer.height is None or before.height is not None):
        return False
    return await _insert(work, _next(before, transfer, place, kind="webhook"), source="webhook", at=millis(now))


async def decide(work: Work, invoice: int, word: str, *, who: str, at: int, address: str, asset: str) -> None:
    """Write down a decision of a person or of a policy."""
    rows = await work.query("SELECT count(*) AS n FROM pay_ledger WHERE invoice_id = ?", (invoice,))
    await work.execute(
        "INSERT INTO pay_ledger (invoice_id, asset, address, txid, position, kind, amount, height, block, at, source, "
        "key) VALUES (?, ?, ?, ?, '', 'manual', '0', NULL, NULL, ?, ?, ?) ON CONFLICT DO NOTHING",
        (invoice, asset, address, word, at, who[:64], f"decision:{invoice}:{word}:{rows[0]['n']}"),
    )


async def _known(work: Work, invoices: Iterable[int]) -> list[Known]:
    found: dict[tuple[str, str, str, str], Known] = {}
    for part in portions(sorted(invoices)):
        for row in await work.query(
            "SELECT invoice_id, asset, address, txid, position, kind, amount, height, block, at FROM pay_ledger "  # noqa: S608
            f"WHERE invoice_id IN ({marks(part)}) AND kind <> 'manual' ORDER BY id",
            part,
        ):
            key = (str(row["asset"]), str(row["address"]), str(row["txid"]), str(row["position"]))
            before = found.get(key)
            found[key] = Known(
                invoice=whole(row, "invoice_id"),
                asset=key[0],
                address=key[1],
                txid=key[2],
                position=key[3],
                kind=str(row["kind"]),
                amount=whole(row, "amount"),
                height=maybe(row, "height"),
                block=None if row["block"] is None else str(row["block"]),
                at=whole(row, "at"),
                count=before.count + 1 if before else 1,
            )
    return list(found.values())


async def _write(
    work: Work, transfers: Sequence[Transfer], places: Mapping[str, Place], *, complete: frozenset[str], now: int
) -> set[int]:
    known = await _known(work, {place.invoice for place in places.values()})
    fresh = changes(transfers, known, places, complete=complete, now=now)
    touched = set()
    for row, source in sorted(fresh, key=lambda change: _key(change[0])):
        if await _insert(work, row, source=source, at=now):
            touched.add(row.invoice)
    return touched


def changes(
    transfers: Sequence[Transfer],
    known: Sequence[Known],
    places: Mapping[str, Place],
    *,
    complete: frozenset[str],
    now: int,
) -> list[tuple[Known, str]]:
    """The rows that a report adds to what is known, with their sources."""
    by_name = {(one.asset, one.address, one.txid, one.position): one for one in known}
    found: list[tuple[Known, str]] = []
    told = {(item.asset, item.address, item.txid, item.position): item for item in transfers}
    for name, transfer in told.items():
        place = places.get(transfer.address)
        before = by_name.get(name)
        if place is not None and transfer.amount >= 0 and not _same(before, transfer):
            kind = "seen" if transfer.height is None else "included"
            found.append((_next(before, transfer, place, kind=kind), "chain"))
    named = {(item.asset, item.address, item.txid) for item in transfers}
    counted = {item.address for item in transfers if item.txid.startswith(BALANCE)}
    for name, one in by_name.items():
        if name in told or one.kind == "withdrawn":
            continue
        if not one.position and (one.asset, one.address, one.txid) in named:
            found.append((_gone(one), "replaced"))
        elif one.address in complete and (one.kind != "webhook" or now - one.at >= _WEBHOOK_GRACE):
            better = one.kind == "webhook" and one.address in counted  # the balance has it, by another name
            found.append((_gone(one), "replaced" if better else "chain"))
    return found


def _same(before: Known | None, transfer: Transfer) -> bool:
    if before is None or before.kind == "withdrawn":
        return False
    block = transfer.block if transfer.block is not None else before.block
    return (before.amount, before.height, before.block) == (transfer.amount, transfer.height, block)


def _next(before: Known | None, transfer: Transfer, place: Place, *, kind: str) -> Known:
    return Known(
        invoice=place.invoice,
        asset=transfer.asset,
        address=transfer.address,
        txid=transfer.txid,
        position=transfer.position,
        kind=kind,
        amount=transfer.amount,
        height=transfer.height,
        block=transfer.block,
        at=0,
        count=before.count + 1 if before else 1,
    )


def _gone(one: Known) -> Known:
    return Known(
        invoice=one.invoice,
        asset=one.asset,
        address=one.address,
        txid=one.txid,
        position=one.position,
        kind="withdrawn",
        amount=one.amount,
        height=None,
        block=None,
        at=0,
        count=one.count + 1,
    )


def _key(row: Known) -> str:
    """The same for the same news told twice at the same time: only one of them is taken."""
    return f"{row.asset}:{row.txid}:{row.position}:{row.address}:{row.count}"


async def _insert(work: Work, row: Known, *, source: str, at: int) -> bool:
    changed = await work.execute(
        "INSERT INTO pay_ledger (invoice_id, asset, address, txid, position, kind, amount, height, block, at, source, "
        "key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            row.invoice, row.asset, row.address, row.txid, row.position, row.kind, str(row.amount), row.height,
            row.block, at, source, _key(row),
        ),
    )  # fmt: skip
    return changed == 1


async def place(work: Work, *, asset: str, address: str = "", order: str = "") -> Place | None:
    """The invoice with this address, or of this order; where an address has several, the one of this
    asset. None when there is none."""
    column, value = ("address", address) if address else ("order_id", order)
    rows = await work.query(
        f"SELECT id, address FROM pay_invoices WHERE {column} = ? "  # noqa: S608 - one of two names
        "ORDER BY CASE asset WHEN ? THEN 0 ELSE 1 END, id LIMIT 1",
        (value, asset),
    )
    return Place(invoice=whole(rows[0], "id"), address=str(rows[0]["address"])) if rows else None
