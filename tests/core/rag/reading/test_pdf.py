"""PDF: words, lines, paragraphs and tables in the order of reading, with the numbers of pages."""

from __future__ import annotations

import io
import time

import pypdf
import pytest

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.reading.raw_document import ReadingLimits
from tests.core.rag.reading.support_pdfs import filler, one_page, read, text_of, texts
from tests.support import pdf_files
from tests.support.pdf_files import PdfFile, resources, scan, show, show_lines

PROSE = (
    "The office of the official efficiently offers different files, flights and fluffy affidavits to staff. "
    "Each of them is confirmed by the first officer, and filed as a final offer within five fiscal years."
)


def numbered_lines(count: int) -> list[str]:
    return [f"This is the line with the number {number} of a text" for number in range(count)]


def test_each_page_has_its_number() -> None:
    """A page without text is left out."""
    pdf = PdfFile(title="Rapport")
    for text in ("Bonjour les employés", "", "Third page."):
        pdf.add_page(show(text, 72, 700) if text else "")

    assert read(pdf).title == "Rapport"
    assert texts(pdf) == [("p. 1", "Bonjour les employés"), ("p. 3", "Third page.")]


@pytest.mark.parametrize("write", [show, pdf_files.show_words, pdf_files.show_kerned, pdf_files.show_ligatures])
def test_words_are_whole(write: object) -> None:
    """Blanks that are not drawn are found, kerns are no blanks, and ligatures are letters."""
    assert callable(write)
    lines = pdf_files.wrap(PROSE, 400)
    content = "".join(write(line, 72, 700 - 13 * index) for index, line in enumerate(lines))

    assert text_of(one_page(content)) == PROSE


def test_signs_keep_their_meaning() -> None:
    """Only ligatures are replaced."""
    assert (
        text_of(one_page(show("½ of 10³ m² costs 5 € at Œuvre™ n° 3", 72, 700)))
        == "½ of 10³ m² costs 5 € at Œuvre™ n° 3"
    )


@pytest.mark.parametrize(
    ("line", "raised", "rise", "expected"),
    [
        ("A budget of 10", "6", 4, "A budget of 10⁶ dollars"),
        ("An area of 40 m", "2", 4, "An area of 40 m² dollars"),
        ("Emissions of CO", "2", -2, "Emissions of CO₂ dollars"),
        ("The fee is $15", "1", 4, "The fee is $15¹ dollars"),
        ("The 1", "er", 4, "The 1er dollars"),
    ],
)
@pytest.mark.parametrize("scaled", [True, False])
def test_small_digits_keep_their_position(line: str, raised: str, rise: int, expected: str, scaled: bool) -> None:
    """An exponent is no digit of the number before it, however the producer made it small."""
    font = "/F1 1 Tf {0} 0 0 {0} {1} {2} Tm" if scaled else "/F1 {0} Tf 1 0 0 1 {1} {2} Tm"
    pieces = [(line, 11, 72, 700), (raised, 7, 72.5 + pdf_files.width(line), 700 + rise)]
    pieces.append((" dollars", 11, pieces[1][2] + pdf_files.width(raised, 7), 700))
    content = "".join(f"BT {font.format(size, x, y)} ({text}) Tj ET\n" for text, size, x, y in pieces)

    assert text_of(one_page(content)) == expected


def test_lines_are_joined_to_paragraphs() -> None:
    """A gap or an indent begins a new one; a line that ends early keeps its end."""
    first = second = pdf_files.wrap(PROSE, 300)
    address = ["Department of Examples, Directorate", "90 Elgin Street", "Ottawa"]
    content = show_lines(first, 72, 700)
    content += show(second[0], 92, 700 - 13.2 * len(first)) + show_lines(second[1:], 72, 700 - 13.2 * (len(first) + 1))
    content += show_lines(address, 72, 400)

    assert text_of(one_page(content)) == f"{PROSE}\n\n{PROSE}\n\n{address[0]}\n{address[1]}\n{address[2]}"


def test_a_word_that_the_page_splits_is_joined() -> None:
    """It stands on the page where it begins."""
    pdf = PdfFile()
    pdf.add_page(show("The first page has infor-", 72, 100))
    pdf.add_page(show("mation on leave", 72, 700))

    assert texts(pdf) == [("p. 1", "The first page has information"), ("p. 2", "on leave")]


