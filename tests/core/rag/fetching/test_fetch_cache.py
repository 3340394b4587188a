"""The page cache: its entries, their lifetime, and its size on disk."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from core.rag.fetching.fetch import Fetcher
from core.rag.fetching.page_cache import RETENTION_S, CachedPage, PageCache, is_storable, lifetime_s
from tests.core.rag.fetching.support_websites import WallClock, Website, fetcher, website


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as running:
        yield running


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
async def own(site: Website, tmp_path: Path, clock: WallClock) -> AsyncIterator[Fetcher]:
    async with fetcher(site, tmp_path / "pages", now=clock) as running:
        yield running


async def test_a_page_is_used_for_its_lifetime(site: Website, own: Fetcher, clock: WallClock) -> None:
    """After that it is fetched again."""
    site.page("/", "Old", Cache_Control="max-age=60")
    first = await own.fetch(site.url("/"), robots=False)
    site.page("/", "New")
    clock.advance(59)
    second = await own.fetch(site.url("/"), robots=False)
    clock.advance(1)
    third = await own.fetch(site.url("/"), robots=False)

    assert [(b"Old", False), (b"Old", True), (b"New", False)] == [(f.body, f.cached) for f in (first, second, third)]
    assert first.fetched_at == second.fetched_at == third.fetched_at - timedelta(seconds=60)
    assert 2 == len(site.requests)


async def test_a_page_outlives_the_process(site: Website, own: Fetcher, tmp_path: Path, clock: WallClock) -> None:
    """Another fetcher uses the stored page."""
    site.page("/", "Kept", Cache_Control="max-age=60", Content_Type="text/html; charset=utf-8")
    first = await own.fetch(site.url("/"), robots=False)
    async with fetcher(site, tmp_path / "pages", now=clock) as other:
        second = await other.fetch(site.url("/"), robots=False)

    assert (True, 1) == (second.cached, len(site.requests))
    assert (first.url, first.media_type, first.charset, first.body, first.fetched_at) == (
        second.url,
        second.media_type,
        second.charset,
        second.body,
        second.fetched_at,
    )


async def test_a_page_from_the_future_is_stale(site: Website, own: Fetcher, clock: WallClock) -> None:
    """A page is fetched again after the clock went back."""
    site.page("/", "Page", Cache_Control="max-age=60")
    await own.fetch(site.url("/"), robots=False)
    clock.advance(-10)
    await own.fetch(site.url("/"), robots=False)

    assert 2 == len(site.requests)


@pytest.mark.parametrize(
    ("validator", "condition"), [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")]
)
async def test_an_unchanged_page_is_not_sent_again(
    site: Website, own: Fetcher, clock: WallClock, validator: str, condition: str
) -> None:
    """The request is conditional, and the answer renews the copy."""
    stamp = '"v1"' if validator == "ETag" else "Sun, 01 Jun 2025 00:00:00 GMT"

    async def answer(request: web.BaseRequest) -> web.Response:
        headers = {validator: stamp, "Cache-Control": "max-age=60"}
        if request.headers.get(condition) == stamp:
            return web.Response(status=304, headers=headers)
        return web.Response(text="Page", content_type="text/html", headers=headers)

    site.pages["/"] = answer
    first = await own.fetch(site.url("/"), robots=False)
    clock.advance(100)
    second = await own.fetch(site.url("/"), robots=False)
    clock.advance(59)
    third = await own.fetch(site.url("/"), robots=False)

    assert [(b"Page", False), (b"Page", True), (b"Page", True)] == [(f.body, f.cached) for f in (first, second, third)]
    assert second.fetched_at == third.fetched_at == first.fetched_at + timedelta(seconds=100)
    assert 2 == len(site.requests)


@pytest.mark.parametrize(
    ("header", "max_age_s", "asks"),
    [
        ("", None, 2),  # unknown lifetime
        ("", 600.0, 1),  # the caller sets it
        ("max-age=3600", 600.0, 1),
        ("max-age=3600", 10.0, 2),  # the shorter one counts
        ("max-age=10", 600.0, 2),
        ("no-cache", 600.0, 2),
        ("no-store", 600.0, 2),
        ("private, max-age=3600", 600.0, 2),
    ],
)
async def test_the_age_of_a_copy_is_limited(
    site: Website, own: Fetcher, clock: WallClock, header: str, max_age_s: float | None, asks: int
) -> None:
    """The caller's limit applies where the site is silent; neither extends the other's limit."""
    site.page("/", "Page", Cache_Control=header)
    await own.fetch(site.url("/"), robots=False, max_age_s=max_age_s)
    clock.advance(60)
    await own.fetch(site.url("/"), robots=False, max_age_s=max_age_s)

    assert asks == len(site.requests)


@pytest.mark.parametrize(
    ("status", "header", "asks"), [(301, "", 2), (302, "", 4), (302, "max-age=60", 2), (301, "no-cache", 4)]
)
async def test_a_page_behind_a_redirect(
    site: Website, own: Fetcher, clock: WallClock, status: int, header: str, asks: int
) -> None:
    """It is only as fresh as its redirects; a temporary one is asked again."""
    site.page("/", status=status, Location="/page", Cache_Control=header)
    site.page("/page", "Page", Cache_Control="max-age=3600")
    await own.fetch(site.url("/"), robots=False)
    clock.advance(30)
    again = await own.fetch(site.url("/"), robots=False)

    assert (asks, site.url("/page")) == (len(site.requests), again.url)


async def test_a_validator_goes_only_to_its_page(site: Website, own: Fetcher) -> None:
    """It is sent neither to the redirect before it nor to another target."""
    site.page("/", status=302, Location="/old")
    site.page("/old", "Old", ETag='"old"')
    site.page("/new", "New", ETag='"new"')
    await own.fetch(site.url("/"), robots=False)
    site.page("/", status=302, Location="/new")
    fetched = await own.fetch(site.url("/"), robots=False)

    assert b"New" == fetched.body
    assert [None] * 4 == [request.headers.get("If-None-Match") for request in site.requests]


async def test_a_no_store_page_leaves_no_file(site: Website, own: Fetcher, tmp_path: Path) -> None:
    """An older copy is removed too."""
    site.page("/", "Page", Cache_Control="max-age=0")
    await own.fetch(site.url("/"), robots=False)
    assert 1 == len(list((tmp_path / "pages").iterdir()))
    site.page("/", "Page", Cache_Control="no-store")
    await own.fetch(site.url("/"), robots=False)

    assert [] == list((tmp_path / "pages").iterdir())


async def test_files_are_private_and_named_by_hash(site: Website, own: Fetcher, tmp_path: Path) -> None:
    """No part of a URL becomes a path."""
    site.page("/..%2f..%2fetc/passwd", "Page")
    site.pages["/../../etc/passwd"] = site.pages.pop("/..%2f..%2fetc/passwd")
    await own.fetch(site.url("/..%2f..%2fetc/passwd"), robots=False)
    [file] = (tmp_path / "pages").iterdir()

    assert file.name.removesuffix(".page").isalnum()
    assert (0o600, 0o700) == (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777)


def page(body: bytes = b"Page") -> CachedPage:
    return CachedPage("https://example.org/", "text/html", None, body, WallClock().moment, '"v1"', "yesterday", 60.0)


async def test_a_page_is_stored_whole(tmp_path: Path) -> None:
    """All fields are stored, and line ends in the body."""
    cache = PageCache(tmp_path)
    await cache.store("https://a.org/", page(b"\n{}\r\n\x00"))

    assert page(b"\n{}\r\n\x00") == await cache.get("https://a.org/")
    assert await cache.get("https://b.org/") is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]\nPage", b"{}\nPage", b'{"body": 4}\nPage', b"\xff\n", b"null\n"])
async def test_a_damaged_file_is_no_page(tmp_path: Path, damage: bytes) -> None:
    """It is fetched again without an error."""
    cache = PageCache(tmp_path)
    await cache.store("https://a.org/", page())
    [file] = tmp_path.iterdir()
    file.write_bytes(damage)

    assert await cache.get("https://a.org/") is None


async def test_a_truncated_file_is_no_page(tmp_path: Path) -> None:
    """Its recorded length shows it."""
    cache = PageCache(tmp_path)
    await cache.store("https://a.org/", page())
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1])

    assert await cache.get("https://a.org/") is None


async def test_old_files_are_removed(tmp_path: Path) -> None:
    """Pages of last week and unfinished files go; foreign files stay."""
    cache = PageCache(tmp_path)
    await cache.store("https://a.org/old", page())
    for name in ("killed.part", "others.txt"):
        (tmp_path / name).write_bytes(b"x")
    for file in tmp_path.iterdir():
        os.utime(file, (time.time() - RETENTION_S - 1, time.time() - RETENTION_S - 1))
    await cache.store("https://a.org/new", page())

    assert await cache.get("https://a.org/old") is None
    assert await cache.get("https://a.org/new") is not None
    assert {".txt", ".page"} == {file.suffix for file in tmp_path.iterdir()}


@pytest.mark.parametrize(("files_limit", "size_limit_bytes", "left"), [(2, 10**6, {2, 3}), (9, 2500, {2, 3})])
async def test_the_cache_is_bounded(tmp_path: Path, files_limit: int, size_limit_bytes: int, left: set[int]) -> None:
    """Number and size are limited; the newest pages stay."""
    cache = PageCache(tmp_path, files_limit, size_limit_bytes)
    for number in range(4):
        for file in tmp_path.iterdir():  # a second older, whatever the file system's clock
            os.utime(file, (file.stat().st_mtime - 1, file.stat().st_mtime - 1))
        await cache.store(f"https://a.org/{number}", page(b"x" * 800))

    assert left == {number for number in range(4) if await cache.get(f"https://a.org/{number}")}


@pytest.mark.parametrize("header", ["max-age=60", "no-store"])
async def test_a_full_disk_costs_no_page(site: Website, tmp_path: Path, header: str) -> None:
    """The page is returned without being stored."""
    (tmp_path / "file").write_bytes(b"")
    site.page("/", "Page", Cache_Control=header)
    async with fetcher(site, tmp_path / "file") as own:
        assert b"Page" == (await own.fetch(site.url("/"), robots=False)).body


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Cache-Control": "public"}, None),
        ({"Cache-Control": "max-age=60"}, 60),
        ({"Cache-Control": 'Max-Age="60"', "Age": "20"}, 40),
        ({"Cache-Control": "max-age=60", "Age": "100"}, 0),
        ({"Cache-Control": "max-age=60, no-cache"}, 0),
        ({"Cache-Control": "max-age=-1"}, 0),
        ({"Cache-Control": "max-age=1e9"}, 0),
        ({"Cache-Control": f"max-age={'9' * 5000}"}, 0),
        ({"Cache-Control": "max-age=99999999999"}, 30 * 86_400),
        ({"Expires": "Sun, 01 Jun 2025 12:01:00 GMT", "Date": "Sun, 01 Jun 2025 12:00:00 GMT"}, 60),
        ({"Expires": "Sun, 01 Jun 2025 12:01:00 GMT", "Date": "Sun, 01 Jun 2025 13:00:00 GMT"}, 0),
        ({"Expires": "0", "Date": "Sun, 01 Jun 2025 12:00:00 GMT"}, 0),
        ({"Expires": "Sun, 01 Jun 99999 12:01:00 GMT", "Date": "x"}, 0),
        ({"Expires": "Sun, 01 Jun 2025 12:01:00", "Date": "Sun, 01 Jun 2025 12:00:00 GMT"}, 0),
    ],
)
def test_lifetimes(headers: dict[str, str], expected: float | None) -> None:
    """They come from max-age and Age, else from Expires and Date. Unreadable values mean stale."""
    assert expected == lifetime_s(httpx.Headers(headers))


@pytest.mark.parametrize("headers", [{"Cache-Control": "NO-STORE"}, {"Cache-Control": "private=x"}, {"Vary": "*"}])
def test_unshareable_pages_are_not_stored(headers: dict[str, str]) -> None:
    """The cache is shared by all users."""
    assert not is_storable(httpx.Headers(headers))
