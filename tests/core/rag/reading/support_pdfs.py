"""Reads the PDFs of tests."""

from __future__ import annotations

from core.rag.documents import Document
from core.rag.reading.formats import read_document
from core.rag.reading.raw_document import ReadingLimits
from tests.support.pdf_files import PdfFile, show_lines


def read(pdf: PdfFile | bytes, *, name: str = "", limits: ReadingLimits | None = None) -> Document:
    body = pdf.build() if isinstance(pdf, PdfFile) else pdf
    return read_document(body, "application/pdf", name=name, **({"limits": limits} if limits else {}))


def texts(pdf: PdfFile | bytes) -> list[tuple[str, str]]:
    return [(passage.heading, passage.text) for passage in read(pdf).passages]


def text_of(pdf: PdfFile | bytes) -> str:
    return "\n\n".join(passage.text for passage in read(pdf).passages)


def one_page(content: str, *, rotate: int = 0) -> PdfFile:
    pdf = PdfFile()
    pdf.add_page(content, rotate=rotate)
    return pdf


def filler(number: int) -> str:
    """Some lines that no other page has."""
    return show_lines([f"Page {number} tells of its subject {number * 7 + line}" for line in range(12)], 72, 600)
