"""Several tabs with the same conversation: each follows the answers of the others, and none undoes another's work."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from core.contract import Prompt, Text
from tests.support.fake_engine import FakeEngine, ReplyStep
from tests.web.pages.support_visit import DONE, Visit, Visiting

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


def echo(prompt: Prompt) -> list[ReplyStep]:
    return [Text(f"About {prompt.text}."), DONE]


async def open_again(visit: Visit) -> Page:
    """Opens the conversation in a second tab."""
    other = await visit.page.context.new_page()
    await other.goto(visit.page.url)
    await expect(other.locator(".question")).to_have_count(await visit.page.locator(".question").count())
    return other


async def test_another_tab_follows_an_answer_while_it_is_written(visiting: Visiting) -> None:
    """It shows the question and each part of the answer, keeps its draft, and can stop the answer."""
    more = asyncio.Event()
    answers: list[list[ReplyStep]] = [[Text("First."), DONE], [Text("Half"), more, Text(" whole."), DONE]]
    async with visiting(lambda _: answers.pop(0)) as visit:
        await visit.ask("one")
        await visit.wait_for_answer()
        other = await open_again(visit)
        await other.locator("#question").fill("a thought")
        await visit.ask("two")
        await expect(other.locator(".question .body")).to_have_text(["one", "two"])
        await expect(other.locator(".answer .body").last).to_have_text("Half")
        await expect(other.locator("#stop")).to_be_visible()
        await expect(other.locator("#question")).to_have_value("a thought")
        more.set()
        for page in (visit.page, other):
            await expect(page.locator(".answer .body").last).to_have_text("Half whole.")
            await expect(page.locator("#send")).to_be_visible()


async def test_a_stale_tab_replaces_no_newer_exchange(visiting: Visiting) -> None:
    """The edited question is refused and becomes the draft; the turns that the other tab added are shown."""
    engine = FakeEngine(echo)
    async with visiting(engine) as visit:
        await visit.ask("one")
        await visit.wait_for_answer()
        page = visit.page
        await page.get_by_role("button", name="Edit").click()
        await page.evaluate("() => { BroadcastChannel.prototype.addEventListener = () => {}; }")
        other = await open_again(visit)
        await other.evaluate("() => { BroadcastChannel.prototype.postMessage = () => {}; }")
        await other.locator("#question").fill("two")
        await other.locator("#question").press("Enter")
        await expect(other.locator(".answer .body").last).to_have_text("About two.")
        field = page.get_by_role("textbox", name="Edit your question")
        await field.fill("changed")
        await field.press("Enter")

        await expect(page.locator(".question .body")).to_have_text(["one", "two"])
        await expect(page.locator("#status")).to_contain_text("gone on in another tab")
        await expect(page.locator("#question")).to_have_value("changed")
        [conversation] = engine.sessions.values()
        assert ["one", "About one.", "two", "About two."] == [turn.text for turn in conversation.turns]


async def test_drafts_of_conversations_that_are_gone_are_removed(visiting: Visiting) -> None:
    """They have expired, or another device deleted them. Those of other conversations stay."""
    async with visiting(echo) as visit:
        await visit.ask("one")
        await visit.wait_for_answer()
        await visit.page.locator("#question").fill("mine")
        await visit.page.evaluate("() => localStorage.setItem('csps-llm:draft:web:gone', 'a secret')")
        await visit.open()
        await expect(visit.page.locator("#question")).to_have_value("mine")
        await visit.page.wait_for_function("() => localStorage.getItem('csps-llm:draft:web:gone') === null")
        assert "mine" in await visit.page.evaluate("() => JSON.stringify(localStorage)")
        visit.engine.sessions.clear()
        await visit.open()
        await expect(visit.page.locator("#status")).not_to_be_empty()
        await visit.page.wait_for_function("() => !JSON.stringify(localStorage).includes('draft:web:')")
