"""Feeds of every kind: newest entry first, as text, with safe links."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.errors import UnreadableDocument
from core.rag.documents import PASSAGE_LIMIT_CHARS, Document
from core.rag.reading.feeds import entries as feed_entries
from core.rag.reading.feeds import json_feed
from core.rag.reading.feeds import xml_feed as feeds
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

    assert newer.text == "2026-05-05\n\nPlain summary."
    assert older.text == "2026-05-04 12:00 UTC\n\nFirst bold.\n\nSecond one."
    assert undated.text == "Undated & short"


@pytest.mark.parametrize(
    ("feed", "heading", "text"),
    [
        (ATOM, "Ce soir", "2026-05-05 21:00 UTC\n\nNuageux.\nMinimum 4."),
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


def test_the_full_text_of_an_entry_comes_before_its_summary() -> None:
    """A summary that is the beginning of the text is left out; one that says something else stands above it."""
    full = "<p>The fee for a park pass rises to $25 on June 1.</p><p>Children enter free until the end of the year.</p>"
    start = "The fee for a park pass rises to $25 on June 1. [&#8230;]"
    other = "Rangers answer your questions at the gate every day."
    content = (
        "<content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'><![CDATA[{}]]></content:encoded>"
    )
    (plain,) = read(item(f"<title>Fees</title><description>{start}</description>{content.format(full)}")).passages
    (both,) = read(item(f"<title>Fees</title><description>{other}</description>{content.format(full)}")).passages
    (atom,) = read(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title><entry><title>Fees</title><summary>Fees.</summary>"
        f"<content type='html'><![CDATA[{full}]]></content></entry></feed>"
    ).passages
    (json,) = read(
        f'{{"version": "{json_feed.JSON_FEED}1.1", "items": [{{"title": "Fees", "summary": "The fee for a park pass",'
        f'"content_html": "{full}"}}]}}'
    ).passages

    text = "The fee for a park pass rises to $25 on June 1.\n\nChildren enter free until the end of the year."
    assert plain.text == text
    assert both.text == f"{other}\n\n{text}"
    assert atom.text == f"Fees.\n\n{text}"
    assert json.text == text


def test_the_text_of_an_entry_keeps_its_form() -> None:
    """Headings are below its title; lists, tables and the lines of plain text stay."""
    html = "<h2>Steps</h2><ol><li>Sign<li>Send</ol><table><tr><th>A<th>B<tr><td>1<td>2</table>"
    (rich,) = read(item(f"<title>How</title><description><![CDATA[{html}]]></description>")).passages
    (plain,) = read(
        item("<title>How</title><description>Guests:\nAnn Roe\n\nFish &amp;amp; chips</description>")
    ).passages

    assert (rich.heading, rich.text) == ("How › Steps", "1. Sign\n2. Send\n\n| A | B |\n| --- | --- |\n| 1 | 2 |")
    assert plain.text == "Guests:\nAnn Roe\n\nFish & chips"


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("https://example.ca/news/2026/new-park-fees.html", "new park fees"),
        ("https://example.ca/?p=12", "example.ca"),
        ("https://example.ca/12345", "example.ca"),
    ],
)
def test_an_entry_with_nothing_but_a_link_is_named_by_it(link: str, text: str) -> None:
    """Its address has words, or its site has a name."""
    (passage,) = read(item(f"<link>{link}</link>")).passages
    (same,) = read(f'{{"version": "{json_feed.JSON_FEED}1.1", "items": [{{"url": "{link}"}}]}}').passages

    assert (passage.text, passage.link) == (same.text, same.link) == (text, link)


def test_the_recording_of_an_episode_is_its_link() -> None:
    """This holds for an episode without a page."""
    (passage,) = read(item("<title>One</title><enclosure url='https://example.ca/1.mp3' type='audio/mpeg'/>")).passages

    assert passage.link == "https://example.ca/1.mp3"


def test_dates_are_those_of_the_publisher() -> None:
    """An evening in Winnipeg is no morning of the next day."""
    (passage,) = read(item("<title>One</title><pubDate>Tue, 05 May 2026 21:30:00 -0500</pubDate>")).passages

    assert passage.published_at is not None
    assert (passage.text, passage.published_at.isoformat()) == ("2026-05-05", "2026-05-05T21:30:00-05:00")


def test_a_time_in_utc_stays_with_its_day() -> None:
    """The reader's day may be another: this one is an evening before in Ottawa."""
    (passage,) = read(item("<title>Frost</title><pubDate>Wed, 06 May 2026 01:30:00 GMT</pubDate>")).passages

    assert passage.text == "2026-05-06 01:30 UTC"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("&amp;lt;p&amp;gt;Open &amp;amp;eacute;t&amp;amp;eacute;&amp;lt;/p&amp;gt;", "Open été"),
        ("Use &amp;lt;main&amp;gt; once, if a &amp;lt; b", "Use <main> once, if a < b"),
        ("Use &lt;main&gt; once", "Use <main> once"),
        ("One&lt;br&gt;Two", "One\nTwo"),
    ],
)
def test_markup_is_told_from_text_about_it(text: str, expected: str) -> None:
    """Some publishers escape their markup twice, and some write about elements."""
    (passage,) = read(item(f"<title>One</title><description>{text}</description>")).passages

    assert passage.text == expected


def test_a_title_about_an_element_keeps_it() -> None:
    """It is plain text."""
    (passage,) = read(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title><entry><title>Use &lt;main&gt; &amp;amp; CSS</title>"
        "<summary>Now.</summary></entry></feed>"
    ).passages

    assert passage.heading == "Use <main> & CSS"


def test_the_address_of_an_entry_of_json_may_be_its_name() -> None:
    """It comes before a recording."""
    (passage,) = read(
        f'{{"version": "{json_feed.JSON_FEED}1.1", "items": [{{"id": "https://j.ca/1", "title": "One",'
        '"attachments": [{"url": "https://j.ca/a.mp3"}]}]}'
    ).passages

    assert passage.link == "https://j.ca/1"


def test_the_newest_entries_of_a_long_feed_are_read() -> None:
    """Some feeds have them last."""
    entries = "".join(
        f"<item><title>{number}</title><pubDate>{1_700_000_000 + number * 3600}</pubDate></item>"
        for number in range(feed_entries.ENTRIES_LIMIT + 2)
    )
    document = read(f"<rss version='2.0'><channel>{entries}</channel></rss>")

    assert document.passages[0].heading == str(feed_entries.ENTRIES_LIMIT + 1)


@pytest.mark.parametrize("more", [0, 1])
def test_a_feed_with_too_many_entries_is_marked_as_cut(more: int) -> None:
    """This holds for each kind of feed."""
    count = feed_entries.ENTRIES_LIMIT + more
    entries = ",".join(['{"title": "One"}'] * count)
    documents = (
        read(f"<rss version='2.0'><channel>{'<item><title>One</title></item>' * count}</channel></rss>"),
        read(f'{{"version": "{json_feed.JSON_FEED}1", "items": [{entries}]}}'),
    )

    assert [bool(document.omissions) for document in documents] == [bool(more)] * 2
    assert [len(document.passages) for document in documents] == [feed_entries.ENTRIES_LIMIT] * 2


def test_a_feed_that_is_too_long_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first entries are read."""
    monkeypatch.setattr(feeds, "BODY_LIMIT_BYTES", len(RSS) - 250)
    document = read(RSS)

    assert document.passages[0].heading == "Older"
    assert [each.kind for each in document.omissions] == ["characters"]


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
