"""A page that cannot start says why, and one that fails later asks people to reload."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, Route, expect

from core.configuration.settings import Settings
from core.contract import Text
from tests.support.fake_engine import FakeEngine
from tests.web.pages.support_visit import DONE, Visiting, serving

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

LIMIT_BYTES = 330_000  # uncompressed, of everything that is loaded before the page is usable. The aim is 150,000.


async def break_file(page: Page, name: str, body: str | None) -> None:
    async def answer(route: Route) -> None:
        await (route.fulfill(body=body, content_type="text/javascript") if body else route.abort())

    await page.route(re.compile(rf"/{name}$"), answer)


@pytest.mark.parametrize(
    ("missing", "file", "body", "words", "detail"),
    [
        ("delete Array.prototype.at", "", None, "does not work in this browser", "Array.prototype.at"),
        ("delete window.WebSocket", "", None, "does not work in this browser", "WebSocket"),
        ("", "page.js", "class { #a ???", "does not work in this browser", "SyntaxError"),
        ("", "conversation/conversation.js", None, "one of its files did not arrive", ".js"),
        ("", "page.js", "null.x", "an error stopped it", "null"),
    ],
)
async def test_a_page_that_cannot_start_says_why(
    browser: Browser, own_settings: Settings, missing: str, file: str, body: str | None, words: str, detail: str
) -> None:
    """In both languages, with a way on. It takes no question that nobody would answer."""
    async with serving(FakeEngine([DONE]), own_settings) as port:
        page = await browser.new_page(locale="en-CA")
        if missing:
            await page.add_init_script(missing)
        if file:
            await break_file(page, file, body)
        await page.goto(f"http://127.0.0.1:{port}/")

        alert = page.get_by_role("alert").filter(has_text=words)
        await expect(alert).to_contain_text(detail)
        await expect(alert).to_contain_text(re.compile("navigateur|actualiser"))
        await expect(page.locator("#question")).to_be_hidden()
        await alert.get_by_role("link", name="Ask without JavaScript").click()
        await expect(page.get_by_role("textbox", name="Your question")).to_be_visible()
        await page.close()


async def test_an_updated_page_asks_for_a_reload(visiting: Visiting) -> None:
    """A file of the earlier version is gone. The conversation stays on the page."""
    async with visiting([DONE]) as visit:
        visit.expected = "404"
        await expect(visit.page.locator("#trouble")).to_be_hidden()
        await visit.page.route(re.compile("texts/fr.ftl"), lambda route: route.fulfill(status=404))
        await visit.page.get_by_role("button", name="Français").click()
        await expect(visit.page.get_by_role("alert").filter(has_text="Please reload the page")).to_be_visible()
        await expect(visit.page.locator("#question")).to_be_visible()
        visit.problems.clear()  # the rejection above


async def test_without_scripts_the_form_asks_and_answers(browser: Browser, own_settings: Settings) -> None:
    """The page leads to the form, and the form's answer has the form for the next question."""
    async with serving(FakeEngine(), own_settings) as port:
        context = await browser.new_context(java_script_enabled=False, locale="en-CA")
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}/")
        await page.get_by_role("link", name="Ask without JavaScript").first.click()
        await page.get_by_label("Assistant").select_option("chuchotte")
        await page.get_by_label("Your question").fill("Où?")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("main")).to_contain_text("Hello world.")
        await expect(page.get_by_label("Assistant")).to_have_value("chuchotte")
        await context.close()


async def test_the_first_view_stays_small(visiting: Visiting) -> None:
    """Everything that is loaded before the page is usable; other parts are loaded when they are needed."""
    async with visiting([DONE]) as visit:
        sizes = await visit.page.evaluate(
            """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
                .map(({ name, decodedBodySize }) => [name, decodedBodySize])"""
        )
    assert sum(size for _, size in sizes) <= LIMIT_BYTES, sorted(sizes, key=lambda each: -each[1])[:12]


async def test_the_page_works_under_a_path(visiting: Visiting) -> None:
    """The page at /chat/ asks the service there."""
    async with visiting([Text("Sure."), DONE], web_settings={"prefix": "/chat"}) as visit:
        visit.requests.clear()
        await visit.page.goto(f"{visit.origin}/chat/?personality=chuchotte")
        await expect(visit.page.locator("#title")).to_have_text("Chuchotte")
        await visit.ask("first")
        await visit.wait_for_answer()
        assert [] == [url for url in visit.requests if not url.startswith(f"{visit.origin}/chat/")]
