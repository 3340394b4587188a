"""The page after failures: no question is lost, and the person can always continue."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Route, expect

from core.configuration.settings import Settings
from core.contract import Description, Status, Text
from core.errors import CspsError, FetchRefused, ModelUnavailable, PromptTooLong
from tests.support.fake_engine import FakeEngine, ReplyStep
from tests.web.pages.support_visit import DONE, Visiting, served_again, served_until_cut
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop


async def test_an_error_keeps_the_question_and_can_be_retried(visiting: Visiting) -> None:
    """The error shows the reason and the wait. The question is in the field again, and a button repeats it."""
    outcomes: list[list[ReplyStep]] = [[ModelUnavailable("away", retry_after_s=20)], [Text("Now."), DONE]]
    async with visiting(lambda _: outcomes.pop(0)) as visit:
        await visit.ask("please")
        error = visit.page.locator(".error")
        await expect(error).to_contain_text("Not answered.")
        await expect(error).to_contain_text("20 seconds")
        await expect(visit.page.locator("#question")).to_have_value("please")
        await expect(error.get_by_role("alert")).to_contain_text("Not answered.")
        await error.get_by_role("button", name="Try again").click()

        await visit.wait_for_answer()
        await expect(error).to_have_count(0)
        await expect(visit.page.locator(".question .body")).to_have_text("please")
        await expect(visit.page.locator("#question")).to_have_value("")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            PromptTooLong("x", tokens=60_244, limit=2048),
            "as much room as about 46,000 words; there is room for about 1,500",
        ),
        (FetchRefused("x"), "does not open this address"),
    ],
)
async def test_an_error_that_would_repeat_has_no_retry_button(visiting: Visiting, error: CspsError, words: str) -> None:
    """The error says what to change, in numbers that people know. The question is in the field again."""
    async with visiting([error]) as visit:
        await visit.ask("please")
        await expect(visit.page.locator(".error")).to_contain_text(words)
        await expect(visit.page.locator(".error button")).to_have_count(0)
        await expect(visit.page.locator("#question")).to_have_value("please")


class EngineWithoutModel(FakeEngine):
    """An engine without a model: questions wait until `there` is set."""

    def __init__(self) -> None:
        self.there = asyncio.Event()
        super().__init__([Status("reconnecting"), self.there, Status("reading"), Text("Now."), DONE])

    async def describe(self, personality: str, wait_s: float = 0) -> Description:
        described = await super().describe(personality)
        return described if self.there.is_set() else replace(described, model=None, starter=None, context_window=None)


async def test_a_page_without_a_model_greets_and_takes_questions(visiting: Visiting) -> None:
    """The personality is shown without a model. A question waits for one, and the status says so."""
    engine = EngineWithoutModel()
    async with visiting(engine) as visit:
        status = visit.page.locator("#status")
        await expect(visit.page.locator("#title")).to_have_text("Whisper")
        await expect(visit.page.locator(".answer .body")).to_have_text("Hello!")
        await expect(visit.page.locator("#model")).to_have_text("No model is available now.")
        await expect(status).to_have_text(
            "No model is available now. You can still ask: your question will wait in the queue."
        )
        await expect(visit.page.locator("#question")).to_have_accessible_description(re.compile("^AI can be wrong"))
        assert await violations(visit.page) == []
        await visit.ask("early")
        await expect(status).to_have_text(
            "No model is available now. Your question is in the queue: the answer will begin when a model is available."
        )
        engine.there.set()

        await visit.wait_for_answer()
        await expect(visit.page.locator(".answer .body").last).to_have_text("Now.")
        await expect(visit.page.locator("#model")).to_contain_text("Model that answers: fake-model.")


async def test_the_page_reports_that_a_model_is_back(visiting: Visiting) -> None:
    """The status changes by itself, in place of the notice that no model is available."""
    engine = EngineWithoutModel()
    async with visiting(engine) as visit:
        await expect(visit.page.locator("#status")).to_contain_text("No model is available")
        engine.there.set()

        await expect(visit.page.locator("#status")).to_have_text("A model is available again.")
        await expect(visit.page.locator("#model")).to_contain_text("fake-model")


async def test_a_conversation_deleted_elsewhere_begins_anew(visiting: Visiting) -> None:
    """The page reports that the conversation no longer exists. The next question starts a new one."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        visit.engine.sessions.clear()
        await visit.ask("second")
        await visit.page.get_by_role("button", name="Try again").click()

        await visit.wait_for_answer()
        await expect(visit.page.locator(".question .body")).to_have_text(["first", "second"])


async def test_a_lost_connection_comes_back_by_itself(browser: Browser, own_settings: Settings) -> None:
    """The service stops during an answer. The partial answer stays, and the session continues after the restart."""
    engine = FakeEngine(lambda p: [Text("Half"), *([asyncio.Event()] if p.text == "first" else []), DONE])
    async with served_until_cut(browser, engine, own_settings) as visit:
        await visit.ask("first")
        await expect(visit.page.locator(".answer .body").last).to_have_text("Half")

    await expect(visit.page.locator("#status")).to_contain_text("was lost")
    await expect(visit.page.locator(".answer .body").last).to_have_text("Half")
    async with served_again(visit, own_settings):
        await expect(visit.page.locator(".error")).to_contain_text("The answer was cut off.", timeout=15_000)
        await expect(visit.page.locator("#question")).to_have_value("first")
        await visit.ask("second")
        await visit.wait_for_answer()
        assert len({prompt.conversation for prompt in engine.prompts}) == 1


async def test_an_unsent_question_survives_a_reload(visiting: Visiting) -> None:
    """Without a connection, the question stays in the field, and the error offers to try again."""
    async with visiting([Text("Sure."), DONE]) as visit:
        await visit.page.route_web_socket(re.compile("gpt-socket"), lambda socket: socket.close())
        await visit.ask("precious words")

        await expect(visit.page.locator(".error")).to_contain_text("try again", ignore_case=True)
        await expect(visit.page.locator("#question")).to_have_value("precious words")
        await visit.open()
        await expect(visit.page.locator("#question")).to_have_value("precious words")


async def test_the_page_waits_for_a_service_that_is_starting(visiting: Visiting) -> None:
    """The page says that the service is not ready, tries again, and keeps the text that people type or send."""
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
        await visit.ask("early")
        await expect(visit.page.locator("#status")).to_contain_text("Your text is kept")
        await expect(visit.page.locator("#question")).to_have_value("early")
        await expect(visit.page.locator("#personality")).to_be_hidden()  # there is nothing to choose yet
        loaded.set()
        await expect(visit.page.locator("#title")).to_have_text("Whisper")
        await visit.page.locator("#question").press("Enter")
        await visit.wait_for_answer()
        await expect(visit.page.locator(".question .body")).to_have_text("early")
