"""PowerPoint files as their audience and their editors see them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from pptx import Presentation
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.oxml import parse_xml

from benchmarks.corpus.slides import BLANK, CONTENT, DECKS, TITLE_ONLY, add_box, add_bullets, add_slide
from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.formats import read_document
from core.rag.reading.raw_document import ReadingLimits
from tests.support.known_words import match_words
from tests.support.written_pages import plain_text

NAMESPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
)
CONTENT_TYPES = "[Content_Types].xml"


def deck_of(build: Callable[[Any], None]) -> bytes:
    deck = Presentation()
    deck.core_properties.title = ""
    build(deck)
    written = io.BytesIO()
    deck.save(written)
    return written.getvalue()


def read(build: Callable[[Any], None] | bytes, name: str = "deck.pptx") -> Document:
    return read_document(build if isinstance(build, bytes) else deck_of(build), "", name=name)


def texts(document: Document) -> list[tuple[str, str]]:
    return [(passage.heading, passage.text) for passage in document.passages]


def change_parts(body: bytes, changes: dict[str, Callable[[bytes], bytes]]) -> bytes:
    """Changes parts by name; a part that is not there is changed from b""."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as source, zipfile.ZipFile(written, "w") as target:
        for name in dict.fromkeys([*source.namelist(), *changes]):
            content = source.read(name) if name in source.namelist() else b""
            target.writestr(name, changes[name](content) if name in changes else content)
    return written.getvalue()


def test_a_slide_is_a_section_with_nested_items() -> None:
    """The title of the first slide, a title slide, is the document's."""
    document = read(DECKS["bullets"][0])

    assert document.title == "Hybrid work in 2026"
    assert texts(document) == [
        ("Slide 1: Hybrid work in 2026", "Human Resources Branch"),
        (
            "Slide 2: What changes",
            "- Three days on site each week\n  - Executives: four days\n  - Regional offices decide the days\n"
            "- Equipment is lent, not bought",
        ),
    ]


def test_a_table_keeps_its_header() -> None:
    table = "| Service | Fee | Unit |\n| --- | --- | --- |\n| Parking | $25 | day |\n| Boat launch | $8.50 | launch |"

    assert texts(read(DECKS["table"][0])) == [("Slide 1: Fees from May 1", table)]


def test_merged_cells_come_once() -> None:
    (passage,) = read(DECKS["merged-table"][0]).passages

    assert passage.text.count("Employees") == 1
    assert "| Atlantic | 412 | 38 vacant |" in passage.text


def test_a_chart_is_its_title_and_its_data() -> None:
    (passage,) = read(DECKS["chart"][0]).passages

    assert passage.text == (
        "Calls by language\n\n|  | English | French |\n| --- | --- | --- |\n"
        "| April | 1200 | 410 |\n| May | 1340 | 395 |\n| June | 1100 | 430 |"
    )


def test_each_category_of_a_chart_has_the_words_of_all_its_levels() -> None:
    """An outer one is written once for several inner ones."""

    def build(deck: Any) -> None:
        data = CategoryChartData()
        for year, quarters in [("2025", ["Q1", "Q2"]), ("2026", ["Q1"])]:
            category = data.add_category(year)
            for quarter in quarters:
                category.add_sub_category(quarter)
        data.add_series("Fees", (1, 2, 3))
        add_slide(deck, BLANK).shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, 9, 9, data)

    assert "| 2025 Q1 | 1 |\n| 2025 Q2 | 2 |\n| 2026 Q1 | 3 |" in texts(read(build))[0][1]


def test_each_point_of_a_chart_has_its_own_place() -> None:
    """Clouds of points share no categories."""

    def build(deck: Any) -> None:
        data = XyChartData()
        for name, x, y in [("East", 1, 2.5), ("West", 5, 6)]:
            data.add_series(name).add_data_point(x, y)
        add_slide(deck, BLANK).shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, 0, 0, 9, 9, data)

    assert texts(read(build))[0][1].endswith("|  | x | y |\n| --- | --- | --- |\n| East | 1 | 2.5 |\n| West | 5 | 6 |")


