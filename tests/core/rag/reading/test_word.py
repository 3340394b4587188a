"""Word files: what a reader sees with all changes accepted, in reading order."""

from __future__ import annotations

import io

import docx
import pytest

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.reading.formats import read_document
from core.rag.reading.raw_document import ReadingLimits
from tests.core.rag.reading.support_word import read, text_of, texts
from tests.support import word_files as w

LIST = w.abstract_list(
    0, w.level(0, "decimal", "%1."), w.level(1, "lowerLetter", "(%2)"), w.level(2, "lowerRoman", "%3.")
)


def test_a_word_file_is_read_in_order() -> None:
    """Headings, items and tables, as a library writes them. The numbers of items are kept."""
    made = docx.Document()
    made.core_properties.title = ""
    made.add_heading("Directive", 0)
    made.add_paragraph("Intro.")
    made.add_heading("Scope", 1)
    made.add_paragraph("one", style="List Bullet")
    made.add_paragraph("two", style="List Number")
    table = made.add_table(2, 2)
    for cell, text in zip(table._cells, ["Group", "Rate", "AS", "50"], strict=True):
        cell.text = text
    made.add_paragraph("End.")
    written = io.BytesIO()
    made.save(written)

    document = read_document(written.getvalue(), w.MAIN_TYPES["docx"], name="d.docx")

    assert document.title == "Directive"
    assert texts(document) == [
        ("", "Intro."),
        ("Scope", "- one\n1. two\n\n| Group | Rate |\n| --- | --- |\n| AS | 50 |\n\nEnd."),
    ]


def test_changes_are_accepted() -> None:
    """Inserted and moved text is read; deleted text, and text at the place that it was moved from, is not."""
    fee = w.run("The fee is ") + w.tracked("del", "$20") + w.tracked("ins", "$25") + w.run(" a day.")
    body = (
        w.paragraph(fee)
        + w.paragraph(w.tracked("moveFrom", "Moved."), w.mark_of("moveFrom"))
        + w.paragraph(w.tracked("ins", "A new paragraph."), w.mark_of("ins"))
        + w.paragraph(w.tracked("del", "Gone."), w.mark_of("del"))
        + w.paragraph(w.tracked("moveTo", "Moved."), w.mark_of("moveTo"))
        + w.paragraph(w.tracked("ins", w.tracked("del", "Neither.")) + w.run("End."))
    )

    assert text_of(body) == "The fee is $25 a day.\n\nA new paragraph.\n\nMoved.\n\nEnd."


def test_paragraphs_whose_border_is_deleted_are_one() -> None:
    """The second one's formatting counts. A table is no part of a paragraph."""
    ended = w.mark_of("del")
    body = (
        w.paragraph("Not ", ended) + w.paragraph("two.") + w.paragraph("Above", ended) + w.table(w.row("a", "b"))
        + w.paragraph("Last ", ended)
    )  # fmt: skip

    assert text_of(body) == "Not two.\n\nAbove\n\n| a | b |\n\nLast"


def test_inserted_rows_and_cells_are_read_and_deleted_ones_are_not() -> None:
    """Rows and cells carry the change in their properties."""
    change = '<w:{0} w:id="1" w:author="A"/>'
    body = w.table(
        w.row("Group", "Rate"),
        w.row("AS", "50", properties=change.format("ins")),
        w.row("CR", "40", properties=change.format("del")),
        w.row("PM", w.cell("60", change.format("cellIns")), w.cell("70", change.format("cellDel"))),
    )

    assert text_of(body) == "| Group | Rate |\n| --- | --- |\n| AS | 50 |\n| PM | 60 |"


def test_content_controls_are_read_wherever_they_stand() -> None:
    """They hold blocks, text, rows, cells and other controls. The prompt of an empty one is no text."""
    body = (
        w.control(w.paragraph("Block.") + w.control(w.paragraph("Nested.")))
        + w.paragraph(w.run("Dated ") + w.control(w.run("May 2")) + w.run("."))
        + w.control(w.table(w.row("A", "B"), w.control(w.row("c", "d")), w.row("e", w.control(w.cell("f")))))
        + w.paragraph(w.run("Name: ") + w.control(w.run("Click here to enter text."), "<w:showingPlcHdr/>"))
    )

    assert text_of(body) == (
        "Block.\n\nNested.\n\nDated May 2.\n\n| A | B |\n| --- | --- |\n| c | d |\n| e | f |\n\nName:"
    )


