"""Attached files: their format is detected, and their content read in order."""

from __future__ import annotations

import codecs
import io
import zipfile

import pytest

from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.formats import detect_format, read_document

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


@pytest.mark.parametrize(
    ("body", "media_type", "name", "kind"),
    [
        (b"<html><p>x", "text/html", "", "page"),
        (b"<?xml version='1.0'?><!-- x --><!DOCTYPE html><html>", "application/xml", "", "page"),
        (b"<?xml version='1.0'?>\n<rss version='2.0'>", "text/html; charset=utf-8", "", "feed"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>", "text/plain", "", "feed"),
        (codecs.BOM_UTF16_LE + "<rss>".encode("utf-16-le"), "application/octet-stream", "", "feed"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "application/json", "", "feed"),
        (b"<p>Text about <feed> elements", "text/html", "", "page"),
        (b"a,b\n1,2", "text/plain", "x.CSV", "csv"),
        (b"a,b\n1,2", "text/csv", "", "csv"),
        (b"# x", "", "x.md", "markdown"),
        (b"<div>not HTML</div> but Markdown", "text/markdown", "", "markdown"),
        (b"%PDF-1.7", "text/plain", "x.txt", "pdf"),
        (b"PK\x03\x04...word/document.xml", "application/octet-stream", "", "word"),
        (b"hello", "application/octet-stream", "", "text"),
        (b"hello", "x/y", "", "text"),
        (b"", "", "", "text"),
    ],
)
def test_the_format_is_detected(body: bytes, media_type: str, name: str, kind: str) -> None:
    """The bytes come before the media type, and the type before the name."""
    assert detect_format(body, media_type, name) == kind


def zipped(name: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        packed.writestr(name, "x")
    return written.getvalue()


@pytest.mark.parametrize(
    ("body", "media_type", "message", "reason"),
    [
        (b"\x89PNG\r\n", "image/png", "picture", "kind"),
        (b"whatever", "image/webp", "image/webp", "kind"),
        (b"whatever", "video/mp4", "video/mp4", "kind"),
        (b"\xd0\xcf\x11\xe0old", "application/msword", "docx", "kind"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), DOCX, "password", "locked"),
        (zipped("a.txt"), "application/zip", "ZIP", "kind"),
        (zipped("a.txt"), DOCX, "damaged", "damaged"),
        (b"text", DOCX, "damaged", "damaged"),
        (b"%PDF-1.7 and no more", "application/pdf", "damaged", "damaged"),
        (b"\x00\x01\x02binary", "text/plain", "zero bytes", "kind"),
        (b"{", "application/json", "not", "damaged"),
        (b"", "text/plain", "no text", "empty"),
        (b" \n ", "text/markdown", "no text", "empty"),
        (b"", "text/csv", "no text", "empty"),
        (b"<script>draw()</script>", "text/html", "scripts", "empty"),
    ],
)
def test_unreadable_files_are_refused_with_a_reason(body: bytes, media_type: str, message: str, reason: str) -> None:
    """The error is one sentence for the user."""
    with pytest.raises(UnreadableDocument, match=message) as refusal:
        read_document(body, media_type)

    assert refusal.value.reason == reason
