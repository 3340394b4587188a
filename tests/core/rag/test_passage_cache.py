"""What was read lately: kept as long as there is room, and taken without holding up the event loop."""

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
    shelf, passages = PassageCache(), (Passage("It is green.", "Pool"),)
    await shelf.take([LONG, passages])
    text, told = shelf.of(LONG), shelf.of(passages)
    await shelf.take([LONG, passages])

    assert shelf.of("".join(LONG)) is text
    assert shelf.of((Passage("It is green.", "Pool"),)) is told
    assert told.passages == passages
    assert "".join(each.text for each in text.passages).replace(" ", "") == LONG.replace(" ", "")


async def test_taken_or_made_on_the_spot_it_is_the_same() -> None:
    """Its passages and their words."""
    taken = PassageCache()
    await taken.take([LONG])
    one, other = taken.of(LONG), PassageCache().of(LONG)

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
    shelf = PassageCache()

    assert len({id(shelf.of(each)) for each in [*texts, *texts]}) == len(texts)


def test_what_was_used_last_is_kept() -> None:
    """As much as there is room for; what is larger than that is read all the same."""
    size_bytes = PassageCache().of("0" * 500).size_bytes
    shelf = PassageCache(limit_bytes=2 * size_bytes)
    first, second = shelf.of("1" * 500), shelf.of("2" * 500)
    assert shelf.of("1" * 500) is first
    shelf.of("3" * 500)

    assert shelf.of("1" * 500) is first
    assert shelf.of("2" * 500) is not second
    assert shelf.kept_bytes == 2 * size_bytes
    assert len(shelf.of(LONG).passages) > 2
    assert shelf.kept_bytes == 2 * size_bytes


async def test_what_belongs_together_stays_together() -> None:
    """What is there already does not make room for what is taken with it."""
    old, other, new = (f"{number} {LONG}" for number in range(3))
    shelf = PassageCache(limit_bytes=PassageCache().of(old).size_bytes * 5 // 2)
    await shelf.take([old, other])
    first = shelf.of(old)
    shelf.of(other)
    await shelf.take([old, new])

    assert shelf.of(old) is first
    assert shelf.of(new) is shelf.of(new)


async def test_others_go_on_meanwhile() -> None:
    """However much is taken: no more than a passage is read where time is up."""
    clock = count()
    shelf, steps = PassageCache(clock=lambda: float(next(clock))), 0
    taking = asyncio.create_task(shelf.take([LONG]))
    while not taking.done():
        await asyncio.sleep(0)
        steps += 1

    assert steps > 2 * len(shelf.of(LONG).passages)


async def test_a_long_line_is_told_to_come_back() -> None:
    """Those who have little to read, or what was read before, do not wait in it."""
    shelf = PassageCache()
    await shelf.take([LONG])
    taking = [asyncio.create_task(shelf.take([f"{number} {LONG}"])) for number in range(QUEUE_LIMIT + 2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="reading what belongs to a question"):
        await taking[-1]
    await shelf.take([LONG, "short"])

    for task in taking:
        task.cancel()
    await asyncio.wait(taking)
