"""Reads plain text and Markdown. Pure."""

from __future__ import annotations

import re

from core.rag.documents import Block, Document, collapse_blanks, visible_text
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.text import markdown

EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
COLUMNS = re.compile(r"\S(?: {2,}|\t)\S")  # blanks that line up what follows
SENTENCE_END = re.compile(r"[.!?:;]  \S")  # typists put two blanks after a sentence
LAID_OUT_SHARE = 0.5


def parse_text(raw: RawDocument) -> Document:
    return raw.document(text_blocks(raw.text()))


def text_blocks(text: str) -> list[Block]:
    """Splits a text at its empty lines. Parts whose lines are laid out by blanks keep them."""
    parts = EMPTY_LINES.split(visible_text(text).strip("\n"))
    return [block for part in parts if (block := text_block(part.rstrip())) is not None]


def text_block(part: str) -> Block | None:
    if is_laid_out(part):
        return Block("code", part)
    words = collapse_blanks(part)
    return Block("paragraph", words) if words else None


def is_laid_out(part: str) -> bool:
    """Tells whether blanks mean something: columns in half of the lines, or lines indented below the first one."""
    lines = [line for line in part.expandtabs(4).split("\n") if line.strip()]
    if len(lines) < 2:
        return False
    columns = sum(bool(COLUMNS.search(line.strip()) and not SENTENCE_END.search(line)) for line in lines)
    indents = [len(line) - len(line.lstrip()) for line in lines]
    is_list = any(markdown.ITEM.match(line) for line in lines)  # its items have hanging indents
    is_indented = not is_list and max(indents[1:]) > indents[0] + 1
    return columns >= max(2, LAID_OUT_SHARE * len(lines)) or is_indented


def parse_markdown(raw: RawDocument) -> Document:
    """Reads Markdown. A single first heading is the title."""
    blocks = markdown.parse_markdown(raw.text())
    headings = [block for block in blocks if block.kind == "heading" and block.level == 1]
    if blocks and blocks[0].kind == "heading" and len(headings) <= 1:
        return raw.document(blocks[1:], title=blocks[0].text)
    return raw.document(blocks)
