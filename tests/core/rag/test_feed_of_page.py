"""A page is read together with the feed that it declares, if the question asks for news."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.rag.reading.pages import extract
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.reader import Reader
from core.rag.retrieval import Retriever
from tests.core.rag.fetching.support_websites import Website, fetcher, website

PROSE = "Employees may ask for leave in writing, and their managers answer within ten working days of that."
FEED = "<rss version='2.0'><channel><title>News</title><item><title>Fees fall</title></item></channel></rss>"
COMMENTS = '<link rel="alternate" type="application/rss+xml" title="Leave » Comments" href="/comments">'
LINK = '<link rel="alternate" type="application/rss+xml" href="/feed">'


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as running:
        running.page("/", f"<head>{COMMENTS}{LINK}</head><main><h1>Leave</h1><p>{PROSE}</p></main>")
        running.page("/feed", FEED, Content_Type="application/rss+xml")
        yield running


@pytest.fixture
async def retriever(site: Website) -> AsyncIterator[Retriever]:
    made = Retriever(fetcher(site), Reader())
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("question", "names"), [("What's new?", ["News", "Leave"]), ("Who asks for leave?", ["Leave"])]
)
async def test_the_question_decides(site: Website, retriever: Retriever, question: str, names: list[str]) -> None:
    """The feed stands first."""
    documents = await retriever.fetch_pages(site.url("/"), question)

    assert [document.name for document in documents] == names


async def test_a_feed_that_fails_leaves_the_page(site: Website, retriever: Retriever) -> None:
    """The person asked about the page."""
    del site.pages["/feed"]

    (page,) = await retriever.fetch_pages(site.url("/"), "What's new?")
    assert page.name == "Leave"


async def test_a_file_is_read_by_the_name_that_its_site_gives_it(site: Website, retriever: Retriever) -> None:
    """The name is the document's too."""
    site.page(
        "/download",
        "Type;Fee\nAdult;$20\n",
        Content_Type="application/octet-stream",
        Content_Disposition='attachment; filename="Fees 2026.csv"',
    )
    document = await retriever.fetch_page(site.url("/download"))

    assert document.name == "Fees 2026"
    assert document.passages[0].text == "| Type | Fee |\n| --- | --- |\n| Adult | $20 |"


def test_the_declared_feed_has_an_absolute_address() -> None:
    """Feeds of comments do not count."""
    html = f"<head>{COMMENTS}{LINK}</head><main><p>{PROSE}</p></main>".encode()

    assert extract.parse_page(RawDocument(html, url="https://example.ca/en/")).feed_url == "https://example.ca/feed"
    assert extract.parse_page(RawDocument(html.replace(LINK.encode(), b""))).feed_url is None


async def test_a_previewed_page_is_fetched_once(site: Website, retriever: Retriever) -> None:
    """The answer is based on the reading that the person saw, and knows the page's feed all the same."""
    page = await retriever.read_page(site.url("/"))
    del site.pages["/"]
    documents = await retriever.fetch_pages(site.url("/"), "What's new?")

    assert (page.title, page.kind, page.url) == ("Leave", "page", site.url("/"))
    assert PROSE in page.text
    assert [document.name for document in documents] == ["News", "Leave"]
    assert (await retriever.read_page(site.url("/feed"))).kind == "feed"
