"""Chooses passages spread evenly over documents, for questions about the whole. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from core.rag.budget import fair_limit
from core.rag.documents import Passage
from core.rag.retrieved import RetrievedDocument


def even_places(
    documents: Sequence[RetrievedDocument], count: int, subjects: Collection[str] = ()
) -> list[tuple[int, int]]:
    """Returns `count` places, in reading order: all of short documents, and an even choice of long ones.

    `subjects`: the names of the documents that the question is about. Others get what these leave.
    """
    sizes = [len(each.passages) for each in documents]
    are_subjects = [each.name in subjects for each in documents]
    first = share_passages([size * chosen for size, chosen in zip(sizes, are_subjects, strict=True)], count)
    rest = [size * (not chosen) for size, chosen in zip(sizes, are_subjects, strict=True)]
    others = share_passages(rest, count - sum(first))
    shares = [sum(pair) for pair in zip(first, others, strict=True)]
    return [
        (at, number)
        for at, (document, share) in enumerate(zip(documents, shares, strict=True))
        for number in even_numbers(document.passages, share)
    ]


def share_passages(sizes: Sequence[int], count: int) -> list[int]:
    """Shares `count` passages among documents of these sizes: the same for each, and more where others need less."""
    most = fair_limit(sizes, count)
    shares = [min(size, most) for size in sizes]
    for at, size in enumerate(sizes):
        if sum(shares) < count and shares[at] < size:
            shares[at] += 1
    return shares


def even_numbers(passages: Sequence[Passage], count: int) -> list[int]:
    """Returns the numbers of `count` passages, one of each stretch: the first that begins a section, if there is one.

    The beginning of a section usually says what it is about.
    """
    total = len(passages)
    stretches = (range(at * total // count, (at + 1) * total // count) for at in range(count))
    return [next((each for each in stretch if begins_section(passages, each)), stretch[0]) for stretch in stretches]


def begins_section(passages: Sequence[Passage], number: int) -> bool:
    return number == 0 or passages[number].heading != passages[number - 1].heading
