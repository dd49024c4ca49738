"""A language that a customer has chosen stays, whatever their channel says and however often the bot starts."""

from dataclasses import dataclass

from engine.actions import Context, action
from engine.core.events import TextReceived
from engine.runtime.languages import chosen, heard, spoken
from engine.runtime.ports import Chat
from engine.runtime.routing import Command
from storage.sqlite_store import SqliteStore
from tests.runtime.harness import assemble, offering

BOT = "bot: Shop\nlanguages: [en, de]\n"
HELLO = """
flow: hello
title: Hello
entry: {commands: [hello]}
second_start: restart
steps:
  name: {ask: text, text: Your name?}
  end: {text: Bye., end: completed}
"""
CHOOSE = """
flow: choose
title: Choose
entry: {commands: [choose]}
second_start: restart
steps:
  which: {ask: text, text: Which?}
  speak:
    do: own.speak
    with: {language: which}
    transitions: {failed: done}
  done: {text: Thank you., end: completed}
"""
GERMAN = """
texts:
  hello: {title: Hallo, name.text: Ihr Name?, end.text: Auf bald.}
  choose: {title: Wahl, which.text: Welche?, done.text: Danke.}
"""


@dataclass(frozen=True)
class Asked:
    """It was asked for."""


@action()
async def speak(context: Context, *, language: str) -> Asked:
    """Speak it: an external action, so the engine is asked after the call."""
    context.speak("" if language == "none" else language)
    return Asked()


def begun(folder, **more):
    (folder / "flows" / "locales").mkdir(parents=True, exist_ok=True)
    (folder / "flows" / "locales" / "de.yaml").write_text(GERMAN.strip() + "\n", encoding="utf-8")
    return assemble(folder, {"bot": BOT, "hello": HELLO, "choose": CHOOSE}, offers=offering("own", speak), **more)


async def chooses(bot, language):
    await bot.send(Command(name="choose"), language="en")
    await bot.send(TextReceived(at=bot.clock.now(), text=language), language="en")


async def greeted(bot):
    await bot.send(Command(name="hello"), language="en")
    return bot.last


async def test_a_chosen_language_stays(tmp_path):
    bot = begun(tmp_path, store=SqliteStore(tmp_path / "b.sqlite3"))
    await bot.app.start()
    assert await greeted(bot) == "Your name?"
    await chooses(bot, "de")
    assert "Danke." in bot.screen.texts(bot.chat), "at once"
    assert await greeted(bot) == "Ihr Name?"
    await bot.app.stop()

    again = begun(tmp_path, store=SqliteStore(tmp_path / "b.sqlite3"), seed=2)
    again.count = 100
    await again.app.start()
    assert await greeted(again) == "Ihr Name?"
    await chooses(again, "none")
    assert await greeted(again) == "Your name?"
    await again.app.stop()


async def test_the_menu_of_commands_is_in_each_language(tmp_path):
    bot = begun(tmp_path)
    for language, titles in (("en", ["Choose", "Hello"]), ("de", ["Wahl", "Hallo"]), ("fr", ["Choose", "Hello"])):
        menu = bot.app.runtime.commands(Chat(id="terminal:anna", language=language))
        assert [title for _, title in menu] == titles


async def test_a_language_that_the_bot_does_not_speak_changes_nothing(tmp_path):
    bot = begun(tmp_path)
    await bot.app.start()
    for wrong in ("fr", "=de", "x" * 500):
        await chooses(bot, wrong)
        assert await greeted(bot) == "Your name?"
    await bot.app.stop()


def test_how_a_chat_keeps_its_language():
    assert heard("en", "de") == "de"
    assert heard("en", None) == heard("en", "") == "en"
    assert heard(chosen("ru"), "de") == chosen("ru")
    assert heard(chosen(""), "de") == "de"
    assert [spoken(kept) for kept in (chosen("ru"), "en", "")] == ["ru", "en", ""]
