"""A document's title, and what repeats on each of its pages. Shared by word processors' formats. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.contract import Omission
from core.language import detect_language
from core.rag.documents import Block, Document
from core.rag.reading.office.comments import Comment, comment_blocks
from core.rag.reading.raw_document import LANGUAGE_SAMPLE_BLOCKS, RawDocument

# "Page 3 of 12", "- 3 -"
PAGE_NUMBER = re.compile(r"\W*(?:pages?|p\.)?\W*\d*\W*(?:(?:of|de|sur)\W*\d*\W*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WrittenText:
    """The parts of a word processor's file. `title`: "" if the file names none."""

    title: str
    body: list[Block]
    headers: Iterable[Block]
    footers: Iterable[Block]
    comments: Sequence[Comment]
    omissions: tuple[Omission, ...]


def build_document(raw: RawDocument, text: WrittenText) -> Document:
    """Puts headers before the text, and footers and comments after it."""
    title, body = split_title(text.title, text.body)
    known = {title}
    blocks = [*edge_blocks(text.headers, known), *body, *edge_blocks(text.footers, known)]
    language = detect_language("\n".join(block.text for block in blocks[:LANGUAGE_SAMPLE_BLOCKS]))
    return raw.document(blocks + comment_blocks(text.comments, language), title=title, omissions=text.omissions)


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
