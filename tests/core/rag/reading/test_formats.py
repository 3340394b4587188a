"""The detection of formats, and the refusals that say what to do."""

from __future__ import annotations

import codecs
import io
import zipfile
from collections.abc import Mapping

import pytest

from core.errors import UnreadableDocument
from core.rag.reading.formats import detect_format, read_document
from tests.core.rag.reading.test_files import DOCX
from tests.support.ole_files import ole_file

XLS = "application/vnd.ms-excel"
CONTENT_TYPES = '<Types><Override PartName="/{part}" ContentType="application/vnd.{kind}.main+xml"/></Types>'
WORD_TYPES = CONTENT_TYPES.format(part="w.xml", kind="openxmlformats-officedocument.wordprocessingml.document")


def zipped(parts: Mapping[str, str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return written.getvalue()


@pytest.mark.parametrize(
    ("body", "media_type", "name", "kind"),
    [
        (b"<html><p>x", "text/html", "", "page"),
        (b"<?xml version='1.0'?><!-- x --><!DOCTYPE html><html>", "application/xml", "", "page"),
        (b"<?xml version='1.0'?>\n<rss version='2.0'>", "text/html; charset=utf-8", "", "feed"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>", "text/plain", "", "feed"),
        (b"<rdf:RDF xmlns='http://purl.org/rss/1.0/'>", "application/xml", "", "feed"),
        (b"<rdf:RDF xmlns:skos='http://www.w3.org/2004/02/skos/core#'>", "application/xml", "thesaurus.xml", "xml"),
        (codecs.BOM_UTF16_LE + "<rss>".encode("utf-16-le"), "application/octet-stream", "", "feed"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "application/json", "", "feed"),
        (b"<p>Text about <feed> elements", "text/html", "", "page"),
        (b"a,b\n1,2", "text/plain", "x.CSV", "csv"),
        (b"a,b\n1,2", "text/csv", "", "csv"),
        (b"a,b\n1,2", XLS, "export.csv", "csv"),
        (b"# x", "", "x.md", "markdown"),
        (b"<div>not HTML</div> but Markdown", "text/markdown", "", "markdown"),
        (b"%PDF-1.7", "text/plain", "x.txt", "pdf"),
        (b"PK\x03\x04...word/document.xml", "application/octet-stream", "", "word"),
        (zipped({"[Content_Types].xml": WORD_TYPES}), "application/zip", "report.zip", "word"),
        (zipped({"[Content_Types].xml": "<Types/>", "word/a.xml": ""}), "", "", "word"),
        (zipped({"[Content_Types].xml": WORD_TYPES, "xl/a.xml": ""}), XLS, "report.xls", "word"),
        (b"hello", "application/octet-stream", "", "text"),
        (b"hello", "x/y", "", "text"),
        (b"", "", "", "text"),
    ],
)
def test_the_format_is_detected(body: bytes, media_type: str, name: str, kind: str) -> None:
    """The bytes come before the media type, and the type before the name."""
    assert detect_format(body, media_type, name) == kind


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [
        ("main.ts", "video/mp2t", "code"),
        ("main.ts", "text/vnd.trolltech.linguist", "text"),
        ("lib.rs", "application/rls-services+xml", "code"),
        ("app.py", "text/x-python", "code"),
        ("deploy.yaml", "application/octet-stream", "code"),
        ("deploy.yml", "application/x-yaml", "code"),
        ("query.sql", "application/sql", "code"),
        ("index.php", "application/x-httpd-php", "code"),
        ("Dockerfile", "application/octet-stream", "code"),
        (".env", "", "code"),
        ("logo.svg", "image/svg+xml", "xml"),
        ("pom.xml", "text/xml", "xml"),
        ("data.jsonl", "application/json-seq", "json_lines"),
        ("notes", "", "text"),
        ("budget.xyz", "application/octet-stream", "text"),
    ],
)
def test_the_name_decides_where_the_type_does_not(name: str, media_type: str, kind: str) -> None:
    """Browsers and platforms know few types of code, and take some for something else."""
    assert kind == detect_format(b"<config>\n  <a/>\n</config>" if kind == "xml" else b"a: 1\n", media_type, name)


@pytest.mark.parametrize("name", ["book.xml", ""])
def test_xml_that_is_no_feed_or_page_is_read_as_it_is(name: str) -> None:
    """DocBook has articles and tables too, with other meanings than HTML."""
    document = read_document(b"<?xml version='1.0'?>\n<article>\n  <para>One</para>\n</article>", "text/xml", name=name)

    assert "<article>\n  <para>One</para>\n</article>" in document.passages[0].text


def html_as(name: str) -> str:
    return detect_format(b"<html><table><tr><td>1</td></tr></table>", XLS, name)


def test_a_wrong_suffix_does_not_matter() -> None:
    """Programs of the Web export HTML as .xls and .doc, and text with tabs as .xls."""
    assert ("page", "page", "text") == (
        html_as("export.xls"),
        detect_format(b"<html><p>Letter", "application/msword", "letter.doc"),
        detect_format(b"Dear all,\nplease", "application/msword", "letter.doc"),
    )


@pytest.mark.parametrize(
    ("body", "media_type", "message", "reason"),
    [
        (b"\x89PNG\r\n", "image/png", "picture", "picture"),
        (b"\x89PNG\r\n", "text/plain", "picture", "picture"),
        (b"whatever", "image/webp", "picture", "picture"),
        (b"whatever", "video/mp4", "video", "recording"),
        (b"\x00\x00\x00 ftypisom", "application/octet-stream", "video", "recording"),
        (b"\x00\x00\x00 ftypheic", "application/octet-stream", "picture", "picture"),
        (b"RIFF\x00\x00\x00\x00WEBP", "", "picture", "picture"),
        (b"ID3\x04\x00", "", "recording", "recording"),
        (b"OTTO\x00", "", "font", "kind"),
        (b"MZ\x90\x00", "", "program", "kind"),
        (b"SQLite format 3\x00", "", "database: export", "database"),
        (b"\x1f\x8b\x08", "application/gzip", "unpack", "archive"),
        (b"%!PS-Adobe-3.0\n", "application/postscript", "as PDF", "convert"),
        (b"\xd0\xcf\x11\xe0old", "application/msword", "docx", "old_word"),
        (b"\xd0\xcf\x11\xe0old", "", "old Office file", "convert"),
        (ole_file({"WordDocument": b"x"}), "", "save it as .docx", "old_word"),
        (ole_file({"PowerPoint Document": b"x"}), "", "save it as .pptx", "old_slides"),
        (ole_file({"VisioDocument": b"x"}), "", "as PDF", "convert"),
        (ole_file({"EncryptedPackage": b"x"}), DOCX, "password", "locked"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), DOCX, "password", "locked"),
        (b"<?xml version='1.0'?><?mso-application progid=\"Word.Document\"?><w:wordDocument>", "", "docx", "old_word"),
        (b"\x09\x04\x06\x00\x00\x00", XLS, "xlsx", "old_workbook"),
        (zipped({"a.txt": "x"}), "application/zip", "ZIP", "archive"),
        (zipped({"reports/word/a.docx": "x"}), "", "ZIP", "archive"),
        (zipped({"a.txt": "x"}), DOCX, "damaged", "damaged"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.graphics"}), "", "as PDF", "convert"),
        (zipped({"Index/Document.iwa": "x"}), "", "as PDF", "convert"),
        (zipped({"[Content_Types].xml": "<Types/>", "visio/document.xml": ""}), "", "as PDF", "convert"),
        (zipped({})[:-10], "", "ZIP", "archive"),
        (b"text", DOCX, "damaged", "damaged"),
        (b"%PDF-1.7 and no more", "application/pdf", "damaged", "damaged"),
        (b"\x00\x01\x02binary", "text/plain", "zero bytes", "kind"),
        (b"\x00\x01\x02binary", "application/octet-stream", "zero bytes", "kind"),
        (b"{", "application/json", "not", "damaged"),
        (b"", "text/plain", "no text", "empty"),
        (b" \n ", "text/markdown", "no text", "empty"),
        (b" \n ", "text/x-python", "no text", "empty"),
        (b"", "text/csv", "no text", "empty"),
        (b"<script>draw()</script>", "text/html", "scripts", "empty"),
    ],
)
def test_unreadable_files_are_refused_with_a_reason(body: bytes, media_type: str, message: str, reason: str) -> None:
    """The error is one sentence that says what to do."""
    with pytest.raises(UnreadableDocument, match=message) as refusal:
        read_document(body, media_type)

    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("film.ts", b"\x47\x40\x00\x10\x00", "kind"),
        ("plan.mpp", b"\xd0\xcf\x11\xe0 of Project", "convert"),
        ("sales.numbers", zipped({"Data/a.jpg": ""}), "convert"),
        ("base.accdb", b"\x00\x01\x00\x00Standard ACE DB\x00", "database"),
        ("photo.cr2", b"raw \x00", "picture"),
    ],
)
def test_the_name_helps_where_the_bytes_do_not_tell(name: str, body: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument) as refusal:
        read_document(body, "application/octet-stream", name=name)

    assert refusal.value.reason == reason


def test_letters_that_also_begin_other_formats_may_begin_a_text() -> None:
    """They count only if zero bytes follow."""
    assert {"text"} == {detect_format(start, "", "") for start in (b"BM is a bank", b"MZ", b"FORMS and ID3", b"GIF87")}
