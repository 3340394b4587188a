"""Rich Text Format: what a reader sees with all changes accepted, in reading order."""

from __future__ import annotations

import pytest

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.formats import read_document
from core.rag.reading.raw_document import RawDocument, ReadingLimits
from core.rag.reading.rich_text.document import parse_rich_text

FONTS = r"{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204{\*\panose 02}Arial CYR;}{\f2\fcharset2 Symbol;}}"
STYLES = r"{\stylesheet{Normal;}{\s1\sbasedon0 heading 1;}{\s2 Titre 2;}{\s3 Title;}{\*\cs10 Default;}}"


def read(text: str, *, info: str = "", page: int = 1252, limits: ReadingLimits | None = None) -> Document:
    source = rf"{{\rtf1\ansi\ansicpg{page}\deff0{FONTS}{{\colortbl;\red0;}}{STYLES}{{\info{info}{{\author X}}}}{text}}}"
    raw = RawDocument(source.encode("utf-8" if page == 65001 else "latin-1"), name="file.rtf")
    return parse_rich_text(raw if limits is None else RawDocument(raw.body, limits=limits))


def texts(document: Document) -> list[tuple[str, str]]:
    return [(passage.heading, passage.text) for passage in document.passages]


def text_of(text: str, *, page: int = 1252) -> str:
    return "\n\n".join(passage.text for passage in read(text, page=page).passages)


def test_rich_text_is_read_in_order() -> None:
    """Headings by their styles or outline levels, paragraphs, line breaks; the title of its properties."""
    document = read(
        r"\pard Intro.\par\pard\s1 Scope\par\pard\plain one\line two\par\pard\s2 Port\'e9e\par\pard Text."
        r"\par{\pard\outlinelevel0 Fees\par}\pard\b Bold\b0  text.\par",
        info=r"{\title Leave}",
    )

    assert document.title == "Leave"
    assert texts(document) == [
        ("", "Intro."), ("Scope", "one\ntwo"), ("Scope › Portée", "Text."), ("Fees", "Bold text."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "page", "shown"),
    [
        (r"Caf\'e9 \'96 \u233?t\u233\'e9", 1252, "Café – été"),
        (r"\uc0\u233 t\u233 \uc1 \u8217's", 1252, "été’s"),
        (r"\u-10179?\u-8704?!", 1252, "\U0001f600!"),
        (r"{\f1 \'cf\'f0\'e8} \'e9", 1252, "При é"),
        (r"\'b3a", 1250, "ła"),
        ("é\u2019", 65001, "é’"),
        (r"{\f2 a\'b3\u-3913 ?}", 1252, "α≥•"),
        (r"a\~b\_c\-d\{\}\\ \emdash\ldblquote e\rdblquote", 1252, "a b-cd{}\\ —“e”"),
        ("x\\\ny", 1252, "x\n\ny"),
        (r"x\'zz\q9 \'e9", 99999, "xzzé"),
    ],
)
def test_letters_are_decoded(source: str, page: int, shown: str) -> None:
    """By the font's character set, else the file's page; Unicode comes with a replacement for old programs."""
    assert text_of(source, page=page) == shown


def test_tables_are_read() -> None:
    """With their header, several paragraphs in a cell, and text after it."""
    table = (
        r"\trowd\trhdr\cellx1\cellx2\pard\intbl Group\cell Rate\cell\row\trowd\cellx1\cellx2\pard\intbl AS\cell 50\par"
        r" a day\cell\row{\trowd\cellx1\cellx2\pard\intbl PM\cell 60\cell\row}\pard After.\par"
    )

    assert text_of(table) == "| Group | Rate |\n| --- | --- |\n| AS | 50 a day |\n| PM | 60 |\n\nAfter."


def test_a_wide_cell_spans_the_columns_above_whose_edges_it_ends() -> None:
    """Writers merge cells by leaving edges out."""
    table = (
        r"\trowd\cellx1000\cellx3000\pard\intbl Place\cell Fees\cell\row"
        r"\trowd\cellx1000\cellx2000\cellx3000\pard\intbl\cell Adult\cell Child\cell\row"
        r"\trowd\cellx1001\cellx2001\cellx3001\pard\intbl Hull\cell 5\cell free\cell\row\pard After.\par"
    )

    assert text_of(table) == ("| Place | Fees Adult | Fees Child |\n| --- | --- | --- |\n| Hull | 5 | free |\n\nAfter.")


