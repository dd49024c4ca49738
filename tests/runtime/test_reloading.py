"""Saving a file brings it live; saving nonsense changes nothing and is told."""

import asyncio
from contextlib import asynccontextmanager

from engine.core.events import TextReceived
from engine.reloading import reload_on_change, stand_of
from engine.runtime.routing import Command
from tests.runtime.harness import assemble

FLOW = """
flow: hello
title: Hello
entry: {commands: [hello]}
steps:
  name: {ask: text, text: Your name?}
  end: {text: Bye., end: completed}
"""


@asynccontextmanager
async def watched(app):
    """The app with a watcher; gives a queue of (report, live)."""
    told = asyncio.Queue()

    async def tell(loaded, live):
        told.put_nowait((loaded.report, live))

    task = asyncio.create_task(reload_on_change(app, tell, stand_of(app.settings.flows)))
    await asyncio.sleep(0.3)
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def next_of(told):
    return await asyncio.wait_for(told.get(), 20)


async def test_good_bad_and_good_again(tmp_path):
    bot = assemble(tmp_path, {"hello": FLOW})
    await bot.app.start()
    file = tmp_path / "flows" / "hello.yaml"
    async with watched(bot.app) as told:
        file.write_text(FLOW.replace("Your name?", "Who are you?"), encoding="utf-8")
        report, live = await next_of(told)
        assert live
        assert report.ok
        await bot.command("hello")
        assert bot.last == "Who are you?"

        file.write_text(FLOW.replace("ask: text", "aks: text"), encoding="utf-8")
        report, live = await next_of(told)
        assert not live
        assert report.findings[0].span.line == 6
        await bot.types("Anna")
        assert bot.last == "Bye.", "what was live stays live"

        file.write_text(FLOW, encoding="utf-8")
        report, live = await next_of(told)
        assert live
        await bot.command("hello")
        assert bot.last == "Your name?"
    await bot.app.stop()


async def test_other_files_and_an_editors_traces_are_no_reason_to_reload(tmp_path):
    bot = assemble(tmp_path, {"hello": FLOW})
    await bot.app.start()
    folder = tmp_path / "flows"
    async with watched(bot.app) as told:
        for name in ("notes.txt", ".hello.yaml.swp", ".#hello.yaml", "hello.yaml~"):
            (folder / name).write_text("x", encoding="utf-8")
        await asyncio.sleep(0.5)
        assert told.empty()
        # An editor that writes beside and renames over it.
        (folder / "new.tmp").write_text(FLOW.replace("Bye.", "See you."), encoding="utf-8")
        (folder / "new.tmp").replace(folder / "hello.yaml")
        _, live = await next_of(told)
        assert live
    await bot.app.stop()


async def test_a_reload_that_fails_itself_keeps_what_is_live_and_goes_on_watching(tmp_path, monkeypatch):
    bot = assemble(tmp_path, {"hello": FLOW})
    await bot.app.start()
    whole, broken, tried = bot.app.reload, True, asyncio.Event()

    async def failing():
        if broken:
            tried.set()
            raise OSError("no disk")
        return await whole()

    monkeypatch.setattr(type(bot.app), "reload", lambda _: failing())
    async with watched(bot.app) as told:
        file = tmp_path / "flows" / "hello.yaml"
        file.write_text(FLOW.replace("Bye.", "One."), encoding="utf-8")
        await asyncio.wait_for(tried.wait(), 20)
        assert told.empty()
        broken = False
        file.write_text(FLOW.replace("Bye.", "Two."), encoding="utf-8")
        _, live = await next_of(told)
        assert live
    await bot.app.stop()


async def test_who_cannot_be_told_does_not_end_the_watching(tmp_path, caplog):
    bot = assemble(tmp_path, {"hello": FLOW})
    await bot.app.start()
    file, told = tmp_path / "flows" / "hello.yaml", asyncio.Queue()

    async def tell(loaded, live):
        told.put_nowait(live)
        raise BrokenPipeError("nobody reads the output any more")

    task = asyncio.create_task(reload_on_change(bot.app, tell, stand_of(bot.app.settings.flows)))
    try:
        await asyncio.sleep(0.3)
        for text in ("One.", "Two."):
            file.write_text(FLOW.replace("Bye.", text), encoding="utf-8")
            assert await next_of(told)
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bot.app.stop()
    assert "could be told" in caplog.text


