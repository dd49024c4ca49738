"""What makes the chat pleasant: it stays at its end, says things once, and what failed stays where it was."""

import asyncio
import json
from collections.abc import Callable

import pytest
from playwright.async_api import WebSocketRoute, expect

from tests.browser.conftest import shot
from tests.browser.screen import Screen

THINGS = {
    "bot": "bot: Little shop\nlanguages: [en]\nroles: {staff: ['4711']}\n",
    "talk": """
flow: talk
entry: {commands: [talk]}
steps:
  long: {text: LONG}
  guests: {ask: quantity, text: How many guests?, max: 90}
  face: {ask: photo, text: "A photo, please."}
  said: {ask: text, text: Anything else?}
  end: {text: "You said: {{ said }}", end: completed}
""".replace("LONG", '"' + r"Line.\n" * 15 + '"'),
    "call": """
flow: call
entry: {commands: [call]}
steps:
  phone: {ask: phone, text: Your phone number?}
  end: {text: "We call {{ phone }}.", end: completed}
""",
}
DISTANCE = "(log) => Math.round(log.scrollHeight - log.clientHeight - log.scrollTop)"
SHORTER_AND_GROWN = """
() => new Promise((done) => {
  const log = document.querySelector("#log");
  const field = document.querySelector('[data-testid="composer"]');
  const passing = document.createElement("div");
  passing.style.cssText = "flex: none; height: 20px";
  log.append(passing);
  log.scrollTo({ top: log.scrollHeight, behavior: "instant" });
  const moved = [];
  const later = (then) => requestAnimationFrame(() => requestAnimationFrame(then));
  later(() => {
    log.addEventListener("scroll", () => moved.push(log.scrollTop));
    passing.remove();
    setTimeout(() => {
      field.value = "one\\n".repeat(10);
      field.dispatchEvent(new Event("input"));
      later(() => setTimeout(() => done(moved)));
    });
  });
})
"""
LENGTH_STILL_AND_SLIDING = """
() => {
  const log = document.querySelector("#log");
  const last = log.querySelector(".row:last-child .stack");
  for (const row of log.querySelectorAll(".stack")) row.style.animation = "none";
  const still = log.scrollHeight;
  last.style.translate = "0 8px";
  return [still, log.scrollHeight];
}
"""
PICTURE = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='900'><rect width='900' height='900' fill='red'/></svg>"
)


async def arrive(visit, server) -> Screen:
    screen = Screen(await visit(server.address))
    await screen.ready()
    return screen


async def at_end(screen: Screen) -> None:
    await expect(screen.by("jump")).to_be_hidden()
    await screen.page.wait_for_function(
        "() => { const log = document.querySelector('#log'); return (" + DISTANCE + ")(log) < 2; }"
    )


async def painted(screen: Screen, file) -> None:
    """A real photo, made by the browser."""
    picture = await screen.page.context.new_page()
    await picture.set_content(PICTURE)
    await picture.screenshot(path=file, type="jpeg")
    await picture.close()


async def test_the_chat_stays_at_its_end_while_pictures_come_and_the_field_grows(serve, visit, tmp_path):
    screen = await arrive(visit, await serve(THINGS))
    await screen.page.set_viewport_size({"width": 390, "height": 700})
    await screen.says("/talk")
    await screen.reads("How many guests?")
    await screen.by("composer").fill("one\n" * 10)
    await at_end(screen)
    await screen.by("composer").fill("")
    await at_end(screen)
    await screen.presses("Take")
    await screen.reads("A photo, please.")
    await painted(screen, tmp_path / "face.jpg")
    await screen.by("photo-input").set_input_files(tmp_path / "face.jpg")
    await screen.reads("Anything else?")
    await expect(screen.by("picture").last.locator("img")).to_have_js_property("complete", True)
    await at_end(screen)
    await shot(screen.page, "10-photo")


async def test_the_field_grows_while_the_end_comes_nearer(serve, visit):
    """The browser moves a log that became shorter, and tells it after the field has grown: nobody has scrolled."""
    screen = await arrive(visit, await serve(THINGS))
    await screen.page.set_viewport_size({"width": 390, "height": 500})
    await screen.says("/talk")
    await screen.reads("How many guests?")
    await at_end(screen)
    moved = await screen.page.evaluate(SHORTER_AND_GROWN)
    assert len(moved) > 1, "the browser told that it moved the log"
    await at_end(screen)


async def test_a_row_that_slides_in_does_not_make_the_log_longer(serve, visit):
    screen = await arrive(visit, await serve(THINGS))
    await screen.page.set_viewport_size({"width": 390, "height": 500})
    await screen.says("/talk")
    await screen.reads("How many guests?")
    still, sliding = await screen.page.evaluate(LENGTH_STILL_AND_SLIDING)
    assert sliding == still


