"""A document's title, and what repeats on each of its pages. Shared by word processors' formats. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.rag.documents import Block

# "Page 3 of 12", "- 3 -"
PAGE_NUMBER = re.compile(r"\W*(?:pages?|p\.)?\W*\d*\W*(?:(?:of|de|sur)\W*\d*\W*)?", re.IGNORECASE)


def split_title(title: str, blocks: list[Block]) -> tuple[str, list[Block]]:
    """Takes the title from the first heading if the file names none. Returns the blocks without that heading.

    A first heading that has others of its level beside it is no title.
    """
    first = blocks[0] if blocks else None
    if first is None or first.kind != "heading" or title not in ("", first.text):
        return title, blocks
    is_alone = all(each.level > first.level for each in blocks[1:] if each.kind == "heading")
    return (first.text, blocks[1:]) if title or is_alone else ("", blocks)


def edge_blocks(blocks: Iterable[Block], known: set[str]) -> list[Block]:
    """Returns the texts of headers or footers that are not `known`, once each and without page numbers.

    A heading in a header heads nothing. `known` takes what is returned.
    """
    kept: list[Block] = []
    for block in blocks:
        if block.text not in known and not PAGE_NUMBER.fullmatch(block.text):
            known.add(block.text)
            kept.append(Block("paragraph", block.text) if block.kind == "heading" else block)
    return kept
