"""Stand-ins for what the fact store is given: an embedder of words, documents of a line, an origin of them."""

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
DIMENSIONS = 2048  # words seldom meet


class WordEmbedder:
    """Texts are alike by the words they share. Remembers what it was asked."""

    def __init__(self, name: str = "words", dimensions: int = DIMENSIONS) -> None:
        self.name = name
        self.asked: list[str] = []
        self._dimensions = dimensions

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        rows = np.full((len(texts), self._dimensions), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[int(hashlib.sha256(word.encode("utf-8", "replace")).hexdigest(), 16) % self._dimensions] += 1
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    async def close(self) -> None:
        """Nothing is held."""


def document(title: str, *texts: str, url: str | None = None) -> Document:
    return Document(title, tuple(map(Passage, texts)), "text", "en", url)


def origin(name: str, held: Mapping[str, Document | CspsError], when: datetime = WHEN) -> Origin:
    """A document or a refusal by key; the digest is of what the document says."""
    return Origin(name, [entry(key, each, when) for key, each in held.items()])


def entry(key: str, held: Document | CspsError, when: datetime) -> OriginEntry:
    async def read() -> Document:
        assert isinstance(held, Document)
        return held

    async def opened() -> EntryContent:
        if isinstance(held, CspsError):
            raise held
        return EntryContent(hashlib.sha256(repr(held).encode()).hexdigest(), when, read)

    return OriginEntry(key, opened)