def test_wrappers_of_text_are_transparent() -> None:
    """Smart tags, custom XML, links and text in another direction."""
    inner = "".join(
        f"<w:{name}>{w.run(text)}</w:{name}>"
        for name, text in (
            ("smartTag", "Ottawa, "), ("customXml", "Ontario, "), ("hyperlink", "map, "), ("bdo", "K1A.")
        )
    )  # fmt: skip
    body = f"<w:customXml>{w.paragraph(inner)}</w:customXml>"

    assert text_of(body) == "Ottawa, Ontario, map, K1A."


def test_a_field_shows_its_result() -> None:
    """Both forms, fields in fields, and results over several paragraphs. One that does not end hides nothing."""
    nested = w.field_of("IF ", "yes").replace(
        "IF </w:instrText></w:r>", f"IF </w:instrText></w:r>{w.field_of('X', 'no')}"
    )
    begin = '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>TOC</w:instrText></w:r>'
    body = (
        w.paragraph(w.run("See ") + w.field_of("REF _Ref1", "step 2") + w.run(", ") + nested + w.run("."))
        + w.paragraph(f'<w:fldSimple w:instr="DATE">{w.run("May 2, 2026")}</w:fldSimple>')
        + w.paragraph(begin + '<w:r><w:fldChar w:fldCharType="separate"/></w:r>' + w.run("Scope 3"))
        + w.paragraph(w.run("Fees 4") + '<w:r><w:fldChar w:fldCharType="end"/></w:r>')
        + w.paragraph(begin + w.run("Shown."))
        + w.paragraph("After.")
    )

    assert text_of(body) == "See step 2, yes.\n\nMay 2, 2026\n\nScope 3\n\nFees 4\n\nShown.\n\nAfter."


def test_form_fields_show_their_state() -> None:
    """A box that is ticked, one that is not, and the chosen entry of a list."""
    kinds = (
        "<w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox>",
        "<w:checkBox><w:default w:val='0'/></w:checkBox>",
        "<w:ddList><w:result w:val='1'/><w:listEntry w:val='AS'/><w:listEntry w:val='PM'/></w:ddList>",
    )
    fields = "".join(
        f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{kind}</w:ffData></w:fldChar></w:r><w:r><w:instrText>F'
        '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
        for kind in kinds
    )

    assert text_of(w.paragraph(fields)) == "☒☐PM"


def test_notes_are_marked_and_follow_their_paragraph() -> None:
    """They are numbered in reading order, whatever their ids; endnotes in Roman numbers. Those of a table follow it."""
    first, second = w.note_mark("footnote", 7), w.note_mark("footnote", 3)
    body = w.paragraph(
        w.run("Paid for 15") + first + w.run(" weeks") + w.note_mark("endnote", 2) + w.run(".")
    ) + w.table(w.row("Group", w.cell(w.paragraph(w.run("Rate") + second))), w.row("AS", "50"))
    footnotes = w.note("footnote", 3, "Hourly.") + w.note("footnote", 7, "Since 2020.")

    assert text_of(body, footnotes=footnotes, endnotes=w.note("endnote", 2, "The Act.")) == (
        "Paid for 15 (note 1) weeks (note i).\n\n(note 1) Since 2020.\n\n(note i) The Act.\n\n"
        "| Group | Rate (note 2) |\n| --- | --- |\n| AS | 50 |\n\n(note 2) Hourly."
    )


