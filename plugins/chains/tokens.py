"""Tokens that somebody sends to an ETH address: they are never counted as ETH, but the team should know. Pure.

The name of a token's contract may be chosen by anybody, so only its address is told.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.core.records import record
from plugins.chains.jsonrpc import Call, quantity
from storage.shop.transfers import Transfer

ASSET: Final = "ERC20"
TRANSFER: Final = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""keccak256 of `Transfer(address,address,uint256)`."""
AT_ONCE: Final = 1_000
"""Addresses in one filter."""
DEEP: Final = 64
"""So many blocks are read again in every round: a reorganisation may have changed them."""
FURTHEST: Final = 5_000
"""No more blocks are read after a long silence."""
MOST: Final = 20
"""Of one address. Worthless tokens are sent around for advertisement."""


@record
class Token:
    """One Transfer event."""

    address: str
    txid: str
    position: str
    amount: int
    height: int
    block: str


def calls(addresses: Sequence[str], scanned: int) -> list[Call]:
    """Asks for the events of these addresses since the block `scanned`, with some before it."""
    start = hex(max(0, scanned - DEEP))
    return [
        Call(
            method="eth_getLogs",
            params=(
                {
                    "fromBlock": start,
                    "toBlock": "latest",
                    "topics": [
                        TRANSFER,
                        None,
                        ["0x" + "0" * 24 + one[2:].lower() for one in addresses[at : at + AT_ONCE]],
                    ],
                },
            ),
        )
        for at in range(0, len(addresses), AT_ONCE)
    ]


def taken(
    known: Sequence[Token], answers: Sequence[Any], spelled: Mapping[str, str], scanned: int
) -> tuple[Token, ...]:
    """What is known, with the answers in place of everything from the first block on that was asked for.

    `spelled`: an address in small letters → as we write it. What cannot be read is passed over: it is no money of ours.
    """
    start = max(0, scanned - DEEP)
    found = [one for one in known if one.height < start and one.address.lower() in spelled]
    for answer in answers:
        for row in answer if isinstance(answer, list) else ():
            one = _token(row, spelled)
            if one is not None and sum(other.address == one.address for other in found) < MOST:
                found.append(one)
    return tuple(found)


def _token(row: object, spelled: Mapping[str, str]) -> Token | None:
    if not isinstance(row, dict) or row.get("removed") is True:
        return None
    topics = row.get("topics")
    # an NFT's event has a fourth topic and no data; it is no amount
    if not isinstance(topics, list) or len(topics) != 3 or not isinstance(topics[2], str):
        return None
    address = spelled.get(f"0x{topics[2][-40:].lower()}")
    data, height, index = str(row.get("data")), quantity(row.get("blockNumber")), quantity(row.get("logIndex"))
    amount = quantity(data) if len(data) == 66 else None
    if address is None or amount is None or height is None or index is None or not amount:
        return None
    contract, txid, block = (str(row.get(name)) for name in ("address", "transactionHash", "blockHash"))
    if len(contract) != 42 or len(txid) != 66 or len(block) != 66:
        return None
    position = f"{contract.lower()}:{index}"
    return Token(address=address, txid=txid, position=position, amount=amount, height=height, block=block)


def transfers(tokens: Sequence[Token]) -> list[Transfer]:
    """As the ledger knows them: of another asset than the invoice."""
    return [
        Transfer(
            asset=ASSET,
            address=one.address,
            txid=one.txid,
            position=one.position,
            amount=one.amount,
            height=one.height,
            block=one.block,
        )
        for one in tokens
    ]


def written(tokens: Sequence[Token]) -> list[Any]:
    """As JSON can hold it."""
    return [[one.address, one.txid, one.position, str(one.amount), one.height, one.block] for one in tokens]


def read(value: Any) -> tuple[Token, ...]:
    """What `written` gave. Raises ValueError or TypeError for anything else."""
    return tuple(
        Token(
            address=str(address),
            txid=str(txid),
            position=str(position),
            amount=int(amount),
            height=int(height),
            block=str(block),
        )
        for address, txid, position, amount, height, block in value
    )
