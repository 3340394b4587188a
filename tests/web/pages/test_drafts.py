"""Drafts: each conversation has its own, also after the tab was closed and beside other tabs."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from core.contract import Text
from tests.web.pages.support_visit import DONE, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

OPEN = "() => sessionStorage.getItem('csps-llm:session:whisper')"
SHOW = "session => sessionStorage.setItem('csps-llm:session:whisper', session)"


async def type_draft(page: Page, text: str) -> None:
    await page.locator("#question").fill(text)


async def test_a_draft_survives_the_tab(visiting: Visiting) -> None:
    """A new tab shows it. Once it is empty, the browser keeps nothing of it."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await type_draft(visit.page, "unfinished")
        other = await visit.page.context.new_page()
        await visit.page.close()
        await other.goto(f"{visit.origin}/static/index.html")
        await expect(other.locator("#question")).to_have_value("unfinished")
        await type_draft(other, "")
        await other.wait_for_function(
            "() => !JSON.stringify({...localStorage, ...sessionStorage}).includes('unfinished')"
        )


async def test_each_conversation_has_its_own_draft(visiting: Visiting) -> None:
    """Another tab that shows the same conversation begins with its draft. Neither changes what the other shows."""
    async with visiting([Text("Sure."), DONE]) as visit:
        page = visit.page
        await visit.ask("first")
        await visit.wait_for_answer()
        await type_draft(page, "about the first")
        session = await page.evaluate(OPEN)
        await page.evaluate(SHOW, "")
        await visit.open()
        await expect(page.locator("#question")).to_have_value("")
        await type_draft(page, "about another")
        other = await page.context.new_page()
        await other.add_init_script(f"({SHOW})({session!r})")
        await other.goto(f"{visit.origin}/static/index.html")
        await expect(other.locator("#question")).to_have_value("about the first")
        await type_draft(other, "of the other tab")
        await page.evaluate(SHOW, session)
        await visit.open()

        await expect(page.locator("#question")).to_have_value("about the first")
        await type_draft(page, "")
        await expect(other.locator("#question")).to_have_value("of the other tab")
        await other.reload()
        await expect(other.locator("#question")).to_have_value("of the other tab")
