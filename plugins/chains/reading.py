"""Reads the ETH balances of many addresses with one call: a program that the node runs and forgets. Pure.

No contract has to be there: `eth_call` without `to` runs the code as if it made a contract.
"""

from collections.abc import Sequence
from typing import Any, Final

from plugins.chains.jsonrpc import Call, Fault, quantity

AT_ONCE: Final = 1_000
"""Addresses of one program: its answer must stay below 24,576 bytes, the most that a contract may have."""
WIDTH: Final = 16
"""Bytes of one balance in the answer."""
PROGRAM: Final = (
    "61002d"  # PUSH2 45: where the addresses begin, behind this program
    "6020"  # PUSH1 32: where the balances go
    "5b"  # JUMPDEST
    "601482600039"  # copy 20 bytes from there to memory 0
    "600051"  # load the word
    "60601c"  # an address is its upper 20 bytes
    "31"  # BALANCE
    "60801b"  # to the upper 16 bytes
    "8152"  # write it down
    "601001"  # 16 bytes further
    "90"
    "601401"  # 20 bytes further
    "90"
    "388210600557"  # again, unless the program is at its end
    "602090036020f3"  # return what was written down
)


def calls(addresses: Sequence[str], tag: str) -> list[Call]:
    """Asks for the balances at one block; `addresses` as 0x and 40 letters, `tag` as eth_call takes it."""
    return [
        Call(
            method="eth_call",
            params=(
                {"data": "0x" + PROGRAM + "".join(one[2:].lower() for one in addresses[at : at + AT_ONCE])},
                tag,
            ),
        )
        for at in range(0, len(addresses), AT_ONCE)
    ]


def balances(answers: Sequence[Any], count: int) -> list[int] | None:
    """The balances in wei, in the order of the addresses; None when the node did not run the program."""
    found: list[int] = []
    for answer in answers:
        if not isinstance(answer, str) or not answer.startswith("0x"):
            return None
        try:
            data = bytes.fromhex(answer[2:])
        except ValueError:
            return None
        if len(data) % WIDTH:
            return None
        found += [int.from_bytes(data[at : at + WIDTH]) for at in range(0, len(data), WIDTH)]
    return found if len(found) == count else None


def plain_calls(addresses: Sequence[str], tag: str) -> list[Call]:
    """The same one by one, for a node that runs no programs."""
    return [Call(method="eth_getBalance", params=(one, tag)) for one in addresses]


def plain_balances(answers: Sequence[Any]) -> list[int] | None:
    """The balances of `plain_calls`; None when one of them is missing."""
    found = [None if isinstance(answer, Fault) else quantity(answer) for answer in answers]
    return [one for one in found if one is not None] if None not in found else None