def test_a_note_keeps_a_mark_of_its_own() -> None:
    """It does not count."""
    own = '<w:r><w:footnoteReference w:id="1" w:customMarkFollows="1"/><w:t>*</w:t></w:r>'
    body = w.paragraph(w.run("Fee") + own + w.note_mark("footnote", 2))
    footnotes = w.note("footnote", 1, "In dollars.") + w.note("footnote", 2, "A day.")

    assert text_of(body, footnotes=footnotes) == "Fee* (note 1)\n\n(note *) In dollars.\n\n(note 1) A day."


def test_hidden_text_is_not_read() -> None:
    """Hidden by the run, or by a style of the run or of the paragraph that the run does not overrule."""
    styles = w.style("Secret", "Secret", run_properties="<w:vanish/>")
    body = (
        w.paragraph(w.run("Shown") + w.run(" secret", "<w:vanish/>") + w.run(" secret", '<w:rStyle w:val="Secret"/>'))
        + w.styled("Secret.", "Secret")
        + w.paragraph(w.run("Also shown.", '<w:vanish w:val="0"/>'), '<w:pStyle w:val="Secret"/>')
        + w.table(w.row("a", "b"), w.row("c", "d", properties="<w:hidden/>"))
    )

    assert text_of(body, styles=styles) == "Shown\n\nAlso shown.\n\n| a | b |"


def test_signs_are_read() -> None:
    """Symbols of fonts, tabs, breaks, hyphens, raised numbers, struck text and small letters above others."""
    raised, lowered = (f'<w:vertAlign w:val="{position}script"/>' for position in ("super", "sub"))
    ruby = "<w:ruby><w:rt><w:r><w:t>kan</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby>"
    signs = (
        '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:t>Yes</w:t><w:tab/><w:t>long</w:t><w:noBreakHyphen/>'
        "<w:t>te</w:t><w:softHyphen/><w:t>rm</w:t><w:br/><w:t>10</w:t></w:r>"
    )
    body = w.paragraph(
        signs + w.run("6", raised) + w.run(" t CO") + w.run("2", lowered) + w.run(" on the 1") + w.run("st", raised)
        + w.run(": ") + w.run("$20", "<w:strike/>") + w.run(" ") + ruby
    )  # fmt: skip

    assert text_of(body) == "☑Yes long-term\n10⁶ t CO₂ on the 1st: ~~$20~~ 漢(kan)"


def test_letters_of_a_symbol_font_are_signs() -> None:
    """A check mark may be written as an ordinary letter."""
    assert text_of(w.paragraph(w.run("\u00fcA", '<w:rFonts w:ascii="Wingdings"/>') + w.run(" \u00fc"))) == "✓A ü"


def test_a_large_first_letter_belongs_to_its_word() -> None:
    """It stands in a frame of its own."""
    body = w.paragraph("T", '<w:framePr w:dropCap="drop"/>') + w.paragraph("he fee is $25.")

    assert text_of(body) == "The fee is $25."


def test_comments_stand_at_the_end() -> None:
    """With their authors, and the words that they are about, in the document's language."""
    body = w.paragraph(
        w.run("Les frais sont de ") + '<w:commentRangeStart w:id="4"/>' + w.run("20 $")
        + '<w:commentRangeEnd w:id="4"/><w:r><w:commentReference w:id="4"/></w:r>' + w.run(" par jour pour nous.")
    )  # fmt: skip
    comments = w.comment(4, "Anna Roy", "À vérifier.") + w.comment(5, "Luc", "Bien.")

    assert texts(read(body, comments=comments)) == [
        ("", "Les frais sont de 20 $ par jour pour nous."),
        ("Commentaires", "- Anna Roy, à propos de «\u00a020 $\u00a0»\u00a0: À vérifier.\n- Luc\u00a0: Bien."),
    ]


def test_headers_and_footers_are_read_once() -> None:
    """Page numbers and headers that are not shown are left out."""
    first = '<w:headerReference w:type="first" r:id="settings"/>'
    body = w.paragraph("Text.") + w.paragraph("", w.edge_section()) + w.edge_section(more=first)
    header = w.paragraph("File 123-AB") + w.paragraph(w.run("Page ") + w.field_of("PAGE", "3") + w.run(" of 12"))

    assert text_of(body, header=header, footer=w.paragraph("Protected B")) == "File 123-AB\n\nText.\n\nProtected B"


