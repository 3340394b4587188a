"""Presentations: titles, nested bullets, tables, charts, groups, notes, hidden slides, columns."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from benchmarks.corpus import Sample

PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
TITLE, CONTENT, TWO_COLUMNS, TITLE_ONLY, BLANK = 0, 1, 3, 5, 6  # layouts of the default template


def samples() -> Iterator[Sample]:
    """The numbers of slides are words that a reader sees beside them."""
    for name, (build, words) in DECKS.items():
        deck = Presentation()
        build(deck)
        written = io.BytesIO()
        deck.save(written)
        yield Sample(f"{name}.pptx", PPTX, written.getvalue(), words)


def add_slide(deck: Any, layout: int, title: str = "") -> Any:
    slide = deck.slides.add_slide(deck.slide_layouts[layout])
    if title:
        slide.shapes.title.text = title
    return slide


def add_bullets(placeholder: Any, *lines: tuple[int, str]) -> None:
    frame = placeholder.text_frame
    for index, (level, text) in enumerate(lines):
        paragraph = frame.paragraphs[0] if index == 0 else frame.add_paragraph()
        paragraph.text, paragraph.level = text, level


def add_box(shapes: Any, left: float, top: float, text: str, width: float = 3, height: float = 0.6) -> None:
    shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height)).text_frame.text = text


def bullets(deck: Any) -> None:
    slide = add_slide(deck, TITLE, "Hybrid work in 2026")
    slide.placeholders[1].text = "Human Resources Branch"
    slide = add_slide(deck, CONTENT, "What changes")
    add_bullets(
        slide.placeholders[1],
        (0, "Three days on site each week"),
        (1, "Executives: four days"),
        (1, "Regional offices decide the days"),
        (0, "Equipment is lent, not bought"),
    )


def table(deck: Any) -> None:
    slide = add_slide(deck, TITLE_ONLY, "Fees from May 1")
    cells = [("Service", "Fee", "Unit"), ("Parking", "$25", "day"), ("Boat launch", "$8.50", "launch")]
    drawn = slide.shapes.add_table(3, 3, Inches(1), Inches(2), Inches(6), Inches(2)).table
    for row, texts in enumerate(cells):
        for column, text in enumerate(texts):
            drawn.cell(row, column).text = text


def merged_table(deck: Any) -> None:
    slide = add_slide(deck, TITLE_ONLY, "Staff by region")
    drawn = slide.shapes.add_table(3, 3, Inches(1), Inches(2), Inches(6), Inches(2)).table
    drawn.cell(0, 1).merge(drawn.cell(0, 2))
    for (row, column), text in {
        (0, 0): "Region",
        (0, 1): "Employees",
        (1, 0): "Atlantic",
        (1, 1): "412",
        (1, 2): "38 vacant",
        (2, 0): "Pacific",
        (2, 1): "377",
        (2, 2): "21 vacant",
    }.items():
        drawn.cell(row, column).text = text


def chart(deck: Any) -> None:
    slide = add_slide(deck, TITLE_ONLY, "Calls answered")
    data = CategoryChartData()
    data.categories = ["April", "May", "June"]
    data.add_series("English", (1200, 1340, 1100))
    data.add_series("French", (410, 395, 430))
    frame = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(2), Inches(6), Inches(4), data)
    frame.chart.has_title = True
    frame.chart.chart_title.text_frame.text = "Calls by language"


def notes(deck: Any) -> None:
    slide = add_slide(deck, CONTENT, "Next steps")
    add_bullets(slide.placeholders[1], (0, "Sign the agreement"), (0, "Train the teams"))
    slide.notes_slide.notes_text_frame.text = "Mention that the union agreed on March 3."


def columns(deck: Any) -> None:
    slide = add_slide(deck, TWO_COLUMNS, "Before and after")
    add_bullets(slide.placeholders[1], (0, "Paper forms"), (0, "Six weeks of waiting"))
    add_bullets(slide.placeholders[2], (0, "Online forms"), (0, "Two days of waiting"))


def boxes(deck: Any) -> None:
    """The boxes are drawn in another order than they are read."""
    slide = add_slide(deck, BLANK)
    add_box(slide.shapes, 5, 3, "Step four: publish")
    add_box(slide.shapes, 1, 1, "Step one: collect")
    add_box(slide.shapes, 5, 1, "Step two: check")
    add_box(slide.shapes, 1, 3, "Step three: correct")


def groups(deck: Any) -> None:
    slide = add_slide(deck, TITLE_ONLY, "Organization")
    group = slide.shapes.add_group_shape()
    add_box(group.shapes, 1, 2, "Deputy Minister")
    inner = group.shapes.add_group_shape()
    add_box(inner.shapes, 1, 3, "Policy Branch")
    add_box(inner.shapes, 5, 3, "Operations Branch")


def hidden(deck: Any) -> None:
    slide = add_slide(deck, CONTENT, "Spare slide")
    add_bullets(slide.placeholders[1], (0, "Figures of the year before"))
    slide.element.set("show", "0")
    slide = add_slide(deck, CONTENT, "Questions")
    add_bullets(slide.placeholders[1], (0, "Write to hr@example.ca"))


def french(deck: Any) -> None:
    slide = add_slide(deck, CONTENT, "Congés pour raisons familiales")
    add_bullets(
        slide.placeholders[1],
        (0, "Cinq jours par année sont payés"),
        (1, "Prévenez votre gestionnaire la veille"),
        (0, "Les autres congés ne sont pas payés"),
    )
    slide.notes_slide.notes_text_frame.text = "Rappeler la nouvelle convention."


Deck = tuple[Callable[[Any], None], str]
DECKS: dict[str, Deck] = {
    "bullets": (
        bullets,
        "Hybrid work in 2026 Human Resources Branch 2 What changes Three days on site each week Executives: four days "
        "Regional offices decide the days Equipment is lent, not bought",
    ),
    "table": (table, "Fees from May 1 Service Fee Unit Parking $25 day Boat launch $8.50 launch"),
    "merged-table": (
        merged_table,
        "Staff by region Region Employees Atlantic 412 38 vacant Pacific 377 21 vacant",
    ),
    "chart": (
        chart,
        "Calls answered Calls by language English French April 1200 410 May 1340 395 June 1100 430",
    ),
    "notes": (
        notes,
        "Next steps Sign the agreement Train the teams Mention that the union agreed on March 3.",
    ),
    "columns": (
        columns,
        "Before and after Paper forms Six weeks of waiting Online forms Two days of waiting",
    ),
    "boxes": (boxes, "Step one: collect Step two: check Step three: correct Step four: publish"),
    "groups": (groups, "Organization Deputy Minister Policy Branch Operations Branch"),
    "hidden": (hidden, "Spare slide Figures of the year before Questions Write to hr@example.ca"),
    "french": (
        french,
        "Congés pour raisons familiales Cinq jours par année sont payés Prévenez votre gestionnaire la veille "
        "Les autres congés ne sont pas payés Rappeler la nouvelle convention.",
    ),
}
