"""What sites say in robots.txt, and that it is heeded."""

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


async def test_a_forbidden_page_is_not_asked_for(site: Website) -> None:
    """A source is left alone where its site says so; other pages of it are read."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /private/")
    site.page("/private/page", "Private")
    site.page("/page", "Public")
    async with fetcher(site) as own:
        with pytest.raises(FetchRefused, match=r"robots\.txt"):
            await own.fetch(site.url("/private/page"))
        fetched = await own.fetch(site.url("/page"))

    assert b"Public" == fetched.body
    assert ["/robots.txt", "/page"] == site.paths


async def test_a_page_that_a_person_gave_is_asked_for(site: Website) -> None:
    """Robots are those that come unasked."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /")
    site.page("/page", "Page")
    async with fetcher(site) as own:
        assert b"Page" == (await own.fetch(site.url("/page"), robots=False)).body

    assert ["/page"] == site.paths


async def test_where_a_redirect_leads_is_asked_too(site: Website) -> None:
    """An open door into a closed room."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /private/")
    site.page("/page", status=302, Location="/private/page")
    site.page("/private/page", "Private")
    async with fetcher(site) as own:
        with pytest.raises(FetchRefused, match=r"robots\.txt"):
            await own.fetch(site.url("/page"))

    assert "/private/page" not in site.paths


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_site_without_robots_txt_permits_all(site: Website, status: int) -> None:
    """4xx: there is none."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /", status=status)
    site.page("/page", "Page")
    async with fetcher(site) as own:
        assert b"Page" == (await own.fetch(site.url("/page"))).body


@pytest.mark.parametrize("status", [500, 503])
async def test_a_site_that_fails_is_left_alone(site: Website, status: int) -> None:
    """5xx: it may forbid what we cannot know."""
    site.page("/robots.txt", status=status)
    site.page("/page", "Page")
    async with fetcher(site) as own:
        with pytest.raises(FetchFailed, match="left alone"):
            await own.fetch(site.url("/page"))

    assert ["/robots.txt"] == site.paths


async def test_why_robots_txt_cannot_be_asked_is_told() -> None:
    """It is the same that is in the way of everything else of that site, and what an operator has to mend."""
    robots = Web(FetchFailed("a.org is not known to the DNS", "unknown")).robots()
    for _ in range(2):
        with pytest.raises(FetchFailed, match=r"a\.org is not known to the DNS.*robots\.txt") as caught:
            await robots.require(httpx.URL("https://a.org/"))
        assert "unknown" == caught.value.reason


async def test_robots_txt_is_fetched_as_safely_as_a_page(site: Website) -> None:
    """Its redirects lead nowhere inside."""
    site.page("/robots.txt", status=301, Location="http://127.0.0.1/robots.txt")
    async with fetcher(site) as own:
        with pytest.raises(FetchRefused):
            await own.fetch(site.url("/page"))


async def test_a_page_in_the_cache_troubles_nobody(site: Website, tmp_path: Path) -> None:
    """No request, so no robots.txt."""
    site.page("/page", "Page", Cache_Control="max-age=60")
    async with fetcher(site, tmp_path) as own:
        await own.fetch(site.url("/page"), robots=False)
        await own.fetch(site.url("/page"))

    assert ["/page"] == site.paths


class Web:
    """What sites have at /robots.txt, and how often each was asked."""

    def __init__(self, text: str | Exception = "") -> None:
        self.text = text
        self.asked: list[str] = []
        self.now_s = 0.0

    async def read(self, url: httpx.URL) -> str:
        self.asked.append(str(url))
        if isinstance(self.text, Exception):
            raise self.text
        return self.text

    def robots(self) -> Robots:
        return Robots(self.read, AGENT, lambda: self.now_s)


async def test_a_site_is_asked_once_a_day() -> None:
    """Per scheme, host and port, not per page."""
    web = Web()
    robots = web.robots()
    for url in ("https://a.org/1?x", "https://a.org/2", "http://a.org/", "https://b.org:443/"):
        await robots.require(httpx.URL(url))
    asked = list(web.asked)
    web.now_s = RULES_LIFETIME_S
    await robots.require(httpx.URL("https://a.org/"))

    assert ["https://a.org/robots.txt", "http://a.org/robots.txt", "https://b.org/robots.txt"] == asked
    assert "https://a.org/robots.txt" == web.asked[-1]
    assert 4 == len(web.asked)


async def test_a_failure_is_remembered_for_minutes() -> None:
    """A site in trouble is not asked again with every question."""
    web = Web(FetchFailed("500"))
    robots = web.robots()
    for _ in range(3):
        with pytest.raises(FetchFailed):
            await robots.require(httpx.URL("https://a.org/"))
    assert 1 == len(web.asked)
    web.now_s, web.text = FAILURE_LIFETIME_S, ""
    await robots.require(httpx.URL("https://a.org/"))


async def test_only_so_many_sites_are_remembered() -> None:
    """The one that was asked about longest ago is forgotten."""
    web = Web()
    robots = web.robots()
    for number in range(SITES_LIMIT + 1):
        await robots.require(httpx.URL(f"https://{number}.org/"))
    await robots.require(httpx.URL(f"https://{SITES_LIMIT}.org/"))
    assert SITES_LIMIT + 1 == len(web.asked)
    await robots.require(httpx.URL("https://0.org/"))
    assert SITES_LIMIT + 2 == len(web.asked)


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
    """By the group that names us, else by the one for everybody; the longest rule wins."""
    assert expected == is_allowed(relevant_groups(text, NAME), f"https://example.org{path}", NAME)


def test_rules_for_others_are_not_kept() -> None:
    """However many robots a file names: each would get a copy of every rule."""
    text = "".join(f"User-agent: robot{number}\n" for number in range(2000)) + "Disallow: /\n" * 2000

    assert "" == relevant_groups(text, NAME)
    assert 2001 == len(relevant_groups(text + "User-agent: *\n" + "Disallow: /\n" * 2000, NAME).splitlines())
