"""Reads JSON Feed (https://www.jsonfeed.org/version/1.1/). Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.errors import UnreadableDocument
from core.rag.documents import Document, one_line
from core.rag.reading.absolute_link import absolute_link
from core.rag.reading.feeds.dates import parse_feed_date
from core.rag.reading.feeds.entries import FeedEntry, build_document, choose_text, newest

JSON_FEED = "https://jsonfeed.org/version/"


def parse_json_feed(body: bytes, url: str | None) -> Document:
    """Raises UnreadableDocument for other JSON."""
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise UnreadableDocument("this JSON feed is no JSON", "damaged") from exc
    if not isinstance(feed, dict) or not str(feed.get("version", "")).startswith(JSON_FEED):
        raise UnreadableDocument(f"this JSON is no feed: its `version` does not begin with {JSON_FEED}", "kind")
    items = feed.get("items")
    items = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    entries = [parse_item(item, when, url) for when, item in newest((item_date(item), item) for item in items)]
    home = absolute_link(feed.get("home_page_url"), url)
    return build_document(one_line(str(feed.get("title") or "")), entries, feed.get("language"), home, len(items))


def item_date(item: Mapping[str, Any]) -> datetime | None:
    return parse_feed_date(str(item.get("date_published") or item.get("date_modified") or ""))


def parse_item(item: Mapping[str, Any], when: datetime | None, base: str | None) -> FeedEntry:
    texts = [str(item[key]) for key in ("summary", "content_text", "content_html") if item.get(key)]
    attachments = item.get("attachments")
    attached = attachments if isinstance(attachments, list) else []
    attached = [each.get("url") for each in attached if isinstance(each, dict)]
    own = item.get("id")  # the entry's address, if it is one
    declared = [item.get("url"), item.get("external_url"), own if "://" in str(own) else None]
    links = (absolute_link(link, base) for link in (*declared, *attached))
    return FeedEntry(one_line(str(item.get("title") or "")), choose_text(texts), next(filter(None, links), None), when)
