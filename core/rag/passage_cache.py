"""Documents that were read lately, in passages that are indexed: made once, and kept while there is room.

A conversation asks about the same documents turn by turn. What is kept goes by content, so it is never wrong.
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

CACHE_LIMIT_BYTES = 48 * 2**20  # some eighty documents of 200,000 characters
PASSAGE_BYTES = 200  # what one takes besides its text
IMMEDIATE_LIMIT_CHARS = 10_000  # takes some milliseconds: less than waiting for those who have more to read
SLICE_S = 0.002  # the event loop is held up so long at a time, and about as long again by a passage under way
QUEUE_LIMIT, QUEUE_WAIT_LIMIT_S = 64, 20.0

Part = TypeVar("Part")
CacheableText = str | tuple[Passage, ...]  # text that came as text, or what is in passages already


@dataclass(frozen=True, slots=True, eq=False)
class CachedDocument:
    passages: tuple[Passage, ...]
    index: PassageIndex

    @property
    def size_bytes(self) -> int:
        return self.index.size_bytes + sum(PASSAGE_BYTES + each.size_chars for each in self.passages)


class PassageCache:
    """One per event loop. `take` what may be long; then `of` has it at hand."""

    def __init__(self, limit_bytes: int = CACHE_LIMIT_BYTES, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._kept: LRUCache[bytes, CachedDocument] = LRUCache(limit_bytes, getsizeof=lambda each: each.size_bytes)
        self._queue = AdmissionQueue(
            "reading what belongs to a question", slots=1, queue_limit=QUEUE_LIMIT, wait_limit_s=QUEUE_WAIT_LIMIT_S
        )

    @property
    def kept_bytes(self) -> int:
        return int(self._kept.currsize)

    async def prepare(self, documents: Sequence[CacheableText]) -> None:
        """Has them on the shelf, one caller after the other, while the event loop goes on. Raises Overloaded.

        On the loop and not in a thread: a thread that computes in Python keeps the loop waiting each time that it wants
        to go on, and longer where the machine is busy.
        """
        new = [document for document in documents if digest(document) not in self._kept]
        if sum(map(size_chars, new)) <= IMMEDIATE_LIMIT_CHARS:
            return
        async with self._queue.slot():
            for document in documents:  # also those that were there, and may have gone meanwhile
                key = digest(document)
                if key not in self._kept:
                    passages = await self._sliced(cut_text(document)) if isinstance(document, str) else document
                    words = await self._sliced(map(hash_stems, passages))
                    self._keep(key, CachedDocument(tuple(passages), build_index(passages, words)))
                else:
                    self._kept.get(key)  # marks it as used last

    def get(self, document: CacheableText) -> CachedDocument:
        """Made on the spot if it is not there."""
        key = digest(document)
        if key in self._kept:
            return self._kept[key]
        passages = tuple(cut_text(document)) if isinstance(document, str) else document
        made = CachedDocument(passages, build_index(passages, [*map(hash_stems, passages)]))
        self._keep(key, made)
        return made

    async def _sliced(self, parts: Iterable[Part]) -> list[Part]:
        """All of them, with other tasks in between."""
        made, until = list[Part](), self._clock() + SLICE_S
        for part in parts:
            made.append(part)
            if self._clock() >= until:
                await asyncio.sleep(0)
                until = self._clock() + SLICE_S
        return made

    def _keep(self, key: bytes, shelved: CachedDocument) -> None:
        if shelved.size_bytes <= self._kept.maxsize:  # a larger one is read all the same, and not kept
            self._kept.setdefault(key, shelved)  # two may have asked for it at once


def digest(document: CacheableText) -> bytes:
    """Of all its texts, and of where each ends."""
    found = hashlib.sha256(b"text" if isinstance(document, str) else b"passages")
    for text in texts_of(document):
        said = text.encode("utf-8", "surrogatepass")
        found.update(len(said).to_bytes(8))
        found.update(said)
    return found.digest()


def texts_of(document: CacheableText) -> Iterator[str]:
    if isinstance(document, str):
        yield document
        return
    for passage in document:
        yield from (passage.heading, passage.text)


def size_chars(document: CacheableText) -> int:
    return len(document) if isinstance(document, str) else sum(passage.size_chars for passage in document)
