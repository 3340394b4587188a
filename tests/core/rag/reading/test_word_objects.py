"""Objects in Word files: pictures, equations, diagrams, charts, text boxes and other documents."""

from __future__ import annotations

import pytest

from tests.core.rag.reading.support_word import text_of
from tests.support import word_files as w

PICTURE = "http://schemas.openxmlformats.org/drawingml/2006/picture"


def test_letters_that_are_drawn_are_read() -> None:
    """Such as a stamp across the page."""
    stamp = '<w:r><w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict></w:r>'

    assert text_of(w.paragraph(w.run("Plan") + stamp)) == "Plan DRAFT"


def test_a_text_box_is_read_once() -> None:
    """Word writes each box in a new and in an old form. Its text follows the paragraph that holds it."""
    box = w.text_box(w.paragraph("Deadline: May 2") + w.table(w.row("a", "b"), w.row("c", "d")))
    body = w.paragraph(w.run("Apply now.") + box) + w.paragraph("End.")

    assert text_of(body) == "Apply now.\n\nDeadline: May 2\n\n| a | b |\n| --- | --- |\n| c | d |\n\nEnd."


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("Bar chart: 12 in May", "See Bar chart: 12 in May below."),
        ("logo.png", "See below."),
        ("A car on a road. Description automatically generated", "See below."),
    ],
)
def test_a_picture_has_the_description_of_its_author(description: str, shown: str) -> None:
    """A program's guess and a file's name are none."""
    picture = f'<a:graphic><pic:pic xmlns:pic="{PICTURE}"/></a:graphic>'
    inline = f'<wp:inline><wp:docPr id="1" name="Picture 1" descr="{description}"/>{picture}</wp:inline>'
    drawing = f"<w:r><w:drawing>{inline}</w:drawing></w:r>"

    assert text_of(w.paragraph(w.run("See ") + drawing + w.run(" below."))) == shown


def test_an_equation_is_read_on_a_line() -> None:
    """Fractions, powers, roots and sums."""

    def letters(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    equation = (
        f"<m:oMath>{letters('x=')}<m:f><m:num>{letters('a+b')}</m:num><m:den>{letters('2')}</m:den></m:f>{letters('+')}"
        f"<m:sSup><m:e>{letters('c')}</m:e><m:sup>{letters('2')}</m:sup></m:sSup>"
        f"<m:rad><m:deg/><m:e>{letters('d')}</m:e></m:rad></m:oMath>"
    )

    assert text_of(w.paragraph(equation)) == "x=(a+b)/2+c²√(d)"


def test_a_diagram_has_its_words() -> None:
    """They stand in a part of their own. A box inside another one is nested, and none is lost."""
    texts = {1: "Apply", 2: "by mail", 3: "Wait"}
    points = "".join(
        f'<dgm:pt modelId="{key}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for key, text in texts.items()
    )
    links = "".join(f'<dgm:cxn srcId="{above}" destId="{below}"/>' for above, below in ((0, 1), (1, 2)))
    diagram = (
        '<dgm:dataModel xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
        f'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><dgm:ptLst><dgm:pt modelId="0" type="doc"/>'
        f"{points}</dgm:ptLst><dgm:cxnLst>{links}</dgm:cxnLst></dgm:dataModel>"
    )
    body = w.paragraph(w.run("Steps:") + '<w:r><w:drawing><dgm:relIds r:dm="diagramData"/></w:drawing></w:r>')

    assert text_of(body, other={"diagramData": diagram}) == "Steps:\n\n- Apply\n  - by mail\n- Wait"


def test_a_chart_is_a_table() -> None:
    """Of the values that were last drawn, with the chart's title."""

    def points(kind: str, *values: str) -> str:
        inner = "".join(f'<c:pt idx="{place}"><c:v>{value}</c:v></c:pt>' for place, value in enumerate(values))
        return f"<c:{kind}><c:numRef><c:numCache>{inner}</c:numCache></c:numRef></c:{kind}>"

    series = "".join(
        f"<c:ser><c:tx><c:v>{name}</c:v></c:tx>{points('cat', 'East', 'West')}{points('val', *values)}</c:ser>"
        for name, values in (("2025", ("12", "7")), ("2026", ("13",)))
    )
    title = "<c:title><c:tx><c:rich><a:p><a:r><a:t>Staff by region</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    chart = f"<c:chartSpace {w.NAMESPACES}><c:chart>{title}{series}</c:chart></c:chartSpace>"
    body = w.paragraph(w.run("See:") + '<w:r><w:drawing><c:chart r:id="chart"/></w:drawing></w:r>')

    assert text_of(body, other={"chart": chart}) == (
        "See:\n\nStaff by region\n\n|  | 2025 | 2026 |\n| --- | --- | --- |\n| East | 12 | 13 |\n| West | 7 |  |"
    )


def test_a_document_in_the_document_is_read() -> None:
    """Programs put pages and other files between the paragraphs. One that cannot be read is left out."""
    chunk = '<w:altChunk r:id="aFChunk"/>'
    body = w.paragraph("Before.") + chunk + w.paragraph("After.")
    page = "<html><body><main><h2>Fees</h2><p>The fee is $25 a day.</p></main></body></html>"

    assert "The fee is $25 a day." in text_of(body, other={"aFChunk": page})
    assert text_of(body, other={"aFChunk": "\x00"}) == "Before.\n\nAfter."
