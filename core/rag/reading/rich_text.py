"""Reads Rich Text Format as a reader sees it, by the rules of `core.rag.reading.word`. Pure."""

from __future__ import annotations

from core.errors import UnreadableDocument
from core.language import detect_language
from core.rag.documents import Document
from core.rag.reading.comments import comment_blocks
from core.rag.reading.document_frame import edge_blocks, split_title
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.rich_text_reader import RichTextReader
from core.rag.reading.rich_text_tokens import split_tokens
from core.rag.reading.titles import meaningful_title

START = b"{\\rtf"
LANGUAGE_SAMPLE_BLOCKS = 100


def parse_rich_text(raw: RawDocument) -> Document:
    """Raises UnreadableDocument for what is no RTF."""
    if not raw.body.lstrip().startswith(START):
        raise UnreadableDocument("this RTF file cannot be read: it is damaged, or no .rtf", "damaged")
    reader = RichTextReader(raw.limits)
    reader.read(split_tokens(raw.body.decode("latin-1")))
    title, blocks = split_title(meaningful_title(reader.title.text) or reader.body.title, reader.body.blocks)
    known = {title}
    headers, footers = edge_blocks(reader.headers.blocks, known), edge_blocks(reader.footers.blocks, known)
    whole = headers + blocks + footers
    language = detect_language("\n".join(block.text for block in whole[:LANGUAGE_SAMPLE_BLOCKS]))
    blocks = whole + comment_blocks(reader.comments, language)
    return raw.document(blocks, title=title, omissions=reader.progress.omissions)
