"""Hostile documents: slow, huge, deep, or with false sizes. Each is built on demand."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from collections.abc import Callable

from tests.support.hostile_mail import MAILS
from tests.support.hostile_packages import PACKAGES
from tests.support.hostile_pdfs import PDFS
from tests.support.hostile_word_files import WORD_FILES

HostileDocument = tuple[str, Callable[[], bytes]]  # media type, bytes
HTML, FEED, PDF = "text/html", "application/rss+xml", "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MB = 1024 * 1024
WORD_NS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def repeated(text: str, count: int, *, before: str = "", after: str = "") -> Callable[[], bytes]:
    return lambda: (before + text * count + after).encode()


def docx(document: str, *, padding_bytes: int = 0) -> bytes:
    """Builds a Word file of this document.xml; the padding compresses to a thousandth."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("[Content_Types].xml", CONTENT_TYPES)
        parts.writestr("_rels/.rels", RELATIONS)
        parts.writestr("word/document.xml", document)
        if padding_bytes:
            with parts.open("word/media/image1.png", "w", force_zip64=True) as part:
                for _ in range(padding_bytes // MB):
                    part.write(bytes(MB))
    return packed.getvalue()


def document_xml(inner: str) -> str:
    return f'<?xml version="1.0"?><w:document xmlns:w="{WORD_NS}"><w:body>{inner}</w:body></w:document>'


def lying_docx() -> bytes:
    """Builds a part of 100 MB that claims to have ten bytes."""
    honest = docx(document_xml("<w:p><w:r><w:t>" + "a" * 100 * MB + "</w:t></w:r></w:p>"))
    size = (100 * MB + len(document_xml("<w:p><w:r><w:t></w:t></w:r></w:p>"))).to_bytes(4, "little")
    return honest.replace(size, (10).to_bytes(4, "little"))


def rows(count: int, cell: str) -> str:
    return f"<table>{f'<tr>{cell * 50}</tr>' * count}</table>"


def noise(count: int) -> bytes:
    return random.Random(5).randbytes(count)


def feed(inner: str, *, doctype: str = "") -> bytes:
    return f'<?xml version="1.0"?>{doctype}<rss version="2.0"><channel><title>t</title>{inner}</channel></rss>'.encode()


CASES: dict[str, HostileDocument] = {
    "comments that open": (HTML, repeated("<!--", 500_000)),
    "comments that end wrongly": (HTML, repeated("<!-- --!> -- >", 150_000)),
    "deep divs": (HTML, repeated("<div>", 400_000)),
    "deep spans with text": (HTML, repeated("<span>word ", 150_000, before="<main>")),
    "formatting never closed": (HTML, repeated("<b><i><font><p>", 100_000)),
    "links never closed": (HTML, repeated("<p>word <a href=x>", 100_000)),
    "an element of 200,000 attributes": (
        HTML,
        lambda: ("<p " + " ".join(f"a{n}=1" for n in range(200_000)) + ">text").encode(),
    ),
    "an attribute of 8 MB": (HTML, repeated("a ", 4 * MB, before='<p class="', after='">text</p>')),
    "a class of many words": (HTML, repeated("share-", 300_000, before='<div class="', after='"><p>text</p></div>')),
    "quotes that open": (HTML, repeated('<a href="', 250_000)),
    "tables in tables": (HTML, repeated("<table><tr><td>", 60_000)),
    "tables in tables, closed": (HTML, lambda: (b"<table><tr><td>" * 90 + b"x" + b"</td></tr></table>" * 90) * 150),
    "lists in lists": (HTML, repeated("<ul><li>word", 80_000)),
    "cells that span": (HTML, repeated("", 1, before=rows(400, "<td colspan=9999 rowspan=9999>x</td>"))),
    "options": (HTML, repeated("<option>word", 200_000, before="<select>")),
    "headings": (HTML, repeated("<h1>word</h1>", 100_000)),
    "main parts": (HTML, repeated("<main><h1>w</h1>", 60_000)),
    "articles in articles": (HTML, repeated("<article class=share>five words of some prose", 40_000)),
    "links": (HTML, repeated("<li><a href=/>word word</a>", 100_000)),
    "entities": (HTML, repeated("&amp;&#65;&#x1F600;&nosuch", 150_000)),
    "zero bytes": (HTML, lambda: b"<p>" + bytes(4 * MB)),
    "a word of 8 MB": (HTML, repeated("a", 8 * MB, before="<p>")),
    "bytes of no charset": (HTML, lambda: b'<meta charset="no-such">' + noise(2 * MB)),
    "half of UTF-16": (HTML, lambda: b"\xff\xfe" + noise(MB + 1)),
    "a charset that is a codec": (HTML, lambda: b'<meta charset="zlib"><p>text ' + zlib.compress(bytes(MB))),
    "sections marked as data": (HTML, repeated("<![CDATA[ ]]><svg><math>", 100_000)),
    "styles": (HTML, repeated('<p style="display: :none;visibility  :">word', 60_000)),
    "billion laughs": (
        FEED,
        lambda: feed("<description>&l9;</description>", doctype=f"<!DOCTYPE x [<!ENTITY l0 'ha'>{LAUGHS}]>"),
    ),
    "one entity, often": (
        FEED,
        lambda: feed("&a;" * 50_000, doctype=f"<!DOCTYPE x [<!ENTITY a '{'a' * 50_000}'>]>"),
    ),
    "an entity of this machine's": (
        FEED,
        lambda: feed(
            "<description>&f;</description>", doctype="<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
        ),
    ),
    "entries": (FEED, lambda: feed("<item><title>t</title><description>word</description></item>" * 60_000)),
    "entries in entries": (FEED, lambda: feed("<item><title>" * 60_000)),
    "a summary of tags": (
        FEED,
        lambda: feed(f"<item><description>{'&lt;b&gt;&lt;table&gt;' * 60_000}</description></item>"),
    ),
    "a feed that is cut": (FEED, lambda: feed("<item><title><![CDATA[" + "]]" * 500_000)[:-30]),
    "Word that unpacks to 256 MB": (DOCX, lambda: docx(document_xml(""), padding_bytes=256 * MB)),
    "Word that lies of its size": (DOCX, lying_docx),
    "Word of billion laughs": (
        DOCX,
        lambda: docx(
            f"<!DOCTYPE x [<!ENTITY l0 'ha'>{LAUGHS}]>" + document_xml("<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>")[21:]
        ),
    ),
    "Word of tables in tables": (DOCX, lambda: docx(document_xml("<w:tbl><w:tr><w:tc>" * 50_000))),
    "Word of paragraphs": (DOCX, lambda: docx(document_xml("<w:p><w:r><w:t>word</w:t></w:r></w:p>" * 200_000))),
    "a ZIP that is cut": (DOCX, lambda: docx(document_xml(""))[:-40]),
    "a quote that opens": ("text/csv", repeated('a,"b\n', MB)),
    "columns": ("text/csv", repeated("a,", 2 * MB)),
    "deep lists": ("application/json", repeated("[", 2 * MB)),
    "a number of 4 MB": ("application/json", repeated("9", 4 * MB)),
    "keys": ("application/json", lambda: ("[" + ",".join(f'{{"k{n}": {n}}}' for n in range(100_000)) + "]").encode()),
    "fences": ("text/markdown", repeated("```\n~~~\n", 200_000)),
    "images that open": ("text/markdown", repeated("![", MB)),
    "rules": ("text/markdown", repeated("a\n|-|\n|a|\n", 200_000)),
    "noise": ("text/plain", lambda: noise(2 * MB)),
    "a line of 16 MB": ("text/plain", repeated("a ", 8 * MB - 1)),
    "a feed of pages": (
        FEED,
        lambda: feed(f"<item><title>t</title><description><![CDATA[{'<div><p>word' * 400_000}]]></description></item>"),
    ),
    "a feed of attributes": (FEED, lambda: feed("<item " + " ".join(f"a{n}='1'" for n in range(200_000)) + "/>")),
    "a JSON feed of feeds": (
        "application/feed+json",
        lambda: b'{"version": "https://jsonfeed.org/version/1.1", "items": ' + b'[{"items": ' * 200_000,
    ),
    "PDF of noise": (PDF, lambda: b"%PDF-1.7\n" + noise(2 * MB)),
    **{name: (PDF, build) for name, build in PDFS.items()},
    **PACKAGES,
    **MAILS,
    **WORD_FILES,
}
