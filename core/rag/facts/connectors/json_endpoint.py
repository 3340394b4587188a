"""The entries of a JSON endpoint, such as an operation of an OpenAPI document that returns a list.

Paths name the entries and their fields, as those of a search do in config/sources.toml. Pages are followed by the URL
that the answer names, or by a number in the URL. A secret comes from an environment variable, and goes to the
endpoint's own origin only.
"""

from __future__ import annotations

import asyncio
import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from pydantic import Field, model_validator

from core import strict_json
from core.configuration.toml import Section, ShortText
from core.contract import Json
from core.errors import BadRequest, ConfigError, FetchFailed, FetchRefused, UnreadableDocument
from core.language import parse_language_tag
from core.rag.documents import Document, one_line
from core.rag.facts.connectors.protocol import (
    ConnectorTools,
    EntryContent,
    Origin,
    OriginConnector,
    OriginEntry,
    WebUrl,
    content_digest,
)
from core.rag.fetching.fetch import FetchedPage
from core.rag.sources.search_results import value_at
from core.strict_json import storable

TITLE_LIMIT_CHARS = 200
MARKUP = re.compile(r"</?(?:p|div|h[1-6]|ul|ol|li|table|br|a|strong|em|span|section|article)\b[^>]*>", re.IGNORECASE)
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
PAST_THE_END = (400, 404, 416)  # answers to a page after the last one; WordPress sends 400
HEADER_VALUE = re.compile(r"[\x20-\x7e]+")


class EntryFields(Section):
    """The paths of an entry's fields: keys joined by dots. `text` may list several, which are put together."""

    title: ShortText
    text: ShortText | tuple[ShortText, ...]
    id: ShortText | None = None
    url: ShortText | None = None
    language: ShortText | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,) if isinstance(self.text, str) else self.text


