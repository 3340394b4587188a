"""Reads Rich Text Format as a reader sees it, by the rules of `core.rag.reading.word.document`. Pure."""

from __future__ import annotations

from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.office.document_frame import WrittenText, build_document
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.rich_text.reader import RichTextReader
from core.rag.reading.rich_text.tokens import split_tokens
from core.rag.reading.titles import meaningful_title

START = b"{\\rtf"


def parse_rich_text(raw: RawDocument) -> Document:
    """Raises UnreadableDocument for what is no RTF."""
    if not raw.body.lstrip().startswith(START):
        raise UnreadableDocument("this RTF file cannot be read: it is damaged, or no .rtf", "damaged")
    reader = RichTextReader(raw.limits)
    reader.read(split_tokens(raw.body.decode("latin-1")))
    title = meaningful_title(reader.title.text) or reader.body.title
    headers, footers = reader.headers.blocks, reader.footers.blocks
    omissions = reader.progress.omissions
    return build_document(raw, WrittenText(title, reader.body.blocks, headers, footers, reader.comments, omissions))
