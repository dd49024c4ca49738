"""What the language can show and ask, in small flows, as a customer in Telegram sees it; how a customer finds in."""

from pathlib import Path
from typing import Any

from pyrogram import enums

from tests.channels.web.site import PNG
from tests.telegram.running_bot import RunningBot, bold, soon
from tests.telegram.server import Account, TelegramServer

BOT = """
bot: Print & <shop>
languages: [en, de]
roles: {admin: env:ADMIN_IDS}
settings: {hold: {type: duration, value: 10m}}
"""

SHOWN = """
flow: shown
title: "Shown & <b>seen</b>"
entry: {commands: [show], menu: "Show &amp; tell", deep_link: show}
second_start: restart
steps:
  code: {ask: text, text: "Scan <b>this</b> &amp; go", photo: {qr: "'pay:' ~ customer.id"}}
  place: {ask: location, text: "Where are you?"}
  face: {ask: photo, text: "A picture, please.", photo: {file: logo.png}}
  seen:
    text: "<i>{{ code }}</i> at {{ place.latitude | round(2) }}"
    photo: face
    keyboard: [[{text: Our page, url: "https://example.com/a?b=1&c=2"}], [{text: Go on, trigger: on}]]
    transitions: {on: colours}
  colours:
    ask: choices
    text: Colours?
    keyboard: {red: Red, blue: Blue, green: Green}
    min: 2
  bye: {text: "You like {{ colours | join(', ') }}", end: completed}
"""

LONG = """
flow: long
title: Long
entry: {commands: [long]}
steps:
  word: {ask: text, text: "A word?"}
  all:
    ask: choice
    text: "<b>{% for n in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] %}{{ word }} {% endfor %}</b>END"
    keyboard: {ok: Fine}
  bye: {text: "Bye", end: completed}
"""

WAITING = """
flow: waiting
title: Waiting
entry: {commands: [wait]}
steps:
  pay:
    text: "Please <b>pay</b>. Time left: {{ settings.hold | countdown }}"
    photo: {qr: "'pay:1'"}
    keyboard: [[{text: Drop it, trigger: drop}]]
    refresh: 1m
    wait: {payment.settled: paid}
    timeout: 10m
    transitions: {drop: dropped, timeout: dropped}
  paid: {text: "Thank you, it is paid.", end: completed}
  dropped: {text: "All right, dropped.", end: dropped}
"""

TABLE = """
flow: table
title: Table
arguments: {number: integer?}
entry: {deep_link: {name: table, argument: number}}
steps:
  bye: {text: "A table for {{ number | default(0) }}", end: completed}
"""

TEAM = """
flow: team
title: For the team
only: admin
entry: {commands: [team]}
steps:
  bye: {text: "Hello team", end: completed}
"""

START = """
flow: start
title: Menu
entry: {commands: [start]}
second_start: restart
steps:
  bye: {text: "Hello {{ customer.name }}, this is the start.", end: completed}
"""

FLOWS = {"bot": BOT, "shown": SHOWN, "long": LONG, "waiting": WAITING, "table": TABLE, "team": TEAM, "start": START}


def small(server: TelegramServer, bot: Account, folder: Path, **options: Any) -> RunningBot:
    running = RunningBot(server, bot, folder, flows=FLOWS, **options)
    (folder / "flows" / "logo.png").write_bytes(PNG)
    return running


