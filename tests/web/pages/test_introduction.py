"""The first screen: who runs the service, what happens to the text, whom to ask, and questions to begin with."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from core.contract import Text
from tests.support.fake_engine import SUGGESTIONS
from tests.web.pages.support_visit import DONE, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


async def test_the_first_screen_says_what_happens_to_the_text(visiting: Visiting) -> None:
    """It names who runs the service, for how long the text is kept, whom to ask, and what not to enter."""
    async with visiting([DONE]) as visit:
        page = visit.page
        await expect(page.locator(".about dd")).to_contain_text(
            ["administrators", "keeps a conversation until 30 days after its last message", "Ask your administrators"]
        )
        await expect(page.locator(".introduction .notice")).to_contain_text(
            "Do not enter protected or personal information."
        )
        await page.get_by_role("button", name="Français").click()
        await expect(page.locator("#retention")).to_contain_text("pendant 30 jours")


async def test_a_suggestion_goes_into_the_field(visiting: Visiting) -> None:
    """It is not sent, keeps what was written, and gives way to another one. After a question, none is shown."""
    async with visiting([Text("Yes."), DONE]) as visit:
        page, field = visit.page, visit.page.locator("#question")
        buttons = page.locator("#suggestions button")
        questions = list(SUGGESTIONS["en"][:3])
        await expect(buttons).to_have_text(questions)
        for at in (0, 1):
            await buttons.nth(at).click()
            await expect(field).to_have_value(questions[at])
            await expect(field).to_be_focused()
        await field.fill("My words")
        await buttons.first.click()
        await expect(field).to_have_value(f"My words\n\n{questions[0]}")
        assert visit.engine.prompts == []
        await field.press("Enter")
        await visit.wait_for_answer()
        await expect(buttons.first).to_be_hidden()


async def test_suggestions_are_those_of_the_personality(visiting: Visiting) -> None:
    """Another personality has its own, in its language."""
    async with visiting([DONE], query="?personality=chuchotte") as visit:
        button = visit.page.locator("#suggestions button").first
        await expect(button).to_have_text(SUGGESTIONS["fr"][0])
        await expect(button).to_have_attribute("lang", "fr")
