"""Chooses the blocks that are content, after the element that holds them was chosen. Pure.

`find_content` follows Finn, Kushmerick and Smyth, "Fact or fiction: content classification for digital libraries"
(2001): the content is the run of blocks that gains most if prose counts for it, and links and crumbs against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from core.rag.documents import Block
from core.rag.reading.pages.blocks import PageBlock

LABEL_WORDS = 6
BEGINNING_BLOCKS = 4
END = PageBlock(Block("heading", "", 2), 0, 0)
PROSE_WORDS = 10  # a shorter block may as well be a label
CRUMB_COST = 4.0  # in words of prose: the least length of the neighbours that keep a short block
LINK_COST = 1.5  # for each word
HEADING_COST = 2.0
ROW_GAIN = 2.0  # beyond its words, because data is short
LINKS_COST_LIMIT = 80.0  # for links in a row: a table of contents may stand in the middle of the content


def drop_linked(blocks: list[PageBlock]) -> list[PageBlock]:
    """Drops blocks that are links, and the labels that are left without content."""
    remaining: list[PageBlock] = []
    dropped = False
    for block in [*blocks, END]:
        if block.is_linked:
            dropped = True
            continue
        if dropped and remaining and is_label(remaining[-1]) and is_label(block):
            remaining.pop()
        remaining.append(block)
        dropped = False
    return remaining[:-1]


def is_label(block: PageBlock) -> bool:
    if block.block.kind == "paragraph":
        return block.words < LABEL_WORDS and not block.block.text.endswith((".", "!", "?", "…", "»", "”", '"', ":"))
    return block.block.kind == "heading" and block.block.level > 1


def drop_repeated(blocks: Iterable[PageBlock]) -> Iterator[PageBlock]:
    """Drops repetitions of the beginning: in forms for sharing, in summaries of the page."""
    beginning: list[str] = []
    for block in blocks:
        is_text = block.block.kind in ("heading", "paragraph") and block.words >= LABEL_WORDS  # rows may be alike
        if is_text and block.block.text in beginning:
            continue
        if is_text and len(beginning) < BEGINNING_BLOCKS:
            beginning.append(block.block.text)
        yield block


def find_content(blocks: Sequence[PageBlock]) -> slice:
    """Returns the run of blocks that is content; it is empty if nothing reads like content."""
    best_gain = gain = 0.0
    best, start = slice(0, 0), 0
    for index, each in enumerate(block_gains(blocks)):
        gain += each
        if gain <= 0:
            gain, start = 0.0, index + 1
        elif gain > best_gain:
            best_gain, best = gain, slice(start, index + 1)
    return best


def block_gains(blocks: Sequence[PageBlock]) -> Iterator[float]:
    """Yields how much each block speaks for being content, in words of prose."""
    links_cost = 0.0
    in_teaser = False  # the last heading was a link, so the next blocks are a teaser of another page
    for block in blocks:
        if block.is_linked or not block.words:
            cost = min(CRUMB_COST + LINK_COST * block.linked, LINKS_COST_LIMIT - links_cost)
            links_cost += cost
            in_teaser = block.block.kind == "heading"
            yield -cost
            continue
        if block.block.kind == "heading":
            in_teaser = False
            yield -HEADING_COST
            continue
        gain = -CRUMB_COST if in_teaser else block_gain(block)
        links_cost = 0.0 if gain > 0 else links_cost
        yield gain


def block_gain(block: PageBlock) -> float:
    plain = float(block.words - block.linked)
    if block.block.kind == "row":
        return plain + ROW_GAIN
    return plain if plain >= PROSE_WORDS or block.block.kind == "code" else -CRUMB_COST
