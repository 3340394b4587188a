"""The directory of personalities, and the header that stays in reach."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from core.contract import Text
from tests.web.pages.support_visit import DONE, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


async def test_only_a_button_changes_the_personality(visiting: Visiting) -> None:
    """Keys that move through the directory change nothing, and a running answer goes on behind it."""
    more = asyncio.Event()
    async with visiting([Text("One "), more, Text("two."), DONE]) as visit:
        page = visit.page
        await visit.ask("first")
        await expect(page.locator(".answer .body").last).to_contain_text("One")
        await page.locator("#personality").focus()
        for key in ("ArrowDown", "ArrowUp", "End"):
            await page.keyboard.press(key)
        await page.keyboard.press("Enter")
        directory = page.get_by_role("dialog", name="Assistants")
        await expect(directory).to_be_visible()
        cards = directory.locator(".card")
        await expect(cards.first).to_contain_text("Answers in English. Model that answers: fake-model.")
        await expect(cards.first).to_contain_text("This assistant answers now.")
        await expect(cards.last).to_contain_text("Answers in French.")
        await expect(cards.last.locator("h3")).to_have_attribute("lang", "fr")
        assert await violations(page) == []
        await page.keyboard.press("Escape")
        await expect(page.locator("#personality")).to_be_focused()
        more.set()
        await expect(page.locator(".answer .body").last).to_have_text("One two.")
        await page.keyboard.press("Enter")
        await directory.get_by_role("button", name="Choose Chuchotte").press("Enter")
        await expect(page.locator("#title")).to_have_text("Chuchotte")
        await expect(page.locator("#question")).to_be_focused()


async def test_the_language_changes_far_down_in_a_conversation(visiting: Visiting) -> None:
    """The header is in reach, and the place, the focus and the draft stay. In a low window it covers no text."""
    async with visiting([Text("Sure.\n\n" * 60), DONE], viewport={"width": 1000, "height": 800}) as visit:
        page = visit.page
        await visit.ask("first")
        await visit.wait_for_answer()
        await page.locator("#question").fill("a thought")
        await page.evaluate("() => scrollTo({ top: 900, behavior: 'instant' })")
        await expect(page.locator("#language")).to_be_in_viewport(ratio=1)
        await page.click("#language")
        await expect(page.locator("html")).to_have_attribute("lang", "fr")
        await expect(page.locator("#language")).to_be_focused()
        await expect(page.locator("#question")).to_have_value("a thought")
        assert abs(await page.evaluate("() => scrollY") - 900) < 100
        await page.set_viewport_size({"width": 320, "height": 400})
        await expect(page.locator(".top")).to_have_css("position", "static")
