"""How the chains are: rows for the team, and the case about a node that is down, opened once and closed by itself.

Statements over an open transaction; no node is asked here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from engine.actions import Work
from storage.shop.moments import millis, moment
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ChainSettings, ShopSettings

State = Literal["practice", "well", "old", "down", "new"]
KIND: Final = "node"
BACK: Final = "the node is back"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHealth:
    """One asset: practice; well; old: the newest block is too old; down: the node does not answer; new: never asked."""

    asset: str
    via: str
    state: State
    height: int = 0
    behind: timedelta = timedelta(0)
    """Age of the newest block."""
    silent: timedelta = timedelta(0)
    """Since the node last answered."""
    trouble: str = ""
    """What the team was told, while it lasts."""


async def health(work: Work, chains: ChainSettings, payments: PaymentSettings, now: datetime) -> list[ChainHealth]:
    """Every asset that is offered."""
    rows = {
        str(row["asset"]): row for row in await work.query("SELECT asset, height, tip_at, polled_at FROM pay_chains")
    }
    found: list[ChainHealth] = []
    for asset in chains.offered():
        chain = chains.of(asset)
        via = chain.via if chain is not None else ""
        row = rows.get(asset)
        if via == "practice":
            found.append(ChainHealth(asset=asset, via=via, state="practice"))
        elif row is None:
            found.append(ChainHealth(asset=asset, via=via, state="new", trouble=await _trouble(work, asset)))
        else:
            behind = now - moment(int(str(row["tip_at"])))
            silent = now - moment(int(str(row["polled_at"])))
            state: State = "old" if behind > payments.age(asset) else "well"
            found.append(
                ChainHealth(
                    asset=asset,
                    via=via,
                    state="down" if silent > payments.unseen else state,
                    height=int(str(row["height"])),
                    behind=max(behind, timedelta(0)),
                    silent=max(silent, timedelta(0)),
                    trouble=await _trouble(work, asset),
                )
            )
    return found


async def _trouble(work: Work, asset: str) -> str:
    rows = await work.query(
        "SELECT text FROM pay_cases WHERE kind = ? AND status = 'open' AND key LIKE ? ORDER BY id DESC LIMIT 1",
        (KIND, f"node:{asset}:%"),
    )
    return str(rows[0]["text"]) if rows else ""


async def opened(work: Work, shop: ShopSettings, asset: str, text: str, *, now: datetime) -> bool:
    """Tell the team that a chain cannot be seen; once until it is seen again. Whether it was told now."""
    if await _trouble(work, asset):
        return False
    await work.execute(
        "INSERT INTO pay_cases (order_id, kind, text, status, at, answer, key) VALUES ('', ?, ?, 'open', ?, '', ?)"
        " ON CONFLICT DO NOTHING",
        (KIND, text, millis(now), f"node:{asset}:{millis(now)}"),
    )
    work.tell_role(shop.team_role, shop.team, news="payment.case", kind=KIND, text=text)
    return True


async def closed(work: Work, asset: str, *, now: datetime) -> bool:
    """The chain is seen again; whether the team had been told of it."""
    changed = await work.execute(
        "UPDATE pay_cases SET status = 'closed', closed_at = ?, answer = ? WHERE kind = ? AND status = 'open'"
        " AND key LIKE ?",
        (millis(now), BACK, KIND, f"node:{asset}:%"),
    )
    return changed > 0