def test_pieces_drawn_upwards_are_read_from_the_top() -> None:
    """Some reporting tools draw the fields of a page in an order of their own."""
    lines = [(f"Line {number} of the report", "with", f"{number}.50") for number in range(12)]
    pieces = [(text, 72 + 150 * x, 700 - 30 * y) for y, line in enumerate(lines) for x, text in enumerate(line)]

    assert text_of(one_page("".join(show(*piece) for piece in reversed(pieces)))).split("\n") == [
        f"| {first} | {second} | {third} |" for first, second, third in lines
    ]


@pytest.mark.parametrize(
    ("rotate", "matrix"),
    [(90, "0 1 -1 0 612 0"), (180, "-1 0 0 -1 612 792"), (270, "0 -1 1 0 0 792"), (0, "0 1 -1 0 612 0")],
)
def test_turned_pages_are_read_in_order(rotate: int, matrix: str) -> None:
    """Paragraphs and tables are those that a reader sees."""
    table = "".join(
        show(f"{row}{column}", 72 + 120 * column, 400 - 20 * "abc".index(row)) for row in "abc" for column in range(3)
    )
    content = f"q {matrix} cm {show_lines(numbered_lines(4), 72, 500)} {table} Q"

    assert text_of(one_page(content, rotate=rotate)) == (
        " ".join(numbered_lines(4)) + "\n\n| a0 | a1 | a2 |\n| b0 | b1 | b2 |\n| c0 | c1 | c2 |"
    )


LEFT = [f"Left column line {number} has some words" for number in range(8)]
RIGHT = [f"Right column line {number} has others" for number in range(6)]


@pytest.mark.parametrize("across", [True, False])
def test_columns_are_read_one_after_the_other(across: bool) -> None:
    """The same, whether lines were drawn across both columns or down each."""
    if across:
        pieces = [(LEFT, 72, 0), (RIGHT, 320, 1)]
        order = sorted((row, column, x, line) for lines, x, column in pieces for row, line in enumerate(lines))
        content = "".join(show(line, x, 700 - 13 * row) for row, _, x, line in order)
    else:
        content = show_lines(LEFT, 72, 700, leading=13) + show_lines(RIGHT, 320, 700, leading=13)

    joined = text_of(one_page(content)).split()
    assert joined == " ".join([*LEFT, *RIGHT]).split()


ROWS = [["Group", "Days", "Rate"], ["AS", "12", "50.10"], ["PM", "9", "7.25"], ["EC", "15", "3.00"]]


@pytest.mark.parametrize("by_column", [False, True])
def test_rows_of_tables_stay_rows(by_column: bool) -> None:
    """The first row names the columns if only others have numbers, whatever the order of drawing."""
    cells = [(x, y, cell) for y, row in enumerate(ROWS) for x, cell in enumerate(row)]
    content = "".join(show(cell, 72 + 90 * x, 700 - 18 * y) for x, y, cell in (sorted(cells) if by_column else cells))

    assert text_of(one_page(content)) == (
        "| Group | Days | Rate |\n| --- | --- | --- |\n| AS | 12 | 50.10 |\n| PM | 9 | 7.25 |\n| EC | 15 | 3.00 |"
    )


def test_a_cell_of_several_lines_is_one_cell() -> None:
    """Each cell was drawn with all its lines before the next one."""
    content = show_lines(["Parental leave", "and benefits"], 72, 700) + show_lines(["For all em-", "ployees"], 260, 700)
    content += show_lines(["a long-", "term plan"], 420, 700)

    assert text_of(one_page(content)) == "| Parental leave and benefits | For all employees | a long-term plan |"


