"""The main job in a real browser: from /order to the number, and what people do on the way."""

import re
from statistics import median

import pytest
from playwright.async_api import expect

from tests.browser.conftest import shot
from tests.browser.screen import Screen, to_files, to_summary

NUMBER = re.compile(r"P-\d{6}-\w{4}")


@pytest.fixture
def model(tmp_path):
    file = tmp_path / "bracket.stl"
    file.write_bytes(b"solid bracket\nendsolid bracket\n" * 2000)
    return file


async def arrive(visit, server) -> Screen:
    screen = Screen(await visit(server.address))
    await screen.ready()
    return screen


async def test_from_order_to_the_number_with_a_file_a_back_and_an_edit(serve, visit, model):
    screen = await arrive(visit, await serve())
    await shot(screen.page, "01-first-visit")
    await to_files(screen)
    await screen.presses("Skip")
    await screen.reads("Send your models")

    await screen.presses("Back")
    await screen.reads("Your phone number")
    await screen.says("+49 30 901820")
    await to_summary(screen, model)
    await screen.reads("+49 30 901820")
    await screen.reads("1 file")
    await shot(screen.page, "02-summary")

    await screen.presses("Change something")
    await screen.presses("Name")
    await screen.says("Anna Maria Weber")
    await screen.reads("Please check your order")
    await screen.reads("Anna Maria Weber")
    await screen.presses("✅ Order")
    await screen.reads(NUMBER)
    await shot(screen.page, "03-number")

    await screen.says("/my_orders")
    await screen.reads(re.compile(r"P-\d{6}-\w{4}|orders", re.IGNORECASE))


async def test_on_a_phone_the_same(serve, browser, complaints, model):
    server = await serve()
    phone = await browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = await phone.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(server.address)
    screen = Screen(page)
    await screen.ready()
    await expect(screen.by("workshop")).to_be_hidden()
    await to_files(screen)
    await screen.presses("Skip")
    await shot(page, "05-phone")
    await to_summary(screen, model)
    await shot(page, "06-phone-summary")
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "nothing stands out at the side"
    await screen.opens_workshop()
    await shot(page, "07-phone-workshop")
    await screen.by("workshop-close").click()
    await screen.presses("✅ Order")
    await screen.reads(NUMBER)
    await phone.close()


async def test_nonsense_is_answered_with_what_to_do(serve, visit):
    screen = await arrive(visit, await serve())
    await screen.says("hello?")
    await screen.reads("/order")
    await screen.says("/order")
    await screen.presses("FDM")
    await screen.says("<img src=x onerror=alert(1)>")
    await screen.reads("Letters, spaces, hyphens")
    await expect(screen.page.locator('[data-testid="message"] img')).to_have_count(0)
    await screen.says("1")
    await screen.reads("between 2 and 50")


async def test_reload_and_restart_in_the_middle_lose_nothing(serve, visit, model):
    server = await serve()
    screen = await arrive(visit, server)
    await to_files(screen)
    before = await screen.messages.count()
    await screen.page.reload()
    await screen.ready()
    await expect(screen.messages).to_have_count(before)
    await screen.reads("Your phone number")

    await server.kill()
    await expect(screen.by("connection")).to_be_visible()
    await screen.says("+49 30 901820")  # while nobody is there
    await server.start()
    await screen.reads("Send your models")
    await expect(screen.messages).to_have_count(before + 2)
    await screen.page.reload()
    await screen.ready()
    await expect(screen.messages).to_have_count(before + 2)
    await to_summary(screen, model)
    await screen.presses("✅ Order")
    await screen.reads(NUMBER)


async def test_two_customers_at_once_each_see_their_own(serve, visit, model):
    server = await serve()
    anna = await arrive(visit, server)
    ben = await arrive(visit, server)
    await to_files(anna, "Anna Weber")
    await to_files(ben, "Ben Müller")
    await anna.presses("Skip")
    await ben.presses("Skip")
    await to_summary(anna, model)
    await to_summary(ben, model)
    await anna.reads("Anna Weber")
    await ben.reads("Ben Müller")
    await expect(ben.messages.filter(has_text="Anna Weber")).to_have_count(0)
    await anna.presses("✅ Order")
    await ben.presses("✅ Order")
    await anna.reads(NUMBER)
    await ben.reads(NUMBER)
    numbers = {NUMBER.search(await one.answers.last.inner_text())[0] for one in (anna, ben)}
    assert len(numbers) == 2


async def test_a_conversation_expires_when_the_clock_is_turned(serve, visit):
    screen = await arrive(visit, await serve())
    await to_files(screen)
    await screen.opens_workshop()
    await shot(screen.page, "04-workshop")
    await screen.by("clock-next").click()
    await screen.reads("was open for a day and has been closed")
    await screen.presses("Skip")
    await expect(screen.by("toast")).to_contain_text("over")


async def test_old_buttons_and_double_presses_do_no_harm(serve, visit):
    screen = await arrive(visit, await serve())
    await screen.says("/order")
    await screen.has_button("FDM")
    button = screen.by("inline-button").filter(has_text="FDM").first
    await button.dblclick()
    await screen.reads("What is your name?")
    await expect(button).not_to_have_attribute("aria-busy", "true")
    await button.click()
    await expect(screen.by("toast")).to_be_visible()
    await screen.says("Anna")
    await screen.reads("Where do we send the confirmation?")
    await button.click()
    await screen.reads("Where do we send the confirmation?")
    await expect(screen.answers.filter(has_text="What is your name?")).to_have_count(1)


async def test_a_reply_shows_soon_after_the_press(serve, visit, record_property):
    """A figure, not a limit: from the press to the new text on the screen, as the page itself sees it."""
    screen = await arrive(visit, await serve())
    await to_files(screen)
    await screen.presses("Skip")
    took = []
    for _ in range(15):
        await screen.has_button("Back")
        took.append(await screen.page.evaluate(PRESS_BACK))
        await screen.says("+49 30 901820")
        await screen.reads("Send your models")
    figure = median(took)
    record_property("press_to_reply_ms", round(figure, 1))
    print(f"press to reply: median {figure:.1f} ms, longest {max(took):.1f} ms")
    assert took


PRESS_BACK = """
() => new Promise((done) => {
  const list = document.querySelector('[role="log"]');
  const buttons = [...document.querySelectorAll('[data-testid="inline-button"]')];
  const back = buttons.filter((one) => one.textContent.includes("Back")).at(-1);
  const begun = performance.now();
  new MutationObserver((_, observer) => {
    const last = [...document.querySelectorAll('[data-testid="message"][data-from="bot"]')].at(-1);
    if (last.textContent.includes("Your phone number")) {
      observer.disconnect();
      done(performance.now() - begun);
    }
  }).observe(list, {childList: true, subtree: true, characterData: true});
  back.click();
})
"""
