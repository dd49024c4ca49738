"""SOL through a node's JSON-RPC: all balances in one request, and the transactions of those that changed.

A transfer's height is its slot. Only what a supermajority has voted for (`confirmed`) is looked at.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from engine.core.records import record
from plugins.chains.driver import NodeError, WrongNodeError
from plugins.chains.jsonrpc import Answer, Call, Endpoint, Fault, whole
from plugins.chains.networks import right_genesis
from storage.shop.transfers import Report, Tip, Transfer, Watched

ASSET: Final = "SOL"
FINAL: Final = 32
"""Confirmations of a block that can never be taken back."""
ACCOUNTS: Final = 100
"""Addresses of one getMultipleAccounts."""
AT_ONCE: Final = 500
"""Calls of one request."""
LISTED: Final = 1_000
"""Signatures that a node lists of one address."""
CONFIRMED: Final = {"commitment": "confirmed"}


@record
class Paid:
    """One transaction that touched an address; `amount` is 0 when the address gained nothing by it."""

    signature: str
    slot: int
    amount: int


class _Account:
    """What is known of one address."""

    __slots__ = ("behind", "lamports", "paid")

    def __init__(self, paid: Mapping[str, Paid] | None = None) -> None:
        self.lamports: int | None = None
        """As of the last time that its transactions were listed; None: never."""
        self.paid: dict[str, Paid] = dict(paid or {})
        self.behind = True
        """Whether transactions are known by name that were not read yet."""


class Solana:
    """Implements Driver. One request per round; two more when an address got something."""

    def __init__(self, endpoint: Endpoint, *, network: str) -> None:
        self._endpoint = endpoint
        self._network = network
        self._ready = False
        self._accounts: dict[str, _Account] = {}
        self._slot: int | None = None
        """The newest slot of the last round."""
        self._final = -1
        """The newest final slot of the last round."""
        self._at: datetime | None = None

    async def tip(self) -> Tip:
        """See Driver."""
        await self._open()
        answers = await self._endpoint.batch(self._ends())
        return (await self._tip(answers))[0]

    async def used(self, addresses: Sequence[str]) -> set[str]:
        """See Driver."""
        await self._open()
        calls = [Call(method="getSignaturesForAddress", params=(one, {**CONFIRMED, "limit": 1})) for one in addresses]
        answers = await self._endpoint.batch(calls) if calls else []
        if not all(isinstance(answer, list) for answer in answers):
            raise NodeError(f"{self._endpoint.what} did not list the transactions of an address")
        return {one for one, answer in zip(addresses, answers, strict=True) if answer}

    async def close(self) -> None:
        """See Driver."""

    async def look(self, watched: Sequence[Watched]) -> Report:
        """See Driver."""
        try:
            await self._open()
            return await self._look([one.address for one in watched])
        except NodeError:
            self._ready = False
            raise

    async def _open(self) -> None:
        if self._ready:
            return
        found = (await self._endpoint.batch([Call(method="getGenesisHash")]))[0]
        if not isinstance(found, str):
            raise WrongNodeError(f"{self._endpoint.what} answers, but not as a Solana node: check its address")
        if not right_genesis(ASSET, self._network, found):
            raise WrongNodeError(f"{self._endpoint.what} is not on the network {ASSET} {self._network}")
        self._ready = True

    async def _look(self, addresses: Sequence[str]) -> Report:
        accounts = {one: self._accounts.get(one) or _Account() for one in addresses}
        young = [one for one in addresses if accounts[one].behind or self._unsettled(accounts[one])]
        balances = [
            Call(method="getMultipleAccounts", params=(addresses[at : at + ACCOUNTS], {**CONFIRMED, **_NO_DATA}))
            for at in range(0, len(addresses), ACCOUNTS)
        ]
        first = young[:AT_ONCE]
        answers = await self._endpoint.batch([*self._ends(), *balances, *map(_listing, first)])
        ends, answers = answers[:3], answers[3:]
        lamports = self._lamports(answers[: len(balances)], len(addresses))
        listed = dict(zip(first, answers[len(balances) :], strict=True))
        tip, final = await self._tip(ends)
        changed = [
            one
            for one, amount in zip(addresses, lamports, strict=True)
            if one not in listed and (accounts[one].behind or accounts[one].lamports != amount)
        ]
        for at in range(0, len(changed), AT_ONCE):
            part = changed[at : at + AT_ONCE]
            listed.update(zip(part, await self._endpoint.batch([_listing(one) for one in part]), strict=True))
        await self._take(accounts, listed, dict(zip(addresses, lamports, strict=True)), final)
        self._accounts = accounts
        known = [one for one in addresses if not accounts[one].behind]
        found = tuple(transfer for one in addresses for transfer in _transfers(one, accounts[one]))
        return Report(asset=ASSET, tip=tip, transfers=found, complete=tuple(known))

    def _unsettled(self, account: _Account) -> bool:
        """Whether something of it might still be taken back."""
        return any(one.slot > self._final for one in account.paid.values())

    def _ends(self) -> list[Call]:
        """The newest block, the newest final slot, and when the last round's newest block was made."""
        return [
            Call(method="getLatestBlockhash", params=(CONFIRMED,)),
            Call(method="getSlot", params=({"commitment": "finalized"},)),
            *([Call(method="getBlockTime", params=(self._slot,))] if self._slot is not None else [_NOTHING]),
        ]

    async def _tip(self, answers: Sequence[Answer]) -> tuple[Tip, int]:
        """The newest block, and the newest final slot.

        The height is never more than FINAL - 1 slots before the final one, so that FINAL confirmations mean final.
        """
        newest, final, time = answers
        slot, block = _slot_of(newest), _value(newest)
        final = whole(final)
        if slot is None or not isinstance(block, dict) or final is None:
            said = f": {newest.message}" if isinstance(newest, Fault) else ""
            raise NodeError(f"{self._endpoint.what} did not say which block is its newest{said}")
        if self._at is None or self._slot is None:
            time = (await self._endpoint.batch([Call(method="getBlockTime", params=(slot,))]))[0]
        if (at := whole(time, most=2**33)) is not None:
            self._at = datetime.fromtimestamp(at, UTC)
        if self._at is None:
            raise NodeError(f"{self._endpoint.what} did not say when its newest block was made")
        self._slot, self._final = slot, final
        height = min(slot, final + FINAL - 1)
        return Tip(asset=ASSET, height=height, block=str(block.get("blockhash")), at=self._at), final

    def _lamports(self, answers: Sequence[Answer], count: int) -> list[int]:
        found: list[int] = []
        for answer in answers:
            rows = _value(answer)
            for row in rows if isinstance(rows, list) else ():
                amount = 0 if row is None else whole(row.get("lamports"), most=2**64) if isinstance(row, dict) else None
                if amount is not None:
                    found.append(amount)
        if len(found) != count:
            raise NodeError(f"{self._endpoint.what} did not tell every balance")
        return found

    async def _take(
        self,
        accounts: Mapping[str, _Account],
        listed: Mapping[str, Answer],
        lamports: Mapping[str, int],
        final: int,
    ) -> None:
        """Bring the accounts that were listed up to date; what could not be read in this round is left `behind`."""
        wanted: list[tuple[str, str, int]] = []
        for one, answer in listed.items():
            rows = _signatures(answer)
            if rows is None:
                raise NodeError(f"{self._endpoint.what} did not list the transactions of an address")
            account = accounts[one]
            account.behind = True
            if len(rows) < LISTED:  # else older ones are missing in it, not gone
                account.paid = {key: paid for key, paid in account.paid.items() if key in rows or paid.slot <= final}
            wanted += [(one, key, slot) for key, slot in rows.items() if key not in account.paid]
        wanted = wanted[: 4 * AT_ONCE]
        for at in range(0, len(wanted), AT_ONCE):
            part = wanted[at : at + AT_ONCE]
            answers = await self._endpoint.batch([_transaction(key) for _, key, _ in part])
            for (one, key, slot), answer in zip(part, answers, strict=True):
                amount = _gained(answer, one, key)
                if amount is not None:
                    accounts[one].paid[key] = Paid(signature=key, slot=slot, amount=amount)
        for one, answer in listed.items():
            rows = _signatures(answer) or {}
            accounts[one].behind = any(key not in accounts[one].paid for key in rows)
            if not accounts[one].behind:
                accounts[one].lamports = lamports[one]

    def memory(self) -> str:
        """See Driver."""
        known = {
            address: [[one.signature, one.slot, one.amount] for one in account.paid.values()]
            for address, account in self._accounts.items()
            if account.paid
        }
        return json.dumps({"v": 1, "paid": known}, separators=(",", ":"))

    def remember(self, memory: str) -> None:
        """See Driver."""
        try:
            kept: Any = json.loads(memory)
            found = {
                str(address): _Account(
                    {
                        str(key): Paid(signature=str(key), slot=int(slot), amount=int(amount))
                        for key, slot, amount in rows
                    }
                )
                for address, rows in kept["paid"].items()
            }
        except (ValueError, TypeError, KeyError, AttributeError):
            return
        self._accounts = found


