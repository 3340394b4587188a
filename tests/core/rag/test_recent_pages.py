"""Pages that were previewed stay for a while, and only a few of them."""

from __future__ import annotations

from core.rag.recent_pages import RecentPages


def test_a_page_is_found_until_its_time_is_over() -> None:
    now = [0.0]
    pages: RecentPages[str] = RecentPages(lifetime_s=300, now=lambda: now[0])
    pages.keep("https://a.example/", "a")

    now[0] = 299
    assert pages.find("https://a.example/") == "a"
    now[0] = 300
    assert pages.find("https://a.example/") is None


def test_the_oldest_page_goes_first() -> None:
    """A page that is read again counts as new."""
    pages: RecentPages[str] = RecentPages(limit=2)
    for url in ("a", "b", "a", "c"):
        pages.keep(url, url.upper())

    assert [pages.find(url) for url in ("a", "b", "c")] == ["A", None, "C"]