def test_lists_keep_their_numbers() -> None:
    """In the form that Word writes, and in the older one. A sign alone is a bullet."""
    items = (
        r"{\listtext\pard\plain 1.\tab}\pard\ilvl0 Open.\par{\listtext\pard\plain (a)\tab}\pard\ilvl1 Sign.\par"
        r"{\pntext\f2\'b7\tab}{\*\pn\pnlvlblt}\pard Dot.\par"
    )

    assert text_of(items) == "1. Open.\n  (a) Sign.\n- Dot."


def test_notes_boxes_and_comments_are_read() -> None:
    """Notes and boxes follow their paragraph, comments the document. Old forms of a box are not read twice."""
    note = r"{\super\chftn}{\footnote\pard {\super\chftn} Since 2020.}"
    end = r"{\super\chftn}{\footnote\ftnalt {\super\chftn} The Act.}"
    box = (
        r"{\shp{\*\shpinst\shpleft0{\sp{\sn fLine}{\sv 1}}{\shptxt\pard Deadline: May 2\par}}"
        r"{\shprslt{\*\do\dptxbx{\dptxbxtext\pard Deadline: May 2\par}}}}"
    )
    comment = r"{\*\atnid AR}{\*\atnauthor Anna Roy}\chatn{\*\annotation{\*\atnref 1}\pard Check this.}"
    document = read(rf"Paid for 15{note} weeks{end}{comment}.{box}\par End.\par")

    assert texts(document) == [
        (
            "",
            "Paid for 15 (note 1) weeks (note i).\n\n(note 1) Since 2020.\n\n(note i) The Act.\n\n"
            "Deadline: May 2\n\nEnd.",
        ),
        ("Comments", "- Anna Roy: Check this."),
    ]


def test_only_what_is_seen_is_read() -> None:
    """No deleted and hidden text, codes of fields, pictures and unknown groups."""
    source = (
        r"The fee is {\deleted $20}{\revised $25}{\v secret}{\pict\wmetafile8 010009}{\*\unknown x{\par y}}"
        r" {\field{\*\fldinst{HYPERLINK ''http://x.ca''}}{\fldrslt a day}}{\v\super 9}\plain{\strike  or not}\par"
        r"\pard\intbl{\*\nesttableprops\trowd}\pard 10{\super 6}{\object{\*\objdata 01}{\result  sheet}}\par"
    )

    assert text_of(source) == "The fee is $25 a day~~ or not~~\n\n10⁶ sheet"


def test_headers_and_footers_are_read_once() -> None:
    """Without page numbers."""
    edges = r"{\header\pard File 123-AB\par}{\headerf\pard File 123-AB\par}{\footer\pard Page {\field{\fldrslt 3}}\par}"

    assert text_of(edges + r"\pard Text.\par") == "File 123-AB\n\nText."


def test_the_title_is_found() -> None:
    """The paragraph that is formatted as one, if the properties have a program's own."""
    document = read(r"\pard\s3 Leave\par\pard Text.\par", info=r"{\title Microsoft Word - x.doc}")

    assert (document.title, texts(document)) == ("Leave", [("", "Text.")])


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"a\bin5 }}}}}b", "ab"),
        ("{" * 3000 + "deep" + "}" * 3000 + " end", "deep end"),
        (r"y{\footnote{{x", "y (note 1)\n\n(note 1) x"),
        (r"\row\cell\row\par\pard x", "x"),
        ("x}}}} after the end", "x"),
        (r"y{\footnote {\footnote {\footnote x}}}", "y (note 3)\n\n(note 3) (note 2) (note 2) (note 1) (note 1) x"),
        (r"\f9999999999\uc-5\s-1 y", "y"),
    ],
)
def test_damaged_rich_text_is_read_as_far_as_possible(source: str, shown: str) -> None:
    """Binary data, deep groups and groups that do not fit change nothing around them."""
    assert text_of(source) == shown


def test_long_rich_text_is_cut_and_says_so() -> None:
    """The first part is read within the limits."""
    document = read(r"Paragraph.\par " * 1000, limits=ReadingLimits(text_chars=100))

    assert document.omissions == (Omission("characters"),)
    assert document.passages[0].text.startswith("Paragraph.")


def test_rich_text_is_recognised_by_its_bytes() -> None:
    """Whatever its sender says."""
    for media_type, name in (("application/msword", "a.doc"), ("text/plain", "a.txt"), ("text/rtf", "a.rtf")):
        assert read_document(rb"{\rtf1 Text.\par}", media_type, name=name).passages[0].text == "Text."


def test_what_is_no_rich_text_is_refused() -> None:
    """The error says so."""
    with pytest.raises(UnreadableDocument, match="damaged") as refusal:
        parse_rich_text(RawDocument(b"PK text"))

    assert refusal.value.reason == "damaged"
