"""The preview of a page whose address begins a question: by the service, before sending, and with a way out."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from core.contract import Attachment, Text, WebPage
from core.errors import FetchFailed
from tests.support.fake_engine import FakeEngine
from tests.web.pages.support_visit import DONE, Visit, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

LEAVE = "https://leave.example/parental"
PAGE = WebPage(LEAVE, "Congé parental", "page", "Dix-huit mois.", "fr")


def engine_with_pages() -> FakeEngine:
    engine = FakeEngine([Text("Sure."), DONE])
    engine.pages[LEAVE] = PAGE
    engine.pages["https://down.example/"] = FetchFailed("no answer", "silent")
    return engine


def preview(visit: Visit) -> Locator:
    return visit.page.locator("#link-preview")


async def test_the_page_is_shown_before_the_question_is_sent(visiting: Visiting) -> None:
    """With its title, site, kind, length and beginning, announced once. The browser itself asks only the service."""
    async with visiting(engine_with_pages()) as visit:
        question = visit.page.locator("#question")
        await question.fill(f"{LEAVE}, how long is it?")
        await expect(preview(visit)).to_contain_text("Congé parental page of leave.example: 14 characters will be read")
        await expect(preview(visit).locator("bdi")).to_have_attribute("lang", "fr")
        await preview(visit).locator("summary").click()
        await expect(preview(visit).get_by_text("Dix-huit mois.")).to_be_visible()
        await expect(visit.page.locator("#file-announcements p")).to_have_count(1)
        assert await violations(visit.page) == []
        await question.press("End")
        await question.press("!")  # the same address is not read again
        await question.press("Enter")
        await visit.wait_for_answer()

        assert [prompt.text for prompt in visit.engine.prompts] == [f"{LEAVE}, how long is it?!"]
        assert visit.engine.pages_read == [LEAVE]
        await expect(preview(visit)).to_be_hidden()


async def test_an_address_that_cannot_be_read_has_a_reason(visiting: Visiting) -> None:
    """In the interface's language, before sending. An address that is changed is read again, one in the text is not."""
    async with visiting(engine_with_pages(), locale="fr-CA") as visit:
        visit.expected = "502"
        question = visit.page.locator("#question")
        await question.fill("See https://down.example/ please")
        await expect(preview(visit)).to_be_hidden()
        await question.fill("https://down.example/ pourquoi?")
        await expect(preview(visit)).to_contain_text("down.example ne peut pas être lu. Le site ne répond pas.")
        await question.fill(f"{LEAVE} pourquoi?")
        await expect(preview(visit)).to_contain_text("Congé parental")
        await question.fill("Pourquoi?")
        await expect(preview(visit)).to_be_hidden()
        assert visit.engine.pages_read == ["https://down.example/", LEAVE]


async def test_a_page_can_be_left_out(visiting: Visiting) -> None:
    """Its address is then sent as ordinary text. The choice can be taken back, and the focus stays on the button."""
    async with visiting(engine_with_pages()) as visit:
        await visit.page.locator("#question").fill(f"{LEAVE} is a link")
        await visit.page.get_by_role("button", name="Leave out").click()
        await expect(preview(visit)).to_contain_text("only its address is sent")
        await expect(visit.page.get_by_role("button", name="Read it")).to_be_focused()
        await visit.page.keyboard.press("Enter")
        await expect(preview(visit)).to_contain_text("will be read")
        await visit.page.get_by_role("button", name="Leave out").press("Enter")
        await visit.page.locator("#question").press("Enter")
        await visit.wait_for_answer()

        assert [prompt.text for prompt in visit.engine.prompts] == [f"|CONTEXT||/CONTEXT| {LEAVE} is a link"]
        await expect(visit.page.locator(".question .body")).to_have_text(f"{LEAVE} is a link")


async def test_the_page_of_a_later_question_is_attached(visiting: Visiting) -> None:
    """The service reads by itself only the page of a first question. The page is a file that can be removed."""
    async with visiting(engine_with_pages()) as visit:
        await visit.ask("Hello")
        await visit.wait_for_answer()
        await visit.page.locator("#question").fill(f"{LEAVE} how long?")
        await expect(visit.page.get_by_role("button", name="Remove Congé parental")).to_be_visible()
        await expect(preview(visit)).to_be_hidden()
        await visit.page.locator("#question").press("Enter")
        await visit.wait_for_answer()

        assert visit.engine.prompts[-1].attachments == (Attachment("Congé parental", "Dix-huit mois."),)
