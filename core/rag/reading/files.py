"""Reads attached files: text, Markdown, CSV, JSON, PDF, Word. Pure: bytes in, a document out.

Every function raises UnreadableDocument, with one English sentence that names the file's type and the problem.
"""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO, StringIO
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import docx
import pypdf
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph
from pypdf.errors import PyPdfError

from core.errors import UnreadableDocument
from core.language import detect_language
from core.rag.documents import Block, Document, collapse_blanks, one_line, table_blocks, visible_text
from core.rag.passages import cut_blocks
from core.rag.reading import markdown
from core.rag.reading.charset import decode
from core.runtime.file_formats import SNIFFED_CHARS, SNIFFED_LINES, guess_delimiter

if TYPE_CHECKING:
    from _csv import Reader  # the type of csv.reader has no public name before Python 3.13

TITLE_LIMIT_CHARS = 200
PDF_PAGES_LIMIT = 500
ROWS_LIMIT = 50_000
FIELD_LIMIT_CHARS = 100_000
UNZIPPED_LIMIT_BYTES = 64 * 1024 * 1024  # unpacked size of a Word file
PARTS_LIMIT = 5000
HYPHENATED = re.compile(r"(?<=[a-zà-ÿ])[-\u00ad]\n(?=[a-zà-ÿ])")  # a word that a line's end split


def build_document(title: str, blocks: Sequence[Block], kind: Any = "text", url: str | None = None) -> Document:
    sample = "\n".join(block.text for block in blocks[:100])
    return Document(one_line(title)[:TITLE_LIMIT_CHARS], cut_blocks(blocks), kind, detect_language(sample), url)


def title_from_name(name: str) -> str:
    """Returns a title from a file's name: "Plan 2026.docx" → "Plan 2026"."""
    return PurePath(one_line(name).replace("\\", "/")).stem


def parse_text(body: bytes, *, name: str = "", charset: str | None = None, url: str | None = None) -> Document:
    return build_document(title_from_name(name), markdown.parse_paragraphs(readable(body, charset)), url=url)


def parse_markdown(body: bytes, *, name: str = "", charset: str | None = None, url: str | None = None) -> Document:
    """Reads Markdown. A single first heading is the title."""
    blocks = markdown.parse_markdown(readable(body, charset))
    if (
        blocks
        and blocks[0].kind == "heading"
        and sum(block.level == 1 for block in blocks if block.kind == "heading") <= 1
    ):
        return build_document(blocks[0].text, blocks[1:], url=url)
    return build_document(title_from_name(name), blocks, url=url)


def readable(body: bytes, charset: str | None) -> str:
    """Decodes text. Raises UnreadableDocument for other content."""
    blocks = decode(body, charset)
    if "\x00" in blocks[:10_000]:
        raise UnreadableDocument("this is declared as text, but it has zero bytes", "kind")
    return blocks


def parse_csv(body: bytes, *, name: str = "", charset: str | None = None, url: str | None = None) -> Document:
    """Reads CSV. The first row names the columns; each passage repeats it."""
    source = readable(body, charset)
    try:
        rows = [row for row in limit_rows(csv_reader(source), ROWS_LIMIT, "attach the part that matters") if any(row)]
    except csv.Error as exc:
        raise UnreadableDocument(f"this CSV file cannot be read: {exc}", "damaged") from exc
    blocks = table_blocks(rows[1:], rows[0]) if len(rows) > 1 else table_blocks(rows, None)
    return build_document(title_from_name(name), blocks, "table", url)


def limit_rows(rows: Iterator[list[str]], limit: int, advice: str) -> Iterator[list[str]]:
    for count, each in enumerate(rows):
        if count >= limit:
            raise UnreadableDocument(f"this CSV file has more than {limit:,} rows: {advice}", "large")
        yield each


def csv_reader(source: str) -> Reader:
    """Raises csv.Error for a cell above FIELD_LIMIT_CHARS."""
    csv.field_size_limit(FIELD_LIMIT_CHARS)
    delimiter = guess_delimiter(source[:SNIFFED_CHARS].splitlines()[:SNIFFED_LINES])
    return csv.reader(StringIO(source, newline=""), delimiter=delimiter)


def parse_json(body: bytes, *, name: str = "", charset: str | None = None, url: str | None = None) -> Document:
    """Reads JSON. A list of flat objects becomes a table; other values become code."""
    try:
        value = json.loads(readable(body, charset))
        json_text = visible_text(json.dumps(value, ensure_ascii=False, indent=1))
    except (ValueError, RecursionError) as exc:
        problem = "this is declared as JSON, but it is not, or it is nested too deep"
        raise UnreadableDocument(problem, "damaged") from exc
    if rows := flat_records(value):
        columns = list(dict.fromkeys(key for row in rows for key in row))
        blocks = table_blocks(([cell_text(row.get(column)) for column in columns] for row in rows), columns)
        return build_document(title_from_name(name), blocks, "table", url)
    return build_document(title_from_name(name), [Block("code", json_text)], url=url)


def flat_records(value: Any) -> list[dict[str, Any]]:
    """Returns the rows if the value is a table."""
    if not isinstance(value, list) or not value or len(value) > ROWS_LIMIT:
        return []
    flat = all(
        isinstance(row, dict) and not any(isinstance(cell, dict | list) for cell in row.values()) for row in value
    )
    return value if flat and len({key for row in value for key in row}) <= 50 else []


def cell_text(cell: Any) -> str:
    return cell if isinstance(cell, str) else "" if cell is None else json.dumps(cell)


def parse_pdf(body: bytes, *, name: str = "", url: str | None = None) -> Document:
    """Reads a PDF. Each page becomes a section, such as "p. 3"."""
    try:
        reader = pypdf.PdfReader(BytesIO(body), strict=False)
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
    return build_document(title or title_from_name(name), blocks, url=url)


def pdf_page_blocks(number: int, page: pypdf.PageObject) -> list[Block]:
    if number > PDF_PAGES_LIMIT:
        raise UnreadableDocument(
            f"this PDF has more than {PDF_PAGES_LIMIT} pages: attach the part that matters", "large"
        )
    blocks = markdown.parse_paragraphs(HYPHENATED.sub("", page.extract_text()))
    return [Block("heading", f"p. {number}", 1), *blocks] if blocks else []


def parse_word(body: bytes, *, name: str = "", url: str | None = None) -> Document:
    """Reads DOCX: headings, items, tables."""
    try:
        require_unpacked_size(body)
        source = docx.Document(BytesIO(body))
        blocks = [block for each in source.iter_inner_content() for block in word_blocks(each)]
        title = source.core_properties.title
    except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError, AttributeError, RecursionError, OSError) as exc:
        raise UnreadableDocument(
            f"this Word file cannot be read: it is damaged, or no .docx ({type(exc).__name__})", "damaged"
        ) from exc
    if not title and blocks and blocks[0].kind == "heading":
        return build_document(blocks[0].text, blocks[1:], url=url)
    return build_document(title or title_from_name(name), blocks, url=url)


def require_unpacked_size(body: bytes) -> None:
    """Refuses too much content. A ZIP may unpack to a thousand times its size, but never beyond its own claim."""
    with zipfile.ZipFile(BytesIO(body)) as packed:
        parts = packed.infolist()
    if len(parts) > PARTS_LIMIT or sum(part.file_size for part in parts) > UNZIPPED_LIMIT_BYTES:
        raise UnreadableDocument("this Word file is too large when unpacked: attach it without its pictures", "large")


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
