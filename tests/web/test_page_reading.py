"""/read/page: an address in, what an answer would be based on out; its bounds, and what never reaches the log."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from core.configuration.settings import Settings
from core.contract import Omission, WebPage
from core.errors import FetchFailed, FetchRefused, UnreadableDocument
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, site
from web.page_reading import PAGES_A_MINUTE_OF_A_CLIENT, PAGES_AT_ONCE_OF_A_CLIENT

LEAVE = "https://leave.example/parental?person=7"


async def read(http: ClientSession, url: Any, language: str = "en", **options: Any) -> tuple[int, dict[str, Any]]:
    async with http.post("/read/page", json={"url": url, "language": language}, **options) as response:
        return response.status, await response.json(content_type=None)


async def test_a_page_is_read_as_an_answer_would_read_it(whisper: Site) -> None:
    """The response is enough to show it, and to attach its text. Neither the address nor the text is logged."""
    whisper.engine.pages[LEAVE] = WebPage(
        LEAVE, "Parental leave", "page", "Eighteen months.", "en", (Omission("characters", 16, 0),)
    )
    with capture_logs() as logs:
        status, page = await read(whisper.http, LEAVE)

    assert status == 200
    assert page == {
        "url": LEAVE,
        "title": "Parental leave",
        "kind": "page",
        "text": "Eighteen months.",
        "language": "en",
        "omissions": [{"kind": "characters", "read": 16, "total": 0, "places": ""}],
    }
    assert [word for word in ("leave.example", "person", "Eighteen", "Parental") if word in str(logs)] == []


@pytest.mark.parametrize(
    ("error", "status", "code", "reason", "message"),
    [
        (FetchRefused("not public", "private"), 400, "fetch_refused", "private", "Internet public"),
        (FetchFailed("no answer", "silent"), 502, "fetch_failed", "silent", "ne répond pas"),
        (UnreadableDocument("no text", "pictures"), 400, "unreadable", "pictures", "images"),
    ],
)
async def test_a_page_that_cannot_be_read_has_a_reason(
    whisper: Site, error: Exception, status: int, code: str, reason: str, message: str
) -> None:
    """As problem+json, with a sentence for the person, so that the page can say why before the question is sent."""
    whisper.engine.pages[LEAVE] = error
    answered, problem = await read(whisper.http, LEAVE, "fr")

    assert (answered, problem["code"], problem["reason"]) == (status, code, reason)
    assert message in problem["message"]


@pytest.mark.parametrize("url", ["", "x" * 3000, 7, None])
async def test_a_malformed_request_is_refused(whisper: Site, url: Any) -> None:
    status, problem = await read(whisper.http, url)

    assert (status, problem["code"]) == (400, "bad_request")
    assert whisper.engine.pages_read == []


async def test_other_sites_cannot_have_pages_read(whisper: Site) -> None:
    status, problem = await read(whisper.http, LEAVE, headers={"Origin": "https://evil.example"})

    assert (status, problem["code"]) == (403, "origin_refused")
    assert whisper.engine.pages_read == []


async def test_a_client_has_a_number_of_pages_a_minute(whisper: Site) -> None:
    """Then it gets 503 with the time to wait, and nothing is fetched."""
    for _ in range(PAGES_A_MINUTE_OF_A_CLIENT):
        await read(whisper.http, LEAVE)
    async with whisper.http.post("/read/page", json={"url": LEAVE}) as response:
        assert response.status == 503
        assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert len(whisper.engine.pages_read) == PAGES_A_MINUTE_OF_A_CLIENT


async def test_a_client_has_few_pages_at_once(own_settings: Settings) -> None:
    """One that asks for many waits for its own, and a request that ends lets the next one in."""

    class Slow(FakeEngine):
        def __init__(self) -> None:
            super().__init__()
            self.reading: asyncio.Queue[str] = asyncio.Queue()
            self.released = asyncio.Event()

        async def read_page(self, url: str) -> WebPage:
            self.reading.put_nowait(url)
            await self.released.wait()
            return await super().read_page(url)

    engine = Slow()
    async with site(own_settings, engine) as running, asyncio.TaskGroup() as group:
        for number in range(PAGES_AT_ONCE_OF_A_CLIENT + 1):
            group.create_task(read(running.http, f"{LEAVE}{number}"))
        for _ in range(PAGES_AT_ONCE_OF_A_CLIENT):
            await engine.reading.get()
        assert (await running.http.get("/healthz")).status == 200  # the third request has arrived meanwhile
        assert engine.reading.empty()
        engine.released.set()
        await engine.reading.get()
