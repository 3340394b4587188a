"""Which pages a sitemap names (sitemaps.org). Pure: bytes in, URLs out.

It is searched and not parsed: of all that XML can do, a sitemap needs nothing, and a hostile one everything.
"""

from __future__ import annotations

import html
import re

from core.rag.reading.charset import decoded

PAGES_LIMIT = 50_000  # of one sitemap, by the protocol
ROOT = re.compile(r"<(?:\w+:)?(urlset|sitemapindex)[\s>]")
# In linear time: what a `+` after a quantifier took is not given back.
LOCATION = re.compile(
    r"<(?:\w{1,40}+:)?+loc>\s*+(?:<!\[CDATA\[\s*+)?+([^<>\[\]\s]{1,4096}+)\s*+(?:\]\]>\s*+)?+</(?:\w{1,40}+:)?+loc>"
)
START_CHARS = 4096


def is_sitemap(body: bytes) -> bool:
    return root_of(body) is not None


def is_index(body: bytes) -> bool:
    """Whether what it names are other sitemaps."""
    return root_of(body) == "sitemapindex"


def root_of(body: bytes) -> str | None:
    found = ROOT.search(decoded(body[:START_CHARS]))
    return found[1] if found else None


def locations(body: bytes) -> list[str]:
    """In order, each once, at most PAGES_LIMIT."""
    named = (html.unescape(each) for each in LOCATION.findall(decoded(body)))
    return list(dict.fromkeys(named))[:PAGES_LIMIT]
