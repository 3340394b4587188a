"""Requests to sites, and their results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from core.errors import FetchFailed, FetchRefused
from core.rag.fetching.fetch import Fetcher
from core.rag.fetching.site import FetchLimits
from tests.core.rag.fetching.support_websites import AGENT, Website, fetcher, website


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as running:
        yield running


async def test_a_page_is_fetched(site: Website) -> None:
    """It has type, charset and time; the request has our name, asks for no compression and sends no cookies."""
    site.page("/page", "<p>Bonjour</p>", Content_Type="text/html; charset=utf-8", Set_Cookie="a=b")
    before = datetime.now(UTC)
    async with fetcher(site) as own:
        await own.fetch(site.url("/page"), robots=False)
        fetched = await own.fetch(site.url("/page#part"), robots=False)

    assert (site.url("/page"), "text/html", "utf-8", b"<p>Bonjour</p>", False) == (
        fetched.url,
        fetched.media_type,
        fetched.charset,
        fetched.body,
        fetched.cached,
    )
    assert before <= fetched.fetched_at <= datetime.now(UTC)
    headers = site.requests[1].headers
    assert (AGENT, "identity") == (headers["User-Agent"], headers["Accept-Encoding"])
    assert "Cookie" not in headers


async def test_redirects_are_followed(site: Website) -> None:
    """At most three are followed; the result has the last page's URL."""
    for number in range(3):
        site.page(f"/{number}", status=302, Location=f"/{number + 1}")
    site.page("/3", "There")
    async with fetcher(site) as own:
        fetched = await own.fetch(site.url("/0"), robots=False)

    assert (site.url("/3"), b"There") == (fetched.url, fetched.body)


async def test_a_fourth_redirect_fails(site: Website) -> None:
    """No site needs it, and loops end."""
    site.page("/", status=302, Location="/")
    async with fetcher(site) as own:
        with pytest.raises(FetchFailed, match="3 times"):
            await own.fetch(site.url("/"), robots=False)

    assert 4 == len(site.requests)


async def test_a_redirect_to_an_internal_host_is_refused(site: Website) -> None:
    """Allowing one host and port opens no other port of that host."""
    site.page("/", status=302, Location="http://127.0.0.1/")
    async with fetcher(site) as own:
        with pytest.raises(FetchRefused):
            await own.fetch(site.url("/"), robots=False)


@pytest.mark.parametrize("status", [204, 206, 300, 304, 401, 404, 410, 429, 500, 503])
async def test_other_statuses_fail(site: Website, status: int) -> None:
    """The error names the status, for the operator."""
    site.page("/", "A page of errors", status=status)
    async with fetcher(site) as own:
        with pytest.raises(FetchFailed, match=str(status)):
            await own.fetch(site.url("/"), robots=False)


async def test_the_deadline_covers_everything(site: Website) -> None:
    """A silent site is given up, and its connection closed."""
    left = asyncio.Event()

    async def hang(_: web.BaseRequest) -> web.Response:
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    site.pages["/"] = hang
    async with fetcher(site, limits=FetchLimits(deadline_s=0.5)) as own:
        with pytest.raises(FetchFailed, match=r"0\.5 s"):
            await own.fetch(site.url("/"), robots=False)
    await left.wait()


async def test_a_fetch_can_be_cancelled(site: Website) -> None:
    """The request to the site is cancelled too; the next fetch works."""
    requested, left = asyncio.Event(), asyncio.Event()

    async def hang(_: web.BaseRequest) -> web.Response:
        requested.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        raise AssertionError

    site.pages["/"] = hang
    async with fetcher(site) as own:
        task = asyncio.create_task(own.fetch(site.url("/"), robots=False))
        await requested.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await left.wait()
        site.page("/", "Hello")

        assert b"Hello" == (await own.fetch(site.url("/"), robots=False)).body


async def test_an_absent_site_fails(site: Website) -> None:
    """No program listens on the port any more."""
    async with fetcher(site) as own, website() as other:
        closed = fetcher(other)
        url = other.url("/")
    async with own, closed:
        with pytest.raises(FetchFailed, match="cannot be reached"):
            await closed.fetch(url, robots=False)


