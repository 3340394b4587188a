"""Hostile files of word processors: Word, OpenDocument and RTF files that repeat, nest or refer to themselves."""

from __future__ import annotations

from collections.abc import Callable

from tests.support import open_files as o
from tests.support import word_files as w

DOCX, RTF = w.MAIN_TYPES["docx"], "application/rtf"
WORD_FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "Word of fields that do not end": (
        DOCX,
        lambda: w.word_file(('<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>' + w.run("word") + "</w:p>") * 50_000),
    ),
    "Word of a cell that spans millions": (
        DOCX,
        lambda: w.word_file(w.table(w.row(w.cell("x", '<w:gridSpan w:val="99999999"/>'), "y") * 20_000)),
    ),
    "Word of a list with a mark of 1 MB": (
        DOCX,
        lambda: w.word_file(
            w.listed("word") * 20_000,
            numbering=w.abstract_list(0, w.level(0, "decimal", "%1" * 500_000)) + w.list_of(1, 0),
        ),
    ),
    "Word of one note, often": (
        DOCX,
        lambda: w.word_file(
            w.paragraph(w.note_mark("footnote", 1)) * 20_000, footnotes=w.note("footnote", 1, "word " * 100_000)
        ),
    ),
    "Word of sections with one header": (
        DOCX,
        lambda: w.word_file(w.paragraph("", w.edge_section()) * 20_000 + "x", header=w.paragraph("word " * 100_000)),
    ),
    "Word of a document in itself": (
        DOCX,
        lambda: w.word_file(
            w.paragraph("x") + '<w:altChunk r:id="aFChunk"/>' * 50_000, other={"aFChunk": "word " * 20_000}
        ),
    ),
    "Word of styles based on each other": (
        DOCX,
        lambda: w.word_file(
            "".join(w.styled("word", f"S{n}") for n in range(20_000)),
            styles="".join(w.style(f"S{n}", "x", base=f"S{(n + 1) % 20_000}") for n in range(20_000)),
        ),
    ),
    "OpenDocument of rows that repeat": (
        o.ODT,
        lambda: o.open_file(
            o.table(
                o.row(o.cell("word", 'table:number-columns-repeated="9999"')).replace(
                    "<table:table-row", '<table:table-row table:number-rows-repeated="999999"'
                )
                * 5000
            )
        ),
    ),
    "OpenDocument of lists in lists": (o.ODT, lambda: o.open_file("<text:list><text:list-item>" * 100_000)),
    "OpenDocument of blanks": (o.ODT, lambda: o.open_file(o.paragraph('<text:s text:c="999999999"/>x') * 50_000)),
    "RTF of groups": (RTF, lambda: b"{\\rtf1 " + b"{\\b " * 1_000_000 + b"x"),
    "RTF of words": (RTF, lambda: b"{\\rtf1 " + b"word\\par\\u233?" * 500_000),
    "RTF of a picture": (RTF, lambda: b"{\\rtf1 {\\pict " + b"0f" * 4_000_000 + b"} x}"),
    "RTF of notes in notes": (RTF, lambda: b"{\\rtf1 " + b"{\\footnote x" * 200_000),
    "RTF of binary data that is missing": (RTF, lambda: b"{\\rtf1 " + b"x\\bin999999999 " * 100_000),
}