async def test_pictures_places_links_and_choices(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with small(server, bot, tmp_path):
        anna = await customer("Anna")
        await anna.says("/show")
        code = await anna.sees("Scan this & go")
        assert code.kind == "photo"
        assert bold(code) == ["this"]
        assert (await anna.downloads(code.id)).startswith(b"\x89PNG")
        await anna.says("<b>x</b> & y")
        await anna.sees("Where are you?")
        await anna.says("at home")
        await anna.sees("Please share your location")
        await anna.taps("Share my location")
        face = await anna.sees("A picture, please.")
        assert face.kind == "photo"
        assert await anna.downloads(face.id) == PNG
        await anna.until(lambda: anna.keyboard is None or None, "the key is put away")
        await anna.sends_photo(PNG)
        seen = await anna.sees("<b>x</b> & y at 52.5")
        assert seen.kind == "photo"
        assert [entity.type for entity in seen.message.caption_entities] == [enums.MessageEntityType.ITALIC]
        assert await anna.downloads(seen.id) == PNG
        assert [(button.text, button.url) for row in seen.rows for button in row] == [
            ("Our page", "https://example.com/a?b=1&c=2"),
            ("Go on", None),
            ("⬅️ Back", None),
            ("✖️ Cancel", None),
        ]
        await anna.presses("Go on")
        colours = await anna.sees("Colours?")
        await anna.presses("Red")
        await anna.until(lambda: anna.edits_seen or None, "the tick")
        ticked = anna.with_text("Colours?")
        assert (ticked.id, any("Red" in label and label != "Red" for label in ticked.labels)) == (colours.id, True)
        too_few = await anna.presses("Done")
        assert (too_few.text, too_few.alert) == ("Please choose at least 2.", True)
        await anna.presses("Green")
        await anna.until(lambda: anna.edits_seen == 2 or None, "the second tick")
        await anna.presses("Done")
        await anna.sees("You like")
        assert [text for text in anna.texts if text in ("👇", "👌")] == []


async def test_a_long_text_comes_whole_with_its_buttons_last(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with small(server, bot, tmp_path):
        anna = await customer("Anna")
        await anna.says("/long")
        await anna.sees("A word?")
        before = await anna.says("Wörter 🙂 <und> mehr, " * 40)
        await anna.until(lambda: anna.last.labels or None, "the question")
        await anna.settles()
        pieces = [seen for seen in anna.received if seen.id > before]
        assert all(0 < len(piece.text) <= 4096 for piece in pieces)
        assert "".join(piece.text for piece in pieces).count("Wörter 🙂 <und> mehr") > 150
        assert [bool(piece.labels) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
        await anna.presses("Fine")
        await anna.sees("Bye")


async def test_a_waiting_message_is_redrawn_and_a_signal_ends_it(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with small(server, bot, tmp_path) as running:
        anna = await customer("Anna")
        await anna.says("/wait")
        waiting = await anna.sees("Please pay. Time left:")
        assert waiting.kind == "photo"
        [conversation] = await running.open(anna.chat)
        for count in (1, 2):
            assert await running.runtime.fire(conversation.id, conversation.top.visit.number, "refresh")
            await soon(lambda count=count: server.count("messages.EditMessage", bot) >= count)
        await anna.settles()
        await anna.refreshes()
        assert [seen.id for seen in anna.received] == [waiting.id], "redrawn in place"
        assert bold(anna.last) == ["pay"]
        await running.stop()
        await running.start()
        assert await running.runtime.tell(conversation.id, "payment.settled", {})
        await anna.sees("Thank you, it is paid.")
        answer = await anna.presses("Drop it")
        assert answer.text == "This conversation is over."


async def test_the_ways_in(server: TelegramServer, bot: Account, tmp_path: Path, customer: Any) -> None:
    async with small(server, bot, tmp_path):
        anna = await customer("Anna", started=False)
        await anna.opens()
        await anna.sees("Hello Anna, this is the start.")
        await anna.opens("show")
        first = await anna.sees("Scan this & go")
        await anna.says("/show@print_bot")
        await anna.sees("Scan this & go", after=first.id)
        began = await anna.opens("no_such_link")
        await anna.sees("Hello Anna, this is the start.", after=began)
        await anna.opens("table_4711")
        await anna.sees("A table for 4711")
        await anna.opens("table_x")
        await anna.sees("This link is not valid any more")
        await anna.says("/shwo")
        unknown = await anna.sees("I do not know the command /shwo.")
        assert "/show" in unknown.text
        await anna.says("/team")
        await anna.sees("is not open to you")


async def test_the_menu_of_commands(server: TelegramServer, bot: Account, tmp_path: Path, customer: Any) -> None:
    anna, ann_admin = await customer("Anna"), await customer("Ada")
    environment = {"ADMIN_IDS": str(ann_admin.id)}
    async with small(server, bot, tmp_path, environment=environment) as running:
        everybody = [("start", "Menu"), ("show", "Show & tell"), ("long", "Long"), ("wait", "Waiting")]
        assert sorted(server.menu(bot, anna.account, "en")) == sorted(everybody)
        assert sorted(server.menu(bot, ann_admin.account, "en")) == sorted([*everybody, ("team", "For the team")])
        assert sorted(server.menu(bot, anna.account, "fr")) == sorted(everybody)
        await ann_admin.says("/team")
        await ann_admin.sees("Hello team")
        changes = server.count("bots.SetBotCommands", bot)
        await running.stop()
        await running.start()
        assert server.count("bots.SetBotCommands", bot) == changes, "nothing has changed"
        flow = tmp_path / "flows" / "long.yaml"
        flow.write_text(LONG.replace("title: Long", "title: Longer"), encoding="utf-8")
        await soon(lambda: running.reloads == [True])
        await soon(lambda: ("long", "Longer") in server.menu(bot, anna.account, "en"))
        assert ("long", "Longer") in server.menu(bot, ann_admin.account, "de")
