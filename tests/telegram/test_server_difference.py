"""updates.getDifference on the loopback server and the ways updates are pushed, or not: what a bot that was away can
rely on."""

import asyncio

import pytest
from pyrogram import Client, enums, errors, raw

from tests.telegram.server import API_HASH, API_ID

T = raw.types


class Watcher(Client):
    """A bare bot that keeps every updates object that is pushed to it."""

    def __init__(self, bot):
        super().__init__(
            "watcher",
            api_id=API_ID,
            api_hash=API_HASH,
            session_string=bot.session_string(),
            in_memory=True,
            parse_mode=enums.ParseMode.DISABLED,
        )
        self.pushed = []

    async def handle_updates(self, updates):
        self.pushed.append(updates)

    @property
    def texts(self):
        each = [update for pack in self.pushed if isinstance(pack, T.Updates) for update in pack.updates]
        return [update.message.message for update in each if isinstance(update, T.UpdateNewMessage)]


@pytest.fixture
async def watcher(server, bot):
    client = Watcher(bot)
    await client.start()
    yield client
    server.faults.clear()
    await asyncio.wait_for(client.stop(), 5)


async def difference(client, pts):
    return await client.invoke(raw.functions.updates.GetDifference(pts=pts, date=1, qts=0))


async def state(client):
    return await client.invoke(raw.functions.updates.GetState())


async def test_what_came_while_the_bot_was_away_is_kept_in_order(server, bot):
    anna, bob = server.add_customer("Anna"), server.add_customer("Bob")
    first = Watcher(bot)
    await first.start()
    before = (await state(first)).pts
    assert isinstance(await difference(first, before), T.updates.DifferenceEmpty)
    await first.stop()

    for number in range(3):
        server.post(anna, bot, f"anna {number}")
        server.post(bob, bot, f"bob {number}")
    server.post(bot, anna, "sent meanwhile")
    second = Watcher(bot)
    await second.start()
    got = await difference(second, before)
    assert isinstance(got, T.updates.Difference)
    assert [message.message for message in got.new_messages] == [
        "anna 0",
        "bob 0",
        "anna 1",
        "bob 1",
        "anna 2",
        "bob 2",
        "sent meanwhile",
    ]
    assert got.new_messages[-1].out
    assert [type(update) for update in got.other_updates] == [T.UpdateMessageID]
    assert {user.first_name for user in got.users} == {"Anna", "Bob", "Print bot"}
    assert got.state.pts == before + 7 == (await state(second)).pts
    assert second.pushed == []
    await second.stop()


async def test_a_long_difference_comes_in_slices(server, bot, watcher):
    anna = server.add_customer("Anna")
    before = (await state(watcher)).pts
    server.difference_slice = 2
    for number in range(5):
        server.post(anna, bot, str(number))
    pts, texts, kinds = before, [], []
    while True:
        got = await difference(watcher, pts)
        kinds.append(type(got).__name__)
        texts += [message.message for message in got.new_messages]
        if isinstance(got, T.updates.Difference):
            break
        pts = got.intermediate_state.pts
    assert texts == ["0", "1", "2", "3", "4"]
    assert kinds == ["DifferenceSlice", "DifferenceSlice", "Difference"]


async def test_a_difference_too_long_goes_on_from_its_pts(server, bot, watcher):
    anna = server.add_customer("Anna")
    before = (await state(watcher)).pts
    for number in range(5):
        server.post(anna, bot, str(number))
    server.faults.difference_too_long(keep=2)
    got = await difference(watcher, before)
    assert isinstance(got, T.updates.DifferenceTooLong)
    got = await difference(watcher, got.pts)
    assert [message.message for message in got.new_messages] == ["3", "4"]
    skipped = await watcher.get_messages(chat_id=anna.id, message_ids=[1, 2, 3])
    assert [message.text for message in skipped] == ["0", "1", "2"]


async def test_a_difference_shows_edits_and_not_what_was_deleted(server, bot, watcher, customer):
    anna = await customer("Anna")
    before = (await state(watcher)).pts
    gone, kept = await anna.says("gone"), await anna.says("kept")
    await anna.edits(kept, "kept, better")
    await anna.deletes(gone)
    got = await difference(watcher, before)
    assert [message.message for message in got.new_messages] == ["kept, better"]
    assert [type(update) for update in got.other_updates] == [T.UpdateEditMessage, T.UpdateDeleteMessages]


async def test_pts_grow_without_a_hole_over_all_that_happens(server, bot, watcher, customer):
    anna = await customer("Anna")
    before = (await state(watcher)).pts
    await anna.says("one")
    sent = await watcher.send_message(chat_id=anna.id, text="two")
    await watcher.edit_message_text(chat_id=anna.id, message_id=sent.id, text="two, edited")
    await watcher.send_message(chat_id=anna.id, text="three")
    await watcher.delete_messages(chat_id=anna.id, message_ids=[sent.id])
    log = [logged.update for logged in bot.log if logged.pts > before]
    assert [update.pts - update.pts_count for update in log] == [before, *[update.pts for update in log[:-1]]]
    assert log[-1].pts == (await state(watcher)).pts


async def test_an_empty_pts_is_refused(watcher):
    with pytest.raises(errors.BadRequest, match="PERSISTENT_TIMESTAMP_EMPTY"):
        await difference(watcher, 0)


@pytest.mark.parametrize(
    ("shape", "kinds"),
    [("full", ["Updates"]), ("short", ["UpdateShortMessage"]), ("too_long", ["UpdatesTooLong"]), ("none", [])],
)
async def test_the_shapes_of_a_push(server, bot, watcher, shape, kinds):
    anna = server.add_customer("Anna")
    before = (await state(watcher)).pts
    server.pushes = shape
    server.post(anna, bot, "hello")
    await state(watcher)
    assert [type(pack).__name__ for pack in watcher.pushed] == kinds
    got = await difference(watcher, before)
    assert got.new_messages[0].message == "hello"


async def test_pushes_doubled_swallowed_and_reordered(server, bot, watcher):
    anna = server.add_customer("Anna")
    await state(watcher)
    server.faults.duplicate_push(account=bot)
    server.post(anna, bot, "twice")
    server.faults.swallow_push(account=bot)
    server.post(anna, bot, "never")
    server.faults.reorder_pushes(3, account=bot)
    for text in ("a", "b", "c", "d"):
        server.post(anna, bot, text)
    await state(watcher)
    assert watcher.texts == ["twice", "twice", "c", "b", "a", "d"]


async def test_a_session_for_files_gets_no_updates(server, bot, watcher, customer):
    anna = await customer("Anna")
    await anna.sends_file(server.pattern(3 * 2**20 - 1))
    message = await watcher.get_messages(chat_id=anna.id, message_ids=1)
    async for _ in watcher.stream_media(message=message):
        await anna.says("meanwhile")
    await state(watcher)
    assert watcher.texts == ["", "meanwhile", "meanwhile", "meanwhile"]
