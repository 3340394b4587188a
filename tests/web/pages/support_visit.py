"""A person's visit to the page in a real Chromium, watched for everything that a quiet page must not do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page, Request, expect

from core.configuration.settings import Settings
from core.contract import Done, Usage
from tests.support.fakes import FakeEngine
from web.app import create_app

DONE = Done("stop", "fake-model", Usage())


@dataclass
class Visit:
    """A page in a browser context of its own, and everything that a quiet page must not do."""

    page: Page
    engine: FakeEngine
    origin: str
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    expected: str | None = None  # what the browser may log as an error, such as a refused connection

    @classmethod
    def of(cls, page: Page, engine: FakeEngine, origin: str) -> Visit:
        visit = cls(page, engine, origin)
        page.on("request", visit.saw_request)
        page.on("console", visit.saw_message)
        page.on("pageerror", lambda error: visit.problems.append(str(error)))
        page.on("dialog", lambda dialog: visit.problems.append(f"dialog: {dialog.message}"))
        # The browser is told so beside our other calls: before, a chooser would open unseen, and no test hear of it.
        page.on("filechooser", lambda _chooser: None)
        page.on("popup", lambda popup: visit.problems.append(f"popup: {popup.url}"))
        return visit

    def saw_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def saw_message(self, message: ConsoleMessage) -> None:
        expected = self.expected is not None and self.expected in message.text
        if message.type in {"error", "warning"} and not expected:
            self.problems.append(message.text)

    def check(self) -> None:
        foreign = [url for url in self.requests if not url.startswith(f"{self.origin}/")]
        assert (self.problems, foreign) == ([], [])

    async def open(self, query: str = "") -> None:
        await self.page.goto(f"{self.origin}/static/index.html{query}")
        await expect(self.page.locator("#messages > li")).not_to_have_count(0)

    async def ask(self, text: str) -> None:
        await self.page.locator("#question").fill(text)
        await self.page.locator("#question").press("Enter")

    async def answered(self) -> None:
        await expect(self.page.locator("#send")).to_be_visible()  # the status may still be of the answer before
        await expect(self.page.locator("#status")).to_have_text(re.compile("complete|complète"))


@asynccontextmanager
async def served_until_cut(browser: Browser, engine: FakeEngine, settings: Settings) -> AsyncIterator[Visit]:
    """A visit to a service that ends with the block, while the page stays open: `served_again` closes it."""
    context = await browser.new_context(locale="en-CA")
    async with serving(engine, settings) as port:
        visit = Visit.of(await context.new_page(), engine, f"http://127.0.0.1:{port}")
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
async def serving(engine: FakeEngine, settings: Settings, port: int = 0) -> AsyncIterator[int]:
    """The real web app on a port of its own, which ends as a killed process does: connections are cut, not drained."""
    runner = web.AppRunner(create_app(engine, settings), shutdown_timeout=0, handler_cancellation=True)
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
