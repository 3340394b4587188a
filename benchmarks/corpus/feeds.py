# ruff: noqa: E501 - lines of feeds
"""Feeds of each format. The known text is that of the entries, newest first, with their days."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.corpus import Sample

RSS = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" {spaces}><channel><title>{title}</title>{items}</channel></rss>'
CONTENT = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
BOTH = """<item><title>Park fees fall</title><link>https://example.ca/fees</link><pubDate>Tue, 05 May 2026 21:30:00 -0500</pubDate>
<description>The fee for a day falls to $8. [&#8230;]</description><content:encoded><![CDATA[<p>The fee for a day falls to $8.</p>
<p>Children enter <strong>free</strong> until October.</p>]]></content:encoded></item>"""
OTHER = """<item><title>Trail closed</title><link>https://example.ca/trail</link><pubDate>Wed, 06 May 2026 08:00:00 -0500</pubDate>
<description>&lt;p&gt;Rock fell on the trail.&lt;/p&gt;&lt;ul&gt;&lt;li&gt;North loop: closed&lt;/li&gt;&lt;li&gt;South loop: open&lt;/li&gt;&lt;/ul&gt;</description></item>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Ottawa - Weather</title>
<entry><title>Tonight: rain</title><link href="https://example.ca/w/1"/><updated>2026-05-05T21:30:00-04:00</updated>
<summary type="html">Rain ending near midnight. &lt;br/&gt;Low 4.</summary></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>Gazette</title></channel><item rdf:about="y">
<title>Order in council</title><link>https://example.ca/o</link><description>The order takes effect at once.</description>
<dc:date>2026-05-05</dc:date></item></rdf:RDF>"""
PODCAST = """<item><title>Episode 4</title><enclosure url="https://example.ca/4.mp3" type="audio/mpeg" length="1"/>
<pubDate>5 May 2026 9:30 PM EST</pubDate><description>Rivers</description><content:encoded>Guests:
Ann Roe, hydrologist
Paul Ng, ranger</content:encoded></item>"""
FRENCH = """<item><title>Nouveaux tarifs</title><link>https://example.ca/f</link><pubDate>mar., 05 mai 2026 21:30:00 -0400</pubDate>
<description>Les tarifs baissent le 1&lt;sup&gt;er&lt;/sup&gt; juin.</description></item>"""
LINKED = "<item><link>https://example.ca/news/bridge-closed-until-june.html</link></item>"
JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Lab notes",
    "items": [
        {
            "id": "1",
            "url": "https://example.ca/n/1",
            "title": "New sensor",
            "summary": "A sensor.",
            "content_html": "<p>The sensor counts 10<sup>6</sup> drops an hour.</p>",
            "date_published": "2026-05-05T21:30:00-04:00",
        }
    ],
}


def rss(title: str, *items: str) -> bytes:
    return RSS.format(spaces=CONTENT, title=title, items="".join(items)).encode()


def samples() -> Iterator[Sample]:
    rss_type, fees = "application/rss+xml", "The fee for a day falls to $8. Children enter free until October."
    yield Sample("blog.rss", rss_type, rss("Parks", BOTH), f"Parks. Park fees fall. 2026-05-05. {fees}")
    trail = "Trail closed. 2026-05-06. Rock fell on the trail. North loop: closed. South loop: open."
    both = f"Parks. {trail} Park fees fall. 2026-05-05. {fees}"
    yield Sample("news.rss", rss_type, rss("Parks", BOTH, OTHER), both)
    weather = "Ottawa - Weather. Tonight: rain. 2026-05-05. Rain ending near midnight. Low 4."
    yield Sample("weather.atom", "application/atom+xml", ATOM.encode(), weather)
    gazette = "Gazette. Order in council. 2026-05-05. The order takes effect at once."
    yield Sample("gazette.rdf", "application/rdf+xml", RDF.encode(), gazette)
    episode = "Radio. Episode 4. 2026-05-05. Rivers. Guests: Ann Roe, hydrologist. Paul Ng, ranger."
    yield Sample("podcast.rss", rss_type, rss("Radio", PODCAST), episode)
    tariffs = "Parcs. Nouveaux tarifs. 2026-05-05. Les tarifs baissent le 1er juin."
    yield Sample("nouvelles.rss", rss_type, rss("Parcs", FRENCH), tariffs)
    yield Sample("links.rss", rss_type, rss("Roads", LINKED), "Roads. bridge closed until june")
    notes = "Lab notes. New sensor. 2026-05-05. A sensor. The sensor counts 10⁶ drops an hour."
    yield Sample("notes.json", "application/feed+json", json.dumps(JSON).encode(), notes)
