"""The shipped shop with other policies in bot.yaml, and with what other customers do meanwhile; a shop in 120 lines."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.loading.library import load
from engine.loading.transcripts_parser import parse_text
from engine.settings import Settings
from engine.transcripts.player import staged
from engine.transcripts.results import Different

ROOT = Path(__file__).parents[2]
DIGITAL = Path(__file__).parent / "digital_shop"

HEAD = """test: {name}
customer: {{name: Anna, language: en}}
start: 2026-11-21T10:00:00Z
steps:
"""
TO_THE_CART = """
  - says: /shop
  - bot: {has: Nord Print}
  - presses: Printed things
  - bot: {has: Printed things}
  - presses: For the home
  - bot: {has: For the home}
  - presses: Plant pot · €14.00
  - bot: {has: [Plant pot, only 4 left]}
  - says: "3"
  - bot: {has: "In your cart: 3 × Plant pot"}
  - presses: 🛒 To the cart
  - ends: {flow: catalog, outcome: completed}
  - bot: {has: "Total: €42.00"}
"""
TO_THE_ORDER = """
  - presses: ✅ Checkout
  - ends: {flow: cart, outcome: completed}
  - bot: {has: ["3 × Plant pot: €42.00", How would you like to pay?]}
  - presses: 🧪 Bitcoin (practice)
  - bot: {has: [€42.00 = 0.0007 BTC, Place the order?]}
"""
ORDERED = """
  - presses: ✅ Place the order
  - bot: {has: ["Please send exactly:", "0.0007"]}
"""
EXPIRED = """
  - wait: 31m
  - edits: {has: ⏳ 6 min}
  - bot: {has: Your order is kept for only 5 min more}
  - bot: {has: "0.0007"}
  - edits: {has: ⏳ 1 min}
  - bot: {has: [The time for order, its goods are free again]}
  - ends: {flow: checkout, outcome: expired}
"""
PAID_LATE = """
  - says: /practice
  - bot: {has: Practice payments}
  - presses: {has: ✖️}
  - bot: {has: 0 BTC of 0.0007 BTC}
  - presses: Pay 100 %
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return discover([ROOT / "plugins"])


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    """The shipped flows, to be changed."""
    folder = tmp_path / "flows"
    shutil.copytree(ROOT / "flows", folder, ignore=shutil.ignore_patterns("tests", "diagrams"))
    return folder


def says(folder: Path, before: str, after: str) -> None:
    """Changes bot.yaml as a product owner does."""
    text = (folder / "bot.yaml").read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    (folder / "bot.yaml").write_text(text.replace(before, after), encoding="utf-8")


async def plays(folder: Path, catalog: Catalog, parts: Sequence[str], *, between: str = "") -> None:
    """Plays parts of a transcript in one bot; `between` them somebody else changes the database by this SQL."""
    read = [parse_text(HEAD.format(name="a part") + part, "part.yaml", catalog).transcript for part in parts]
    assert read[0] is not None
    async with staged(read[0], settings=Settings(flows=folder), catalog=catalog) as stage:
        for number, part in enumerate(read):
            assert part is not None
            if number and between:
                async with stage.app.store.transaction() as work:
                    assert await work.execute(between) == 1
            stage.transcript = part
            await stage.play()


LATE = """      - {do: accept, when: {stock: true, drift: 2}}
      - {do: ask}
"""
POLICIES = {
    "accept": """
  - edits: {has: 👀 seen}
  - bot: {has: We see your payment for order}
  - presses: Confirm 1 block
  - edits: {has: ✅ paid}
    message: 2
  - bot: {has: [Thank you!, is paid]}
""",
    "refund": """
  - edits: {has: [✖️ over, 0.0007 BTC of 0.0007 BTC]}
  - bot: {has: [came when its time was over, We send it back]}
  - presses: Confirm 1 block
  - edits: {has: ✖️ over}
    message: 2
""",
    "ask": """
  - edits: {has: [✖️ over, 0.0007 BTC of 0.0007 BTC]}
  - bot: {has: [came when its time was over, What would you like?]}
    buttons: [[⏳ I wait for the goods], [💶 Keep it as my balance, ↩️ Send it back]]
  - presses: ↩️ Send it back
  - bot: {has: We send it back}
  - ends: {flow: order_news, outcome: completed}
""",
}


@pytest.mark.parametrize("policy", POLICIES)
async def test_the_late_policy_of_bot_yaml_decides(flows: Path, catalog: Catalog, policy: str) -> None:
    says(flows, LATE, f"      - {{do: {policy}}}\n")
    await plays(flows, catalog, [TO_THE_CART + TO_THE_ORDER + ORDERED + EXPIRED + PAID_LATE + POLICIES[policy]])


CREDITED = """
  - edits: {has: [✖️ over, 0.0007 BTC of 0.0007 BTC]}
  - bot: {has: came when its time was over}
  - presses: Confirm 1 block
  - edits: {has: ✖️ over}
    message: 2
  - bot: {has: [is yours again, It is on your balance]}
"""
SPENT = """
  - says: /orders
  - bot: {has: ["Your credit with us: €42.00", have it paid out]}
  - says: /checkout
  - bot: {has: ["Total: €42.00", "Your credit with us: €42.00."]}
  - presses: 💶 Pay with your credit (€42.00)
  - bot: {has: [Thank you!, is paid]}
  - ends: {flow: checkout, outcome: completed}
  - says: /orders
  - bot: "🧾 Your orders, the newest first."
"""


