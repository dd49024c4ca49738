"""A large file's progress is shown, counts up, and goes; a small one's is not."""

import asyncio

from engine.channels.telegram.progress import Progress

MB = 1024 * 1024


async def test_it_counts_up_and_goes_when_the_file_is_there(bot_client, customer):
    anna = await customer("Anna")
    progress = Progress(lambda: bot_client, every=0.1)
    chat = f"telegram:{anna.id}"
    progress(chat, 1 * MB, 10 * MB)
    await anna.sees("10%")
    progress(chat, 6 * MB, 10 * MB)
    await anna.sees("60%")
    assert len([seen for seen in anna.received if "⬇️" in seen.text]) == 1
    progress(chat, 10 * MB, 10 * MB)
    await anna.sees_gone("⬇️")


async def test_a_small_or_quick_file_shows_nothing(bot_client, customer):
    anna = await customer("Anna")
    progress = Progress(lambda: bot_client, every=0.2)
    chat = f"telegram:{anna.id}"
    progress(chat, 1 * MB, 4 * MB)
    progress(chat, 1 * MB, 10 * MB)
    progress(chat, 10 * MB, 10 * MB)
    await anna.sees_none("⬇️", seconds=0.6)


async def test_what_fails_with_it_disturbs_nobody_and_stop_takes_it_away(server, bot_client, customer):
    anna = await customer("Anna")
    progress = Progress(lambda: bot_client, every=0.1)
    chat = f"telegram:{anna.id}"
    fault = server.faults.fail("messages.SendMessage", 400, "USER_IS_BLOCKED")
    progress(chat, 1 * MB, 10 * MB)
    async with asyncio.timeout(40):
        while not fault.hits:
            await asyncio.sleep(0.05)
    server.faults.clear()
    await asyncio.sleep(0.1)
    progress(chat, 2 * MB, 10 * MB)
    await anna.sees("20%")
    await progress.stop()
    await anna.sees_gone("⬇️")


class Slowly:
    """The client, whose answers come late: the message is on the customer's screen already."""

    def __init__(self, client) -> None:
        self._client = client

    def __getattr__(self, name: str):
        return getattr(self._client, name)

    async def send_message(self, **given):
        sent = await self._client.send_message(**given)
        await asyncio.sleep(1.0)
        return sent


async def test_a_message_that_is_on_its_way_when_the_bot_stops_goes_too(bot_client, customer):
    anna = await customer("Anna")
    progress = Progress(lambda: Slowly(bot_client), every=0.1)
    progress(f"telegram:{anna.id}", 2 * MB, 10 * MB)
    await anna.sees("20%")
    await progress.stop()
    await anna.sees_gone("⬇️")