def test_an_empty_cell_keeps_its_column() -> None:
    rows = [["Alpha", "x1", "y1"], ["Beta", "", "y2"], ["Gamma", "x3", "y3"]]
    content = "".join(
        show(cell, 72 + 120 * x, 700 - 18 * y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell
    )

    assert text_of(one_page(content)) == "| Alpha | x1 | y1 |\n| Beta |  | y2 |\n| Gamma | x3 | y3 |"


def test_headings_are_larger() -> None:
    """They stand above the passages of their section, on later pages too. Text as large as nothing on later pages is
    the title.
    """
    pdf = PdfFile()
    pdf.add_page(show("Leave guide", 72, 740, size=24) + show("Parental leave", 72, 680, size=16) + filler(1))
    pdf.add_page(filler(2) + show("Sick leave", 72, 400, size=16) + show("Fifteen days.", 72, 370))

    assert read(pdf, name="x.pdf").title == "Leave guide"
    assert [passage.heading for passage in read(pdf).passages] == [
        "p. 1",
        "Parental leave › p. 1",
        "Parental leave › p. 2",
        "Sick leave › p. 2",
    ]
    assert texts(pdf)[0] == ("p. 1", "Leave guide")


def test_bookmarks_name_the_headings() -> None:
    """A bookmark may lack the number of its heading; text that is as large as the rest can be one."""
    pdf = PdfFile(title="Guide")
    first = pdf.add_page(show("1. Scope", 72, 740) + filler(1))
    second = pdf.add_page(show("2. Leave", 72, 740) + filler(2))
    pdf.add_outline([("Scope", first), ("Leave", second)])

    assert [passage.heading for passage in read(pdf).passages] == ["1. Scope › p. 1", "2. Leave › p. 2"]


def test_running_lines_are_read_once() -> None:
    """Page numbers vanish; a total at the end of each page and the header of a table stay."""
    pdf = PdfFile(title="Guide")
    for number in range(1, 6):
        running = show("Directive on Leave", 72, 760) + show(f"Page {number} of 5", 280, 30)
        pdf.add_page(running + filler(number) + show(f"Total {number * 1000},50", 72, 60))

    text = text_of(pdf)
    assert (text.count("Directive on Leave"), text.count(" of 5")) == (1, 1)
    assert [f"Total {number * 1000},50" in text for number in range(1, 6)] == [True] * 5


def test_printed_numbers_go_with_the_page() -> None:
    """They come from the file's labels, else from the bottom of the pages."""
    labelled, printed = PdfFile(), PdfFile()
    labelled.catalog.append(b"/PageLabels << /Nums [0 << /S /r >> 2 << /S /D >>] >>")
    for number in range(1, 5):
        labelled.add_page(filler(number))
        printed.add_page(filler(number) + show(str(number + 10), 300, 30))

    assert [passage.heading for passage in read(labelled).passages] == ["p. 1 (i)", "p. 2 (ii)", "p. 3 (1)", "p. 4 (2)"]
    assert [passage.heading for passage in read(printed).passages] == [f"p. {n} ({n + 10})" for n in range(1, 5)]
    assert "\n14" not in text_of(printed)


def test_a_long_pdf_is_read_in_part() -> None:
    """Its beginning comes with the number of pages, whichever limit ends the reading."""
    pdf = PdfFile()
    for number in range(1, 114):
        pdf.add_page(filler(number))
    by_text = read(pdf, limits=ReadingLimits(text_chars=20_000))
    by_time = read(pdf, limits=ReadingLimits(cpu_deadline_s=time.process_time() - 1))

    (omission,) = by_text.omissions
    assert ("pages", 113) == (omission.kind, omission.total)
    assert 20 < omission.read < 100
    assert by_text.passages[-1].heading == f"p. {omission.read}"
    assert by_time.omissions == (Omission("pages", 1, 113),)
    assert read(pdf).omissions == ()


def test_scanned_pages_are_named() -> None:
    """A stamp on a scanned page is read too. A blank page, and one with a small picture, are no scans."""
    pdf = PdfFile()
    content, entries = scan(pdf.add_image())
    pdf.add_page(filler(1))
    pdf.add_page(content, extra=entries)
    pdf.add_page("")
    pdf.add_page(f"{content} {show('Received 4 May', 72, 700)}", extra=entries)
    pdf.add_page(content, extra=entries)
    pdf.add_page(content.replace("612 0 0 792", "60 0 0 60"), extra=entries)

    assert read(pdf).omissions == (Omission("scanned", places="2, 4–5"),)
    assert "Received 4 May" in text_of(pdf)


def test_hidden_text_of_a_scan_is_read() -> None:
    """Programs that recognise text put it there invisibly."""
    pdf = PdfFile()
    content, entries = scan(pdf.add_image())
    pdf.add_page(f"{content} 3 Tr {show_lines(numbered_lines(5), 72, 700)}", extra=entries)

    assert (text_of(pdf), read(pdf).omissions) == (" ".join(numbered_lines(5)), ())


def test_text_outside_the_page_is_not_read() -> None:
    """No reader sees what stands beyond the crop box."""
    pdf = PdfFile()
    pdf.add_page(show("Inside", 200, 400) + show("Outside", 10, 780), extra="/CropBox [100 100 500 700]")

    assert text_of(pdf) == "Inside"


def encrypted(password: str, owner_password: str) -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(one_page(show("Secret", 72, 700)).build()))
    writer.encrypt(password, owner_password)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def test_a_locked_pdf_is_refused() -> None:
    """One that only forbids changes is read: it opens without a password."""
    with pytest.raises(UnreadableDocument, match="password") as locked:
        read(encrypted("p", "q"))

    assert locked.value.reason == "locked"
    assert text_of(encrypted("", "q")) == "Secret"