async def test_credit_for_a_late_payment_is_shown_and_pays_for_the_next_order(flows: Path, catalog: Catalog) -> None:
    says(flows, LATE, "      - {do: credit}\n")
    await plays(flows, catalog, [TO_THE_CART + TO_THE_ORDER + ORDERED + EXPIRED + PAID_LATE + CREDITED + SPENT])


async def test_credit_that_is_spent_meanwhile_pays_for_nothing(flows: Path, catalog: Catalog) -> None:
    asked = """
  - presses: ✅ Checkout
  - ends: {flow: cart, outcome: completed}
  - bot: {has: "Your credit with us: €42.00."}
"""
    pressed = """
  - presses: 💶 Pay with your credit (€42.00)
  - bot: Your credit does not cover this any more. Please look again.
  - bot: {has: ["Total: €42.00", "Your credit with us: €41.99. You can pay with it as soon as"]}
    buttons:
      - [🧪 Bitcoin (practice), 🧪 Litecoin (practice)]
      - [🧪 Ether (practice), 🧪 Solana (practice)]
      - [✖️ Cancel]
"""
    other_device = "UPDATE shop_customers SET currency = 'EUR', wallet = CASE wallet WHEN 0 THEN 4200 ELSE 4199 END"
    await plays(flows, catalog, [TO_THE_CART, asked, pressed], between=other_device)


async def test_the_policies_differ(flows: Path, catalog: Catalog) -> None:
    says(flows, LATE, "      - {do: refund}\n")
    parts = TO_THE_CART + TO_THE_ORDER + ORDERED + EXPIRED + PAID_LATE + POLICIES["accept"]
    with pytest.raises(Different, match="the bot says something else"):
        await plays(flows, catalog, [parts])


async def test_who_does_not_pay_has_to_write_first(flows: Path, catalog: Catalog) -> None:
    says(flows, "strikes: 3 ", "strikes: 1 ")
    again = """
  - says: /cart
  - bot: {has: "Total: €42.00"}
"""
    blocked = """
  - presses: ✅ Place the order
  - bot: {has: [1 of your orders, shop@example.com]}
  - ends: {flow: checkout, outcome: blocked}
"""
    parts = TO_THE_CART + TO_THE_ORDER + ORDERED + EXPIRED + again + TO_THE_ORDER + blocked
    await plays(flows, catalog, [parts])


SOMEBODY_ELSE = "UPDATE shop_products SET stock = 1 WHERE sku = 'plant-pot'"


async def test_short_stock_is_offered_reduced(flows: Path, catalog: Catalog) -> None:
    after = """
  - presses: ✅ Place the order
  - bot: {has: [There is less left than you want, "Plant pot: 1 instead of 3"]}
  - presses: ✅ Take what there is
  - bot: {has: ["1 × Plant pot: €14.00", How would you like to pay?]}
  - presses: 🧪 Bitcoin (practice)
  - bot: {has: Place the order?}
  - presses: ✅ Place the order
  - bot: {has: "Please send exactly:"}
"""
    await plays(flows, catalog, [TO_THE_CART + TO_THE_ORDER, after], between=SOMEBODY_ELSE)


async def test_short_stock_is_rejected_where_bot_yaml_says_so(flows: Path, catalog: Catalog) -> None:
    says(flows, "when_short: reduce ", "when_short: reject ")
    after = """
  - presses: ✅ Place the order
  - bot: {has: [There is less left than you want, "Plant pot: 1 instead of 3"]}
    buttons: [[🛒 Change the cart], [⬅️ Back, ✖️ Cancel]]
  - presses: 🛒 Change the cart
  - ends: {flow: checkout, outcome: left}
  - bot: {has: ["3 × Plant pot", only 1 left]}
  - presses: ➖
  - edits: {has: "2 × Plant pot"}
"""
    await plays(flows, catalog, [TO_THE_CART + TO_THE_ORDER, after], between=SOMEBODY_ELSE)


async def test_a_changed_price_is_shown_and_asked_again(flows: Path, catalog: Catalog) -> None:
    after = """
  - presses: ✅ Place the order
  - bot: "The total has changed: it was €42.00, now it is €45.00. Please look again."
  - bot: {has: ["Total: €45.00", How would you like to pay?]}
"""
    raised = "UPDATE shop_products SET price = 1500 WHERE sku = 'plant-pot'"
    await plays(flows, catalog, [TO_THE_CART + TO_THE_ORDER, after], between=raised)


# --- a shop in 120 lines ----------------------------------------------------------------------------------------


def test_a_digital_shop_is_at_most_120_lines_of_yaml_and_no_python(catalog: Catalog) -> None:
    lines = [line for file in DIGITAL.glob("*.yaml") for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) <= 120
    assert [file.name for file in DIGITAL.rglob("*") if file.is_file() and file.suffix != ".yaml"] == []
    assert load(DIGITAL, catalog, environment={}).report.findings == ()


async def test_the_digital_shop_sells_and_delivers(catalog: Catalog) -> None:
    read = parse_text((DIGITAL / "tests" / "buys.yaml").read_text(encoding="utf-8"), "buys.yaml", catalog)
    assert read.transcript is not None, [finding.message for finding in read.findings]
    async with staged(read.transcript, settings=Settings(flows=DIGITAL), catalog=catalog) as stage:
        await stage.play()
