"""What happens to one run, drawn from its seed alone: script, kills, faults, how the channel behaves. Pure."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.chaos.script import SCRIPTS
from tests.chaos.scripts import BY_NAME
from tests.chaos.shop_script import SHOP_BY_NAME, SHOP_SCRIPTS

KINDS = ("full", "io", "busy", "away", "phones", "clock")
"""On a file."""
KINDS_OF_A_SERVER = ("gone", "gone", "busy", "phones", "clock")
"""Faults that begin and end at points. `full`: the database may not grow; `io`: reading and writing fail; `busy`:
another process holds the database; `away`: its files are moved away and back; `gone`: a server ends all
sessions, whatever they are doing; `phones`: nothing is delivered;
`clock`: the time jumps up to ten minutes forwards or backwards, and back later."""
JUMP = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`at`: the point (of one life of the process) at which it begins; it lasts so many points."""

    kind: str
    at: int
    lasts: int
    amount: float = 0.0
    """Seconds that the clock jumps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One life of the process. `kill`: the point at which it kills itself; `blow`: seconds after which it is killed
    from outside, wherever it is. Neither: it lives to the end of the script."""

    kill: int | None = None
    blow: float | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All of it. The last life has no kill; what is played there are the faults alone."""

    seed: int
    script: str
    lives: tuple[Life, ...] = (Life(),)
    threads: bool = False
    """The database driver's own threads instead of its work done inline, which replays exactly."""
    inbox: bool = False
    """Updates go through Telegram's durable inbox; else straight to the engine."""
    fresh: bool = False
    """No database yet at the first start."""
    plugins: float = 0.0
    """Part of the attempts of actions that go wrong."""
    doubles: float = 0.0
    """Part of the updates that come twice or more."""
    disorder: bool = False
    """What is brought again after a restart comes in another order of the chats."""
    broken: str = ""
    """A deliberately broken variant of the bot."""

    @property
    def command(self) -> str:
        """What replays exactly this run."""
        shop = " --shop" if self.script in SHOP_BY_NAME else ""
        broken = f" --broken {self.broken}" if self.broken else ""
        struck = f' --script "{self.script}"{" --inbox" * self.inbox}' if self.seed < 0 else ""
        return f"python -m tests.chaos --replay {self.seed}{shop}{struck}{broken}"

    def life(self, number: int) -> Life:
        return self.lives[number] if number < len(self.lives) else Life()


Sizes = Callable[[str], tuple[int, float]]
"""What the run of a script without faults needs: points, and seconds."""


def drawn(seed: int, sizes: Sizes, *, server: bool = False, broken: str = "") -> Plan:
    """The plan of a seed. `server`: faults that only a file can have are left out."""
    chance = random.Random(f"chaos {seed}")
    script = SCRIPTS[chance.choices(range(len(SCRIPTS)), (4, 4, 3, 3, 3, 3, 1))[0]].name
    points, seconds = sizes(script)
    kills = chance.choice((1, 1, 2, 3, 4, 6))
    troubled = chance.random()
    kinds = list(KINDS_OF_A_SERVER if server else KINDS)
    lives = tuple(_life(chance, points, seconds, kills, troubled, kinds) for _ in range(kills))
    last = Life(faults=tuple(_faults(chance, points, kinds)) if troubled > 0.6 else ())
    fresh = not server and chance.random() < 0.03
    return Plan(
        seed=seed,
        script=script,
        lives=(*lives, last),
        threads=fresh or chance.random() < 0.25,
        inbox=chance.random() < 0.5,
        fresh=fresh,
        plugins=chance.choice((0, 0, 0, 0.1, 0.3)),
        doubles=chance.choice((0, 0.1, 0.5)),
        disorder=chance.random() < 0.5,
        broken=broken,
    )


def _life(chance: random.Random, points: int, seconds: float, kills: int, troubled: float, kinds: list[str]) -> Life:
    faults = tuple(_faults(chance, points // kills, kinds)) if troubled > 0.5 else ()
    if chance.random() < 0.15:
        return Life(blow=chance.uniform(0, seconds / kills), faults=faults)
    if chance.random() < 0.25:  # soon after the start, while what was left is taken up
        return Life(kill=chance.randint(1, 200), faults=faults)
    return Life(kill=chance.randint(1, max(2, 2 * points // (kills + 1))), faults=faults)


def _faults(chance: random.Random, points: int, kinds: list[str]) -> list[Fault]:
    found = []
    for _ in range(chance.choice((0, 1, 1, 2))):
        kind = chance.choice(kinds)
        amount = chance.uniform(-JUMP, JUMP) if kind == "clock" else 0.0
        found.append(
            Fault(kind=kind, at=chance.randint(1, max(2, points)), lasts=chance.choice((5, 50, 300)), amount=amount)
        )
    return found


def exactly(plan: Plan, deaths: Sequence[int]) -> Plan:
    """The same with kills at these points and nowhere else."""
    lives = tuple(replace(plan.life(number), kill=point, blow=None) for number, point in enumerate(deaths))
    return replace(plan, lives=(*lives, replace(plan.life(len(deaths)), kill=None, blow=None)))


def drawn_in_shop(seed: int, sizes: Sizes, *, server: bool = False, broken: str = "") -> Plan:
    """The same in the shop: its plugins never go wrong, everything else does."""
    plan = drawn(seed, lambda _: sizes("sale"), server=server, broken=broken)
    chance = random.Random(f"chaos shop {seed}")
    script = chance.choices(SHOP_SCRIPTS, (*[4] * (len(SHOP_SCRIPTS) - 1), 1))[0].name
    points, seconds = sizes(script)
    kinds = list(KINDS_OF_A_SERVER if server else KINDS)
    kinds = [kind for kind in kinds if kind != "clock"]  # an order's time is over when the clock says so
    kills, troubled = len(plan.lives) - 1, chance.random()
    lives = tuple(_life(chance, points, seconds, kills, troubled - 0.25, kinds) for _ in range(kills))
    return replace(plan, script=script, lives=(*lives, Life()), plugins=0.0)


def aimed(seed: int, script: str, points: int, *, broken: str) -> Plan:
    """One kill in the last part of a script, where money moves; a broken shop takes longer than a good one."""
    return struck(script, random.Random(f"chaos aimed {seed}").randint(points * 2 // 3, points + 1000), broken=broken)


def whole(script: str, *, inbox: bool = False, threads: bool = False, broken: str = "") -> Plan:
    """A run without any fault."""
    assert script in BY_NAME
    return Plan(seed=0, script=script, inbox=inbox, threads=threads, broken=broken)


def struck(script: str, kill: int, *, inbox: bool = False, broken: str = "") -> Plan:
    """One kill at one point, nothing else."""
    return Plan(seed=-kill, script=script, lives=(Life(kill=kill), Life()), inbox=inbox, broken=broken)
