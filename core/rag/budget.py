"""The limit of the text that competes for one prompt, shared fairly among its documents. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from core.contract import Attachment, Omission
from core.rag.passage_cache import CacheableText, CachedDocument, size_chars
from core.rag.retrieved import RetrievedDocument

CANDIDATES_LIMIT_CHARS = 1_000_000  # of all documents for one question

ContextItem = Attachment | RetrievedDocument  # text that is not cut yet, or a document in passages


def cacheable_text(item: ContextItem) -> CacheableText:
    """Returns the part that PassageCache works on."""
    return item.text if isinstance(item, Attachment) else item.passages


def with_passages(item: ContextItem, cached: CachedDocument) -> RetrievedDocument:
    if isinstance(item, RetrievedDocument):
        return item
    return RetrievedDocument(item.name, cached.passages, verbatim=item.text, omissions=item.omissions)


def share_budget(
    lead: Sequence[ContextItem], later: Sequence[ContextItem]
) -> tuple[list[ContextItem], list[ContextItem]]:
    """Cuts both lists to CANDIDATES_LIMIT_CHARS together: half for each, and more if the other needs less than half."""
    half = CANDIDATES_LIMIT_CHARS // 2
    total_sizes = [sum(size_chars(cacheable_text(item)) for item in items) for items in (lead, later)]
    rooms = [max(half, CANDIDATES_LIMIT_CHARS - other) for other in reversed(total_sizes)]
    return cut_to_budget(lead, rooms[0]), cut_to_budget(later, rooms[1])


def cut_to_budget(items: Sequence[ContextItem], room_chars: int) -> list[ContextItem]:
    """Cuts the longest items only: a short file beside a long one stays whole."""
    most = fair_limit([size_chars(cacheable_text(item)) for item in items], room_chars)
    return [truncate(item, most) for item in items]


def fair_limit(sizes: Sequence[int], room: int) -> int:
    """Returns the limit for each of `sizes` by which they fit into `room` together."""
    for others, size in zip(range(len(sizes), 0, -1), sorted(sizes), strict=True):
        if size * others > room:
            return room // others
        room -= size
    return max(sizes, default=0)


def truncate(item: ContextItem, room_chars: int) -> ContextItem:
    """Cuts an item to `room_chars` and records the omission."""
    size = size_chars(cacheable_text(item))
    if size <= room_chars:
        return item
    omissions = (*item.omissions, Omission("characters", room_chars, size))
    if isinstance(item, Attachment):
        return replace(item, text=item.text[:room_chars], omissions=omissions)
    ends = accumulate(passage.size_chars for passage in item.passages)
    return replace(item.select(range(sum(end <= room_chars for end in ends))), omissions=omissions)
