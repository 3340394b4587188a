"""A person's visit to the page in a real Chromium. Errors, dialogs and requests to other sites make the test fail."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page, Request, expect

from core.configuration.settings import Settings
from core.contract import Done, Usage
from core.rag.facts.editing import FactsEditing
from tests.support.fake_engine import FakeEngine
from web.app import create_app

DONE = Done("stop", "fake-model", Usage())


@dataclass
class Visit:
    """A page in its own browser context, with the requests and the problems that it caused."""

    page: Page
    engine: FakeEngine
    origin: str
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    expected: str | None = None  # text of an error that the browser may log, such as a refused connection

    @classmethod
    def start(cls, page: Page, engine: FakeEngine, origin: str) -> Visit:
        visit = cls(page, engine, origin)
        page.on("request", visit.record_request)
        page.on("console", visit.record_message)
        page.on("pageerror", lambda error: visit.problems.append(str(error)))
        page.on("dialog", lambda dialog: visit.problems.append(f"dialog: {dialog.message}"))
        # Without a listener from the start, a file chooser could open before a test waits for it.
        page.on("filechooser", lambda _chooser: None)
        page.on("popup", lambda popup: visit.problems.append(f"popup: {popup.url}"))
        return visit

    def record_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def record_message(self, message: ConsoleMessage) -> None:
        expected = self.expected is not None and self.expected in message.text
        if message.type in {"error", "warning"} and not expected:
            self.problems.append(message.text)

    def check(self) -> None:
        foreign = [url for url in self.requests if not url.startswith(f"{self.origin}/")]
        assert (self.problems, foreign) == ([], [])

    async def open(self, query: str = "") -> None:
        await self.page.goto(f"{self.origin}/{query}")
        await expect(self.page.locator("#messages > li")).not_to_have_count(0)

    async def ask(self, text: str) -> None:
        await self.page.locator("#question").fill(text)
        await self.page.locator("#question").press("Enter")

    async def wait_for_answer(self) -> None:
        await expect(self.page.locator("#send")).to_be_visible()  # the status may still be that of the previous answer
        await expect(self.page.locator("#status")).to_have_text(re.compile("complete|complète"))


@asynccontextmanager
async def served_until_cut(browser: Browser, engine: FakeEngine, settings: Settings) -> AsyncIterator[Visit]:
    """A visit to a service that ends with the block. The page stays open; `served_again` closes it."""
    context = await browser.new_context(locale="en-CA")
    async with serving(engine, settings) as port:
        visit = Visit.start(await context.new_page(), engine, f"http://127.0.0.1:{port}")
        visit.expected = "ERR_CONNECTION_REFUSED"
        await visit.open()
        yield visit


@asynccontextmanager
async def served_again(visit: Visit, settings: Settings) -> AsyncIterator[None]:
    async with serving(visit.engine, settings, int(visit.origin.rpartition(":")[2])):
        yield
        await visit.page.context.close()
    visit.check()


@asynccontextmanager
async def serving(
    engine: FakeEngine, settings: Settings, port: int = 0, editing: FactsEditing | None = None
) -> AsyncIterator[int]:
    """Runs the real web app on a free port. At the end its connections are cut, as if the process were killed."""
    runner = web.AppRunner(create_app(engine, settings, editing=editing), shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await site.stop()
        assert runner.server is not None
        for connection in runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()


Visiting = Callable[..., AbstractAsyncContextManager[Visit]]  # (replies or engine, *, query, **options of the context)
