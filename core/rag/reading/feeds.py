"""Reads RSS, Atom, RDF and JSON feeds: newest first, a passage per entry; malformed ones as far as feedparser gets."""

from __future__ import annotations

import json
from calendar import timegm
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from time import struct_time
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser  # type: ignore[import-untyped]

from core.contract import Omission
from core.errors import UnreadableDocument
from core.language import detect_language, parse_language_tag
from core.rag.documents import Block, Document, Passage, one_line, visible_text
from core.rag.passages import HEADING_LIMIT_CHARS, cut_blocks
from core.rag.reading import extract
from core.rag.reading.raw_document import RawDocument

ENTRIES_LIMIT = 500
LINK_LIMIT_CHARS = 2000
JSON_FEED = "https://jsonfeed.org/version/"
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    title: str
    summary: str  # plain text
    link: str | None
    published_at: datetime | None


def parse_feed(raw: RawDocument) -> Document:
    """Returns the feed as a document; without entries it has no passages. Raises UnreadableDocument for other XML."""
    if raw.body.lstrip()[:1] == b"{":
        return parse_json_feed(raw.body, raw.url)
    # Without a charset feedparser goes by the bytes; with a wrong one, it tries the bytes next.
    content_type = (raw.media_type or "application/xml") + (f"; charset={raw.charset}" if raw.charset else "")
    parsed = feedparser.parse(BytesIO(raw.body), response_headers={"content-type": content_type}, sanitize_html=False)
    if not parsed.get("version") and not parsed.get("entries"):
        raise UnreadableDocument("this XML is no feed: neither RSS, Atom nor RDF was found in it", "kind")
    entries = [parse_entry(each, raw.url) for each in parsed.entries[:ENTRIES_LIMIT]]
    home = absolute_link(parsed.feed.get("link"), raw.url)
    title = one_line(extract.html_text(str(parsed.feed.get("title") or "")))
    document = build_document(title, entries, parsed.feed.get("language"), home)
    return replace(document, omissions=omitted_entries(len(parsed.entries)))


def omitted_entries(total: int) -> tuple[Omission, ...]:
    return (Omission("entries", ENTRIES_LIMIT, total),) if total > ENTRIES_LIMIT else ()


def parse_entry(parsed: Mapping[str, Any], base: str | None) -> FeedEntry:
    content = next((each.get("value") for each in parsed.get("content") or ()), None)
    summary = parsed.get("summary") or content or ""
    when = parsed.get("published_parsed" if "published_parsed" in parsed else "updated_parsed")
    title = one_line(extract.html_text(str(parsed.get("title") or "")))
    return FeedEntry(title, extract.html_text(str(summary)), absolute_link(parsed.get("link"), base), to_datetime(when))


def parse_json_feed(body: bytes, url: str | None) -> Document:
    """Reads a JSON Feed (https://www.jsonfeed.org/version/1.1/)."""
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise UnreadableDocument("this JSON feed is no JSON", "damaged") from exc
    if not isinstance(feed, dict) or not str(feed.get("version", "")).startswith(JSON_FEED):
        raise UnreadableDocument(f"this JSON is no feed: its `version` does not begin with {JSON_FEED}", "kind")
    items = feed.get("items")
    items = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    entries = [parse_json_entry(item, url) for item in items[:ENTRIES_LIMIT]]
    home = absolute_link(feed.get("home_page_url"), url)
    document = build_document(one_line(str(feed.get("title") or "")), entries, feed.get("language"), home)
    return replace(document, omissions=omitted_entries(len(items)))


def parse_json_entry(item: Mapping[str, Any], base: str | None) -> FeedEntry:
    html = item.get("content_html")
    summary = item.get("summary") or item.get("content_text") or (extract.html_text(str(html)) if html else "")
    when = str(item.get("date_published") or item.get("date_modified") or "")
    return FeedEntry(
        one_line(str(item.get("title") or "")),
        visible_text(str(summary)),
        absolute_link(item.get("url"), base),
        parse_iso_time(when),
    )


def build_document(title: str, entries: Iterable[FeedEntry], declared: Any, home: str | None) -> Document:
    newest = sorted(entries, key=lambda entry: entry.published_at or NEVER, reverse=True)
    passages = tuple(passage for entry in newest for passage in entry_passages(entry))
    sample = "\n".join(f"{passage.heading}\n{passage.text}" for passage in passages[:20])
    language = parse_language_tag(str(declared or "")) or detect_language(f"{title}\n{sample}")
    return Document(title, passages, "feed", language, home)


def entry_passages(entry: FeedEntry) -> list[Passage]:
    """Returns one passage for an entry, more if it is long: headed by the title, with the date as first line."""
    day = entry.published_at.date().isoformat() if entry.published_at else ""
    lines = [text for text in (day, *entry.summary.split("\n")) if text.strip()]
    heading = entry.title[:HEADING_LIMIT_CHARS] if lines else ""
    blocks = [Block("paragraph", text) for text in lines or [entry.title] if text]
    return [Passage(each.text, heading, entry.link, entry.published_at) for each in cut_blocks(blocks)]


def absolute_link(link: Any, base: str | None) -> str | None:
    """Returns an absolute http or https URL, or None."""
    if not isinstance(link, str) or not link.strip():
        return None
    try:
        absolute = urljoin(base or "", link.strip())
        parts = urlsplit(absolute)
    except ValueError:
        return None
    fits = parts.scheme in ("http", "https") and parts.hostname and len(absolute) <= LINK_LIMIT_CHARS
    return absolute if fits and absolute.isprintable() else None


def to_datetime(when: struct_time | None) -> datetime | None:
    """Converts feedparser's time, which is in UTC."""
    try:
        return datetime.fromtimestamp(timegm(when), UTC) if when else None
    except (ValueError, OverflowError, OSError):
        return None


def parse_iso_time(when: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
