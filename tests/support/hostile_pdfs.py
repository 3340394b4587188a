"""Hostile PDFs: structures that contain themselves, streams that swell, and pages of too much."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

from tests.support.pdf_files import PLAIN_FONT, join_objects, stream

MB = 1024 * 1024
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
FONTS = b"/Resources << /Font << /F1 5 0 R >> >>"


def page(entries: bytes = FONTS, *, box: bytes = b"0 0 612 792") -> bytes:
    return b"<< /Type /Page /Parent 2 0 R /MediaBox [%b] /Contents 4 0 R %b >>" % (box, entries)


def one_page(
    content: bytes, *more: bytes, catalog: bytes = b"", entries: bytes = FONTS, font: bytes = PLAIN_FONT
) -> bytes:
    """Builds a page: objects 1 to 5 are catalog, pages, page, content, font; `more` are those from 6 on."""
    first = b"<< /Type /Catalog /Pages 2 0 R %b >>" % catalog
    return join_objects([first, PAGES, page(entries), stream(b"", content), font, *more])


WORDS = b"BT /F1 12 Tf 72 700 Td (Words of a page) Tj ET"


def zeros(megabytes: int, times: int = 1) -> bytes:
    """Returns zero bytes, deflated as often as told: each time makes a thousandth of them."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(MB)) for _ in range(megabytes)) + packer.flush()
    for _ in range(times - 1):
        packed = zlib.compress(packed, 9)
    return packed


def swelling() -> bytes:
    """Builds a page whose content unpacks to 256 MB."""
    content = stream(b"/Filter /FlateDecode", zeros(256))
    return join_objects([b"<< /Type /Catalog /Pages 2 0 R >>", PAGES, page(b""), content])


def chain_of_filters() -> bytes:
    filters = b" ".join([b"/FlateDecode"] * 3)
    content = stream(b"/Filter [%b]" % filters, zeros(256, 3))
    return join_objects([b"<< /Type /Catalog /Pages 2 0 R >>", PAGES, page(b""), content])


def many_filters() -> bytes:
    """Builds a stream with ten thousand filters that change nothing."""
    filters = b"/ASCIIHexDecode " * 10_000
    content = stream(b"/Filter [%b]" % filters, b"41" * 1000)
    return join_objects([b"<< /Type /Catalog /Pages 2 0 R >>", PAGES, page(b""), content])


def endless_form() -> bytes:
    """Builds a form that draws itself twice."""
    dictionary = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 6 0 R >> >>"
    return one_page(
        b"/F Do " * 1000, stream(dictionary, b"/F Do /F Do"), entries=b"/Resources << /XObject << /F 6 0 R >> >>"
    )