def test_a_pdf_of_pictures_is_refused() -> None:
    """The error says what to do."""
    pdf = PdfFile()
    content, entries = scan(pdf.add_image())
    pdf.add_page(content, extra=entries)

    with pytest.raises(UnreadableDocument, match="OCR") as refusal:
        read(pdf)
    assert refusal.value.reason == "pictures"


@pytest.mark.parametrize(
    "body", [b"%PDF-1.7 and no more", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>"]
)
def test_a_damaged_pdf_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableDocument, match="damaged") as refusal:
        read(body)
    assert refusal.value.reason == "damaged"


def test_a_pdf_without_its_end_is_repaired() -> None:
    """Mail programs cut files."""
    body = one_page(show("Whole words", 72, 700)).build()

    assert text_of(body[: body.index(b"xref")]) == "Whole words"


def test_resources_are_as_the_fonts_say() -> None:
    """Fonts of any name work: a page may bring its own resources."""
    pdf = PdfFile()
    pdf.add_page(show("Words", 72, 700, font="F2"), extra=resources("/ProcSet [/PDF]"))

    assert text_of(pdf) == "Words"


def test_items_are_no_rows_of_a_table() -> None:
    """Word draws the text of an item far from its bullet or number."""
    marks = ["•", "•", "1.", "2.", "a)", "(iv)"]
    content = "".join(
        show(mark, 72, 700 - 16 * line) + show(f"the item {line} of a list", 90, 700 - 16 * line)
        for line, mark in enumerate(marks)
    )

    read_text = text_of(one_page(content))

    assert "|" not in read_text
    assert read_text.startswith("- the item 0 of a list\n- the item 1 of a list\n\n1. the item 2 of a list")


def test_a_table_of_contents_keeps_its_lines() -> None:
    lines = [("Introduction", "1"), ("Scope of the work", "4"), ("Annex A", "A-12")]
    content = "".join(
        show(f"{title} {'. ' * (60 - len(title))}{number}", 72, 700 - 13 * line)
        for line, (title, number) in enumerate(lines)
    )

    assert text_of(one_page(content)) == "\n".join(f"{title} … {number}" for title, number in lines)


def unmapped_page(pdf: PdfFile) -> tuple[str, str]:
    """Returns the content and the entries of a page whose font has glyphs without letters."""
    family = b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 500"
    inner = pdf.add(b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /AB+Calibri %b >>" % family)
    font = pdf.add(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /AB+Calibri /Encoding /Identity-H /DescendantFonts [%d 0 R] >>"
        % inner
    )
    glyphs = "".join(f"{ord(char) - 29:04x}" for char in "The fee is 25 dollars a day for everyone")
    return f"BT /F9 11 Tf 72 700 Td <{glyphs}> Tj ET", f"/Resources << /Font << /F9 {font} 0 R >> >>"


def test_a_page_whose_fonts_do_not_tell_its_letters_is_said() -> None:
    """Its text would be "7KHIHHLV"."""
    pdf = PdfFile()
    content, entries = unmapped_page(pdf)
    pdf.add_page(content, extra=entries)
    pdf.add_page(show("The fee is paid each day.", 72, 700))

    assert read(pdf).omissions == (Omission("unmapped", places="1"),)
    assert text_of(pdf) == "The fee is paid each day."


def test_a_damaged_page_is_said() -> None:
    """The others are read."""
    pdf = PdfFile()
    pdf.add_page(show("The first page.", 72, 700))
    pdf.replace(pdf.add_page(""), b"null")
    pdf.add_page(show("The third page.", 72, 700))
    document = read(pdf)

    assert document.omissions == (Omission("damaged", places="2"),)
    assert [passage.text for passage in document.passages] == ["The first page.", "The third page."]


def test_a_pdf_without_letters_is_refused() -> None:
    pdf = PdfFile()
    content, entries = unmapped_page(pdf)
    pdf.add_page(content, extra=entries)

    with pytest.raises(UnreadableDocument, match="OCR") as refusal:
        read(pdf)
    assert refusal.value.reason == "unmapped"


def test_a_pdf_of_empty_pages_is_no_scan() -> None:
    with pytest.raises(UnreadableDocument) as refusal:
        read(one_page(""))
    assert refusal.value.reason == "empty"
