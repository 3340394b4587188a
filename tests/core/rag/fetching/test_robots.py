"""robots.txt is fetched, cached and obeyed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from core.errors import FetchFailed, FetchRefused
from core.rag.fetching.robots import (
    FAILURE_LIFETIME_S,
    RULES_LIFETIME_S,
    SITES_LIMIT,
    Robots,
    is_allowed,
    relevant_groups,
)
from tests.core.rag.fetching.support_websites import Website, fetcher, website

AGENT = "Csps-LLM/1.0 (+https://example.org)"
NAME = "csps-llm"


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as running:
        yield running


async def test_a_forbidden_page_is_not_fetched(site: Website) -> None:
    """Other pages of the site are."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /private/")
    site.page("/private/page", "Private")
    site.page("/page", "Public")
    async with fetcher(site) as own:
        with pytest.raises(FetchRefused, match=r"robots\.txt"):
            await own.fetch(site.url("/private/page"))
        fetched = await own.fetch(site.url("/page"))

    assert b"Public" == fetched.body
    assert ["/robots.txt", "/page"] == site.paths


async def test_a_users_page_is_fetched_anyway(site: Website) -> None:
    """robots.txt is for automatic requests."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /")
    site.page("/page", "Page")
    async with fetcher(site) as own:
        assert b"Page" == (await own.fetch(site.url("/page"), robots=False)).body

    assert ["/page"] == site.paths


async def test_the_target_of_a_redirect_is_checked(site: Website) -> None:
    """An allowed page may redirect to a forbidden one."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /private/")
    site.page("/page", status=302, Location="/private/page")
    site.page("/private/page", "Private")
    async with fetcher(site) as own:
        with pytest.raises(FetchRefused, match=r"robots\.txt"):
            await own.fetch(site.url("/page"))

    assert "/private/page" not in site.paths


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_site_without_robots_txt_allows_everything(site: Website, status: int) -> None:
    """4xx means that there is none."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /", status=status)
    site.page("/page", "Page")
    async with fetcher(site) as own:
        assert b"Page" == (await own.fetch(site.url("/page"))).body


@pytest.mark.parametrize("status", [500, 503])
async def test_a_failing_site_is_left_alone(site: Website, status: int) -> None:
    """5xx may hide a prohibition."""
    site.page("/robots.txt", status=status)
    site.page("/page", "Page")
    async with fetcher(site) as own:
        with pytest.raises(FetchFailed, match="left alone"):
            await own.fetch(site.url("/page"))

    assert ["/robots.txt"] == site.paths


async def test_the_reason_of_a_missing_robots_txt_is_kept() -> None:
    """The operator must repair it, because it concerns the whole site."""
    robots = Web(FetchFailed("a.org is not known to the DNS", "unknown")).robots()
    for _ in range(2):
        with pytest.raises(FetchFailed, match=r"a\.org is not known to the DNS.*robots\.txt") as caught:
            await robots.require(httpx.URL("https://a.org/"))
        assert "unknown" == caught.value.reason


async def test_robots_txt_is_fetched_with_all_guards(site: Website) -> None:
    """Its redirects do not lead to internal hosts."""
    site.page("/robots.txt", status=301, Location="http://127.0.0.1/robots.txt")
    async with fetcher(site) as own:
        with pytest.raises(FetchRefused):
            await own.fetch(site.url("/page"))


async def test_a_cached_page_needs_no_robots_txt(site: Website, tmp_path: Path) -> None:
    """There is no request at all."""
    site.page("/page", "Page", Cache_Control="max-age=60")
    async with fetcher(site, tmp_path) as own:
        await own.fetch(site.url("/page"), robots=False)
        await own.fetch(site.url("/page"))

    assert ["/page"] == site.paths


class Web:
    """Serves /robots.txt of sites, and records requests."""

    def __init__(self, text: str | Exception = "") -> None:
        self.text = text
        self.requested: list[str] = []
        self.now_s = 0.0

    async def read(self, url: httpx.URL) -> str:
        self.requested.append(str(url))
        if isinstance(self.text, Exception):
            raise self.text
        return self.text

    def robots(self) -> Robots:
        return Robots(self.read, AGENT, lambda: self.now_s)


async def test_robots_txt_is_fetched_once_a_day() -> None:
    """It is fetched once for each scheme, host and port, not for each page."""
    web = Web()
    robots = web.robots()
    for url in ("https://a.org/1?x", "https://a.org/2", "http://a.org/", "https://b.org:443/"):
        await robots.require(httpx.URL(url))
    requested = list(web.requested)
    web.now_s = RULES_LIFETIME_S
    await robots.require(httpx.URL("https://a.org/"))

    assert ["https://a.org/robots.txt", "http://a.org/robots.txt", "https://b.org/robots.txt"] == requested
    assert "https://a.org/robots.txt" == web.requested[-1]
    assert 4 == len(web.requested)


async def test_a_failure_is_remembered_for_minutes() -> None:
    """A failing site is not requested for each question."""
    web = Web(FetchFailed("500"))
    robots = web.robots()
    for _ in range(3):
        with pytest.raises(FetchFailed):
            await robots.require(httpx.URL("https://a.org/"))
    assert 1 == len(web.requested)
    web.now_s, web.text = FAILURE_LIFETIME_S, ""
    await robots.require(httpx.URL("https://a.org/"))


async def test_the_number_of_sites_is_limited() -> None:
    """The site used longest ago is forgotten."""
    web = Web()
    robots = web.robots()
    for number in range(SITES_LIMIT + 1):
        await robots.require(httpx.URL(f"https://{number}.org/"))
    await robots.require(httpx.URL(f"https://{SITES_LIMIT}.org/"))
    assert SITES_LIMIT + 1 == len(web.requested)
    await robots.require(httpx.URL("https://0.org/"))
    assert SITES_LIMIT + 2 == len(web.requested)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "/", True),
        ("User-agent: *\nDisallow: /a", "/a/b", False),
        ("User-agent: *\nDisallow: /a", "/b", True),
        ("User-agent: *\nDisallow:", "/", True),
        ("User-agent: *\nDisallow: /\nAllow: /open", "/open/page", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf?b", True),
        ("user-agent : CSPS-llm/2.0\ndisallow: /", "/", False),
        ("User-agent: other\nDisallow: /", "/", True),
        ("User-agent: csps\nDisallow: /", "/", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: csps-llm\nDisallow: /a", "/b", True),
        ("User-agent: csps-llm\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/a", False),
        ("User-agent: csps-llm\nUser-agent: other\nDisallow: /", "/", False),
        ("User-agent: other\nUser-agent: csps-llm\n# both\n\nDisallow: /", "/", False),
        ("User-agent: csps-llm\nDisallow: /a\nUser-agent: other\nDisallow: /b", "/b", True),
        (
            "User-agent: csps-llm\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: csps-llm\nDisallow: /b",
            "/b",
            False,
        ),
        ("\ufeffUser-agent: * # all\nDisallow: / # everything", "/", False),
        ("User-agent: *\r\nDisallow: /\r\n", "/", False),
        ("Disallow: /", "/", True),
        ("User-agent: csps-llm\n\nUser-agent: *\nDisallow: /", "/", False),
        ("<html><body>Not found: User-agent</body></html>", "/", True),
    ],
)
def test_rules(text: str, path: str, expected: bool) -> None:
    """The group for our name decides, else the one for all robots; the longest rule wins."""
    assert expected == is_allowed(relevant_groups(text, NAME), f"https://example.org{path}", NAME)


def test_rules_for_other_robots_are_dropped() -> None:
    """A file may name many robots, and each would get a copy of every rule."""
    text = "".join(f"User-agent: robot{number}\n" for number in range(2000)) + "Disallow: /\n" * 2000

    assert "" == relevant_groups(text, NAME)
    assert 2001 == len(relevant_groups(text + "User-agent: *\n" + "Disallow: /\n" * 2000, NAME).splitlines())