def test_notes_are_named_as_such() -> None:
    """In the language of the slides."""
    assert texts(read(DECKS["notes"][0]))[1] == (
        "Slide 1: Next steps › Speaker notes",
        "Mention that the union agreed on March 3.",
    )
    assert texts(read(DECKS["french"][0]))[1][0] == (
        "Diapositive 1: Congés pour raisons familiales › Notes de l’orateur"
    )


@pytest.mark.parametrize("name", ["boxes", "columns", "groups"])
def test_shapes_are_read_by_their_places(name: str) -> None:
    """Rows come one after the other, and columns that stand side by side too."""
    build, words = DECKS[name]

    assert match_words(words, plain_text(read(build))).share == 1


def test_columns_of_several_boxes_stay_columns() -> None:
    """A box beside two others does not come between them."""

    def build(deck: Any) -> None:
        shapes = add_slide(deck, BLANK).shapes
        add_box(shapes, 1, 1, "Left, above")
        add_box(shapes, 5, 1.2, "Right", height=3)
        add_box(shapes, 1, 3, "Left, below")

    assert texts(read(build)) == [("Slide 1", "Left, above\n\nLeft, below\n\nRight")]


def test_a_heading_stays_with_the_text_below_it() -> None:
    """Columns of headings and texts are read one after the other, between what spans them."""

    def build(deck: Any) -> None:
        shapes = add_slide(deck, BLANK).shapes
        add_box(shapes, 0.2, 0.2, "Three steps", width=9)
        for column, words in enumerate(["Apply", "Wait", "Travel"]):
            add_box(shapes, 0.2 + 3 * column, 2, f"{words} first", width=2, height=0.5)
            add_box(shapes, 0.2 + 3 * column, 2.6, f"{words} then", width=2)
        add_box(shapes, 0.2, 6, "Source: registry", width=9)

    words = ["Apply first", "Apply then", "Wait first", "Wait then", "Travel first", "Travel then"]
    assert texts(read(build)) == [("Slide 1", "\n\n".join(["Three steps", *words, "Source: registry"]))]


@pytest.mark.parametrize(("distance", "width"), [(2, 2), (1.1, 5)])
def test_rows_of_boxes_stay_rows(distance: float, width: float) -> None:
    """A label is read with the value beside it, where rows are far apart or values are wide."""

    def build(deck: Any) -> None:
        shapes = add_slide(deck, BLANK).shapes
        for row, (label, value) in enumerate([("Budget", "5 million"), ("Staff", "12 people")]):
            add_box(shapes, 1, 1 + distance * row, label, width=2, height=1)
            add_box(shapes, 3.2, 1 + distance * row, value, width=width, height=1)

    assert texts(read(build)) == [("Slide 1", "Budget\n\n5 million\n\nStaff\n\n12 people")]


def test_the_master_places_what_the_layout_does_not() -> None:
    """A box above the content is read before it."""

    def build(deck: Any) -> None:
        slide = add_slide(deck, CONTENT)
        slide.shapes.title.text = "Plan"
        slide.placeholders[1].text = "First"
        add_box(slide.shapes, 1, 0.2, "Draft", height=0.5)

    assert texts(read(build)) == [("Slide 1: Plan", "Draft\n\n- First")]


def test_a_hidden_slide_is_marked() -> None:
    assert [heading for heading, _ in texts(read(DECKS["hidden"][0]))] == [
        "Slide 1 (hidden): Spare slide",
        "Slide 2: Questions",
    ]


def test_footers_dates_and_slide_numbers_are_left_out() -> None:
    """They repeat on every slide."""

    def build(deck: Any) -> None:
        slide = add_slide(deck, CONTENT, "Plan")
        add_bullets(slide.placeholders[1], (0, "Begin"))
        for index, kind in ((10, "dt"), (11, "ftr"), (12, "sldNum")):
            footer = (
                f'<p:sp {NAMESPACES}><p:nvSpPr><p:cNvPr id="{index}" name="x"/><p:cNvSpPr/><p:nvPr>'
                f'<p:ph type="{kind}" idx="{index}"/></p:nvPr></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>'
                "<a:p><a:r><a:t>Protected B</a:t></a:r></a:p></p:txBody></p:sp>"
            )
            slide.shapes._spTree.append(parse_xml(footer))

    assert texts(read(build)) == [("Slide 1: Plan", "- Begin")]


