"""Finds the content of a page that does not say where it is, by how much of the text is prose. Pure.

After Finn, Kushmerick and Smyth, "Fact or fiction: content classification for digital libraries" (2001): content is the
run of blocks that gains most if prose counts for it, and links and crumbs against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.rag.reading.page_blocks import Piece

PROSE_WORDS = 10  # a block of fewer is as likely to be a label
CRUMB_COST = 4.0  # so many words of prose must stand around a short block to keep it
LINK_COST = 1.5  # a word
HEADING_COST = 2.0
ROW_GAIN = 2.0  # beyond its words: data is short
LINKS_COST_LIMIT = 80.0  # of links in a row: a table of contents may stand in the middle of what it lists
TITLE_REACH = 30  # pieces between a title and what it is the title of


def content(pieces: Sequence[Piece]) -> slice:
    """The run of pieces that is content; empty if nothing reads like any."""
    best_gain = gain = 0.0
    best, begun = slice(0, 0), 0
    for index, each in enumerate(gains(pieces)):
        gain += each
        if gain <= 0:
            gain, begun = 0.0, index + 1
        elif gain > best_gain:
            best_gain, best = gain, slice(begun, index + 1)
    return best


def gains(pieces: Sequence[Piece]) -> Iterator[float]:
    """What each piece says for being content, in words of prose."""
    links_cost = 0.0
    teased = False  # the last heading was a link: what follows is another page's beginning
    for piece in pieces:
        if piece.is_linked or not piece.words:
            cost = min(CRUMB_COST + LINK_COST * piece.linked, LINKS_COST_LIMIT - links_cost)
            links_cost += cost
            teased = piece.block.kind == "heading"
            yield -cost
            continue
        if piece.block.kind == "heading":
            teased = False
            yield -HEADING_COST
            continue
        gain = -CRUMB_COST if teased else gain_of(piece)
        links_cost = 0.0 if gain > 0 else links_cost
        yield gain


def gain_of(piece: Piece) -> float:
    plain = float(piece.words - piece.linked)
    if piece.block.kind == "row":
        return plain + ROW_GAIN
    return plain if plain >= PROSE_WORDS or piece.block.kind == "code" else -CRUMB_COST