async def test_a_reload_that_failed_is_tried_again_without_another_save(tmp_path, monkeypatch, caplog):
    bot = assemble(tmp_path, {"hello": FLOW})
    await bot.app.start()
    whole, left = bot.app.reload, [1, 1]

    async def failing():
        if left:
            left.pop()
            raise OSError("no disk")
        return await whole()

    monkeypatch.setattr(type(bot.app), "reload", lambda _: failing())
    monkeypatch.setattr("engine.reloading.LOOK", 100)
    async with watched(bot.app) as told:
        (tmp_path / "flows" / "hello.yaml").write_text(FLOW.replace("Bye.", "One."), encoding="utf-8")
        _, live = await next_of(told)
        assert live
    assert caplog.text.count("stay live: no disk") == 1
    await bot.app.stop()


async def test_a_folder_that_goes_and_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.reloading.LOOK", 200)
    bot = assemble(tmp_path, {"hello": FLOW})
    await bot.app.start()
    folder = tmp_path / "flows"
    async with watched(bot.app) as told:
        folder.rename(tmp_path / "away")
        await asyncio.sleep(0.5)
        await bot.command("hello")
        assert bot.last == "Your name?", "what was live stays live"
        (tmp_path / "away" / "hello.yaml").write_text(FLOW.replace("Your name?", "Who?"), encoding="utf-8")
        (tmp_path / "away").rename(folder)
        async with asyncio.timeout(20):
            while not (await told.get())[1]:
                pass
        await bot.types("Anna")
        await bot.command("hello")
        assert bot.last == "Who?"
    await bot.app.stop()


async def test_a_file_beyond_all_measure_and_two_saves_at_once(tmp_path):
    bot = assemble(tmp_path, {"hello": FLOW})
    await bot.app.start()
    file = tmp_path / "flows" / "hello.yaml"
    async with watched(bot.app) as told:
        slowest = [0.0]
        task = asyncio.create_task(pulse(slowest))
        file.write_text(FLOW + "# filler\n" * 2_300_000, encoding="utf-8")
        report, live = await next_of(told)
        task.cancel()
        assert not live
        assert not report.ok
        assert slowest[0] < 1.0, "the bot goes on meanwhile"
        file.write_text(FLOW.replace("Bye.", "One."), encoding="utf-8")
        await asyncio.sleep(0.05)
        file.write_text(FLOW.replace("Bye.", "Two."), encoding="utf-8")
        async with asyncio.timeout(20):
            while "Two." not in str(bot.app.loaded.texts):
                await told.get()
    await bot.app.stop()


async def pulse(slowest):
    """How long the loop was away at the most."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(0.01)
        slowest[0] = max(slowest[0], loop.time() - before)


GERMAN = "texts:\n  hello:\n    title: Hallo\n    name.text: Wie heißen Sie?\n    end.text: Bis bald.\n"


async def test_a_saved_translation_is_live_and_an_open_conversation_goes_on_in_it(tmp_path):
    bot = assemble(tmp_path, {"hello": FLOW, "bot": "bot: Shop\nlanguages: [en, de]\n"})
    await bot.app.start()
    folder = tmp_path / "flows" / "locales"
    async with watched(bot.app) as told:
        await bot.send(Command(name="hello"), language="de")
        assert bot.last == "Your name?"

        folder.mkdir()
        (folder / "de.yaml").write_text(GERMAN, encoding="utf-8")
        report, live = await next_of(told)
        assert live
        assert report.findings == ()
        await bot.send(TextReceived(at=bot.clock.now(), text="Anna"), language="de")
        assert bot.last == "Bis bald."

        (folder / "de.yaml").write_text(GERMAN.replace("Bis bald.", "Bis bald, {{ nam }}."), encoding="utf-8")
        report, live = await next_of(told)
        assert not live
        assert (report.errors[0].span.file, report.errors[0].span.line) == (str(folder / "de.yaml"), 5)
        await bot.send(Command(name="hello"), language="de")
        assert bot.last == "Wie heißen Sie?", "what was live stays live"
    await bot.app.stop()
