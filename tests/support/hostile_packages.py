"""Hostile Office and OpenDocument files: ZIP files that swell, entities, and counts without end."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence

MB = 1024 * 1024
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"
OPEN = "urn:oasis:names:tc:opendocument:xmlns"
LAUGHS = (
    "<!DOCTYPE x [<!ENTITY l0 'ha'>" + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
)
FAR_CELL = "XFD1048576"  # the last cell of a sheet
DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODT_TYPE = "application/vnd.oasis.opendocument.text"
ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def packed(parts: Mapping[str, str | bytes], *, padding_mb: int = 0) -> bytes:
    """Builds a ZIP file. The padding compresses to a thousandth."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
        if padding_mb:
            with archive.open("media/image1.png", "w", force_zip64=True) as part:
                for _ in range(padding_mb):
                    part.write(bytes(MB))
    return written.getvalue()


def content_types(overrides: Mapping[str, str]) -> str:
    named = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in overrides.items())
    relations = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return f'<?xml version="1.0"?><Types xmlns="{PACKAGE}/content-types">{relations}{named}</Types>'


def relationships(targets: Sequence[tuple[str, str]]) -> str:
    named = "".join(
        f'<Relationship Id="r{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<?xml version="1.0"?><Relationships xmlns="{PACKAGE}/relationships">{named}</Relationships>'


def workbook(
    rows: str, *, shared: str = "", before: str = "", after: str = "", doctype: str = "", **packing: int
) -> bytes:
    """Builds a workbook of one sheet. `before` and `after`: elements around its rows."""
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    kinds = {
        "xl/workbook.xml": f"{main}.sheet.main+xml",
        "xl/worksheets/sheet1.xml": f"{main}.worksheet+xml",
        "xl/sharedStrings.xml": f"{main}.sharedStrings+xml",
    }
    targets = [("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")]
    return packed(
        {
            "[Content_Types].xml": content_types(kinds),
            "_rels/.rels": relationships([("officeDocument", "xl/workbook.xml")]),
            "xl/_rels/workbook.xml.rels": relationships(targets),
            "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets>'
            '<sheet name="Data" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/sharedStrings.xml": f'{doctype}<sst xmlns="{SHEET}">{shared}</sst>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}">{before}'
            f"<sheetData>{rows}</sheetData>{after}</worksheet>",
        },
        **packing,
    )


def sheet_rows(count: int, cell: str, cells: int) -> str:
    return "".join(f'<row r="{row}">{cell * cells}</row>' for row in range(1, count + 1))


def presentation(slide: str, slides: int = 1, *, doctype: str = "") -> bytes:
    """Builds slides, which may all be one part."""
    main = "application/vnd.openxmlformats-officedocument.presentationml"
    kinds = {
        "ppt/presentation.xml": f"{main}.presentation.main+xml",
        "ppt/slides/slide1.xml": f"{main}.slide+xml",
    }
    ids = "".join(f'<p:sldId id="{256 + number}" r:id="r1"/>' for number in range(slides))
    names = f'xmlns:a="{DRAWING}" xmlns:p="{SLIDE}" xmlns:r="{OFFICE}"'
    return packed(
        {
            "[Content_Types].xml": content_types(kinds),
            "_rels/.rels": relationships([("officeDocument", "ppt/presentation.xml")]),
            "ppt/_rels/presentation.xml.rels": relationships([("slide", "slides/slide1.xml")]),
            "ppt/presentation.xml": f"<p:presentation {names}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
            "ppt/slides/slide1.xml": f"{doctype}<p:sld {names}><p:cSld><p:spTree>{slide}</p:spTree></p:cSld></p:sld>",
        }
    )


def shape(text: str) -> str:
    return f"<p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"


def open_document(kind: str, body: str, *, doctype: str = "") -> bytes:
    names = " ".join(f'xmlns:{name}="{OPEN}:{name}:1.0"' for name in ("office", "text", "table"))
    return packed(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{OPEN}:manifest:1.0"/>',
            "content.xml": f'<?xml version="1.0"?>{doctype}<office:document-content {names} office:version="1.3">'
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        }
    )


def word_document(body: str, **parts: str) -> bytes:
    """Builds a Word file. `parts`: other XML parts by name, such as "footnotes"."""
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    kinds = {"word/document.xml": f"{main}.document.main+xml"}
    kinds |= {f"word/{name}.xml": f"{main}.{name}+xml" for name in parts}
    return packed(
        {
            "[Content_Types].xml": content_types(kinds),
            "_rels/.rels": relationships([("officeDocument", "word/document.xml")]),
            "word/_rels/document.xml.rels": relationships([(name, f"{name}.xml") for name in parts]),
            "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>',
            **{f"word/{name}.xml": inner for name, inner in parts.items()},
        }
    )