@pytest.mark.parametrize(
    ("title", "body", "shown", "sections"),
    [
        ("Leave", w.styled("Leave", "Title") + w.paragraph("x"), "Leave", [("", "x")]),
        ("Microsoft Word - draft.docx", w.styled("Leave", "Title") + w.paragraph("x"), "Leave", [("", "x")]),
        ("Leave", w.styled("Scope", "Heading1") + w.paragraph("x"), "Leave", [("Scope", "x")]),
        ("", w.styled("Leave", "Heading1") + w.paragraph("x"), "Leave", [("", "x")]),
        ("", w.styled("A", "Heading1") + w.paragraph("x") + w.styled("B", "Heading1") + w.paragraph("y"), "file",
         [("A", "x"), ("B", "y")]),
        ("", w.paragraph("For you") + w.styled("Leave", "Titre") + w.paragraph("x"), "Leave",
         [("", "For you"), ("Leave", "x")]),
    ],
)  # fmt: skip
def test_the_title_is_found(title: str, body: str, shown: str, sections: list[tuple[str, str]]) -> None:
    """The properties' title, else the paragraph that is formatted as one, else the only first heading."""
    document = read(body, title=title)

    assert (document.title, texts(document)) == (shown, sections)


def test_strict_files_are_read() -> None:
    """They are the same in other namespaces."""
    body = w.paragraph(w.run("Paid") + w.note_mark("footnote", 1)) + w.listed("Sign.")

    assert text_of(
        body, strict=True, footnotes=w.note("footnote", 1, "Since 2020."), numbering=LIST + w.list_of(1, 0)
    ) == ("Paid (note 1)\n\n(note 1) Since 2020.\n\n1. Sign.")


@pytest.mark.parametrize("form", ["docx", "docm", "dotx", "dotm"])
def test_templates_and_files_with_macros_are_read(form: str) -> None:
    """By their bytes, whatever their sender says."""
    body = w.word_file(w.paragraph("Text."), form=form)

    for media_type, name in ((w.MAIN_TYPES[form], ""), ("application/octet-stream", f"file.{form}")):
        assert read_document(body, media_type, name=name).passages[0].text == "Text."


@pytest.mark.parametrize(
    "body",
    [
        w.packed({"word/document.xml": "<w:document"}),
        w.packed({"word/document.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}),
        w.packed({"word/document.xml": f'<w:document xmlns:w="{w.W_NAMESPACE}"/>'}),
        w.packed({"word/other.xml": ""}),
        w.word_file(w.paragraph("x"))[:-30],
    ],
    ids=["cut XML", "a document type", "no body", "no document", "cut ZIP"],
)
def test_a_damaged_file_is_refused(body: bytes) -> None:
    """The error says so."""
    with pytest.raises(UnreadableDocument, match="damaged") as refusal:
        read_document(body, w.MAIN_TYPES["docx"])

    assert refusal.value.reason == "damaged"


def test_a_long_file_is_cut_and_says_so() -> None:
    """The first part is read within the limits."""
    body = w.word_file("".join(w.paragraph(f"Paragraph {number}.") for number in range(100)))
    document = read_document(body, w.MAIN_TYPES["docx"], limits=ReadingLimits(text_chars=30))

    assert document.omissions == (Omission("characters"),)
    assert texts(document) == [("", "Paragraph 0.\n\nParagraph 1.\n\nParagraph 2.")]


def test_a_file_with_a_missing_part_is_read() -> None:
    """What refers to the part is left out."""
    body = w.paragraph(w.run("Paid") + w.note_mark("footnote", 1)) + w.edge_section()

    assert text_of(body) == "Paid (note 1)"


def test_spans_of_hostile_tables_are_limited() -> None:
    """A cell spans at most the columns that Word knows."""
    huge = w.cell("x", '<w:gridSpan w:val="999999999"/>')
    body = w.table(w.row(huge, "y"), w.row("z", huge, properties='<w:gridBefore w:val="99999999"/>'))

    assert len(text_of(body)) < 2000