def test_numbers_of_items_are_kept() -> None:
    """A slide may say "see step 2"."""

    def build(deck: Any) -> None:
        slide = add_slide(deck, CONTENT, "Steps")
        add_bullets(slide.placeholders[1], (0, "Collect"), (1, "by mail"), (0, "Check"))
        for paragraph, scheme in zip(
            slide.placeholders[1].text_frame.paragraphs, ("arabicPeriod", "alphaLcParenR", "arabicPeriod"), strict=True
        ):
            paragraph._p.get_or_add_pPr().append(parse_xml(f'<a:buAutoNum {NAMESPACES} type="{scheme}"/>'))

    assert texts(read(build)) == [("Slide 1: Steps", "1. Collect\n  a) by mail\n2. Check")]


def test_struck_and_raised_text_keeps_its_look() -> None:
    """A struck price is no price, and an exponent no digit."""

    def build(deck: Any) -> None:
        shapes = add_slide(deck, BLANK).shapes
        add_box(shapes, 1, 1, "")
        line = shapes[0].text_frame.paragraphs[0]
        for words, name, value in [
            ("Fee ", "", ""),
            ("$20", "strike", "sngStrike"),
            (" $25 for 10", "strike", "noStrike"),
            ("6", "baseline", "30000"),
            (" or CO", "baseline", "0"),
            ("2", "baseline", "-25000"),
        ]:
            run = line.add_run()
            run.text = words
            if name:
                run.font._element.set(name, value)

    assert texts(read(build)) == [("Slide 1", "Fee ~~$20~~ $25 for 10⁶ or CO₂")]


def test_an_alternative_text_of_an_author_is_read() -> None:
    """A description that a program made up is not."""

    def build(deck: Any) -> None:
        slide = add_slide(deck, TITLE_ONLY, "Map")
        for index, description in enumerate(
            ("The office is at 90 Elgin Street", "A map\n\nDescription automatically generated")
        ):
            slide.shapes._spTree.append(
                parse_xml(
                    f'<p:pic {NAMESPACES}><p:nvPicPr><p:cNvPr id="{50 + index}" name="x" descr="{description}"/>'
                    "<p:cNvPicPr/><p:nvPr/></p:nvPicPr><p:blipFill/><p:spPr/></p:pic>"
                )
            )

    assert texts(read(build)) == [("Slide 1: Map", "The office is at 90 Elgin Street")]


def test_a_diagram_is_an_outline() -> None:
    """SmartArt has its words in a part of its own."""
    frame = (
        f'<p:graphicFrame {NAMESPACES}><p:nvGraphicFramePr><p:cNvPr id="9" name="x"/><p:cNvGraphicFramePr/><p:nvPr/>'
        '</p:nvGraphicFramePr><p:xfrm><a:off x="0" y="0"/><a:ext cx="9" cy="9"/></p:xfrm><a:graphic><a:graphicData>'
        '<dgm:relIds r:dm="rIdData"/></a:graphicData></a:graphic></p:graphicFrame>'
    )
    points = "".join(
        f'<dgm:pt modelId="{key}"><dgm:t><a:p><a:r><a:t>{words}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for key, words in (("b", "Decide"), ("a", "Plan"), ("c", "Ask the staff"))
    )
    links = "".join(
        f'<dgm:cxn srcId="{source}" destId="{target}" srcOrd="{order}"/>'
        for source, target, order in (("d", "b", 1), ("d", "a", 0), ("a", "c", 0))
    )
    data = (
        f'<dgm:dataModel {NAMESPACES}><dgm:ptLst><dgm:pt modelId="d" type="doc"/>{points}</dgm:ptLst>'
        f"<dgm:cxnLst>{links}</dgm:cxnLst></dgm:dataModel>"
    )
    relation = b'<Relationship Id="rIdData" Type="x/diagramData" Target="../diagrams/data1.xml"/></Relationships>'
    body = change_parts(
        deck_of(lambda deck: add_slide(deck, TITLE_ONLY, "Cycle")),
        {
            "ppt/slides/slide1.xml": lambda part: part.replace(b"</p:spTree>", frame.encode() + b"</p:spTree>"),
            "ppt/slides/_rels/slide1.xml.rels": lambda part: part.replace(b"</Relationships>", relation),
            "ppt/diagrams/data1.xml": lambda _: data.encode(),
        },
    )

    assert texts(read(body)) == [("Slide 1: Cycle", "- Plan\n  - Ask the staff\n- Decide")]


