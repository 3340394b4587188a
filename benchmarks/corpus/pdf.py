"""PDFs as several producers write them: TeX, word processors, browsers, reporting tools, scanners.

They differ in what a reader must restore: blanks, ligatures, hyphens, lines of paragraphs, columns, rows of tables.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence

import pypdf

from benchmarks.corpus import Sample
from tests.support import pdf_files
from tests.support.pdf_files import PdfFile, scan, show, show_lines, string, wrap

MEDIA_TYPE = "application/pdf"
LEFT, TOP, ROOM, STEP = 72, 720, 460, 13.5
ENGLISH = (
    "Employees may take parental leave without pay for a period of up to eighteen months. The request must be sent to "
    "the manager at least four weeks before the first day of the leave, together with the official form.",
    "The office confirms each request in writing within ten working days. A refusal is explained, and the employee may "
    "ask for a second review by a different officer. Fees for copies are set out in the final section.",
    "Offices that find an efficient way of filing affidavits should describe the workflow in the annual report. "
    "Figures from the first fiscal quarter are difficult to compare, because five offices moved to other buildings.",
    "Long-term and short-term benefits are paid every second Wednesday. The well-being programme covers full-time and "
    "part-time staff, and co-operates with non-profit organizations in every province and territory of the country.",
    "Questions about pensions go to the pay centre, which answers by secure message. Please do not send documents that "
    "contain a social insurance number by ordinary mail unless the centre has asked for them explicitly.",
)
FRENCH = (
    "Les fonctionnaires peuvent prendre un congé parental non payé d’une durée maximale de dix-huit mois. La demande "
    "doit parvenir au gestionnaire au moins quatre semaines avant le premier jour du congé, avec le formulaire signé.",
    "Le bureau confirme chaque demande par écrit dans les dix jours ouvrables. Un refus est motivé, et l’employé peut "
    "demander lui-même un deuxième examen. Peut-être faudra-t-il fournir des pièces supplémentaires à l’appui.",
    "L’après-midi, les bureaux régionaux répondent aux questions des citoyens. Les frais d’envoi, c’est-à-dire environ "
    "quinze dollars, sont remboursés sur présentation d’un reçu; les chèques sont postés en début de semaine.",
)
SYLLABLES = (
    "infor-mation gouver-nement depart-ment manage-ment confir-mation insur-ance organi-zations explic-itly territ-ory "
    "employ-ees parent-al eight-een offic-ial differ-ent docu-ments contain-ing fonction-naires gestion-naire "
    "deman-der supplé-mentaires rembour-sés présen-tation régio-naux formu-laire deux-ième semai-nes parve-nir"
)
ROWS = (
    ("Province", "Offices", "Requests", "Refused"),
    ("Ontario", "12", "4,310", "87"),
    ("Québec", "9", "3,975", "64"),
    ("Manitoba", "3", "812", "11"),
    ("Nunavut", "1", "96", "2"),
    ("Yukon", "1", "141", "5"),
)


def page_of(
    paragraphs: Sequence[str], write: Callable[..., str] = show, *, top: float = TOP, room: float = ROOM
) -> str:
    content, y = "", top
    for paragraph in paragraphs:
        for line in wrap(paragraph, room):
            content += write(line, LEFT, y)
            y -= STEP
        y -= STEP * 0.7
    return content


def written(write: Callable[..., str], paragraphs: Sequence[str]) -> tuple[bytes, str]:
    pdf = PdfFile()
    pdf.add_page(page_of(paragraphs, write))
    pdf.add_page(page_of(paragraphs[::-1], write))
    return pdf.build(), "\n".join([*paragraphs, *paragraphs[::-1]])


def words_apart() -> tuple[bytes, str]:
    return written(pdf_files.show_words, ENGLISH)


def kerned() -> tuple[bytes, str]:
    return written(pdf_files.show_kerned, ENGLISH)


def ligatures() -> tuple[bytes, str]:
    return written(pdf_files.show_ligatures, ENGLISH)


def accents() -> tuple[bytes, str]:
    return written(show, FRENCH)


def hyphenated(paragraphs: Sequence[str]) -> tuple[bytes, str]:
    """Breaks words at the ends of lines: at their syllables, and after their own hyphens."""
    known = {each.replace("-", ""): each.index("-") for each in SYLLABLES.split()}
    pdf = PdfFile()
    for room in (150, 190, 230):
        content, y = "", TOP
        for line in hyphenate(" ".join(paragraphs).split(), room, known):
            content += show(line, LEFT, y)
            y -= STEP
        pdf.add_page(content)
    return pdf.build(), "\n".join([*paragraphs] * 3)


def hyphenate(words: list[str], room: float, known: dict[str, int]) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line} {word}".strip()
        if pdf_files.width(longer) <= room:
            line = longer
            continue
        at = known.get(word.strip(",.").lower(), word.find("-"))
        start, rest = (word[: at + ("-" in word)].rstrip("-"), word[at:].lstrip("-")) if at > 0 else ("", word)
        if start and pdf_files.width(f"{line} {start}-") <= room:
            yield f"{line} {start}-".strip()
            line = rest
        else:
            yield line
            line = word
    yield line


def english_hyphens() -> tuple[bytes, str]:
    return hyphenated(ENGLISH)


def french_hyphens() -> tuple[bytes, str]:
    return hyphenated(FRENCH)


def turned(rotate: int, matrix: str) -> tuple[bytes, str]:
    pdf = PdfFile()
    text = page_of(ENGLISH[:3], top=500, room=600) + table(320)
    pdf.add_page(f"q {matrix} cm {text} Q", rotate=rotate)
    return pdf.build(), "\n".join([*ENGLISH[:3], table_words()])


def turned_left() -> tuple[bytes, str]:
    return turned(90, "0 1 -1 0 612 0")


def turned_right() -> tuple[bytes, str]:
    return turned(270, "0 -1 1 0 0 792")


def upside_down() -> tuple[bytes, str]:
    pdf = PdfFile()
    pdf.add_page(f"q -1 0 0 -1 612 792 cm {page_of(ENGLISH)} Q", rotate=180)
    return pdf.build(), "\n".join(ENGLISH)


def table(top: float, *, by_column: bool = False) -> str:
    cells = [(x, y, cell) for y, row in enumerate(ROWS) for x, cell in enumerate(row)]
    placed = sorted(cells) if by_column else cells
    return "".join(show(cell, LEFT + 110 * x, top - 20 * y) for x, y, cell in placed)


def table_words() -> str:
    return "\n".join(" ".join(row) for row in ROWS)


def tables(*, by_column: bool = False) -> tuple[bytes, str]:
    pdf = PdfFile()
    pdf.add_page(page_of(ENGLISH[:1]) + table(660, by_column=by_column) + page_of(ENGLISH[1:3], top=520))
    return pdf.build(), "\n".join([ENGLISH[0], table_words(), *ENGLISH[1:3]])


def tables_by_column() -> tuple[bytes, str]:
    return tables(by_column=True)


def cells_of_lines() -> tuple[bytes, str]:
    """Each cell is drawn with its lines, as word processors do; a reader reads cell after cell."""
    rows = [
        ("Parental leave without pay", "Up to eighteen months for each child", "Form 12"),
        ("Sick leave with certificate", "Fifteen days in each fiscal year", "Form 7"),
        ("Leave for family obligations", "Five days in each fiscal year", "Form 9"),
    ]
    content, y = "", 700.0
    for row in rows:
        for x, cell in zip((LEFT, 220, 400), row, strict=True):
            content += show_lines(wrap(cell, 110), x, y)
        y -= 45
    pdf = PdfFile()
    pdf.add_page(content)
    return pdf.build(), "\n".join(" ".join(row) for row in rows)


def columns(*, across: bool) -> tuple[bytes, str]:
    half = [line for paragraph in ENGLISH for line in wrap(paragraph, 210)]
    middle = (len(half) + 1) // 2
    pieces = [(LEFT, row, line) for row, line in enumerate(half[:middle])]
    pieces += [(LEFT + 250, row, line) for row, line in enumerate(half[middle:])]
    if across:
        pieces.sort(key=lambda piece: (piece[1], piece[0]))
    pdf = PdfFile()
    pdf.add_page(
        show("Notes on leave", LEFT, 750, size=20) + "".join(show(line, x, 700 - STEP * row) for x, row, line in pieces)
    )
    return pdf.build(), "\n".join(["Notes on leave", *ENGLISH])


def columns_down() -> tuple[bytes, str]:
    return columns(across=False)


def columns_across() -> tuple[bytes, str]:
    return columns(across=True)


def form() -> tuple[bytes, str]:
    answers = {"Family name": "Tremblay", "Given name": "Marie-Ève", "Branch": "Pay and Benefits", "Days": "18"}
    pdf = PdfFile()
    fields = [pdf.add_field(f"f{n}", string(value), label=label) for n, (label, value) in enumerate(answers.items())]
    pdf.add_page(page_of(ENGLISH[:2]), annotations=fields)
    pdf.add_form(fields)
    return pdf.build(), "\n".join([*ENGLISH[:2], *(f"{label} {value}" for label, value in answers.items())])


def commented() -> tuple[bytes, str]:
    pdf = PdfFile()
    notes = [
        pdf.add_note("FreeText", "Approved by the director"),
        pdf.add_note("Text", "Ask the pay centre", author="Ana"),
    ]
    pdf.add_page(page_of(ENGLISH[:2]), annotations=notes)
    return pdf.build(), "\n".join([*ENGLISH[:2], "Approved by the director", "Ana Ask the pay centre"])


def guide() -> tuple[bytes, str]:
    """Sections with bookmarks, bullets and a footer on each page."""
    pdf = PdfFile(title="Leave guide")
    words, pages = [], []
    for number, paragraph in enumerate((*ENGLISH, *ENGLISH), 1):
        bullets = [f"• Step {number}.{step} of the request" for step in range(1, 4)]
        content = show(f"{number}. Section on subject {number}", LEFT, TOP, size=16)
        content += (
            page_of([paragraph], top=690) + show_lines(bullets, LEFT, 560) + show(f"{number} / 10", 300, 30, size=9)
        )
        pages.append((f"Section on subject {number}", pdf.add_page(content)))
        words += [f"{number}. Section on subject {number}", paragraph, *(bullet[2:] for bullet in bullets)]
    pdf.add_outline(pages)
    return pdf.build(), "\n".join(words)


def slides() -> tuple[bytes, str]:
    pdf = PdfFile(page_size=(792, 612))
    words = []
    for number in range(1, 9):
        points = [f"Point {number}.{point}: the rate rises by {number * point} %" for point in range(1, 5)]
        pdf.add_page(
            show(f"Topic {number} of the year", 60, 540, size=32) + show_lines(points, 80, 440, size=20, leading=40)
        )
        words += [f"Topic {number} of the year", *points]
    return pdf.build(), "\n".join(words)


def recognised_scan() -> tuple[bytes, str]:
    pdf = PdfFile()
    content, entries = scan(pdf.add_image())
    pdf.add_page(f"{content} 3 Tr {page_of(ENGLISH)}", extra=entries)
    return pdf.build(), "\n".join(ENGLISH)


def browser_print() -> tuple[bytes, str]:
    """Glyph numbers instead of characters, and a table that gives their meaning: Chrome, Word and others."""
    pdf = PdfFile()
    text = "\n".join(FRENCH)
    codes = {char: code for code, char in enumerate(sorted(set(text) - {"\n"}), 3)}
    pairs = "\n".join(f"<{code:04X}> <{ord(char):04X}>" for char, code in codes.items())
    meaning = (
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange {len(codes)} beginbfchar\n{pairs}\nendbfchar".encode()
    )
    widths = " ".join(f"{code} [{pdf_files.width(char, 1000):.0f}]" for char, code in codes.items())
    face = (
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Arial /DW 556 "
        f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /W [{widths}] >>"
    )
    font = pdf.add(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Arial /Encoding /Identity-H /DescendantFonts [%d 0 R] "
        b"/ToUnicode %d 0 R >>" % (pdf.add(face.encode()), pdf.add(pdf_files.stream(b"", meaning)))
    )
    content, y = "", float(TOP)
    for paragraph in FRENCH:
        for line in wrap(paragraph, ROOM):
            glyphs = "".join(f"{codes[char]:04X}" for char in line)
            content += f"BT /C 11 Tf {LEFT} {y:.1f} Td <{glyphs}> Tj ET\n"
            y -= STEP
        y -= STEP
    pdf.add_page(content, extra=f"/Resources << /Font << /C {font} 0 R >> >>")
    return pdf.build(), text


def packed() -> tuple[bytes, str]:
    """Objects in compressed streams, as PDF 1.5 allows."""
    body, words = written(show, ENGLISH)
    writer = pypdf.PdfWriter(io.BytesIO(body))
    for page in writer.pages:
        page.compress_content_streams()
    packed_body = io.BytesIO()
    writer.write(packed_body)
    return packed_body.getvalue(), words


def long_report() -> tuple[bytes, str]:
    """Sixty pages with a header and a page number each."""
    pdf = PdfFile(title="Annual report")
    words = ["Annual report of the office"]
    for number in range(1, 61):
        paragraphs = [f"Part {number} begins here. {paragraph}" for paragraph in ENGLISH]
        running = show("Annual report of the office", LEFT, 765, size=9) + show(str(number), 300, 30, size=9)
        pdf.add_page(running + page_of(paragraphs))
        words += paragraphs
    return pdf.build(), "\n".join(words)


MADE: tuple[Callable[[], tuple[bytes, str]], ...] = (
    words_apart,
    kerned,
    ligatures,
    accents,
    english_hyphens,
    french_hyphens,
    turned_left,
    turned_right,
    upside_down,
    tables,
    tables_by_column,
    cells_of_lines,
    columns_down,
    columns_across,
    form,
    commented,
    guide,
    slides,
    recognised_scan,
    browser_print,
    packed,
    long_report,
)


def samples() -> Iterator[Sample]:
    for make in MADE:
        body, words = make()
        yield Sample(f"{make.__name__.replace('_', '-')}.pdf", MEDIA_TYPE, body, words)
