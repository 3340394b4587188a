"""Reads plain text and Markdown. Pure."""

from __future__ import annotations

from core.rag.documents import Document
from core.rag.reading import markdown
from core.rag.reading.raw_document import RawDocument


def parse_text(raw: RawDocument) -> Document:
    return raw.document(markdown.parse_paragraphs(raw.text()))


def parse_markdown(raw: RawDocument) -> Document:
    """Reads Markdown. A single first heading is the title."""
    blocks = markdown.parse_markdown(raw.text())
    headings = [block for block in blocks if block.kind == "heading" and block.level == 1]
    if blocks and blocks[0].kind == "heading" and len(headings) <= 1:
        return raw.document(blocks[1:], title=blocks[0].text)
    return raw.document(blocks)
