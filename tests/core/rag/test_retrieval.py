"""What a page or feed is cited as."""

from __future__ import annotations

import pytest

from core.rag.documents import Document
from core.rag.retrieval import link_for


@pytest.mark.parametrize(
    ("told", "cited"),
    [
        (None, "https://news.example/feed"),
        ("https://news.example/", "https://news.example/"),
        ("https://www.canada.ca/en.html", "https://news.example/feed"),
    ],
)
def test_a_feed_is_cited_by_its_own_site(told: str | None, cited: str) -> None:
    """It says where people read it; it does not say that somebody else wrote it."""
    assert cited == link_for(Document("News", (), "feed", url=told), "https://news.example/feed")
