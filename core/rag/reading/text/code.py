"""Reads code, configuration and data whose lines and indentation matter. Pure."""

from __future__ import annotations

from core.rag.documents import Block, Document, visible_text
from core.rag.reading.raw_document import RawDocument


def parse_code(raw: RawDocument) -> Document:
    """Keeps the text as it is, in code blocks that end between lines. The title is the file's whole name."""
    text = visible_text(raw.text()).strip("\n")
    blocks = [Block("code", text)] if text.strip() else []
    return raw.document(blocks, title=raw.file_name)
