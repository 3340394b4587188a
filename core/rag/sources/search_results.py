"""Turns a search's JSON into a JSON feed by the paths of config/sources.toml. The feed reader handles its markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core import strict_json
from core.contract import Json, Language
from core.errors import BadRequest, FetchRefused, UnreadableDocument
from core.rag.sources.catalogue import PerLanguage, SearchFields, fill_template

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"
BODY_LIMIT_BYTES = 4 * 1024 * 1024
SUMMARY_LIMIT_CHARS = 2000


def to_json_feed(body: bytes, fields: SearchFields, title: str, language: Language, limit: int) -> bytes:
    """Returns at most `limit` entries. Raises UnreadableDocument if there are none, or the JSON lacks `fields`."""
    if len(body) > BODY_LIMIT_BYTES:
        raise UnreadableDocument(f"its answer has {len(body):,} bytes; the limit is {BODY_LIMIT_BYTES:,}", "large")
    try:
        answer = strict_json.parse(body, last_wins=True)
    except BadRequest as exc:
        raise UnreadableDocument(f"its answer cannot be read: {exc.message}", "damaged") from exc
    entries = value_at(answer, fields.entries)
    if not isinstance(entries, list):
        raise UnreadableDocument(f"its answer has no list at {fields.entries}", "kind")
    items = [feed_item(entry, fields, language) for entry in entries[:limit]]
    if not any(items):
        raise UnreadableDocument("its answer has no entries", "empty")
    feed = {"version": VERSION, "title": title, "language": language, "items": [each for each in items if each]}
    return json.dumps(feed).encode()


def feed_item(entry: Json, fields: SearchFields, language: Language) -> dict[str, str]:
    """Returns an item of a JSON feed; empty without title and summary."""
    title = text_at(entry, fields.title, language)
    summary = text_at(entry, fields.summary, language)[:SUMMARY_LIMIT_CHARS]
    if not title and not summary:
        return {}
    texts = {"title": title, "summary": summary, "date_published": text_at(entry, fields.date, language)}
    return {key: value for key, value in {**texts, "url": entry_link(entry, fields.link, language)}.items() if value}


def entry_link(entry: Json, path: str | PerLanguage | None, language: Language) -> str:
    template = path_for(path, language)
    if not template.startswith("https://"):
        return text_at(entry, path, language)
    values = {key: str(value) for key, value in entry.items()} if isinstance(entry, dict) else {}
    try:
        return fill_template(template, values)
    except (KeyError, FetchRefused):
        return ""  # the entry is useful without a link


def text_at(entry: Json, path: str | PerLanguage | None, language: Language) -> str:
    value = value_at(entry, path_for(path, language))
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def path_for(path: str | PerLanguage | None, language: Language) -> str:
    return path.in_language(language) if isinstance(path, PerLanguage) else path or ""


def value_at(value: Json, path: str) -> Json:
    """Returns None if the path leads nowhere."""
    node: Any = value
    for key in path.split("."):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node  # type: ignore[no-any-return]
