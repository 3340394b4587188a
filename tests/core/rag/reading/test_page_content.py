"""Inside the main part of a page, all that its reader sees is read as it is meant."""

from __future__ import annotations

import pytest

from core.rag.documents import Document
from core.rag.reading.pages import extract
from core.rag.reading.raw_document import RawDocument

PROSE = "Employees may ask for leave in writing, and their managers answer within ten working days of that."


def read(html: str) -> Document:
    return extract.parse_page(RawDocument(html.encode()))


def text(inner: str, *, main: str = "<main>{}</main>") -> str:
    return "\n".join(passage.text for passage in read(main.format(inner)).passages)


@pytest.mark.parametrize("name", ["card-footer", "metadata", "tools", "links", "rating", "tags", "banner", "widget"])
def test_names_of_classes_delete_no_content(name: str) -> None:
    """This holds in `main`, and for plain text in an article."""
    fee = f'<div class="{name}">Fee: $120</div>'
    assert "Fee: $120" in text(f"<p>{PROSE}</p>{fee}")
    assert "Fee: $120" in text(f"<p>{PROSE}</p>{fee}", main="<article>{}</article>")
    assert "Form T2200" in text(f'<p>{PROSE}</p><ul class="{name}"><li><a href="/t">Form T2200</a></li></ul>')


def test_a_second_article_and_text_beside_it_are_read() -> None:
    """One article holds most of the prose; a correction and a note stand beside it, and so do links to other pages."""
    story = f"<article><h2>Fees</h2>{f'<p>{PROSE}</p>' * 5}</article>"
    other = '<article><h3><a href="/o">Other story of the week</a></h3></article>'
    result = text(
        f"<p>Updated for 2027.</p>{story}<article><h2>Correction</h2><p>The fee is $30.</p></article>"
        f"<div><p>The desk closes at 4.</p></div>{other}"
    )

    for part in ("Updated for 2027.", "The fee is $30.", "The desk closes at 4."):
        assert part in result
    assert "Other story" not in result


def test_footnotes_are_read_and_their_references_marked() -> None:
    """The form is that of Canada.ca. Links back to the text are left out."""
    reference = '<sup id="fn1-rf"><a class="fn-lnk" href="#fn1"><span class="wb-inv">Footnote </span>1</a></sup>'
    back = (
        '<p class="fn-rtn"><a href="#fn1-rf"><span class="wb-inv">Return to footnote </span>1'
        '<span class="wb-inv"> referrer</span></a></p>'
    )
    result = text(
        f"<p>Leave is paid for 15{reference} weeks.</p><aside class='wb-fnote' role='note'><h2>Footnotes</h2>"
        f"<dl><dt>Footnote 1</dt><dd id='fn1'><p>Except in Quebec.</p>{back}</dd></dl></aside>"
    )

    assert result == "Leave is paid for 15 [1] weeks.\n- Footnote 1\n\nExcept in Quebec."


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('pay<sup><a href="#fn2">[2]</a></sup>.', "pay [2]."),
        ('pay <a role="doc-noteref" href="#note-b">*</a>.', "pay [*]."),
        ('pay<sup><a href="#n">Note 3</a></sup>.', "pay [3]."),
        ('see <a href="#fees">3</a>', "see 3"),
        ("10<sup>6</sup> people, 10<sup>-3</sup>", "10⁶ people, 10⁻³"),
        ("5 m<sup>2</sup> of H<sub>2</sub>O", "5 m² of H₂O"),
        ("le 1<sup>er</sup> mai, M<sup>me</sup> Roy, the 2<sup>nd</sup>", "le 1er mai, Mme Roy, the 2nd"),
        ("x<sup>n+1</sup> and V<sub>max</sub>", "x^(n+1) and V_max"),
        ("Free<sup>*</sup> of charge", "Free* of charge"),
        ("The fee is <del>$20</del> <ins>$25</ins>.", "The fee is $25."),
        ("<span>Can</span><span>ada</span>, re&shy;quired", "Canada, required"),
        ("<math><mfrac><mn>1</mn><mi>n</mi></mfrac></math>", "1/n"),
        ("<math><msup><mi>x</mi><mn>2</mn></msup><mo>=</mo><msqrt><mi>y</mi></msqrt></math>", "x² = √(y)"),
        ("1 Main St<br>Ottawa", "1 Main St\nOttawa"),
        ('<a href="/p" role="button">Apply online</a>', "Apply online"),
        ('Rules <span class="visually-hidden">(opens in a new window)</span>', "Rules"),
    ],
)
def test_small_signs_keep_their_meaning(html: str, expected: str) -> None:
    """An exponent is no digit of the number before it, and a reference to a note is none either."""
    assert text(f"<p>{html}</p>") == expected


