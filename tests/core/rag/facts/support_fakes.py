"""Fakes for the fact store: an embedder of words, short documents, an origin of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from core.errors import CspsError
from core.rag.documents import Document, Passage
from core.rag.facts.sync import EntryContent, Origin, OriginEntry

WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DIMENSIONS = 2048  # so many that words seldom collide


class WordEmbedder:
    """Embeds texts by their words, and records the texts."""

    def __init__(self, name: str = "words", dimensions: int = DIMENSIONS) -> None:
        self.name = name
        self.embedded: list[str] = []
        self._dimensions = dimensions

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += texts
        rows = np.full((len(texts), self._dimensions), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[int(hashlib.sha256(word.encode("utf-8", "replace")).hexdigest(), 16) % self._dimensions] += 1
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    async def close(self) -> None:
        """Does nothing."""


def document(title: str, *texts: str, url: str | None = None) -> Document:
    return Document(title, tuple(map(Passage, texts)), "text", "en", url)


def origin(name: str, content: Mapping[str, Document | CspsError], when: datetime = WHEN) -> Origin:
    """Lists a document or an error by key; the digest is the document's."""
    return Origin(name, [entry(key, each, when) for key, each in content.items()])


def entry(key: str, content: Document | CspsError, when: datetime) -> OriginEntry:
    async def read() -> Document:
        assert isinstance(content, Document)
        return content

    async def open_entry() -> EntryContent:
        if isinstance(content, CspsError):
            raise content
        return EntryContent(hashlib.sha256(repr(content).encode()).hexdigest(), when, read)

    return OriginEntry(key, open_entry)
