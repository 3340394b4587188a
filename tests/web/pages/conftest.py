"""One Chromium for all tests of the page. It visits the real web app, whose engine follows a script."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from core.configuration.settings import Settings
from core.rag.facts.editing import FactsEditing
from tests.support.fake_engine import FakeEngine, Replies
from tests.web.pages.support_visit import Visit, Visiting, serving

expect.set_options(timeout=30_000)  # enough for a busy machine
NAMES = ("chromium", "chromium-browser", "google-chrome")  # as in .ci/run
QUIET = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("the page's tests need Chromium as `chromium` on the PATH (Debian: apt-get install chromium)")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*QUIET, *as_root])
        yield browser
        await browser.close()


@pytest.fixture
def visiting(browser: Browser, own_settings: Settings) -> Visiting:
    """Opens a visit: `async with visiting(replies or engine, **options of the browser context) as visit`."""

    @asynccontextmanager
    async def visit(
        answers: Replies | FakeEngine,
        *,
        query: str = "",
        editing: FactsEditing | None = None,
        web_settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> AsyncIterator[Visit]:
        engine = answers if isinstance(answers, FakeEngine) else FakeEngine(answers)
        web = own_settings.web.model_copy(update=dict(web_settings or {}))
        async with serving(engine, own_settings.model_copy(update={"web": web}), editing=editing) as port:
            context = await browser.new_context(**{"locale": "en-CA", **options})
            context.set_default_timeout(30_000)
            visit = Visit.start(await context.new_page(), engine, f"http://127.0.0.1:{port}")
            try:
                await visit.open(query)
                yield visit
            finally:
                await context.close()
            visit.check()

    return visit
