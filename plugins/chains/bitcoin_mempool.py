"""Payments that waited in the mempool before the wallet knew the address: nodes before Bitcoin Core 25 overlook them.

Used once for each new address; from the next block on the wallet knows by itself.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from plugins.chains import bitcoin_bytes
from plugins.chains.jsonrpc import Answer, Call, digest, whole
from plugins.chains.scripts import script
from storage.shop.transfers import Transfer, Watched

BY_ITSELF: Final = 250_000
"""From this version on an import reads the mempool, too."""
MOST: Final = 20_000
"""Transactions; a larger mempool is not read. What is in it is seen when it is in a block."""
SLACK: Final = timedelta(minutes=2)
"""Clocks differ."""
Ask = Callable[[Sequence[Call]], Awaitable[list[Answer]]]


async def waiting(ask: Ask, fresh: Sequence[Watched], *, asset: str) -> list[Transfer]:
    """What the mempool pays to these addresses since they were made."""
    info = (await ask([Call(method="getmempoolinfo")]))[0]
    size = whole(info.get("size")) if isinstance(info, dict) else None
    if not size or size > MOST:
        return []
    listed = (await ask([Call(method="getrawmempool", params=(True,))]))[0]
    since = min(one.created_at for one in fresh) - SLACK
    wanted = _since(listed, since) if isinstance(listed, dict) else []
    if not wanted:
        return []
    answers = await ask([Call(method="getrawtransaction", params=(txid,)) for txid in wanted])
    addresses = {script(one.address): one.address for one in fresh}
    return [
        found
        for txid, answer in zip(wanted, answers, strict=True)
        for found in _paid(txid, answer, addresses, asset=asset)
    ]


def _since(listed: Mapping[str, Any], since: datetime) -> list[str]:
    return [
        txid
        for txid, entry in listed.items()
        if digest(txid) and isinstance(entry, dict) and (whole(entry.get("time")) or 0) >= since.timestamp()
    ]


def _paid(txid: str, answer: Answer, addresses: Mapping[bytes, str], *, asset: str) -> list[Transfer]:
    try:
        name, outputs = bitcoin_bytes.transaction(bytes.fromhex(str(answer)))
    except ValueError:
        return []  # gone again, or of a kind that pays nobody openly
    return [
        Transfer(
            asset=asset,
            address=addresses[output.script],
            txid=txid,
            position=str(position),
            amount=output.value,
            height=None,
            block=None,
        )
        for position, output in enumerate(outputs)
        if name == txid and output.script in addresses
    ]


def written(early: Sequence[Transfer]) -> str:
    """As a text that `read` takes back."""
    return json.dumps([[one.address, one.txid, one.position, str(one.amount)] for one in early])


def read(text: str, *, asset: str) -> tuple[Transfer, ...]:
    """What `written` gave; nothing for any other text."""
    try:
        rows = json.loads(text)
        return tuple(
            Transfer(
                asset=asset,
                address=str(address),
                txid=str(txid),
                position=str(position),
                amount=int(amount),
                height=None,
                block=None,
            )
            for address, txid, position, amount in rows
        )
    except (ValueError, TypeError):
        return ()