def endless_note() -> bytes:
    """Builds a footnote that refers to itself."""
    reference = '<w:p><w:r><w:t>word</w:t></w:r><w:r><w:footnoteReference w:id="1"/></w:r></w:p>'
    notes = f'<w:footnotes xmlns:w="{WORD}"><w:footnote w:id="1">{reference * 2}</w:footnote></w:footnotes>'
    return word_document(reference * 1000, footnotes=notes)


def endless_styles() -> bytes:
    """Builds styles that are based on each other."""
    styles = (
        '<w:style w:type="paragraph" w:styleId="A"><w:name w:val="A"/><w:basedOn w:val="B"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="B"><w:name w:val="B"/><w:basedOn w:val="A"/></w:style>'
    )
    text = '<w:p><w:pPr><w:pStyle w:val="A"/></w:pPr><w:r><w:t>word</w:t></w:r></w:p>'
    return word_document(text * 1000, styles=f'<w:styles xmlns:w="{WORD}">{styles}</w:styles>')


def zips_in_zips() -> bytes:
    body = packed({"a.txt": "a"}, padding_mb=64)
    for _ in range(8):
        body = packed({"[Content_Types].xml": body, "xl/workbook.xml": body})
    return body


CELL, SHARED_CELL = "<c><v>1</v></c>", '<c t="s"><v>0</v></c>'
TEXT, TABLE = "<text:p>word</text:p>", "<table:table-cell><text:p>word</text:p></table:table-cell>"

WIDE_ROW = '<w:tr><w:tc><w:tcPr><w:gridSpan w:val="99999999"/></w:tcPr><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc></w:tr>'

PACKAGES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "a workbook of a million cells": (XLSX_TYPE, lambda: workbook(sheet_rows(10_000, CELL, 100))),
    "a workbook of billion laughs": (
        XLSX_TYPE,
        lambda: workbook(sheet_rows(1, SHARED_CELL, 9), shared="<si><t>&l9;</t></si>", doctype=LAUGHS),
    ),
    "a long text in every cell": (
        XLSX_TYPE,
        lambda: workbook(sheet_rows(5000, SHARED_CELL, 20), shared=f"<si><t>{'word ' * 20_000}</t></si>"),
    ),
    "a workbook that claims all cells": (
        XLSX_TYPE,
        lambda: workbook(
            f'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="{FAR_CELL}"><v>1</v></c></row>',
            before=f'<dimension ref="A1:{FAR_CELL}"/>',
        ),
    ),
    "a workbook of one merged cell": (
        XLSX_TYPE,
        lambda: workbook(
            sheet_rows(9, '<c t="s"><v>0</v></c>', 9),
            shared="<si><t>word</t></si>",
            after=f'<mergeCells><mergeCell ref="A1:{FAR_CELL}"/></mergeCells>',
        ),
    ),
    "a workbook that unpacks to 256 MB": (XLSX_TYPE, lambda: workbook(sheet_rows(9, CELL, 9), padding_mb=256)),
    "ZIP files in ZIP files": (XLSX_TYPE, zips_in_zips),
    "slides of billion laughs": (PPTX_TYPE, lambda: presentation(shape("&l9;"), doctype=LAUGHS)),
    "one slide, often": (PPTX_TYPE, lambda: presentation(shape("word " * 2000), 50_000)),
    "groups in groups": (PPTX_TYPE, lambda: presentation("<p:grpSp>" * 50_000 + "</p:grpSp>" * 50_000)),
    "a text of billion laughs": (ODT_TYPE, lambda: open_document("text", "<text:p>&l9;</text:p>", doctype=LAUGHS)),
    "a billion blanks": (
        ODT_TYPE,
        lambda: open_document("text", '<text:p>a<text:s text:c="999999999"/>b</text:p>' * 9),
    ),
    "sections in sections": (
        ODT_TYPE,
        lambda: open_document("text", "<text:section>" * 50_000 + "</text:section>" * 50_000),
    ),
    "a repeated row of repeated cells": (
        ODS_TYPE,
        lambda: open_document(
            "spreadsheet",
            '<table:table table:name="t"><table:table-row table:number-rows-repeated="1048576">'
            + TABLE.replace("cell>", 'cell table:number-columns-repeated="16384">', 1)
            + "</table:table-row></table:table>",
        ),
    ),
    "Word of cells that span": (
        DOCX_TYPE,
        lambda: word_document(f"<w:tbl>{WIDE_ROW * 100}</w:tbl>"),
    ),
    "Word of a note that repeats": (DOCX_TYPE, endless_note),
    "Word of styles that loop": (DOCX_TYPE, endless_styles),
    "Word of boxes in boxes": (
        DOCX_TYPE,
        lambda: word_document("<w:p><w:r><w:txbxContent>" * 20_000 + "</w:txbxContent></w:r></w:p>" * 20_000),
    ),
    "Word of insertions in insertions": (
        DOCX_TYPE,
        lambda: word_document(
            "<w:p>" + "<w:ins>" * 50_000 + "<w:r><w:t>x</w:t></w:r>" + "</w:ins>" * 50_000 + "</w:p>"
        ),
    ),
}
