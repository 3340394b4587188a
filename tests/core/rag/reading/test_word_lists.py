"""Lists and headings of Word files: their numbers are those that a reader sees."""

from __future__ import annotations

import pytest

from tests.core.rag.reading.support_word import read, text_of, texts
from tests.support import word_files as w

LIST = w.abstract_list(
    0, w.level(0, "decimal", "%1."), w.level(1, "lowerLetter", "(%2)"), w.level(2, "lowerRoman", "%3.")
)


def test_numbers_of_lists_are_those_that_a_reader_sees() -> None:
    """Levels count on their own and begin again below a new number; a list that continues goes on."""
    body = (
        w.listed("Open the form.") + w.listed("Sign it.") + w.listed("with ink", 1) + w.listed("in blue", 2)
        + w.listed("or online", 1) + w.paragraph("Then:") + w.listed("Send it.") + w.listed("by mail", 1)
    )  # fmt: skip

    assert text_of(body, numbering=LIST + w.list_of(1, 0)) == (
        "1. Open the form.\n2. Sign it.\n  (a) with ink\n    i. in blue\n  (b) or online\n\n"
        "Then:\n\n3. Send it.\n  (a) by mail"
    )


def test_patterns_of_lists_are_kept() -> None:
    """Words around the number, numbers of several levels, other starts and formats; bullets are bullets."""
    definitions = (
        w.abstract_list(0, w.level(0, "decimal", "Step %1:", start=4))
        + w.abstract_list(1, w.level(0, "upperRoman", "%1."), w.level(1, "decimal", "%1.%2", "<w:isLgl/>"))
        + w.abstract_list(2, w.level(0, "bullet", "\uf0b7"))
        + w.abstract_list(3, w.level(0, "ordinal", "%1"))
        + w.abstract_list(4, w.level(0, "upperLetter", "%1)", start=27))
    )
    numbering = definitions + "".join(w.list_of(number + 1, number) for number in range(5))
    body = (
        w.listed("Pay.") + w.listed("Go.") + w.listed("Part", 0, 2) + w.listed("Section", 1, 2)
        + w.listed("dot", 0, 3) + w.listed("place", 0, 4) + w.listed("letter", 0, 5)
    )  # fmt: skip

    assert text_of(body, numbering=numbering) == (
        "Step 4: Pay.\nStep 5: Go.\nI. Part\n  1.1 Section\n- dot\n1st place\nAA) letter"
    )


def test_a_list_can_begin_again() -> None:
    """A list of the same definition says so, once. A paragraph can also leave its style's list."""
    restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    numbering = LIST + w.list_of(1, 0) + w.list_of(2, 0, restart) + w.list_of(3, 0)
    body = (
        w.listed("a") + w.listed("b") + w.listed("c", 0, 2) + w.listed("d", 0, 2) + w.listed("e", 0, 3)
        + w.paragraph("f", '<w:pStyle w:val="Steps"/>')
        + w.paragraph("g", '<w:pStyle w:val="Steps"/><w:numPr><w:numId w:val="0"/></w:numPr>')
    )  # fmt: skip
    styles = w.style("Steps", "Steps", '<w:numPr><w:numId w:val="1"/></w:numPr>')

    assert text_of(body, numbering=numbering, styles=styles) == "1. a\n2. b\n1. c\n2. d\n3. e\n4. f\n\ng"


def test_deleted_and_hidden_items_do_not_count() -> None:
    """The next one takes their number. An old number among the changes of a paragraph counts nothing."""
    hidden = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    former = f"<w:pPrChange><w:pPr>{hidden}</w:pPr></w:pPrChange>"
    body = (
        w.listed("One.")
        + w.paragraph(w.tracked("del", "Gone."), hidden + w.mark_of("del"))
        + w.paragraph(w.run("Secret.", "<w:vanish/>"), f"{hidden}<w:rPr><w:vanish/></w:rPr>")
        + w.listed("Two.")
        + w.paragraph("No item.", former)
    )

    assert text_of(body, numbering=LIST + w.list_of(1, 0)) == "1. One.\n2. Two.\n\nNo item."


def test_a_column_can_number_the_rows_of_a_table() -> None:
    """Its cells have numbers and no text."""
    steps = (w.row(w.cell(w.listed("")), text) for text in ("Open the form.", "Sign it."))
    body = w.table(w.row("Step", "Task"), *steps)

    assert text_of(body, numbering=LIST + w.list_of(1, 0)).split("\n")[2:] == [
        "| 1. | Open the form. |",
        "| 2. | Sign it. |",
    ]


def test_a_format_of_leading_zeros_is_written() -> None:
    """Word stores it as examples, beside a format that older versions know."""
    custom = w.level(0, "decimal", "Art. %1").replace(
        '<w:numFmt w:val="decimal"/>',
        '<mc:AlternateContent><mc:Choice Requires="w14"><w:numFmt w:val="custom" w:format="001, 002, 003, ..."/>'
        '</mc:Choice><mc:Fallback><w:numFmt w:val="decimal"/></mc:Fallback></mc:AlternateContent>',
    )

    assert text_of(w.listed("Leave."), numbering=w.abstract_list(0, custom) + w.list_of(1, 0)) == "Art. 001 Leave."


def test_headings_have_their_numbers() -> None:
    """A style numbers its paragraphs; the definition of the list says which level it has."""
    linked = '<w:pStyle w:val="Heading{0}"/>'
    numbering = w.abstract_list(
        0, w.level(0, "decimal", "%1", linked.format(1)), w.level(1, "decimal", "%1.%2", linked.format(2))
    ) + w.list_of(1, 0)
    styles = "".join(w.style(f"Heading{n}", f"heading {n}", '<w:numPr><w:numId w:val="1"/></w:numPr>') for n in (1, 2))
    body = (
        w.paragraph("Intro.") + w.styled("Leave", "Heading1") + w.styled("Sick leave", "Heading2")
        + w.paragraph("15 days.") + w.styled("Pay", "Heading1") + w.styled("Rates", "Heading2") + w.paragraph("$50.")
    )  # fmt: skip

    assert texts(read(body, numbering=numbering, styles=styles)) == [
        ("", "Intro."), ("1 Leave › 1.1 Sick leave", "15 days."), ("2 Pay › 2.1 Rates", "$50."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("styles", "properties"),
    [
        (w.style("Titre2", "heading 2"), '<w:pStyle w:val="Titre2"/>'),
        (w.style("X", "Section", base="Y") + w.style("Y", "z", '<w:outlineLvl w:val="1"/>'), '<w:pStyle w:val="X"/>'),
        ("", '<w:pStyle w:val="berschrift2"/>'),
        ("", '<w:outlineLvl w:val="1"/>'),
    ],
)
def test_headings_are_found_in_any_language(styles: str, properties: str) -> None:
    """By the style's own name, an inherited outline level, the id of a missing style, or the paragraph itself."""
    body = w.paragraph("Intro.") + w.paragraph("Portée", properties) + w.paragraph("Texte.")

    assert texts(read(body, styles=styles)) == [("", "Intro."), ("Portée", "Texte.")]


def test_text_that_a_style_based_on_a_heading_makes_text_is_no_heading() -> None:
    """The outline level 9 is text."""
    styles = w.style("Heading1", "heading 1") + w.style("Toc", "TOC", '<w:outlineLvl w:val="9"/>', base="Heading1")

    assert texts(read(w.styled("Contents", "Toc") + w.paragraph("x"), styles=styles)) == [("", "Contents\n\nx")]
