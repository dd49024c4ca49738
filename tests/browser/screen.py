"""The page as a customer uses it: what stands there, and what a hand would do."""

import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

OPENS_ITSELF = "() => innerWidth > 820 && localStorage.getItem('stepgram.workshop') !== 'closed'"


class Screen:
    """One tab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def by(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    @property
    def messages(self) -> Locator:
        return self.by("message")

    @property
    def answers(self) -> Locator:
        """What the bot said."""
        return self.page.locator('[data-testid="message"][data-from="bot"]')

    async def ready(self) -> None:
        """The page can be used."""
        await expect(self.by("composer")).to_be_enabled()
        await expect(self.by("status")).to_have_text("online")

    async def says(self, text: str) -> None:
        await self.by("composer").fill(text)
        await self.page.keyboard.press("Enter")

    async def reads(self, text: str | re.Pattern[str]) -> None:
        """The newest message of the bot says this."""
        await expect(self.answers.last).to_contain_text(text)

    async def presses(self, label: str | re.Pattern[str]) -> None:
        """The newest button with this label."""
        await self.by("inline-button").filter(has_text=label).last.click()

    async def has_button(self, label: str) -> None:
        await expect(self.by("inline-button").filter(has_text=label).last).to_be_visible()

    async def sends(self, *files: Path) -> None:
        await self.by("file-input").set_input_files([str(file) for file in files])

    async def opens_workshop(self) -> None:
        # Where there is room the page opens the pane by itself, in an idle moment: a click meanwhile would close it.
        by_itself = await self.page.evaluate(OPENS_ITSELF)
        if not by_itself and not await self.by("workshop").is_visible():
            await self.by("workshop-toggle").click()
        await expect(self.by("workshop")).to_be_visible()
        await expect(self.by("workshop-status")).to_be_visible()


async def to_files(screen: Screen, name: str = "Anna Weber") -> None:
    """From /order to the question for the models."""
    await screen.says("/order")
    await screen.reads("Which service do you need?")
    await screen.presses("FDM")
    await screen.reads("What is your name?")
    await screen.says(name)
    await screen.reads("Where do we send the confirmation?")
    await screen.says("anna@example.com")
    await screen.reads("Your phone number")


async def to_summary(screen: Screen, model: Path) -> None:
    """From the models to the summary."""
    await screen.reads("Send your models")
    await screen.sends(model)
    await expect(screen.answers.last).to_contain_text("Files: 1")
    await screen.presses("That's all")
    for question, answer in (
        ("Which material?", "PLA"),
        ("Which quality?", "Standard"),
        ("How strong", "30 %"),
        ("Which colour?", "Black"),
        ("How do you want to get it?", "Pickup"),
    ):
        await screen.reads(question)
        await screen.presses(answer)
    await screen.reads("Please check your order")
