"""Pages as the systems of governments and the common ones write them: all that their reader sees in place is read."""

from __future__ import annotations

import pytest

from core.rag.documents import Document
from core.rag.reading.pages import extract
from core.rag.reading.raw_document import RawDocument

PROSE = "Employees may ask for leave in writing, and their managers answer within ten working days of that."


def read(html: str) -> Document:
    return extract.parse_page(RawDocument(html.encode()))


def text(inner: str) -> str:
    return "\n".join(passage.text for passage in read(f"<main><p>{PROSE}</p>{inner}</main>").passages)


@pytest.mark.parametrize("name", ["popular", "noprint", "newsletter", "comments", "sidebar", "toc-fees"])
def test_a_section_is_read_whatever_its_name(name: str) -> None:
    """Links, forms and threads of comments under such names are not."""
    assert "by May 1" in text(f'<div class="{name}"><h2>Send it</h2><p>Send your answer by May 1.</p></div>')
    assert "FRAME" not in text(f'<div class="{name}"><h2>More</h2><a href="/a">FRAME and other pages</a></div>')


def test_a_form_for_a_newsletter_is_not_read() -> None:
    """It is a control of the site."""
    assert "FRAME" not in text('<div class="newsletter"><p>FRAME: get it each week.</p><form><input></form></div>')


def test_a_thread_of_comments_is_not_read() -> None:
    """Its parts are named as comments too."""
    thread = '<ol><li class="comment"><p>FRAME is wrong, and I say so.</p></li></ol>'
    assert "FRAME" not in text(f'<div class="comments"><h2>2 thoughts</h2>{thread}</div>')


def test_a_short_note_beside_the_text_is_read() -> None:
    """Three words with a period are a sentence."""
    assert "Bring two documents." in text("<aside><p>Bring two documents.</p></aside>")


def test_a_part_that_canada_ca_toggles_is_read() -> None:
    """The control names it in JSON."""
    toggle = """<div class="wb-toggle" data-toggle='{"selector":"#fee","type":"on"}'>Show</div>"""
    assert "It is $20." in text(f'{toggle}<div id="fee" class="tgl-panel hidden">It is $20.</div>')


def test_the_page_behind_an_open_dialog_is_read() -> None:
    """The dialog, which asks about cookies, is not."""
    document = read(
        f'<div aria-hidden="true"><main><h1>Fees</h1><p>{PROSE}</p></main></div><div role="dialog">Cookies?</div>'
    )

    assert [passage.text for passage in document.passages] == [PROSE]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('Fee: <span aria-hidden="true">$33</span><span class="sr-only">thirty-three dollars</span>', "Fee: $33"),
        ('<span aria-hidden="true">more</span><span class="sr-only">Expand</span> Rules', "Rules"),
        ('<span class="a">Part 1</span><span class="b">Fees</span>', "Part 1 Fees"),
        ('<span class="a">Adult</span><span class="b">$20</span>', "Adult $20"),
        ('<span class="a">$</span><span class="b">49</span>', "$49"),
        ('<span class="a">Can</span><span class="b">ada</span>', "Canada"),
        ('<span class="wb-invisible">Marginal note:</span>Right to access', "Right to access"),
        ('<span style="display: none"><math><msup><mi>r</mi><mn>2</mn></msup></math></span>', "r²"),
    ],
)
def test_a_line_is_read_as_it_is_seen(html: str, expected: str) -> None:
    """Styles part words, and some texts are only shown or only spoken."""
    assert text(f"<p>{html}</p>") == f"{PROSE}\n\n{expected}"


def test_elements_that_are_shown_as_blocks_are_lines() -> None:
    """Their style says so."""
    lines = '<span style="display:block">1 Main St</span><span style="display:block">Ottawa</span>'
    assert text(f"<p>{lines}</p>").split("\n\n")[1:] == ["1 Main St", "Ottawa"]


def test_a_table_by_its_roles_is_a_table() -> None:
    """No element needs to be called so."""
    head = '<div role="row"><span role="columnheader">Name</span><span role="columnheader">Fee</span></div>'
    row = '<div role="row"><span role="cell">Adult</span><span role="cell">$20</span></div>'
    result = text(f'<div role="table"><div role="rowgroup">{head}</div><div role="rowgroup">{row}</div></div>')

    assert result.split("\n\n")[1] == "| Name | Fee |\n| --- | --- |\n| Adult | $20 |"


def test_a_column_that_can_be_sorted_keeps_its_name() -> None:
    """The name is a button."""
    result = text("<table><tr><th><button>Name</button><th>Fee<tr><td>A<td>$1</table>")
    assert "| Name | Fee |" in result


def test_steps_in_a_cell_keep_their_numbers() -> None:
    """Bullets have none."""
    assert "| A | 1. Sign; 2. Send |" in text("<table><tr><th>Who<th>How<tr><td>A<td><ol><li>Sign<li>Send</ol></table>")


def test_the_content_of_a_page_builder_is_the_main_part() -> None:
    """Prices and closed answers on a page without landmarks are read."""
    answer = (
        '<div role="button" aria-controls="a" aria-expanded="false">Where?</div><div id="a" hidden>At 12 King.</div>'
    )
    price = "<div><span>$</span><span>49</span></div>"
    document = read(f'<body><div data-elementor-type="wp-page"><p>{PROSE}</p><h2>Rate</h2>{price}{answer}</div></body>')

    assert [passage.text for passage in document.passages] == [PROSE, "$49\n\nWhere?\n\nAt 12 King."]


def test_a_heading_above_the_main_part_is_the_title() -> None:
    """This holds for a page that declares none."""
    assert read(f"<h1>Cancel a task</h1><main><h2>1 answer</h2><p>{PROSE}</p></main>").title == "Cancel a task"