async def test_who_reads_further_up_is_left_there(serve, visit):
    screen = await arrive(visit, await serve(THINGS))
    await screen.page.set_viewport_size({"width": 390, "height": 500})
    for _ in range(3):
        await screen.says("/talk")
        await screen.reads("How many guests?")
        await screen.presses("Take")
        await screen.reads("A photo, please.")
        await screen.says("/cancel")
    await at_end(screen)
    log = screen.page.locator("#log")
    await log.hover()
    await screen.page.mouse.wheel(0, -400)
    await expect(screen.by("jump")).to_be_visible()
    before = await log.evaluate("(log) => log.scrollTop")
    await screen.page.reload()
    await screen.ready()
    await at_end(screen)
    await log.hover()
    await screen.page.mouse.wheel(0, -400)
    await expect(screen.by("jump")).to_be_visible()
    await screen.by("jump").click()
    await at_end(screen)
    assert before > 0


async def test_what_failed_stays_where_it_was_sent(serve, visit, tmp_path):
    screen = await arrive(visit, await serve(THINGS, STEPGRAM_WEB_MAX_FILE="1000"))
    big = tmp_path / "big.stl"
    big.write_bytes(b"x" * 2000)
    await screen.says("/talk")
    await screen.reads("How many guests?")
    await screen.sends(big)
    failed = screen.messages.filter(has_text="big.stl")
    await expect(failed).to_contain_text("1000 B at most")
    await screen.says("3")
    await screen.reads("A photo, please.")
    texts = await screen.messages.all_inner_texts()
    assert ["big.stl" in text for text in texts].index(True) < len(texts) - 2
    await screen.by("remove").click()
    await expect(failed).to_have_count(0)


async def test_a_drawing_is_no_photo(serve, visit, tmp_path):
    screen = await arrive(visit, await serve(THINGS))
    await screen.says("/talk")
    await screen.presses("Take")
    await screen.reads("A photo, please.")
    drawing = tmp_path / "face.svg"
    drawing.write_text(PICTURE)
    await screen.by("photo-input").set_input_files(drawing)
    await expect(screen.messages.filter(has_text="face.svg")).to_be_visible()
    await expect(screen.answers.filter(has_text="Anything else?")).to_have_count(0)


async def test_dark_signs_are_light_on_buttons(serve, visit):
    screen = await arrive(visit, await serve(THINGS))
    await screen.says("/talk")
    await screen.reads("How many guests?")
    sign = screen.by("inline-button").filter(has_text="➕").locator(".sign")
    await expect(sign).to_have_css("filter", "brightness(0) invert(1)")
    for wanted in ("Take 2", "Take 3", "Take 4"):
        await screen.presses("➕")
        await screen.has_button(wanted)
    await screen.by("inline-button").filter(has_text="➕").last.dblclick()
    await screen.has_button("Take 5")


async def test_markup_that_was_typed_is_text_and_no_command(serve, visit):
    screen = await arrive(visit, await serve(THINGS))
    await screen.says("</b> and /talk")
    typed = screen.messages.filter(has_text="</b> and /talk").first
    await expect(typed.locator(".command")).to_have_text(["/talk"])


async def test_what_is_typed_before_the_server_has_answered_is_kept(serve, context):
    server, page = await serve(THINGS), await context.new_page()

    def slowly(socket: WebSocketRoute) -> None:
        line = socket.connect_to_server()
        line.on_message(lambda frame: asyncio.get_running_loop().call_later(1, socket.send, frame))

    await page.route_web_socket("**/ws", slowly)
    await page.goto(server.address)
    screen = Screen(page)
    await screen.by("composer").fill("/talk")
    await screen.ready()
    await expect(screen.by("composer")).to_have_value("/talk")
    await screen.by("composer").press("Enter")
    await screen.reads("How many guests?")


async def test_enter_keeps_a_new_name_and_closes_the_panel(serve, visit):
    screen = await arrive(visit, await serve(THINGS))
    await screen.by("person-switch").click()
    await screen.by("person-name").fill("Zoë <b>")
    await screen.page.keyboard.press("Enter")
    await expect(screen.by("person-switch")).to_contain_text("Zoë <b>")
    await expect(screen.by("person-name")).to_be_hidden()


async def test_a_phone_number_is_looked_at_before_it_is_shared(serve, visit):
    screen = await arrive(visit, await serve(THINGS))
    await screen.says("/call")
    await screen.by("share-contact").click()
    await screen.by("contact-phone").fill("nonsense")
    await screen.by("contact-send").click()
    await expect(screen.by("contact")).to_be_visible()
    await screen.by("contact-phone").fill("+49 30 901820")
    await screen.by("contact-send").click()
    await screen.reads("We call")
    await screen.says("/call")
    await screen.by("share-contact").click()
    await expect(screen.by("contact-phone")).to_have_value("+49 30 901820")


