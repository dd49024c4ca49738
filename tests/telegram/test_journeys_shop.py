"""The shipped shop as a customer in Telegram walks it: pictures, one cart message that changes, the code to pay."""

from pathlib import Path
from typing import Any

from tests.telegram.running_bot import RunningBot
from tests.telegram.seen import Seen
from tests.telegram.server import Account, TelegramServer


def rows(seen: Seen) -> list[list[str]]:
    return [[button.text for button in row] for row in seen.rows]


async def test_from_the_shelf_to_the_paid_order(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with RunningBot(server, bot, tmp_path):
        anna = await customer("Anna")
        await anna.says("/shop")
        await anna.sees("What are you looking for?")
        await anna.presses("Printed things")
        await anna.sees("Printed things")
        await anna.presses("For the home")
        await anna.sees("For the home")
        await anna.presses("Plant pot")
        product = await anna.sees("How many would you like?")
        assert product.kind == "photo"
        await anna.presses("➕")
        await anna.presses("Take 2")
        await anna.sees("In your cart: 2 × Plant pot")
        await anna.presses("To the cart")
        cart = await anna.sees("Total: €28.00")
        assert rows(cart) == [
            ["➖", "2 × Plant pot", "➕", "❌"],
            ["✅ Checkout"],
            ["🛍 To the shop", "🗑 Empty the cart"],
        ]
        for pressed, total in (("➕", "€42.00"), ("➕", "€56.00"), ("➖", "€42.00")):
            await anna.presses(pressed)
            seen = await anna.sees(f"Total: {total}")
            assert seen.id == cart.id, "one message, changed in place"
        assert rows(seen)[0] == ["➖", "3 × Plant pot", "➕", "❌"]

        await anna.presses("Checkout")
        await anna.sees("How would you like to pay?")
        await anna.presses("Bitcoin")
        await anna.sees("Place the order?")
        await anna.presses("Place the order")
        bill = await anna.sees("Please send exactly:")
        assert bill.kind == "photo"
        assert "<code>0.0007</code> BTC" in bill.html
        await anna.presses("Pay 60 %")
        rest = await anna.sees("Still missing:", after=bill.id)
        assert (rest.kind, "<code>0.00028</code> BTC" in rest.html) == ("photo", True)
        await anna.presses("Pay 60 %")
        await anna.sees("We see your payment of 0.00084\u00a0BTC")
        await anna.presses("Confirm it")
        await anna.sees("Thank you! Order")
        await anna.sees("0.00014\u00a0BTC too much")
