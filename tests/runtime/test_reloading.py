"""Saving a file brings it live; saving nonsense changes nothing and is told."""

import asyncio
from contextlib import asynccontextmanager

from engine.reloading import reload_on_change, stand_of
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


async def test_a_reload_that_fails_itself_keeps_what_is_live_and_goes_on_watching(tmp_path, monkeypatch, caplog):
    bot = assemble(tmp_path, {"hello": FLOW})
    await bot.app.start()
    whole, broken = bot.app.reload, True

    async def failing():
        if broken:
            raise OSError("no disk")
        return await whole()

    monkeypatch.setattr(type(bot.app), "reload", lambda _: failing())
    async with watched(bot.app) as told:
        file = tmp_path / "flows" / "hello.yaml"
        file.write_text(FLOW.replace("Bye.", "One."), encoding="utf-8")
        async with asyncio.timeout(20):
            while "stay live" not in caplog.text:
                await asyncio.sleep(0.05)
        assert told.empty()
        broken = False
        file.write_text(FLOW.replace("Bye.", "Two."), encoding="utf-8")
        _, live = await next_of(told)
        assert live
    await bot.app.stop()
