"""Figures of the page, printed and never asserted as a time: how soon it can be used, how soon a reply shows."""

import time
from statistics import median

from tests.browser.conftest import Server
from tests.browser.screen import Screen

READY = "[data-testid='composer']:not([disabled])"


async def test_how_soon_the_page_can_be_used(serve, context, record_property):
    server: Server = await serve()
    started, loaded = [], []
    page = await context.new_page()
    await page.goto(server.address)
    for _ in range(3):
        await server.stop()
        begun = time.perf_counter()
        await server.start()
        served = time.perf_counter()
        await page.goto(server.address)
        await page.wait_for_selector(READY)
        loaded.append(time.perf_counter() - served)
        started.append(time.perf_counter() - begun)
    await Screen(page).ready()
    record_property("page_usable_ms", round(1000 * median(loaded)))
    record_property("process_start_to_page_usable_ms", round(1000 * median(started)))
    print(f"page usable {1000 * median(loaded):.0f} ms after it is opened, {1000 * median(started):.0f} ms after start")
