"""What was read lately: kept as long as there is room, and prepared without holding up the event loop."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from core.errors import Overloaded
from core.rag.documents import Passage
from core.rag.passage_cache import IMMEDIATE_LIMIT_CHARS, QUEUE_LIMIT, CacheableText, PassageCache

LONG = "A pool is green. " * IMMEDIATE_LIMIT_CHARS


async def test_what_was_taken_is_at_hand() -> None:
    """Text by its text, passages by theirs; nothing is made a second time."""
    cache, passages = PassageCache(), (Passage("It is green.", "Pool"),)
    await cache.prepare([LONG, passages])
    text, told = cache.get(LONG), cache.get(passages)
    await cache.prepare([LONG, passages])

    assert cache.get("".join(LONG)) is text
    assert cache.get((Passage("It is green.", "Pool"),)) is told
    assert told.passages == passages
    assert "".join(each.text for each in text.passages).replace(" ", "") == LONG.replace(" ", "")


async def test_taken_or_made_on_the_spot_it_is_the_same() -> None:
    """Its passages and their words."""
    prepared = PassageCache()
    await prepared.prepare([LONG])
    one, other = prepared.get(LONG), PassageCache().get(LONG)

    assert one.passages == other.passages
    assert (one.index.words == other.index.words).all()
    assert (one.index.places == other.index.places).all()


def test_documents_that_differ_are_told_apart() -> None:
    """Also where only the borders between heading, text and passages do, and where letters are halves."""
    texts: list[CacheableText] = [
        (Passage("b", "a"),),
        (Passage("", "ab"),),
        (Passage("a"), Passage("b")),
        "ab",
        "a\ud800b",
    ]
    cache = PassageCache()

    assert len({id(cache.get(each)) for each in [*texts, *texts]}) == len(texts)


def test_what_was_used_last_is_kept() -> None:
    """As much as there is room for; what is larger than that is read all the same."""
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


async def test_what_belongs_together_stays_together() -> None:
    """What is there already does not make room for what is prepared with it."""
    old, other, new = (f"{number} {LONG}" for number in range(3))
    cache = PassageCache(limit_bytes=PassageCache().get(old).size_bytes * 5 // 2)
    await cache.prepare([old, other])
    first = cache.get(old)
    cache.get(other)
    await cache.prepare([old, new])

    assert cache.get(old) is first
    assert cache.get(new) is cache.get(new)


async def test_others_go_on_meanwhile() -> None:
    """However much is prepared: no more than a passage is read where time is up."""
    clock = count()
    cache, steps = PassageCache(clock=lambda: float(next(clock))), 0
    taking = asyncio.create_task(cache.prepare([LONG]))
    while not taking.done():
        await asyncio.sleep(0)
        steps += 1

    assert steps > 2 * len(cache.get(LONG).passages)


async def test_a_long_line_is_told_to_come_back() -> None:
    """Those who have little to read, or what was read before, do not wait in it."""
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
