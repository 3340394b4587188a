"""The page when things go wrong: no question is lost, and there is always a way on."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, Route, expect

from core.contract import Text
from core.errors import ModelUnavailable
from core.settings import Settings
from tests.fakes import FakeEngine, ReplyStep
from tests.web.pages.visit import DONE, Visit, Visiting, serving

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


async def test_an_error_keeps_the_question_and_can_be_retried(visiting: Visiting) -> None:
    """The reason and the wait are said, the question is in the field again, and one button asks once more."""
    outcomes: list[list[ReplyStep]] = [[ModelUnavailable("away", retry_after_s=20)], [Text("Now."), DONE]]
    async with visiting(lambda _: outcomes.pop(0)) as visit:
        await visit.ask("please")
        error = visit.page.locator(".error")
        await expect(error).to_contain_text("Not answered.")
        await expect(error).to_contain_text("20 s")
        await expect(visit.page.locator("#question")).to_have_value("please")
        await expect(visit.page.locator("#spoken")).to_contain_text("Not answered.")
        await error.get_by_role("button", name="Try again").click()

        await visit.answered()
        await expect(error).to_have_count(0)
        await expect(visit.page.locator(".question .body")).to_have_text("please")
        await expect(visit.page.locator("#question")).to_have_value("")


async def test_a_conversation_deleted_elsewhere_begins_anew(visiting: Visiting) -> None:
    """The page says that the conversation is gone; asking again begins a new one."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.ask("first")
        await visit.answered()
        visit.engine.sessions.clear()
        await visit.ask("second")
        await visit.page.get_by_role("button", name="Try again").click()

        await visit.answered()
        await expect(visit.page.locator(".question .body")).to_have_text(["first", "second"])


async def test_a_lost_connection_comes_back_by_itself(browser: Browser, own_settings: Settings) -> None:
    """The service stops in the middle of an answer: what was written stays, and the session goes on when it is back."""
    engine = FakeEngine(lambda p: [Text("Half"), *([asyncio.Event()] if p.text == "first" else []), DONE])
    context = await browser.new_context(locale="en-CA")
    async with serving(engine, own_settings) as port:
        visit = Visit.of(await context.new_page(), engine, f"http://127.0.0.1:{port}")
        visit.expected = "ERR_CONNECTION_REFUSED"
        await visit.open()
        await visit.ask("first")
        await expect(visit.page.locator(".answer .body").last).to_have_text("Half")

    await expect(visit.page.locator(".error")).to_contain_text("The answer was cut off.")
    await expect(visit.page.locator("#question")).to_have_value("first")
    async with serving(engine, own_settings, port):
        await expect(visit.page.locator("#status")).to_have_text("The connection is back.", timeout=15_000)
        await visit.ask("second")
        await visit.answered()
        assert len({prompt.conversation for prompt in engine.prompts}) == 1
        await context.close()
    visit.check()


async def test_a_question_that_cannot_be_sent_is_kept_also_over_a_reload(visiting: Visiting) -> None:
    """No connection: the question is in the field, with a way to try again; a draft survives a reload."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.page.route_web_socket(re.compile("gpt-socket"), lambda socket: socket.close())
        await visit.ask("precious words")

        await expect(visit.page.locator(".error")).to_contain_text("try again", ignore_case=True)
        await expect(visit.page.locator("#question")).to_have_value("precious words")
        await visit.open()
        await expect(visit.page.locator("#question")).to_have_value("precious words")


async def test_the_page_waits_for_a_service_that_is_starting(visiting: Visiting) -> None:
    """While no model answers the page says so, tries again, and keeps what is typed meanwhile."""
    async with visiting([Text("Sure."), DONE]) as visit:
        visit.expected = "503"
        loaded = asyncio.Event()

        async def not_yet(route: Route) -> None:
            if loaded.is_set():
                await route.continue_()
            else:
                await route.fulfill(status=503, headers={"Retry-After": "1"})

        await visit.page.route("**/describe", not_yet)
        await visit.page.reload()
        await expect(visit.page.locator("#status")).to_have_text("The service is not ready yet. Trying again…")
        await visit.page.locator("#question").fill("early")
        loaded.set()
        await expect(visit.page.locator("#title")).to_have_text("Whisper")
        await visit.page.locator("#question").press("Enter")
        await visit.answered()
        await expect(visit.page.locator(".question .body")).to_have_text("early")
