"""Attached files: their format is detected, and their content read in order."""

from __future__ import annotations

from core.rag.documents import Document
from core.rag.reading.formats import read_document

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def texts(document: Document) -> list[tuple[str, str]]:
    return [(passage.heading, passage.text) for passage in document.passages]


def test_text_is_cut_at_empty_lines() -> None:
    """The title is the file's name."""
    document = read_document(
        "Un congé.\r\n\r\nDeux\r\nlignes.".encode("cp1252"), "text/plain", name="C:\\Mes notes\\Plan 2026.txt"
    )

    assert (document.title, document.kind) == ("Plan 2026", "text")
    assert texts(document) == [("", "Un congé.\n\nDeux\nlignes.")]


def test_markdown_is_cut_at_its_headings() -> None:
    """Both kinds of headings count, lines in code do not; a list keeps its numbers."""
    source = (
        "---\ndraft: yes\n---\n# Guide\n\nIntro.\n\nFirst\n-----\n- one\n  - two\n1. three\n\n"
        "### Code ###\n```sh\n# no heading\n```\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n![A map](x.png) here\n"
    )
    document = read_document(source.encode(), "application/octet-stream", name="guide.md")

    assert document.title == "Guide"
    assert texts(document) == [
        ("", "Intro."),
        ("First", "- one\n  - two\n1. three"),
        ("First › Code", "```\n# no heading\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nA map here"),
    ]
