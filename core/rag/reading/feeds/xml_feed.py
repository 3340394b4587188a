"""Reads RSS, Atom, RDF and JSON feeds: newest first, a passage per entry; malformed ones as far as feedparser gets."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from time import struct_time
from typing import Any

import feedparser  # type: ignore[import-untyped]

from core.contract import Omission
from core.errors import UnreadableDocument
from core.language import parse_language_tag
from core.rag.documents import Document
from core.rag.reading.absolute_link import absolute_link
from core.rag.reading.feeds.dates import parse_feed_date
from core.rag.reading.feeds.entries import FeedEntry, build_document, choose_text, newest, title_line
from core.rag.reading.feeds.json_feed import parse_json_feed
from core.rag.reading.raw_document import RawDocument

BODY_LIMIT_BYTES = 2 * 2**20  # takes feedparser a second; the newest entries usually come first
DATES = ("published", "updated", "created")


def parse_feed(raw: RawDocument) -> Document:
    """Returns the feed as a document; without entries it has no passages. Raises UnreadableDocument for other XML."""
    if raw.body.lstrip()[:1] == b"{":
        return parse_json_feed(raw.body, raw.url)
    # Without a charset feedparser goes by the bytes; with a wrong one, it tries the bytes next.
    body = raw.body[:BODY_LIMIT_BYTES]
    content_type = (raw.media_type or "application/xml") + (f"; charset={raw.charset}" if raw.charset else "")
    parsed = feedparser.parse(BytesIO(body), response_headers={"content-type": content_type}, sanitize_html=False)
    if not parsed.get("version") and not parsed.get("entries"):
        raise UnreadableDocument("this XML is no feed: neither RSS, Atom nor RDF was found in it", "kind")
    declared = parsed.feed.get("language")
    day_first = parse_language_tag(str(declared or "")) == "fr"
    dated = newest((entry_date(each, day_first=day_first), each) for each in parsed.entries)
    entries = [parse_entry(each, when, raw.url) for when, each in dated]
    home = absolute_link(parsed.feed.get("link"), raw.url)
    document = build_document(read_title(parsed.feed), entries, declared, home, len(parsed.entries))
    is_cut = len(body) < len(raw.body)
    return replace(document, omissions=(*document.omissions, Omission("characters"))) if is_cut else document


def parse_entry(parsed: Mapping[str, Any], when: datetime | None, base: str | None) -> FeedEntry:
    texts = [parsed.get("summary"), *(each.get("value") for each in parsed.get("content") or ())]
    links = [parsed.get("link"), *(each.get("href") for each in parsed.get("enclosures") or ())]
    link = next(filter(None, (absolute_link(each, base) for each in links)), None)
    return FeedEntry(read_title(parsed), choose_text([str(text) for text in texts if text]), link, when)


def read_title(parsed: Mapping[str, Any]) -> str:
    return title_line(str(parsed.get("title") or ""))


def entry_date(parsed: Mapping[str, Any], *, day_first: bool) -> datetime | None:
    """Returns the first date of the entry that can be read, in its own offset."""
    for name in DATES:
        if name not in parsed:
            continue  # feedparser would answer with another of the dates
        moment = parse_feed_date(str(parsed[name]), day_first=day_first)
        if moment := moment or to_datetime(parsed.get(f"{name}_parsed")):
            return moment
    return None


def to_datetime(when: struct_time | None) -> datetime | None:
    """Converts feedparser's time, which is in UTC."""
    try:
        return datetime.fromtimestamp(timegm(when), UTC) if when else None
    except (ValueError, OverflowError, OSError):
        return None
