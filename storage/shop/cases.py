"""Cases: what people must look at, each once. Written by `settling`, closed by the team's answer."""

from engine.actions import Work
from engine.core.records import record
from storage.shop.books import Invoice
from storage.shop.law import Verdict


@record
class Case:
    """Something that no rule decides. `key` makes it one of its kind."""

    kind: str
    text: str
    key: str


def arising(invoice: Invoice, verdict: Verdict, *, asked: bool) -> tuple[Case, ...]:
    """The cases of a verdict. `asked`: the late policy leaves it to people."""
    found: list[Case] = []
    number = invoice.id
    if asked:
        found.append(
            Case(kind="late", text="A payment came too late. Accept, credit or refund it?", key=f"{number}:late")
        )
    for coin in verdict.sums.wrong:
        text = (
            f"{coin.amount} minor units of {coin.asset} came to the {invoice.asset} address {invoice.address} "
            f"(key {invoice.path}) in transaction {coin.txid}. They pay for nothing; send them back by hand."
        )
        found.append(Case(kind="wrong_asset", text=text, key=f"{number}:wrong:{coin.txid}:{coin.position}"))
    if "disputed" in verdict.flags:
        text = "The payment of a paid order has disappeared from the chain. Do not deliver before it is back."
        found.append(Case(kind="disputed", text=text, key=f"{number}:disputed"))
    if verdict.status == "invalid" and invoice.status != "invalid":
        text = "A payment was never confirmed. The goods are free again; money that still comes is to be refunded."
        found.append(Case(kind="invalid", text=text, key=f"{number}:invalid"))
    if verdict.status != "settled" and _after_the_end(invoice, verdict):
        text = "Money came after the address was no longer watched."
        found.append(Case(kind="after_monitor", text=text, key=f"{number}:after:{verdict.received}"))
    if verdict.overdrawn > 0:
        text = (
            f"{verdict.overdrawn} minor units of {invoice.asset} were paid back, and their payment was withdrawn since."
        )
        found.append(Case(kind="overdrawn", text=text, key=f"{number}:overdrawn:{verdict.overdrawn}"))
    return tuple(found)


def _after_the_end(invoice: Invoice, verdict: Verdict) -> bool:
    return verdict.received > invoice.received and verdict.sums.latest >= invoice.monitor_until


async def open_case(work: Work, invoice: Invoice, case: Case, *, at: int) -> bool:
    """Write the case down; False when it is known."""
    changed = await work.execute(
        "INSERT INTO pay_cases (order_id, invoice_id, kind, text, status, at, closed_at, answer, key) "
        "VALUES (?, ?, ?, ?, 'open', ?, NULL, '', ?) ON CONFLICT DO NOTHING",
        (invoice.order, invoice.id, case.kind, case.text, at, case.key),
    )
    return changed == 1


async def close_case(work: Work, case: int, *, answer: str, at: int) -> bool:
    """Close it with the team's answer, once."""
    return (
        await work.execute(
            "UPDATE pay_cases SET status = 'closed', closed_at = ?, answer = ? WHERE id = ? AND status = 'open'",
            (at, answer, case),
        )
        == 1
    )