_NO_DATA: Final = {"encoding": "base64", "dataSlice": {"offset": 0, "length": 0}}
_NOTHING: Final = Call(method="getVersion")


def _listing(address: str) -> Call:
    return Call(method="getSignaturesForAddress", params=(address, {**CONFIRMED, "limit": LISTED}))


def _transaction(signature: str) -> Call:
    wish = {**CONFIRMED, "encoding": "json", "maxSupportedTransactionVersion": 0}
    return Call(method="getTransaction", params=(signature, wish))


def _value(answer: Answer) -> Any:
    return answer.get("value") if isinstance(answer, dict) else None


def _slot_of(answer: Answer) -> int | None:
    context = answer.get("context") if isinstance(answer, dict) else None
    return whole(context.get("slot")) if isinstance(context, dict) else None


def _signatures(answer: Answer) -> dict[str, int] | None:
    """Signature → slot of those that succeeded; None for an answer that cannot be read."""
    if not isinstance(answer, list):
        return None
    found: dict[str, int] = {}
    for row in answer:
        key, slot = (row.get("signature"), whole(row.get("slot"))) if isinstance(row, dict) else (None, None)
        if not isinstance(key, str) or not 64 <= len(key) <= 90 or slot is None:
            return None
        if row.get("err") is None:
            found[key] = slot
    return found


