"""The titles of PDFs: those that people wrote."""

from __future__ import annotations

import pytest

from tests.core.rag.reading.support_pdfs import filler, read
from tests.support.pdf_files import PdfFile


@pytest.mark.parametrize(
    "title",
    [
        "(anonymous)",
        "untitled",
        "Untitled document",
        "Untitled-1",
        "Sans titre",
        "Microsoft Word - draft.docx",
        "Microsoft PowerPoint - Réunion",
        "PowerPoint Presentation",
        "Présentation PowerPoint",
        "Document1",
        "Présentation 2",
        "C:\\Users\\me\\My Documents\\plan final.doc",
        "/home/me/plan",
        "plan_final_v2.indd",
        "12345",
        " ",
    ],
)
def test_titles_of_programs_are_not_shown(title: str) -> None:
    """The file's name stands for them."""
    pdf = PdfFile(title=title)
    pdf.add_page(filler(1))

    assert read(pdf, name="Leave 2026.pdf").title == "Leave 2026"


@pytest.mark.parametrize(
    "title",
    ["Document de travail", "Microsoft 365 guide", "Title IX", "Présentation", "Report 2.0", "Untitled works of art"],
)
def test_titles_of_people_are_shown(title: str) -> None:
    pdf = PdfFile(title=title)
    pdf.add_page(filler(1))

    assert read(pdf, name="x.pdf").title == title