@pytest.mark.parametrize("pane", [True, False])
async def test_a_complaint_is_shown_once(serve, context, pane):
    server = await serve(THINGS)
    await context.add_init_script(f"localStorage.setItem('stepgram.workshop', '{'open' if pane else 'closed'}')")
    page = await _through(context, server.address, tail='{"type": "error", "text": "Something is wrong."}')
    screen = Screen(page)
    await screen.ready()
    if pane:
        await screen.opens_workshop()
    await screen.says("complain")
    await expect(page.get_by_text("Something is wrong.")).to_have_count(1)
    await expect(screen.by("toast")).to_have_count(0 if pane else 1)


async def _through(context, address: str, *, tail: str):
    """The page with a server that complains about every text `complain`."""
    page = await context.new_page()
    await page.set_viewport_size({"width": 1440, "height": 900})

    def between(socket: WebSocketRoute) -> None:
        real = socket.connect_to_server()

        def passed(message: str | bytes) -> None:
            real.send(message)
            if json.loads(message).get("text") == "complain":
                socket.send(tail)

        socket.on_message(passed)

    await page.route_web_socket("**/ws", between)
    await page.goto(address)
    return page


async def test_a_hello_that_is_refused_says_so_and_is_tried_again(serve, context):
    server = await serve(THINGS)
    page = await context.new_page()
    hellos = []
    held: list[Callable[[], None]] = []  # the second try waits until the complaint was seen

    def between(socket: WebSocketRoute) -> None:
        real = socket.connect_to_server()

        def passed(message: str | bytes) -> None:
            said = json.loads(message)
            if said["type"] == "hello":
                hellos.append(said["person"])
            full = said.get("person") == "new" or len(hellos) == 1
            if said["type"] == "hello" and full:
                socket.send('{"type": "error", "text": "There are 1000 customers already."}')
            elif said["type"] == "hello" and len(hellos) == 2:
                held.append(lambda: real.send(message))
            else:
                real.send(message)

        socket.on_message(passed)

    await page.route_web_socket("**/ws", between)
    await page.goto(server.address)
    screen = Screen(page)
    banner = screen.by("connection")
    await expect(banner).to_contain_text("There are 1000 customers already.")
    while not held:
        await page.wait_for_timeout(20)
    held.pop()()
    await expect(banner).to_be_hidden()
    await expect(screen.by("status")).to_have_text("online")

    await screen.by("person-switch").click()
    await screen.by("new-person").click()
    await expect(screen.by("toast")).to_contain_text("1000 customers")
    await expect(screen.by("status")).to_have_text("online")
    await expect(screen.by("person-switch")).to_contain_text("Customer 1")
    assert hellos[-2] == "new"
    assert hellos[-1] not in (None, "new")


async def test_a_pane_never_covers_the_chat_because_the_window_became_narrow(serve, visit):
    screen = await arrive(visit, await serve(THINGS))
    await screen.opens_workshop()
    await screen.page.set_viewport_size({"width": 360, "height": 640})
    await expect(screen.by("workshop")).to_be_hidden()
    await screen.by("person-switch").click()
    box = await screen.page.locator("#people").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    await screen.page.keyboard.press("Escape")
    await screen.page.set_viewport_size({"width": 1440, "height": 900})
    await expect(screen.by("workshop")).to_be_visible()


async def test_presses_made_while_the_server_is_away_are_made_up_for_and_spin_no_longer(serve, visit):
    server = await serve(THINGS)
    screen = await arrive(visit, server)
    await screen.says("/talk")
    await screen.reads("How many guests?")
    await server.kill()
    await expect(screen.by("connection")).to_be_visible()
    await screen.presses("➕")
    await expect(screen.page.locator(".key[aria-busy]")).to_have_count(1)
    await server.start()
    await screen.has_button("Take 2")
    await expect(screen.page.locator(".key[aria-busy]")).to_have_count(0)
    await expect(screen.by("inline-button").filter(has_text="Take 2")).to_have_count(1)


async def test_the_same_refusal_is_one_toast(serve, visit):
    screen = await arrive(visit, await serve(THINGS))
    await screen.says("/talk")
    await screen.presses("Take")
    await screen.reads("A photo, please.")
    old = screen.by("inline-button").filter(has_text="➕").first
    for _ in range(3):
        await old.click()
        await expect(old).not_to_have_attribute("aria-busy", "true")
    await expect(screen.by("toast")).to_have_count(1)
