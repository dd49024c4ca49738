"""What the customers of the shop do, round by round, ten minutes of the virtual clock apart. Pure values.

Beside what `script` knows: `$pay 60 a` sends 60 percent of what the newest message asks for, as transaction `a`;
`$mine 1` makes blocks, `$gone a` takes a transaction off the chain, `$back a` brings it again; `$hook 0 a` has another
system tell of a payment with so many confirmations. In a reference only: `~` waits until all has been noticed, `^`
until the shop knows of it and nobody else.
"""

from tests.chaos.script import Rounds, Script, in_rounds

TICK = 600.0
BOUGHT = 4
"""The round in which an order is placed: its time is over between the rounds 10 and 11, a part paid gives it until
12, its warning comes between 7 and 8."""
TEAM, MINER = "telegram:190", "telegram:199"


def _story(product: str, *then: str | tuple[str, ...] | None, coin: str = "[Bitcoin]", wait: int = 0) -> Rounds:
    """`then` begins one round after the order."""
    return in_rounds(*[None] * (wait + 1), "/buy", f"[{product}]", coin, "[Order]", *then)


def _miner(*rounds: int) -> Rounds:
    return in_rounds(*("$mine 1" if number in rounds else None for number in range(max(rounds) + 1)))


def _exact(product: str = "Mug") -> Rounds:
    return _story(product, f"$pay 100 {product[0]}1")


PARTS = _story("Mug", "$pay 60 p1", None, None, "$pay 100 p2")
OVER = _story("Licence", "$pay 150 o1")
TWICE = _story("Licence", "$pay 100 t1", None, None, "$pay 100 t2")
LATE = _story("Licence", *[None] * 7, "$pay 100 l1")
FORGOTTEN = _story("Rarity")
CANCELLED = _story("Mug", None, "[Cancel]")
RETURNED = _story("Licence", "$pay 100 r1", None, "$gone r1", None, "$back r1")
LATE_AND_GONE = _story("Rarity", *[None] * 10, "$pay 100 g1", None, None, None, "[Keep it]")
"""Their time is over at 11; the other one has the last piece by then."""
SECOND = _story("Rarity", "$pay 100 s1", wait=9)
HOOKED = _story("Mug", "$hook 0 h1", None, "$hook 3 h1", coin="[Litecoin]")
CANCELS_WHILE_PAID = _story("Mug", ("$pay 100 c1", "[Cancel]"))
TOLD_LATER = _story("Mug", ("$pay 100 c1", "^", "[Cancel]"))
NOTICED_FIRST = _story("Mug", ("$pay 100 c1", "~", "[Cancel]"))


def _script(name: str, *stories: Rounds, miner: tuple[int, ...], twins: tuple[Script, ...] = ()) -> Script:
    people = {f"telegram:{101 + number}": rounds for number, rounds in enumerate(stories)}
    customers = {TEAM: in_rounds("/hello"), **people, MINER: _miner(*miner)}
    return Script(name=name, customers=customers, tick=TICK, crowd=frozenset({TEAM}), twins=twins)


def _rival(slower: bool, name: str) -> Rounds:
    return tuple(
        ("~", *given) if slower and number == BOUGHT else given
        for number, given in enumerate(_story("Rarity", None, f"$pay 100 {name}"))
    )


def _rivals(name: str, first: str, twins: tuple[Script, ...] = ()) -> Script:
    return _script(name, _rival(first == "b", "a"), _rival(first == "a", "b"), miner=(7, 8), twins=twins)


SHOP_SCRIPTS = (
    _script("paid", _exact(), _exact("Licence"), miner=(6, 7)),
    _script("parts", PARTS, OVER, miner=(9, 10)),
    _script("twice", TWICE, CANCELLED, miner=(6, 7, 9, 10)),
    _script("too late", LATE, FORGOTTEN, miner=(13, 14)),
    _script("returned", RETURNED, CANCELLED, miner=(6, 10, 11)),
    _script("last piece", LATE_AND_GONE, SECOND, miner=(16, 17)),
    _script("hook", HOOKED, _exact("Licence"), miner=(6, 7)),
    _script(
        "cancel or pay", CANCELS_WHILE_PAID, miner=(6, 7),
        twins=(
            _script("pay, then cancel", NOTICED_FIRST, miner=(6, 7)),
            _script("pay, cancel, then hear of it", TOLD_LATER, miner=(6, 7)),
        ),
    ),
    _rivals("rivals", "", twins=(_rivals("rival a", "a"), _rivals("rival b", "b"))),
    _script("the whole shop", _exact(), PARTS, OVER, TWICE, CANCELLED, HOOKED, LATE, miner=(6, 7, 9, 10, 13, 14)),
)  # fmt: skip
SALE = _script("sale", _exact("Licence"), miner=(6, 7))
"""One customer; for walking every single kill point."""
EXPIRY = _script("expiry", _story("Mug"), miner=(6, 12))
MUG = _script("mug", _exact(), miner=(6, 7))
TOLD = _script("told", HOOKED, miner=(6,))
CHOOSING = (*SHOP_SCRIPTS, SALE, EXPIRY, MUG, TOLD)
SHOP_BY_NAME = {script.name: script for script in (*CHOOSING, *(twin for one in CHOOSING for twin in one.twins))}
