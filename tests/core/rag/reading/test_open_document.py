"""OpenDocument texts: what a reader sees with all changes accepted, in reading order."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.formats import read_document
from core.rag.reading.open_document.document import parse_open_document
from core.rag.reading.raw_document import RawDocument
from tests.support import open_files as o
from tests.support.word_files import packed

LIST = o.list_style("L1", o.number_level(1, "1"), o.number_level(2, "a", prefix="(", suffix=")"))


def read(body: str, **parts: Any) -> Document:
    return parse_open_document(RawDocument(o.open_file(body, **parts), name="file.odt"))


def texts(document: Document) -> list[tuple[str, str]]:
    return [(passage.heading, passage.text) for passage in document.passages]


def text_of(body: str, **parts: Any) -> str:
    return "\n\n".join(passage.text for passage in read(body, **parts).passages)


@pytest.mark.parametrize("flat", [False, True])
def test_an_open_document_is_read_in_order(flat: bool) -> None:
    """As a package, and as one XML file."""
    body = (
        o.paragraph(
            "Intro with\n   blanks, <text:s text:c='2'/>a<text:tab/>tab and<text:line-break/>a <text:a>link</text:a>."
        )
        + o.heading("Scope")
        + o.listing("one", "two")
        + o.table(o.row("Group", "Rate"), o.row("AS", "50"))
        + "<text:section><text:p>In a section.</text:p></text:section>"
    )
    document = read(body, title="Directive", styles=LIST, flat=flat)

    assert document.title == "Directive"
    assert texts(document) == [
        ("", "Intro with blanks, a tab and\na link."),
        ("Scope", "1. one\n2. two\n\n| Group | Rate |\n| --- | --- |\n| AS | 50 |\n\nIn a section."),
    ]


def test_changes_are_accepted() -> None:
    """Deleted text stands apart, inserted text in its place."""
    deleted = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>$20</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
    )
    fee = "The fee is <text:change/><text:change-start/>$25<text:change-end/> a day."

    assert text_of(deleted + o.paragraph(fee)) == "The fee is $25 a day."


def test_lists_are_numbered_as_a_reader_sees_them() -> None:
    """Levels, starts, lists that continue others, and further paragraphs of an item."""
    nested = o.listing("with ink", "in blue", attributes="")
    body = (
        o.listing(
            "Open.",
            o.paragraph("Sign:") + nested + o.paragraph("Carefully."),
            attributes='text:style-name="L1" xml:id="a"',
        )
        + o.listing("Other.")
        + o.listing("Send.", attributes='text:style-name="L1" text:continue-list="a"')
        + o.listing("Wait.", attributes='text:style-name="L1" text:continue-numbering="true"')
        + o.listing("Five.").replace("<text:list-item>", '<text:list-item text:start-value="5">')
        + o.listing("Dot.", attributes='text:style-name="L2"')
    )
    bullets = o.list_style("L2", '<text:list-level-style-bullet text:level="1" text:bullet-char="•"/>')

    assert text_of(body, styles=LIST + bullets) == (
        "1. Open.\n2. Sign:\n  (a) with ink\n  (b) in blue\n\nCarefully.\n\n"
        "1. Other.\n3. Send.\n4. Wait.\n5. Five.\n- Dot."
    )


def test_headings_are_numbered_by_the_outline() -> None:
    """A level can show those above it."""
    levels = "".join(
        f'<text:outline-level-style text:level="{level}" style:num-format="1" text:display-levels="{level}"/>'
        for level in (1, 2)
    )
    body = (
        o.paragraph("Intro.") + o.heading("Leave") + o.heading("Sick", 2) + o.paragraph("15 days.") + o.heading("Pay")
        + o.heading("Rates", 2) + o.paragraph("$50.")
    )  # fmt: skip

    assert texts(read(body, outline=levels)) == [
        ("", "Intro."), ("1 Leave › 1.1 Sick", "15 days."), ("2 Pay › 2.1 Rates", "$50."),
    ]  # fmt: skip


def test_tables_keep_headers_and_read_merged_cells_once() -> None:
    """Rows and cells can be repeated, and rows can be hidden."""
    wide = o.cell("Others", 'table:number-columns-spanned="2"') + "<table:covered-table-cell/>"
    tall = o.cell("AS", 'table:number-rows-spanned="2"')
    body = o.table(
        f"<table:table-header-rows>{o.row('Group', 'Level', 'Rate')}</table:table-header-rows>",
        o.row(tall, "1", "50"),
        o.row("<table:covered-table-cell/>", o.cell("2", 'table:number-columns-repeated="2"')),
        f"<table:table-row>{wide}{o.cell('40')}</table:table-row>",
        o.row("Secret", "", "").replace("<table:table-row", '<table:table-row table:visibility="collapse"'),
        o.row("", "", "").replace("<table:table-row", '<table:table-row table:number-rows-repeated="999999999"'),
    )

    assert text_of(body) == (
        "| Group | Level | Rate |\n| --- | --- | --- |\n| AS | 1 | 50 |\n|  | 2 | 2 |\n| Others |  | 40 |"
    )


def test_a_column_can_number_the_rows_of_a_table() -> None:
    """Its cells have numbers and no text."""
    first, second = (
        o.cell(o.listing("", attributes=f'text:style-name="L1" text:continue-numbering="{goes_on}"'))
        for goes_on in ("false", "true")
    )
    body = o.table(o.row("Step", "Task"), o.row(first, "Open."), o.row(second, "Sign."))

    assert text_of(body, styles=LIST).split("\n")[2:] == ["| 1. | Open. |", "| 2. | Sign. |"]


def test_notes_boxes_and_comments_are_read() -> None:
    """Notes follow their paragraph, boxes the text that holds them, comments the document."""
    comment = "<office:annotation><dc:creator>Anna Roy</dc:creator><text:p>Check this.</text:p></office:annotation>"
    box = "<draw:frame><draw:text-box><text:p>Deadline: May 2</text:p></draw:text-box></draw:frame>"
    shape = "<draw:custom-shape><text:p>Apply</text:p></draw:custom-shape>"
    body = o.paragraph(f"Paid for 15{o.note('1', 'Since 2020.')} weeks{comment}.{box}") + shape + o.paragraph("End.")

    assert texts(read(body)) == [
        ("", "Paid for 15 (note 1) weeks.\n\nDeadline: May 2\n\n(note 1) Since 2020.\n\nApply\n\nEnd."),
        ("Comments", "- Anna Roy: Check this."),
    ]


def test_a_formula_is_read_where_it_stands() -> None:
    """It is a part of its own. Its source code is not shown, and other objects have no text here."""
    formula = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow>'
        '<annotation encoding="StarMath 5.0">a + b</annotation></semantics></math>'
    )
    objects = "".join(f'<draw:frame><draw:object xlink:href="./Object {n}"/></draw:frame>' for n in (1, 2, 3))
    other = {"Object 1/content.xml": formula, "Object 2/content.xml": "<chart>No</chart>"}

    assert text_of(o.paragraph(f"The sum {objects} counts."), other=other) == "The sum a+b counts."


def test_looks_that_change_the_meaning_are_kept_and_hidden_text_is_not_read() -> None:
    """Struck text and raised numbers are marked."""
    styles = (
        o.text_style("S", 'style:text-line-through-style="solid"')
        + o.text_style("R", 'style:text-position="super 58%"')
        + o.text_style("H", 'text:display="none"')
        + o.text_style("I", "", parent="H")
    )
    spans = "".join(
        f'<text:span text:style-name="{name}">{text}</text:span>'
        for name, text in (("S", "$20"), ("H", " secret"), ("I", " secret"))
    )
    body = (
        o.paragraph(f'10<text:span text:style-name="R">6</text:span> {spans}.')
        + '<text:section text:display="none"><text:p>Secret.</text:p></text:section>'
        + o.paragraph('Secret.<text:hidden-paragraph text:is-hidden="true"/>')
        + o.paragraph('End.<text:hidden-text text:is-hidden="true">Secret</text:hidden-text>')
    )

    assert text_of(body, styles=styles) == "10⁶ ~~$20~~.\n\nEnd."


def test_a_picture_has_the_description_of_its_author() -> None:
    """Those who do not see it read this."""
    name = 'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"'
    picture = f"<draw:frame {name}><draw:image/><svg:desc>Bar chart: 12 in May</svg:desc></draw:frame>"

    assert "See Bar chart: 12 in May below." == text_of(o.paragraph(f"See {picture} below."))


def test_headers_and_footers_are_read_once() -> None:
    """Without page numbers."""
    edges = (
        "<style:header><text:p>File 123-AB</text:p></style:header><style:header-left><text:p>File 123-AB</text:p>"
        "</style:header-left><style:footer><text:p>Page <text:page-number>3</text:page-number></text:p>"
        "<text:p>Protected B</text:p></style:footer>"
    )

    assert text_of(o.paragraph("Text."), edges=edges) == "File 123-AB\n\nText.\n\nProtected B"


def test_the_title_is_found() -> None:
    """The paragraph that is formatted as one, if the file names none."""
    document = read(o.paragraph("Leave", "Title") + o.paragraph("Text."))

    assert (document.title, texts(document)) == ("Leave", [("", "Text.")])


@pytest.mark.parametrize("flat", [False, True])
def test_an_open_document_is_recognised_by_its_bytes(flat: bool) -> None:
    """Whatever its sender says."""
    body = o.open_file(o.paragraph("Text."), flat=flat)

    for media_type, name in (("application/octet-stream", ""), ("text/xml", "a.fodt"), (o.ODT, "a.odt")):
        assert read_document(body, media_type, name=name).passages[0].text == "Text."


@pytest.mark.parametrize(
    ("body", "message", "reason"),
    [
        (packed({"content.xml": "<a/>", "META-INF/manifest.xml": "<encryption-data/>"}), "password", "locked"),
        (packed({"content.xml": "<a"}), "damaged", "damaged"),
        (packed({"content.xml": "<a/>"}), "damaged", "damaged"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "damaged", "damaged"),
        (o.open_file("")[:-40], "damaged", "damaged"),
    ],
    ids=["locked", "cut XML", "no text", "a document type", "cut ZIP"],
)
def test_unreadable_files_are_refused_with_a_reason(body: bytes, message: str, reason: str) -> None:
    """The error is one sentence for the user."""
    with pytest.raises(UnreadableDocument, match=message) as refusal:
        parse_open_document(RawDocument(body))

    assert refusal.value.reason == reason