def test_questions_that_are_buttons_are_read() -> None:
    """Their closed answers are read too; other buttons are not."""
    result = text(
        '<h2><button aria-expanded="false" aria-controls="a1">How do I apply?</button></h2><div id="a1" hidden>'
        '<p>Online.</p></div><div role="button" data-toggle="collapse" data-target="#a2">Who can?</div>'
        '<div id="a2" style="display:none"><p>Anyone.</p></div><details><summary>When?</summary><p>Now.</p></details>'
        '<button aria-haspopup="true" aria-controls="m">Share</button><ul id="m" hidden><li>A</ul><button>Go</button>'
    )

    assert result.split("\n\n") == ["Online.", "Who can?", "Anyone.", "When?", "Now."]


def test_panels_of_tabs_are_read_below_their_names() -> None:
    """Hidden panels are read too, because a reader can open them."""
    result = text(
        "<div role=tablist><button role=tab id=t1>Ontario</button><button role=tab aria-controls=p2>Quebec</button>"
        "</div><div role=tabpanel id=p1 aria-labelledby=t1>$20</div><div role=tabpanel id=p2 hidden>$25</div>"
    )

    assert result.split("\n\n") == ["Ontario", "$20", "Quebec", "$25"]


def test_the_texts_of_forms_are_read() -> None:
    """Legends, labels and outputs are text; the controls are not."""
    result = text(
        "<fieldset><legend>Fees</legend><p>Adult: $20</p></fieldset><form><label><input type=radio> Small ($5)</label>"
        "<select><option>Ottawa</select><output>Total: $5</output><button>Send</button></form>"
    )

    assert result.split("\n\n") == ["Fees", "Adult: $20", "Small ($5) Total: $5"]


def test_asides_with_sentences_are_read() -> None:
    """Those of links are not."""
    result = text(
        f"<p>{PROSE}</p><aside><p>Send the form before May 1 of each year.</p></aside><aside><a href=/>More</a></aside>"
    )

    assert "before May 1" in result
    assert "More" not in result


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<ol><li>One<li>Two</ol>", ["1. One", "2. Two"]),
        ('<ol start="3" type="a"><li>One<ol type="i"><li>In</ol><li>Two</ol>', ["c. One", "  i. In", "d. Two"]),
        ('<ol reversed><li>x<li>y<li value="9">z</ol>', ["3. x", "2. y", "9. z"]),
        ('<ol class="lst-upr-rmn" start="8"><li>x<li>y</ol>', ["VIII. x", "IX. y"]),
        ('<ol style="list-style-type: upper-latin" start="27"><li>x</ol>', ["AA. x"]),
        ('<ol style="list-style: decimal-leading-zero"><li>x</ol>', ["01. x"]),
        ('<ol class="list-unstyled"><li>x</ol>', ["- x"]),
        ("<ol><li><ol type=A><li>x</ol></ol>", ["  1. A. x"]),
        ("<ol start=x><li value=-1>x<li>y</ol>", ["-1. x", "0. y"]),
    ],
)
def test_ordered_lists_keep_their_numbers(html: str, expected: list[str]) -> None:
    """They are those that a browser shows."""
    assert text(html).split("\n") == expected