async def test_a_host_gets_two_requests_at_a_time(site: Website) -> None:
    """The other requests wait, and all succeed."""
    running, most, full, go = 0, 0, asyncio.Event(), asyncio.Event()

    async def count(_: web.BaseRequest) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            full.set()
        await go.wait()
        running -= 1
        return web.Response(text="Hello", content_type="text/html")

    site.pages |= {f"/{number}": count for number in range(6)}
    async with fetcher(site) as own:
        tasks = [asyncio.create_task(own.fetch(site.url(f"/{number}"), robots=False)) for number in range(6)]
        await full.wait()
        go.set()
        fetched = await asyncio.gather(*tasks)

    assert (6, 2) == (len(fetched), most)


async def test_equal_fetches_share_a_request(site: Website) -> None:
    """This holds even for a page that must not be cached."""
    requested, go = asyncio.Event(), asyncio.Event()

    async def slow(_: web.BaseRequest) -> web.Response:
        requested.set()
        await go.wait()
        return web.Response(text="Hello", content_type="text/html", headers={"Cache-Control": "no-store"})

    site.pages["/"] = slow
    async with fetcher(site) as own:
        tasks = [asyncio.create_task(own.fetch(site.url("/"), robots=False)) for _ in range(5)]
        await requested.wait()
        go.set()
        fetched = await asyncio.gather(*tasks)

        assert [b"Hello"] * 5 == [each.body for each in fetched]
        assert 1 == len(site.requests)
        await own.fetch(site.url("/"), robots=False)
    assert 2 == len(site.requests)


async def test_a_failure_is_not_shared(site: Website) -> None:
    """A caller that waited for a failed request sends its own."""
    requested, go = asyncio.Event(), asyncio.Event()

    async def fail_once(_: web.BaseRequest) -> web.Response:
        if requested.is_set():
            return web.Response(text="Hello", content_type="text/html")
        requested.set()
        await go.wait()
        return web.Response(status=500)

    site.pages["/"] = fail_once
    async with fetcher(site) as own:
        tasks = [asyncio.create_task(own.fetch(site.url("/"), robots=False)) for _ in range(2)]
        await requested.wait()
        go.set()
        first, second = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(first, FetchFailed)
    assert not isinstance(second, BaseException)
    assert b"Hello" == second.body


async def test_logs_name_the_host_alone(site: Website, tmp_path: Path) -> None:
    """They contain neither path nor query of a user's URL, also after a failure."""
    site.page("/my/secret", "A secret page")
    with structlog.testing.capture_logs() as events:
        async with fetcher(site, tmp_path) as own:
            await own.fetch(site.url("/my/secret?for=me"), robots=False)
            with pytest.raises(FetchFailed) as raised:
                await own.fetch(site.url("/another/secret"), robots=False)

    assert [("page_fetched", "127.0.0.1", 13)] == [(each["event"], each["host"], each["size_bytes"]) for each in events]
    assert "secret" not in f"{events} {raised.value.message}"


async def test_private_headers_stay_with_their_site(site: Website, tmp_path: Path) -> None:
    """They follow redirects of the same origin, not those to another; what they open is not cached."""
    secret = {"Authorization": "Bearer secret"}
    site.page("/same", status=302, Location="/page")
    site.page("/page", "private", ETag='"1"', Cache_Control="max-age=60")
    async with website() as other:
        other.page("/elsewhere", "public")
        site.page("/away", status=302, Location=other.url("/elsewhere"))
        async with Fetcher(tmp_path, (site.origin, other.origin), user_agent=AGENT) as own:
            await own.fetch(site.url("/same"), robots=False, headers=secret)
            again = await own.fetch(site.url("/page"), robots=False)
            await own.fetch(site.url("/away"), robots=False, headers=secret)

    assert [True, True, False, True] == ["Authorization" in request.headers for request in site.requests]
    assert "Authorization" not in other.requests[0].headers
    assert not again.cached
