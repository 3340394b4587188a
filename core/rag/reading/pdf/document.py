"""Reads PDF through PDFium, page by page while time lasts. Pure.

Page numbers go with each passage, such as "p. 12", with the printed one if that differs, such as "p. 4 (iv)". Text
outside a page's crop box is not read, because no reader sees it. White text is: what lies behind it is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pypdfium2 as pdfium
from pypdfium2.raw import (
    FORMTYPE_XFA_FOREGROUND,
    FORMTYPE_XFA_FULL,
    FPDF_ERR_FORMAT,
    FPDF_ERR_PASSWORD,
    FPDF_ERR_SECURITY,
)

from core.contract import Language, Omission
from core.errors import UnreadableDocument
from core.language import detect_language
from core.rag.documents import Block, Document
from core.rag.reading.office.comments import comment_text
from core.rag.reading.pdf.annotations import AnnotationReader, PageAnnotations, attachment_names
from core.rag.reading.pdf.lines import Line, build_lines
from core.rag.reading.pdf.outline import first_heading, read_outline
from core.rag.reading.pdf.paragraphs import PAGE_LEVEL, document_blocks
from core.rag.reading.pdf.running_lines import PageText, drop_running_lines
from core.rag.reading.pdf.scans import number_ranges, shows_picture
from core.rag.reading.pdf.tables import arrange
from core.rag.reading.pdf.words import Word, page_words
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.titles import meaningful_title
from core.texts import text

CATALOG = re.compile(rb"(\d{1,9})\s+0\s+obj\s*<<[^<>]{0,500}/Type\s*/Catalog")
SCANNED_CHARS = 60  # a scanned page may have a stamp or a number of its own
SHELL_CHARS = 2000
MAPPED_SHARE = 0.5  # of the characters, whose fonts tell the letters; other fonts may do so by chance
LANGUAGE_SAMPLE_LINES = 100
NOTES_LEVEL = PAGE_LEVEL + 1  # of the heading above a page's form fields
# The only page of an XFA form says that the program cannot show it.
SHELL_WORDS = ("please wait", "veuillez patienter", "adobe reader", "acrobat reader")


def parse_pdf(raw: RawDocument) -> Document:
    """Raises UnreadableDocument for PDFs that are damaged, locked, pictures only, or forms that only Adobe shows."""
    try:
        with open_pdf(raw.body) as pdf:
            if pdf.get_formtype():
                pdf.init_forms()
            return PdfReading(raw, pdf).document()
    except pdfium.PdfiumError as exc:
        if exc.err_code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY):
            raise UnreadableDocument("this PDF is locked by a password: attach it without one", "locked") from exc
        raise UnreadableDocument("this PDF cannot be read: it is damaged", "damaged") from exc


def open_pdf(body: bytes) -> pdfium.PdfDocument:
    """Opens a PDF. One that lost its end gets another trailer, from which PDFium finds all objects."""
    try:
        return pdfium.PdfDocument(body)
    except pdfium.PdfiumError as exc:
        catalog = CATALOG.search(body)
        if exc.err_code != FPDF_ERR_FORMAT or not catalog:
            raise
        return pdfium.PdfDocument(body + b"\ntrailer << /Root %b 0 R >>\n%%%%EOF" % catalog[1])


class PdfReading:
    """Collects the text of one PDF."""

    def __init__(self, raw: RawDocument, pdf: pdfium.PdfDocument) -> None:
        self._raw = raw
        self._pdf = pdf
        self._annotations = AnnotationReader(pdf)
        self._pages: list[PageText] = []
        self._scanned: list[int] = []
        self._unmapped: list[int] = []  # pages whose fonts do not tell their letters
        self._damaged: list[int] = []

    def document(self) -> Document:
        total = len(self._pdf)
        read = self._read_pages(total)
        self._require_text()
        title = meaningful_title(self._pdf.get_metadata_dict().get("Title", "").strip())
        title = title or first_heading(self._pages)
        drop_running_lines(self._pages)
        lines = [line for page in self._pages for line in page.lines]
        attached = titled_items("source-attached-files", attachment_names(self._pdf), 1, lines)
        blocks = [*document_blocks(self._pages, read_outline(self._pdf)), *attached]
        return self._raw.document(blocks, title=title, omissions=tuple(self._omissions(read, total)))

    def _read_pages(self, total: int) -> int:
        """Reads pages until the end, or until time or room runs out. Returns their number."""
        chars = 0
        for index in range(total):
            if index and self._raw.limits.reached(chars):
                return index
            chars += self._read_page(index)
        return total

    def _read_page(self, index: int) -> int:
        """Returns the number of its characters. A damaged page among others is left out, and said."""
        try:
            page = self._pdf[index]
        except pdfium.PdfiumError:
            self._damaged.append(index + 1)
            return 0
        try:
            words = self._mapped_words(page, index + 1)
            annotations = self._annotations.read(page, words)
            chars = sum(len(word.text) for word in words)
            if chars < SCANNED_CHARS and shows_picture(page):
                self._scanned.append(index + 1)
        finally:
            page.close()
        lines = arrange(build_lines(words))
        self._pages.append(PageText(index + 1, self._pdf.get_page_label(index), lines, self._notes(annotations, lines)))
        return chars

    def _mapped_words(self, page: pdfium.PdfPage, number: int) -> list[Word]:
        words, mapped_share = page_words(page)
        shown = " ".join(word.text for word in words)
        if mapped_share >= MAPPED_SHARE or detect_language(shown):
            return words
        self._unmapped.append(number)
        return []

    def _notes(self, annotations: PageAnnotations, lines: Sequence[Line]) -> list[Block]:
        comments = [comment_text(each, language_of(lines)) for each in annotations.comments]
        return [
            *(Block("paragraph", each) for each in annotations.free_texts),
            *titled_items("source-form-fields", annotations.fields, NOTES_LEVEL, lines),
            *titled_items("source-comments", comments, NOTES_LEVEL, lines),
        ]

    def _require_text(self) -> None:
        text_start = " ".join(line.text for page in self._pages[:2] for line in page.lines).lower()
        is_xfa = self._pdf.get_formtype() in (FORMTYPE_XFA_FULL, FORMTYPE_XFA_FOREGROUND)
        is_shell = len(text_start) < SHELL_CHARS and any(words in text_start for words in SHELL_WORDS)
        if is_xfa and (is_shell or not text_start):
            raise UnreadableDocument(
                "this PDF is an XFA form, which only Adobe Acrobat shows: print it to a PDF there, and attach that",
                "xfa",
            )
        if any(page.lines or page.notes for page in self._pages):
            return
        if self._unmapped:
            raise UnreadableDocument(
                "the fonts of this PDF do not tell its letters: attach one with text, such as from OCR", "unmapped"
            )
        if self._scanned:
            raise UnreadableDocument(
                "this PDF has no text, only pictures of it: attach one with text, such as from OCR", "pictures"
            )
        raise UnreadableDocument("there is no text in this PDF: its pages are empty", "empty")

    def _omissions(self, read: int, total: int) -> Iterator[Omission]:
        if read < total:
            yield Omission("pages", read, total)
        if self._scanned:
            yield Omission("scanned", places=number_ranges(self._scanned))
        if self._unmapped:
            yield Omission("unmapped", places=number_ranges(self._unmapped))
        if self._damaged:
            yield Omission("damaged", places=number_ranges(self._damaged))


def titled_items(key: str, items: Sequence[str], level: int, lines: Sequence[Line]) -> list[Block]:
    """Returns items below a heading in the language of the lines; nothing if there are none."""
    if not items:
        return []
    return [Block("heading", text(key, language_of(lines)), level), *(Block("item", item) for item in items)]


def language_of(lines: Sequence[Line]) -> Language:
    return detect_language(" ".join(line.text for line in lines[:LANGUAGE_SAMPLE_LINES])) or "en"
