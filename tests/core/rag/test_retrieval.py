"""The links of pages and feeds."""

from __future__ import annotations

import pytest

from core.rag.documents import Document
from core.rag.retrieval import link_for


@pytest.mark.parametrize(
    ("link", "cited"),
    [
        (None, "https://news.example/feed"),
        ("https://news.example/", "https://news.example/"),
        ("https://www.canada.ca/en.html", "https://news.example/feed"),
    ],
)
def test_a_feed_links_only_to_its_own_site(link: str | None, cited: str) -> None:
    """It names the page for readers, but cannot attribute itself to another site."""
    assert cited == link_for(Document("News", (), "feed", url=link), "https://news.example/feed")
