"""Reads PDF. Pure."""

from __future__ import annotations

import re
from io import BytesIO

import pypdf
from pypdf.errors import PyPdfError

from core.errors import UnreadableDocument
from core.rag.documents import Block, Document
from core.rag.reading import markdown
from core.rag.reading.raw_document import RawDocument

PDF_PAGES_LIMIT = 500
HYPHENATED = re.compile(r"(?<=[a-zà-ÿ])[-\u00ad]\n(?=[a-zà-ÿ])")  # a word that a line's end split


def parse_pdf(raw: RawDocument) -> Document:
    """Reads a PDF. Each page becomes a section, such as "p. 3"."""
    try:
        reader = pypdf.PdfReader(BytesIO(raw.body), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableDocument("this PDF is locked by a password: attach it without one", "locked")
        blocks = [block for number, page in enumerate(reader.pages, 1) for block in pdf_page_blocks(number, page)]
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except (PyPdfError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, OSError) as exc:
        # pypdf trusts a file's structure, so a broken file fails anywhere.
        raise UnreadableDocument(f"this PDF cannot be read: it is damaged ({type(exc).__name__})", "damaged") from exc
    if not blocks:
        raise UnreadableDocument(
            "this PDF has no text, only pictures of it: attach one with text, such as from OCR", "pictures"
        )
    return raw.document(blocks, title=title)


def pdf_page_blocks(number: int, page: pypdf.PageObject) -> list[Block]:
    if number > PDF_PAGES_LIMIT:
        raise UnreadableDocument(
            f"this PDF has more than {PDF_PAGES_LIMIT} pages: attach the part that matters", "large"
        )
    blocks = markdown.parse_paragraphs(HYPHENATED.sub("", page.extract_text()))
    return [Block("heading", f"p. {number}", 1), *blocks] if blocks else []
