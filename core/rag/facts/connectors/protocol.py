"""The protocol of connectors: from an origin's settings to its documents, none of which is opened yet.

A connector is a table of config/facts.toml: its fields are the settings of the origin, and `list_origin` looks there.
"""

from __future__ import annotations

import hashlib
import os
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from core.configuration.setting_types import is_web_url
from core.configuration.toml import Section, ShortText
from core.rag.documents import Document
from core.rag.fetching.fetch import FetchedPage, PageFetcher
from core.rag.reading.reader import DocumentReader

READER_VERSION = "2"  # change it whenever documents are read or cut differently, so that all are read again


def require_web_url(value: str) -> str:
    if not is_web_url(value):
        raise ValueError("expected a URL that begins with http:// or https://")
    return value


WebUrl = Annotated[ShortText, AfterValidator(require_web_url)]


@dataclass(frozen=True, slots=True)
class EntryContent:
    """The present content of an entry. `read` is called only if the content is new."""

    digest: str
    fetched_at: datetime
    read: Callable[[], Awaitable[Document]]


@dataclass(frozen=True, slots=True)
class OriginEntry:
    """One document of an origin, not opened yet. `key` is storable; `open` and `read` raise CspsError."""

    key: str
    open: Callable[[], Awaitable[EntryContent]]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the documents stay that their origin no longer lists: feeds drop entries that are still true."""

    days: float  # after the origin listed them last
    documents: int  # of the origin at most; the oldest go first


@dataclass(frozen=True, slots=True)
class Origin:
    """A source of documents, and all its entries. `left_out`: the sentence that says which ones are missing."""

    name: str
    entries: Sequence[OriginEntry]
    retention: Retention | None = None  # None: documents go with their entries
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class ConnectorTools:
    """The means of connectors. Relative paths start at `folder`; `environ` holds the secrets that tables name."""

    fetcher: PageFetcher
    reader: DocumentReader
    folder: Path = field(default_factory=Path.cwd)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def resolve(self, path: str) -> Path:
        return (self.folder / Path(path).expanduser()).resolve()

    def page_content(self, fetched: FetchedPage) -> EntryContent:
        """Returns a fetched page or file as the content of an entry."""
        read = partial(self.reader.read, fetched.body, fetched.media_type, url=fetched.url, charset=fetched.charset)
        digest = content_digest(fetched.body, fetched.media_type, fetched.charset or "")
        return EntryContent(digest, fetched.fetched_at, read)


class OriginConnector(Section):
    """The settings of one origin. Subclasses list it."""

    kind: str

    @abstractmethod
    async def list_origin(self, tools: ConnectorTools) -> Origin:
        """Lists all entries. Raises NotFound, FetchRefused, FetchFailed, UnreadableDocument, ConfigError."""

    @abstractmethod
    def origin_name(self, tools: ConnectorTools) -> str:
        """The name under which the origin's documents are stored, also while it cannot be listed."""


def content_digest(body: bytes, *how: str) -> str:
    """Hashes the content with READER_VERSION and `how`, the values that decide how it is read."""
    return hashlib.sha256("\0".join([READER_VERSION, *how]).encode() + b"\0" + body).hexdigest()
