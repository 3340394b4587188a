"""Reads Word files. Pure."""

from __future__ import annotations

import zipfile
from io import BytesIO

import docx
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from core.errors import UnreadableDocument
from core.rag.documents import Block, Document, collapse_blanks, one_line, table_blocks
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.zip_package import require_unpacked_size


def parse_word(raw: RawDocument) -> Document:
    """Reads DOCX: headings, items, tables."""
    try:
        require_unpacked_size(raw.body)
        source = docx.Document(BytesIO(raw.body))
        blocks = [block for each in source.iter_inner_content() for block in word_blocks(each)]
        title = source.core_properties.title
    except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError, AttributeError, RecursionError, OSError) as exc:
        raise UnreadableDocument(
            f"this Word file cannot be read: it is damaged, or no .docx ({type(exc).__name__})", "damaged"
        ) from exc
    if not title and blocks and blocks[0].kind == "heading":
        return raw.document(blocks[1:], title=blocks[0].text)
    return raw.document(blocks, title=title)


def word_blocks(each: Paragraph | Table) -> list[Block]:
    if isinstance(each, Table):
        rows = [[cell.text for cell in row.cells] for row in each.rows]
        return table_blocks(rows[1:], rows[0]) if len(rows) > 1 else table_blocks(rows, None)
    text = collapse_blanks(each.text)
    if not text:
        return []
    style = str(each.style.name if each.style else "").lower()
    if style == "title" or style.startswith("heading"):
        level = style.removeprefix("heading").strip()
        return [Block("heading", one_line(text), int(level) if level.isdigit() else 1)]
    if style.startswith("list") or each._p.find(f".//{qn('w:numPr')}") is not None:
        return [Block("item", text)]
    return [Block("paragraph", text)]
