"""A text above the limit is cut where its reader allows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import FetchFailed
from core.rag.fetching.fetch import Fetcher
from core.rag.fetching.response import is_cuttable
from core.rag.fetching.site import FetchLimits
from core.rag.reading.reader import Reader
from core.rag.retrieval import Retriever
from tests.core.rag.fetching.support_websites import Website, fetcher, website

LIMIT_BYTES = 1000
SENTENCE = "Managers answer within ten working days. "


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as running:
        yield running


@pytest.fixture
async def own(site: Website, tmp_path: Path) -> AsyncIterator[Fetcher]:
    async with fetcher(site, tmp_path / "pages", limits=FetchLimits(body_bytes=LIMIT_BYTES)) as running:
        yield running


async def test_a_long_text_is_cut_if_its_reader_allows_it(site: Website, own: Fetcher) -> None:
    """The cache remembers that it is not whole, and who needs all of it gets none."""
    site.page("/", "x" * (LIMIT_BYTES + 1), Cache_Control="max-age=60")
    site.page("/whole", "x" * LIMIT_BYTES)

    for cached in (False, True):
        fetched = await own.fetch(site.url("/"), robots=False, whole=False)
        assert (len(fetched.body), fetched.is_cut, fetched.cached) == (LIMIT_BYTES, True, cached)
    assert not (await own.fetch(site.url("/whole"), robots=False, whole=False)).is_cut
    with pytest.raises(FetchFailed, match="larger than 1000 bytes"):
        await own.fetch(site.url("/"), robots=False)


async def test_a_long_document_is_not_cut(site: Website, own: Fetcher) -> None:
    """Its beginning cannot be read alone."""
    site.page("/", "%PDF-" + "x" * LIMIT_BYTES, Content_Type="application/pdf")

    with pytest.raises(FetchFailed, match="larger"):
        await own.fetch(site.url("/"), robots=False, whole=False)


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("text/html", True),
        ("text/csv", True),
        ("application/rss+xml", True),
        ("text/tab-separated-values", True),
        ("application/json", False),
        ("text/json", False),
        ("application/feed+json", False),
        ("application/pdf", False),
    ],
)
def test_texts_can_be_cut(media_type: str, expected: bool) -> None:
    """The beginning of JSON is no JSON."""
    assert is_cuttable(media_type) is expected


async def test_a_page_says_that_its_end_is_missing(site: Website, own: Fetcher) -> None:
    """The model and the person learn of it."""
    site.page("/", f"<main><p>{SENTENCE * 50}</p></main>")
    reader = Reader()
    try:
        document = await Retriever(own, reader).fetch_page(site.url("/"))
    finally:
        await reader.close()

    assert document.passages[0].text.startswith(SENTENCE.strip())
    assert [each.kind for each in document.omissions] == ["characters"]