def _gained(answer: Answer, address: str, signature: str) -> int | None:
    """How many lamports an address gained by a transaction, 0 if none; None when the node did not show it (yet)."""
    body = answer.get("transaction") if isinstance(answer, dict) else None
    meta = answer.get("meta") if isinstance(answer, dict) else None
    if not isinstance(body, dict) or not isinstance(meta, dict):
        return None
    message = body.get("message")
    keys = message.get("accountKeys") if isinstance(message, dict) else None
    signatures = body.get("signatures")
    if not isinstance(keys, list) or not isinstance(signatures, list) or signature not in signatures[:1]:
        return None
    loaded = meta.get("loadedAddresses") or {}
    every = [*keys, *(loaded.get("writable") or ()), *(loaded.get("readonly") or ())]
    before, after = meta.get("preBalances"), meta.get("postBalances")
    if address not in every or not isinstance(before, list) or not isinstance(after, list):
        return None
    place = every.index(address)
    if not place < len(before) == len(after):
        return None
    old, new = whole(before[place], most=2**64), whole(after[place], most=2**64)
    return None if old is None or new is None or meta.get("err") is not None else max(0, new - old)


def _transfers(address: str, account: _Account) -> list[Transfer]:
    return [
        Transfer(
            asset=ASSET,
            address=address,
            txid=one.signature,
            position="0",
            amount=one.amount,
            height=one.slot,
            block=None,
        )
        for one in account.paid.values()
        if one.amount
    ]
