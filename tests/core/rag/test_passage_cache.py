"""The passage cache: its limit, and its preparation without blocking the event loop."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from core.errors import Overloaded
from core.rag.documents import Passage
from core.rag.passage_cache import IMMEDIATE_LIMIT_CHARS, QUEUE_LIMIT, CacheableText, PassageCache

LONG = "A pool is green. " * IMMEDIATE_LIMIT_CHARS


async def test_prepared_documents_are_cached() -> None:
    """The key is the content of text or passages; nothing is made twice."""
    cache, passages = PassageCache(), (Passage("It is green.", "Pool"),)
    await cache.prepare([LONG, passages])
    text, by_passages = cache.get(LONG), cache.get(passages)
    await cache.prepare([LONG, passages])

    assert cache.get("".join(LONG)) is text
    assert cache.get((Passage("It is green.", "Pool"),)) is by_passages
    assert by_passages.passages == passages
    assert "".join(each.text for each in text.passages).replace(" ", "") == LONG.replace(" ", "")


async def test_prepare_and_get_give_the_same() -> None:
    """Passages and their indexes are equal."""
    prepared = PassageCache()
    await prepared.prepare([LONG])
    one, other = prepared.get(LONG), PassageCache().get(LONG)

    assert one.passages == other.passages
    assert (one.index.words == other.index.words).all()
    assert (one.index.places == other.index.places).all()


def test_different_documents_have_different_keys() -> None:
    """They may differ only in the borders of heading, text and passages, or in lone surrogates."""
    texts: list[CacheableText] = [
        (Passage("b", "a"),),
        (Passage("", "ab"),),
        (Passage("a"), Passage("b")),
        "ab",
        "a\ud800b",
    ]
    cache = PassageCache()

    assert len({id(cache.get(each)) for each in [*texts, *texts]}) == len(texts)


def test_the_latest_used_documents_stay() -> None:
    """The cache keeps to its limit; a larger document is used without being cached."""
    size_bytes = PassageCache().get("0" * 500).size_bytes
    cache = PassageCache(limit_bytes=2 * size_bytes)
    first, second = cache.get("1" * 500), cache.get("2" * 500)
    assert cache.get("1" * 500) is first
    cache.get("3" * 500)

    assert cache.get("1" * 500) is first
    assert cache.get("2" * 500) is not second
    assert cache.size_bytes == 2 * size_bytes
    assert len(cache.get(LONG).passages) > 2
    assert cache.size_bytes == 2 * size_bytes


async def test_documents_prepared_together_stay_together() -> None:
    """Preparing one does not evict a cached other of the same call."""
    old, other, new = (f"{number} {LONG}" for number in range(3))
    cache = PassageCache(limit_bytes=PassageCache().get(old).size_bytes * 5 // 2)
    await cache.prepare([old, other])
    first = cache.get(old)
    cache.get(other)
    await cache.prepare([old, new])

    assert cache.get(old) is first
    assert cache.get(new) is cache.get(new)


async def test_other_tasks_run_meanwhile() -> None:
    """Preparation pauses at the next passage when its time slice is over."""
    clock = count()
    cache, steps = PassageCache(clock=lambda: float(next(clock))), 0
    taking = asyncio.create_task(cache.prepare([LONG]))
    while not taking.done():
        await asyncio.sleep(0)
        steps += 1

    assert steps > 2 * len(cache.get(LONG).passages)


async def test_a_full_queue_raises_overloaded() -> None:
    """Short and cached documents do not queue."""
    cache = PassageCache()
    await cache.prepare([LONG])
    taking = [asyncio.create_task(cache.prepare([f"{number} {LONG}"])) for number in range(QUEUE_LIMIT + 2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="reading what belongs to a question"):
        await taking[-1]
    await cache.prepare([LONG, "short"])

    for task in taking:
        task.cancel()
    await asyncio.wait(taking)
