"""The page shows a question without its personal information, and says what was taken out of it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from core.contract import Masked, PersonalInformation, Text
from core.errors import PersonalInformationRefused
from tests.web.pages.support_visit import DONE, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

FOUND = (PersonalInformation("sin", 1),)
QUESTION = "Mine is [social insurance number removed], what now?"


async def test_a_masked_question_is_shown_as_it_is_stored(visiting: Visiting) -> None:
    """A note at the question names the kinds; screen readers hear it; editing begins with the masked text."""
    async with visiting([Masked(FOUND, QUESTION), Text("Hello."), DONE]) as visit:
        await visit.ask("Mine is 193 456 787, what now?")
        await expect(visit.page.locator("#announcements")).to_contain_text("1 social insurance number")
        await visit.wait_for_answer()

        question = visit.page.locator(".question")
        await expect(question.locator(".body")).to_have_text(QUESTION)
        await expect(question.locator(".note")).to_contain_text("Personal information was removed: 1 social insurance")
        assert "456 787" not in await question.inner_html()
        await question.get_by_role("button", name="Edit").click()
        await expect(question.locator("textarea")).to_have_value(QUESTION)


async def test_a_refused_question_returns_to_the_field(visiting: Visiting) -> None:
    """The person reads which kinds may not be sent, and can change the question."""
    async with visiting([PersonalInformationRefused(FOUND)]) as visit:
        await visit.ask("Mine is 193 456 787")

        await expect(visit.page.locator(".error")).to_contain_text("1 social insurance number")
        await expect(visit.page.locator("#question")).to_have_value("Mine is 193 456 787")
        await expect(visit.page.locator(".error button")).to_have_count(0)