def test_a_numbered_heading_has_its_number() -> None:
    """The paragraph below it is no item."""
    (passage,) = read(f"<main><ol><li><h3>Apply</h3><p>{PROSE}</p></ol></main>").passages

    assert (passage.heading, passage.text) == ("1. Apply", PROSE)


RULE = "| --- | --- | --- |"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<tr><td><th>2025<th>2026<tr><th>Fee<td>1<td>2", ["|  | 2025 | 2026 |", RULE, "| Fee | 1 | 2 |"]),
        (
            "<tr><td><b>Name</b><td><strong>Low</strong><td><b>High</b><tr><td>A<td>1<td>2",
            ["| Name | Low | High |", RULE, "| A | 1 | 2 |"],
        ),
        (
            "<tr><td colspan=3>Rates of the year<tr><th>N<th>L<th>H<tr><td>a<td>b<td>c",
            ["Rates of the year", "", "| N | L | H |", RULE, "| a | b | c |"],
        ),
        (
            "<tfoot><tr><td>All<td>3<td>7</tfoot><thead><tr><th rowspan=2>Place<th colspan=2>2025<tr><th>Q1<th>Q2"
            "</thead><tbody><tr><th rowspan=2>East<td>1<td>2<tr><td colspan=2>None</tbody>",
            [
                "| Place | 2025 Q1 | 2025 Q2 |",
                RULE,
                "| East | 1 | 2 |",
                "| East | None |  |",
                "| All | 3 | 7 |",
            ],
        ),
        ("<tr><th>Who<td>You<tr><th>Bring<td><ul><li>Card<li>Photo</ul>", ["| Who | You |", "| Bring | Card; Photo |"]),
    ],
)
def test_tables_are_read_with_the_names_of_their_columns(html: str, expected: list[str]) -> None:
    """Header cells, bold cells and groups of columns name them; titles stand above."""
    assert text(f"<table>{html}</table>").split("\n") == expected


def test_long_cells_of_a_table_with_names_stay_in_their_rows() -> None:
    """Tables of policies have paragraphs in their cells."""
    result = text(f"<table><tr><th>Rule<th>Text<tr><td>7.1<td><p>{PROSE * 6}</p></table>")

    assert result.startswith("| Rule | Text |\n| --- | --- |\n| 7.1 | Employees")


def test_text_without_scripts_is_read_where_a_page_has_no_other() -> None:
    """A request to turn scripts on is no text."""
    assert PROSE in text("", main=f"<div id=root></div><noscript><p>{PROSE} {PROSE}</p></noscript>")
    assert read("<div id=root></div><noscript>You need to enable JavaScript.</noscript>").passages == ()


def test_components_of_a_site_are_blocks() -> None:
    """A shadow root in the page's source is shown, too."""
    result = text(
        "<gcds-text>Call us.</gcds-text><gcds-text>Or write.</gcds-text>"
        "<x-hours><template shadowrootmode=open><p>9 to 5.</p></template></x-hours>"
    )

    assert result.split("\n\n") == ["Call us.", "Or write.", "9 to 5."]


def test_a_page_with_too_many_elements_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its beginning is read, and the rest is reported as missing."""
    monkeypatch.setattr(extract, "ELEMENTS_LIMIT", 300)
    rows = f"<tr><td>{PROSE}<td>x</tr>" * 200
    whole, cut = read(f"<main><table>{rows[:2000]}</table></main>"), read(f"<main><table>{rows}</table></main>")

    assert whole.omissions == ()
    assert [each.kind for each in cut.omissions] == ["characters"]
    assert PROSE in cut.passages[0].text


def test_rows_that_are_alike_stay() -> None:
    """Other repetitions of a page's beginning are left out."""
    row = "<tr><td>Employee<td>leave with pay<td>ten days</tr>"

    assert text(f"<table>{row * 3}</table>").count("ten days") == 3
    assert text(f"<p>{PROSE}</p><p>Next.</p><p>{PROSE}</p>").count(PROSE) == 1