def doubling_forms() -> bytes:
    """Builds forms that each draw the next one ten times, and the last one a word: a billion of them."""
    forms = []
    for number in range(6, 16):
        inner = b"/F%d Do " % (number + 1) * 10 if number < 15 else WORDS
        names = b"/XObject << /F%d %d 0 R >> /Font << /F1 5 0 R >>" % (number + 1, min(number + 1, 15))
        forms.append(stream(b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << %b >>" % names, inner))
    return one_page(b"/F6 Do", *forms, entries=b"/Resources << /XObject << /F6 6 0 R >> >>")


def glyph_that_draws_itself() -> bytes:
    font = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 97 "
        b"/Widths [9] /Encoding << /Differences [97 /a] >> /CharProcs << /a 6 0 R >> %b >>" % FONTS
    )
    glyph = stream(b"", b"BT /F1 12 Tf (aaaaaaaaaa) Tj ET")
    return one_page(b"BT /F1 12 Tf 9 9 Td (%b) Tj ET" % (b"a" * 10_000), glyph, font=font)


def giant_font() -> bytes:
    """Builds a font whose program unpacks to 256 MB of zero bytes."""
    font = (
        b"<< /Type /Font /Subtype /TrueType /BaseFont /Big /FirstChar 32 /LastChar 33 /Widths [300 300] "
        b"/FontDescriptor 6 0 R >>"
    )
    descriptor = b"<< /Type /FontDescriptor /FontName /Big /Flags 4 /FontFile2 7 0 R >>"
    program = stream(b"/Filter /FlateDecode /Length1 268435456", zeros(256))
    return one_page(WORDS, descriptor, program, font=font)


def characters_that_swell() -> bytes:
    """Builds a font in which each glyph means five hundred characters."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    meaning = b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <61> <%b> endbfchar" % (b"0041" * 500)
    return one_page(b"BT /F1 12 Tf 9 9 Td (%b) Tj ET" % (b"a" * MB), stream(b"", meaning), font=font)


def outline_loop() -> bytes:
    """Builds bookmarks that follow and contain each other."""
    item = b"<< /Title (loop) /Parent 6 0 R /Next 7 0 R /First 7 0 R /Last 7 0 R /Count 9 /Dest [3 0 R /Fit] >>"
    return one_page(WORDS, b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 9 >>", item, catalog=b"/Outlines 6 0 R")


def field_loop() -> bytes:
    """Builds form fields that are their own parents and children."""
    field = b"<< /FT /Tx /T (loop) /Kids [6 0 R 6 0 R] /Parent 6 0 R /Subtype /Widget /Rect [0 0 9 9] /V (v) >>"
    return one_page(WORDS, field, catalog=b"/AcroForm << /Fields [6 0 R 6 0 R] >>", entries=b"/Annots [6 0 R] " + FONTS)


def label_loop() -> bytes:
    tree = b"<< /Kids [6 0 R 6 0 R] /Limits [0 9] >>"
    return one_page(WORDS, tree, catalog=b"/PageLabels 6 0 R /Names << /EmbeddedFiles 6 0 R >>")


def deep_pages() -> bytes:
    """Builds a page tree of twenty thousand levels."""
    levels = 20_000
    nodes = [
        b"<< /Type /Pages /Parent %d 0 R /Kids [%d 0 R] /Count 1 >>" % (number - 1, number + 1)
        for number in range(2, levels)
    ]
    return join_objects([b"<< /Type /Catalog /Pages 2 0 R >>", *nodes, page(b"")])


def many_pages() -> bytes:
    """Builds a million pages, all of them the same object."""
    kids = b"3 0 R " * MB
    tree = b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, MB)
    first = b"<< /Type /Catalog /Pages 2 0 R >>"
    return join_objects([first, tree, page(), stream(b"", WORDS), PLAIN_FONT])


def xref_loop() -> bytes:
    """Builds tables of objects that each name the other as the one before."""
    made = one_page(WORDS)
    start = made.rindex(b"xref\n0")
    return made.replace(b"trailer <<", b"trailer << /Prev %d" % start)


def object_stream_loop() -> bytes:
    """Builds a stream of objects that contains itself and extends itself."""
    made = b"%PDF-1.7\n"
    place = len(made)
    packed = b"1 0 6 0 << /Type /Catalog /Pages 6 0 R >>"
    made += b"6 0 obj\n%b\nendobj\n" % stream(b"/Type /ObjStm /N 2 /First 8 /Extends 6 0 R", packed)
    table = len(made)
    rows = b"".join(
        row.to_bytes(1, "big") + at.to_bytes(4, "big") + b"\0"
        for row, at in [(0, 0), (2, 6), (2, 6), (2, 6), (2, 6), (2, 6), (1, place)]
    )
    entries = b"/Type /XRef /Size 7 /W [1 4 1] /Root 1 0 R /Prev %d" % table
    made += b"7 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF" % (stream(entries, rows), table)
    return made


def annotations(count: int) -> bytes:
    note = b"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (%b) >>" % (b"word " * 1000)
    return one_page(WORDS, note, entries=b"/Annots [%b] %b" % (b"6 0 R " * count, FONTS))


def cells(columns: int, rows: int) -> bytes:
    """Builds a page of tiny numbers, as a table that never ends."""
    row = b" ".join(b"1 0 0 1 %d %%d Tm (%d) Tj" % (9 * column, column % 10) for column in range(columns))
    body = b" ".join(row.replace(b"%d", b"%d" % (9 * number)) for number in range(rows))
    return join_objects(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            PAGES,
            page(box=b"0 0 14400 14400"),
            stream(b"", b"BT /F1 4 Tf %b ET" % body),
            PLAIN_FONT,
        ]
    )


def spiral(count: int) -> bytes:
    """Builds words that stand beside and above each other, each at a place of its own."""
    places = b" ".join(
        b"1 0 0 1 %d %d Tm (w%d) Tj" % (index * 37 % 600, index * 53 % 780, index) for index in range(count)
    )
    return one_page(b"BT /F1 2 Tf %b ET" % places)


PDFS: Mapping[str, Callable[[], bytes]] = {
    "PDF whose pages are their own": lambda: join_objects(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9999999 >>"]
    ),
    "PDF that unpacks to 256 MB": swelling,
    "PDF of filters in filters": chain_of_filters,
    "PDF of ten thousand filters": many_filters,
    "PDF of a form that draws itself": endless_form,
    "PDF of forms that draw each other": doubling_forms,
    "PDF of a glyph that draws itself": glyph_that_draws_itself,
    "PDF of a giant font": giant_font,
    "PDF of characters that swell": characters_that_swell,
    "PDF of deep arrays": lambda: join_objects([b"<< /Type /Catalog /Pages " + b"[" * 500_000]),
    "PDF of a deep page tree": deep_pages,
    "PDF of a million pages": many_pages,
    "PDF whose bookmarks loop": outline_loop,
    "PDF whose fields loop": field_loop,
    "PDF whose labels loop": label_loop,
    "PDF whose xref tables loop": xref_loop,
    "PDF whose object streams loop": object_stream_loop,
    "PDF of deep states": lambda: one_page(b"q " * MB + WORDS),
    "PDF of deep marks": lambda: one_page(b"/P BMC " * MB + WORDS),
    "PDF of a page without end": lambda: join_objects(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            PAGES,
            page(box=b"-1e30 -1e30 1e30 1e30"),
            stream(b"", b"1e30 0 0 1e30 0 0 cm " + WORDS),
            PLAIN_FONT,
        ]
    ),
    "PDF of notes": lambda: annotations(300_000),
    "PDF of words": lambda: one_page(b"BT /F1 1 Tf 1 TL " + b"(word of a page) Tj T* " * 200_000 + b"ET"),
    "PDF of numbers": lambda: cells(300, 300),
    "PDF of numbers at the edges": lambda: one_page(
        b"BT /F1 0.01 Tf 9 700 Td ("
        + b"1 " * 90_000
        + b") Tj /F1 12 Tf 0 -90 Td (a) Tj 0 -90 Td (b) Tj 0 -90 Td (c) Tj ET"
    ),
    "PDF of words everywhere": lambda: spiral(60_000),
    "PDF without its end": lambda: swelling()[:2000],
}
