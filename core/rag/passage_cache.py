"""An LRU cache of documents that are cut into passages and indexed. A conversation uses the same ones in each answer.

The key is a hash of the content, so an entry is never out of date.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cachetools import LRUCache

from core.rag.documents import Passage
from core.rag.passages import cut_text
from core.rag.ranking import PassageIndex, build_index, hash_stems
from core.runtime.admission_queue import AdmissionQueue

CACHE_LIMIT_BYTES = 48 * 2**20  # about eighty documents of 200,000 characters
PASSAGE_BYTES = 200  # memory of one passage besides its text
IMMEDIATE_LIMIT_CHARS = 10_000  # takes a few milliseconds: less than a wait in the queue
SLICE_S = 0.002  # the longest that the event loop is blocked, plus the passage in work
QUEUE_LIMIT, QUEUE_WAIT_LIMIT_S = 64, 20.0

Part = TypeVar("Part")
CacheableText = str | tuple[Passage, ...]  # plain text, or passages


@dataclass(frozen=True, slots=True, eq=False)
class CachedDocument:
    passages: tuple[Passage, ...]
    index: PassageIndex

    @property
    def size_bytes(self) -> int:
        return self.index.size_bytes + sum(PASSAGE_BYTES + each.size_chars for each in self.passages)


class PassageCache:
    """One per event loop. `prepare` long documents first; `get` then returns them at once."""

    def __init__(self, limit_bytes: int = CACHE_LIMIT_BYTES, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._cached: LRUCache[bytes, CachedDocument] = LRUCache(limit_bytes, getsizeof=lambda each: each.size_bytes)
        self._queue = AdmissionQueue(
            "reading what belongs to a question", slots=1, queue_limit=QUEUE_LIMIT, wait_limit_s=QUEUE_WAIT_LIMIT_S
        )

    @property
    def size_bytes(self) -> int:
        return int(self._cached.currsize)

    async def prepare(self, documents: Sequence[CacheableText]) -> None:
        """Caches the documents, one caller at a time, without blocking the event loop. Raises Overloaded.

        It works on the loop and not in a thread. A thread that computes in Python makes the loop wait for the
        interpreter lock each time, longer on a busy machine.
        """
        new = [document for document in documents if digest(document) not in self._cached]
        if sum(map(size_chars, new)) <= IMMEDIATE_LIMIT_CHARS:
            return
        async with self._queue.slot():
            for document in documents:  # entries that were cached may have been evicted meanwhile
                key = digest(document)
                if key not in self._cached:
                    passages = await self._sliced(cut_text(document)) if isinstance(document, str) else document
                    words = await self._sliced(map(hash_stems, passages))
                    self._store(key, CachedDocument(tuple(passages), build_index(passages, words)))
                else:
                    self._cached.get(key)  # marks it as used

    def get(self, document: CacheableText) -> CachedDocument:
        """Returns the document, and makes it now if it is not cached."""
        key = digest(document)
        if key in self._cached:
            return self._cached[key]
        passages = tuple(cut_text(document)) if isinstance(document, str) else document
        result = CachedDocument(passages, build_index(passages, [*map(hash_stems, passages)]))
        self._store(key, result)
        return result

    async def _sliced(self, parts: Iterable[Part]) -> list[Part]:
        """Collects the parts, and lets other tasks run in between."""
        result, until = list[Part](), self._clock() + SLICE_S
        for part in parts:
            result.append(part)
            if self._clock() >= until:
                await asyncio.sleep(0)
                until = self._clock() + SLICE_S
        return result

    def _store(self, key: bytes, document: CachedDocument) -> None:
        if document.size_bytes <= self._cached.maxsize:  # a larger document is used without being cached
            self._cached.setdefault(key, document)  # two callers may have made it


def digest(document: CacheableText) -> bytes:
    """Hashes all texts of the document, and where each ends."""
    hashed = hashlib.sha256(b"text" if isinstance(document, str) else b"passages")
    for text in document_texts(document):
        encoded = text.encode("utf-8", "surrogatepass")
        hashed.update(len(encoded).to_bytes(8))
        hashed.update(encoded)
    return hashed.digest()


def document_texts(document: CacheableText) -> Iterator[str]:
    if isinstance(document, str):
        yield document
        return
    for passage in document:
        yield from (passage.heading, passage.text)


def size_chars(document: CacheableText) -> int:
    return len(document) if isinstance(document, str) else sum(passage.size_chars for passage in document)
