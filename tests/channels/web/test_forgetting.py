"""Old messages go with the files that came with them; files that somebody still needs stay."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from engine.channels.web.entries import Received, encoded
from engine.runtime.files import NoSuchFile
from engine.runtime.journal import Entry
from engine.serving import KEPT, forget_old
from tests.channels.web.site import START, Site, new_id


async def sent(site: Site, chat: str, at: timedelta) -> str:
    """A file of the customer, and its ref."""

    async def body() -> AsyncIterator[bytes]:
        yield b"solid"

    stored = await site.app.files.put(body())
    received = Received(name="x.stl", size=5, mime="model/stl", ref=stored.ref, kind="document")
    await site.store.journal.append(
        Entry(chat=chat, at=START + at, kind="file", key=f"{chat}:{new_id()}", payload=encoded(received))
    )
    return stored.ref


async def test_files_that_nothing_takes_go_with_their_messages(site: Site) -> None:
    page = await site.page()
    loose, kept, young = [await sent(site, page.chat, timedelta(days=days)) for days in (0, 0, 80)]
    await site.app.files.keep(kept)
    await page.says("/send")
    await page.sees("Your files, please.")
    status, _ = await site.upload(page, "cube.stl", b"solid")
    assert status == 200
    (named,) = [path.name for path in site.files() if path.suffix == "" and path.name not in (loose, kept, young)]
    await page.sees("cube.stl")
    await site.server.stop()  # so that every input is marked as handled

    await forget_old(site.store, site.app.files, START + KEPT + timedelta(days=1))
    with pytest.raises(NoSuchFile):
        site.app.files.path(loose)
    for ref in (kept, young, named):
        assert site.app.files.path(ref).exists()
    left = await site.store.journal.entries(page.chat)
    assert [entry.at for entry in left] == [START + timedelta(days=80)]