class JsonConnector(OriginConnector):
    """`entries`: the path of the list; empty for an answer that is the list itself.

    `next_page`: the path of the next page's URL, or `page_parameter`: the parameter of the URL that counts pages.
    """

    kind: Literal["json"]
    url: WebUrl
    entries: str = ""
    fields: EntryFields
    next_page: ShortText | None = None
    page_parameter: ShortText | None = None
    first_page: int = Field(default=1, ge=0)
    pages_limit: int = Field(default=100, ge=1, le=10_000)
    entries_limit: int = Field(default=10_000, ge=1, le=200_000)
    header: str = "Authorization"
    header_from: str | None = None  # the environment variable that has the header's whole value

    @model_validator(mode="after")
    def is_consistent(self) -> JsonConnector:
        if self.next_page and self.page_parameter:
            raise ValueError("either `next_page` or `page_parameter`, not both")
        if not HEADER_NAME.fullmatch(self.header):
            raise ValueError("`header` is no name of an HTTP header")
        if self.header_from is not None and not ENVIRONMENT_NAME.fullmatch(self.header_from):
            raise ValueError("`header_from` names an environment variable; the secret itself does not belong here")
        return self

    def origin_name(self, _tools: ConnectorTools) -> str:
        return self.url

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        headers = self._headers(tools.environ)
        listing = JsonListing()
        url: str | None = self._numbered(self.first_page)
        for number in range(1, self.pages_limit + 1):
            assert url is not None
            fetched = await self._fetch(url, number, headers, tools)
            if fetched is None:
                url = None
                break
            answer = await asyncio.to_thread(parse_answer, fetched.body)
            is_new = self._add_entries(answer, fetched, listing, tools)
            url = self._next_url(answer, fetched.url, number) if is_new else None
            if url is None or len(listing.entries) >= self.entries_limit:
                break
        kept = list(listing.entries.values())[: self.entries_limit]
        is_cut = url is not None or len(listing.entries) > self.entries_limit
        return Origin(self.url, kept, left_out=listing.describe_left_out(len(kept), is_cut=is_cut))

    async def _fetch(
        self, url: str, number: int, headers: Mapping[str, str], tools: ConnectorTools
    ) -> FetchedPage | None:
        """Returns None if the site says that there is no page of this number. The first one must be there."""
        try:
            return await tools.fetcher.fetch(url, robots=False, headers=headers)
        except FetchFailed as exc:
            if self.page_parameter is None or number == 1 or exc.site_status not in PAST_THE_END:
                raise
            return None

    def _headers(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Raises ConfigError, which never repeats the value."""
        if self.header_from is None:
            return {}
        value = environ.get(self.header_from, "").strip()
        if not HEADER_VALUE.fullmatch(value):
            problem = "is not set" if not value else "has letters that no HTTP header can carry"
            raise ConfigError(f"{self.header_from} {problem}; the collection needs it for {urlsplit(self.url).netloc}")
        return {self.header: value}

    def _numbered(self, page: int) -> str:
        if self.page_parameter is None:
            return self.url
        parts = urlsplit(self.url)
        others = [(key, each) for key, each in parse_qsl(parts.query, True) if key != self.page_parameter]
        return parts._replace(query=urlencode([*others, (self.page_parameter, str(page))])).geturl()

    def _next_url(self, answer: Json, url: str, number: int) -> str | None:
        """Returns the next page. Raises FetchRefused for one of another origin: no secret and no list leads there."""
        if self.page_parameter is not None:
            return self._numbered(self.first_page + number)
        link = value_at(answer, self.next_page) if self.next_page else None
        if not isinstance(link, str) or not link.strip():
            return None
        following = urljoin(url, link.strip())
        if urlsplit(following)[:2] != urlsplit(url)[:2]:
            raise FetchRefused("the next page of the list is on another host", "form")
        return following if following != url else None

    def _add_entries(self, answer: Json, page: FetchedPage, listing: JsonListing, tools: ConnectorTools) -> bool:
        """Adds a page's entries. False: none was new, so there are no further pages."""
        entries = value_at(answer, self.entries) if self.entries else answer
        if not isinstance(entries, list):
            raise UnreadableDocument(f"its answer has no list at {self.entries or 'the top'}", "kind")
        before = len(listing.entries)
        for entry in entries:
            document = JsonEntry.parse(entry, self.fields, page)
            if document is None:
                listing.without_text += 1
            else:
                listing.entries.setdefault(document.key, document.origin_entry(self.url, tools))
        return len(listing.entries) > before


@dataclass
class JsonListing:
    """The entries of the pages that were read so far, by their identity."""

    entries: dict[str, OriginEntry] = field(default_factory=dict)
    without_text: int = 0

    def describe_left_out(self, kept: int, *, is_cut: bool) -> str:
        """Returns the sentence that says which entries are missing. Empty: none is."""
        problems = (
            [f"there are more than the first {kept} entries; raise pages_limit or entries_limit"] if is_cut else []
        )
        if self.without_text:
            problems.append(f"{self.without_text} entries have neither a title nor a text at the paths of `fields`")
        return "; ".join(problems)


@dataclass(frozen=True, slots=True)
class JsonEntry:
    """One entry, before its markup is read."""

    key: str
    title: str
    text: str
    url: str | None
    language: str
    at: datetime

    @classmethod
    def parse(cls, entry: Json, fields: EntryFields, page: FetchedPage) -> JsonEntry | None:
        """Returns None for an entry without text."""
        title = one_line(plain_title(field_text(entry, fields.title)))
        text = "\n\n".join(filter(None, (field_text(entry, path) for path in fields.texts)))
        if not text and not title:
            return None
        url = absolute_url(field_text(entry, fields.url), page.url)
        key = field_text(entry, fields.id) or url or short_digest(f"{title}\0{text}")
        language = field_text(entry, fields.language)
        return cls(key, title[:TITLE_LIMIT_CHARS], text or title, url, language, page.fetched_at)

    def origin_entry(self, origin: str, tools: ConnectorTools) -> OriginEntry:
        body = self.text.encode("utf-8", "replace")
        digest = content_digest(body, self.title, self.url or "", self.language)

        async def open_entry() -> EntryContent:
            return EntryContent(digest, self.at, partial(self._read, body, tools))

        return OriginEntry(storable(f"{origin}#{self.key}"), open_entry)

    async def _read(self, body: bytes, tools: ConnectorTools) -> Document:
        """Reads the text as HTML if it has markup, else as Markdown, in the reader's child process."""
        media_type = "text/html" if MARKUP.search(self.text) else "text/markdown"
        read = await tools.reader.read(body, media_type, url=self.url, charset="utf-8")
        language = parse_language_tag(self.language) or read.language
        title = self.title or read.title
        return Document(title, read.passages, "text", language, self.url, read.omissions)


def parse_answer(body: bytes) -> Json:
    """Raises UnreadableDocument."""
    try:
        return strict_json.parse(body, last_wins=True, values_limit=None)
    except BadRequest as exc:
        raise UnreadableDocument(f"its answer cannot be read: {exc.message}", "damaged") from exc


def field_text(entry: Json, path: str | None) -> str:
    """Returns a field as text. Lists of texts become lines, objects JSON."""
    value: Any = value_at(entry, path) if path else None
    if isinstance(value, list):
        return "\n".join(filter(None, map(plain_value, value)))
    return plain_value(value)


def plain_title(text: str) -> str:
    """Returns a title without markup: WordPress renders titles as HTML."""
    return html.unescape(MARKUP.sub("", text))


def plain_value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return ""
    return str(value).strip() if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)


def absolute_url(link: str, base: str) -> str | None:
    """Returns an http or https URL for people, or None."""
    try:
        absolute = urljoin(base, link) if link else ""
        parts = urlsplit(absolute)
    except ValueError:
        return None
    return absolute if parts.scheme in ("http", "https") and parts.hostname and absolute.isprintable() else None


def short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
