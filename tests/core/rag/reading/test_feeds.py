"""Feeds of every kind: newest entry first, as text, with safe links."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.errors import UnreadableDocument
from core.rag.documents import PASSAGE_LIMIT_CHARS, Document
from core.rag.reading import feeds
from core.rag.reading.raw_document import RawDocument

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>News of the &lt;b&gt;department&lt;/b&gt;</title><link>https://example.ca/news</link>
<language>en-CA</language>
<item><title>Older</title><link>https://example.ca/1</link><pubDate>Mon, 04 May 2026 12:00:00 GMT</pubDate>
<description>&lt;p&gt;First &lt;b&gt;bold&lt;/b&gt;.&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;
&lt;p&gt;Second&amp;nbsp;one.&lt;/p&gt;</description></item>
<item><title>Undated &amp;amp; short</title><link>/relative</link></item>
<item><title>Newer</title><link>https://example.ca/2</link><pubDate>Tue, 05 May 2026 20:00:00 -0400</pubDate>
<description>Plain summary.</description></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><title>Météo</title><link href="https://example.ca/"/>
<entry><title>Ce soir</title><link rel="alternate" href="https://example.ca/ce-soir"/><updated>2026-05-05T21:00:00Z</updated>
<summary type="html">Nuageux. &lt;br/&gt;Minimum 4.</summary></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>Old</title></channel>
<item rdf:about="y"><title>One</title><link>https://example.ca/one</link><description>Said.</description>
<dc:date>2026-05-05</dc:date></item></rdf:RDF>"""
OLDEST = """<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"
"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><title>Old</title>
<item><title>One</title><link>https://example.ca/one</link><description>Said.</description></item></channel></rss>"""
JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "Blog", "language": "en", "home_page_url": "https://example.ca/",
"items": [{"id": "1", "title": "One", "url": "https://example.ca/one", "content_html": "<p>Said.</p>",
"date_published": "2026-05-05T08:00:00-04:00"}, {"id": "2", "content_text": "Untitled."}, 3]}"""


def read(feed: str, **options: str) -> Document:
    return feeds.parse_feed(RawDocument(feed.encode(), **options))


def item(inner: str) -> str:
    return f"<rss version='2.0'><channel><title>t</title><item>{inner}</item></channel></rss>"


def test_entries_come_newest_first() -> None:
    """Each has a passage headed by its title; entries without a date come last."""
    document = read(RSS, url="https://example.ca/feed.xml")

    assert [passage.heading for passage in document.passages] == ["Newer", "Older", ""]
    assert [passage.link for passage in document.passages] == [
        "https://example.ca/2",
        "https://example.ca/1",
        "https://example.ca/relative",
    ]
    assert document.passages[0].published_at == datetime(2026, 5, 6, tzinfo=UTC)


def test_a_feed_has_title_language_and_link() -> None:
    """The title is plain text."""
    document = read(RSS)

    assert (document.title, document.kind, document.language) == ("News of the department", "feed", "en")
    assert document.url == "https://example.ca/news"


def test_summaries_are_text() -> None:
    """Markup is removed, and the date added; an entry with neither is its title."""
    newer, older, undated = read(RSS).passages

    assert newer.text == "2026-05-06\n\nPlain summary."
    assert older.text == "2026-05-04\n\nFirst bold.\n\nSecond one."
    assert undated.text == "Undated & short"


@pytest.mark.parametrize(
    ("feed", "heading", "text"),
    [
        (ATOM, "Ce soir", "2026-05-05\n\nNuageux.\n\nMinimum 4."),
        (RDF, "One", "2026-05-05\n\nSaid."),
        (OLDEST, "One", "Said."),
        (JSON, "One", "2026-05-05\n\nSaid."),
    ],
)
def test_every_kind_of_feed_is_read(feed: str, heading: str, text: str) -> None:
    """Atom, RDF, RSS from 0.91, JSON Feed."""
    passage = read(feed).passages[0]

    assert (passage.heading, passage.text) == (heading, text)
    assert passage.link is not None


def test_the_language_is_declared_or_detected() -> None:
    """The declaration comes first."""
    assert read(ATOM).language == "fr"
    assert read(item("<title>Les nouvelles de la semaine sont ici</title>")).language == "fr"


@pytest.mark.parametrize(
    "feed",
    [
        RSS.replace("<item>", "<item><b>", 1),
        RSS.replace("</channel></rss>", ""),
        RSS.replace("News of", "News & <x of"),
        "\n\n  " + RSS,
        RSS.replace("Plain summary.", "&nbsp;Plain&eacute; summary."),
    ],
)
def test_malformed_feeds_are_read(feed: str) -> None:
    """Feed readers do so too."""
    assert any("summary." in passage.text for passage in read(feed).passages)


def test_the_charset_of_a_feed_is_detected() -> None:
    """Its declaration or the server's header decides."""
    declared = RSS.replace('"utf-8"', '"iso-8859-1"').replace("Plain", "Été").encode("latin-1")
    undeclared = RSS.replace(' encoding="utf-8"', "").replace("Plain", "Été").encode("latin-1")

    assert "Été" in feeds.parse_feed(RawDocument(declared)).passages[0].text
    assert "Été" in feeds.parse_feed(RawDocument(undeclared, charset="iso-8859-1")).passages[0].text


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.ca/",
        "https://",
        "http://[",
        "",
        "x" * 3000,
    ],
)
def test_links_are_http_or_missing(link: str) -> None:
    """Other schemes are dropped."""
    (passage,) = read(item(f"<title>One</title><link>{link}</link>")).passages

    assert passage.link is None


def test_a_long_entry_is_cut() -> None:
    """Each part has the entry's heading."""
    parts = read(
        item(f"<title>Long</title><link>https://example.ca/</link><description>{'Some words. ' * 500}</description>")
    )

    assert len(parts.passages) > 3
    assert {(part.heading, part.link) for part in parts.passages} == {("Long", "https://example.ca/")}
    assert all(len(part.text) <= PASSAGE_LIMIT_CHARS for part in parts.passages)


@pytest.mark.parametrize("more", [0, 1])
def test_a_feed_with_too_many_entries_is_marked_as_cut(more: int) -> None:
    """This holds for each kind of feed."""
    count = feeds.ENTRIES_LIMIT + more
    entries = ",".join(['{"title": "One"}'] * count)
    documents = (
        read(f"<rss version='2.0'><channel>{'<item><title>One</title></item>' * count}</channel></rss>"),
        read(f'{{"version": "{feeds.JSON_FEED}1", "items": [{entries}]}}'),
    )

    assert [bool(document.omissions) for document in documents] == [bool(more)] * 2
    assert [len(document.passages) for document in documents] == [feeds.ENTRIES_LIMIT] * 2


@pytest.mark.parametrize("when", ["yesterday", "Tue, 99 May 99999 99:99:99 GMT", ""])
def test_invalid_dates_are_left_out(when: str) -> None:
    """The entry is read without a date."""
    (passage,) = read(item(f"<title>One</title><pubDate>{when}</pubDate>")).passages

    assert (passage.text, passage.published_at) == ("One", None)


@pytest.mark.parametrize(
    "body", ["", "<html><p>Hello</p></html>", "<catalogue><book/></catalogue>", "{", '{"version": 1}', "[]", "text"]
)
def test_other_xml_and_json_is_refused(body: str) -> None:
    """The error has a reason."""
    with pytest.raises(UnreadableDocument, match="feed"):
        read(body)


def test_a_feed_without_entries_has_no_passages() -> None:
    """It may have some tomorrow."""
    assert read("<rss version='2.0'><channel><title>Quiet</title></channel></rss>").passages == ()