def test_comments_stand_at_the_end() -> None:
    """With their authors and the numbers of their slides."""
    namespace = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    relations = b'<Relationship Id="rIdC" Type="x/comments" Target="../comments/comment1.xml"/></Relationships>'
    authors = b'<Relationship Id="rIdA" Type="x/commentAuthors" Target="commentAuthors.xml"/></Relationships>'
    comments = f'<p:cmLst {namespace}><p:cm authorId="0"><p:text>Is this final?</p:text></p:cm></p:cmLst>'
    people = f'<p:cmAuthorLst {namespace}><p:cmAuthor id="0" name="Anne Roy"/></p:cmAuthorLst>'
    body = change_parts(
        deck_of(DECKS["notes"][0]),
        {
            "ppt/slides/_rels/slide1.xml.rels": lambda part: part.replace(b"</Relationships>", relations),
            "ppt/_rels/presentation.xml.rels": lambda part: part.replace(b"</Relationships>", authors),
            "ppt/comments/comment1.xml": lambda _: comments.encode(),
            "ppt/commentAuthors.xml": lambda _: people.encode(),
        },
    )

    assert texts(read(body))[-1] == ("Comments", "- Anne Roy, on “1”: Is this final?")


@pytest.mark.parametrize("kind", ["presentation.macroEnabled", "slideshow.macroEnabled", "template.macroEnabled"])
def test_other_presentations_are_read(kind: str) -> None:
    """With macros, as a show and as a template."""
    main = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    other = f"application/vnd.ms-powerpoint.{kind}.main+xml".encode()
    body = change_parts(deck_of(DECKS["notes"][0]), {CONTENT_TYPES: lambda part: part.replace(main, other)})

    assert "- Sign the agreement" in read(body, "deck.bin").passages[0].text


def test_a_long_presentation_is_read_in_part() -> None:
    """The answer says how many slides were read."""

    def build(deck: Any) -> None:
        for number in range(5):
            add_bullets(add_slide(deck, CONTENT, f"Part {number}").placeholders[1], (0, "word " * 10))

    document = read_document(deck_of(build), "", limits=ReadingLimits(text_chars=60))

    assert document.omissions == (Omission("slides", 2, 5),)
    assert len(document.passages) == 2


def test_a_presentation_of_pictures_is_empty() -> None:
    with pytest.raises(UnreadableDocument) as refusal:
        read(lambda deck: add_slide(deck, BLANK))

    assert refusal.value.reason == "empty"


@pytest.mark.parametrize(
    "changes",
    [
        {"ppt/presentation.xml": lambda _: b"<not-closed"},
        {"ppt/presentation.xml": lambda part: b'<!DOCTYPE x [<!ENTITY a "b">]>' + part.split(b"?>", 1)[1]},
        {"ppt/slides/slide1.xml": lambda part: part.replace(b"<p:sp>", b"<p:sp><p:sp>")},
    ],
)
def test_a_damaged_presentation_is_refused(changes: dict[str, Callable[[bytes], bytes]]) -> None:
    """Also one that declares entities."""
    with pytest.raises(UnreadableDocument, match="damaged") as refusal:
        read(change_parts(deck_of(DECKS["notes"][0]), changes))

    assert refusal.value.reason == "damaged"
