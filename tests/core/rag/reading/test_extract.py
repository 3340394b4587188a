"""Pages: what their authors marked as content is read, and what frames it is not."""

from __future__ import annotations

import codecs

import pytest

from core.rag.documents import PASSAGE_LIMIT_CHARS, Document
from core.rag.reading import extract
from tests.support.saved_pages import SavedPage, agreement, saved_pages, text_of

PROSE = "Employees may ask for leave in writing, and their managers answer within ten working days of that."
PAGES = saved_pages()


def read(html: str, **told: str) -> Document:
    return extract.parse_page(html.encode(), **told)


def text(html: str) -> str:
    return "\n".join(passage.text for passage in read(html).passages)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_content_of_real_pages_is_read(page: SavedPage) -> None:
    """Most of what a person would call the content, and little else."""
    document = extract.parse_page(page.html)

    assert agreement(text_of(document), page.expected).f1 > 0.85
    assert all(len(passage.text) <= PASSAGE_LIMIT_CHARS for passage in document.passages)


def test_real_pages_are_read_well_on_the_whole() -> None:
    """As well as they were when the figures of the benchmark were written down."""
    found = [agreement(text_of(extract.parse_page(page.html)), page.expected).f1 for page in PAGES]

    assert len(found) >= 20
    assert sum(found) / len(found) > 0.965


@pytest.mark.parametrize(
    "frame",
    [
        "<nav>FRAME</nav>",
        "<aside>FRAME</aside>",
        "<div role=navigation>FRAME</div>",
        "<div role=complementary>FRAME</div>",
        "<div role=search>FRAME</div>",
        "<div role=dialog>FRAME</div>",
        "<div aria-hidden=true>FRAME</div>",
        "<div hidden>FRAME</div>",
        '<div style="color: red; DISPLAY : none">FRAME</div>',
        "<script>FRAME</script>",
        "<style>FRAME</style>",
        "<noscript>FRAME</noscript>",
        "<template>FRAME</template>",
        "<!-- FRAME -->",
        "<svg><text>FRAME</text></svg>",
        "<button>FRAME</button>",
        "<label>FRAME <input></label>",
        "<select><option>FRAME</select>",
        "<textarea>FRAME</textarea>",
        "<form><p>FRAME</p><input></form>",
        '<a href="#main">Skip to main FRAME</a>',
        '<a href="#wb-cont">Passer au contenu FRAME</a>',
        '<div class="cookie-banner"><p>We use cookies on this site, FRAME, to make your visit a better one.</p></div>',
        '<div id="shareTools"><a href=/>FRAME</a></div>',
        '<ol class="breadcrumb"><li><a href=/>FRAME</a></ol>',
        '<div class="comments"><p>I read this FRAME with much interest, and I have to say that it is wrong.</p></div>',
    ],
)
def test_what_frames_the_content_is_not_read(frame: str) -> None:
    """Whether it stands in the main part or beside it."""
    inside = f"<main><h1>Leave</h1>{frame}<p>{PROSE}</p></main>"
    beside = f"{frame}<main><h1>Leave</h1><p>{PROSE}</p></main>{frame}"
    without = f"{frame}<h1>Leave</h1><p>{PROSE}</p><p>{PROSE} Again.</p>{frame}"

    for html in (inside, beside, without):
        assert PROSE in text(html)
        assert "FRAME" not in text(html)


@pytest.mark.parametrize("main", ["<main>{}</main>", "<div role='main'>{}</div>", "<article>{}</article>"])
def test_the_main_part_is_the_content(main: str) -> None:
    """However much text stands beside it."""
    html = f"<div><p>Elsewhere. {PROSE}</p></div>{main.format(f'<p>Here. {PROSE}</p><p>{PROSE}</p>')}"

    assert "Here." in text(html)
    assert "Elsewhere." not in text(html)


def test_headers_and_footers_are_of_the_page_or_of_an_article() -> None:
    """The page's are its frame, an article's belong to it."""
    article = f"<article><header><p>By the Minister</p></header><p>{PROSE}</p><footer><p>Ottawa</p></footer></article>"
    found = text(f"<header>SITE</header><main>{article}</main><footer>SITE</footer>")

    assert "By the Minister" in found
    assert "Ottawa" in found
    assert "SITE" not in found


def test_a_main_part_that_is_empty_or_hidden_is_none() -> None:
    """The content is looked for elsewhere."""
    assert PROSE in text(f"<main></main><div><p>{PROSE}</p></div>")
    assert PROSE in text(f"<main hidden><p>Old. {PROSE}</p></main><div><p>{PROSE}</p></div>")


def test_a_page_may_stand_in_a_form() -> None:
    """As pages of some servers do, as a whole."""
    assert PROSE in text(f"<form><main><p>{PROSE} {PROSE} {PROSE}</p><input></main></form>")


def test_without_landmarks_content_is_the_run_of_prose() -> None:
    """Between menus, teasers and the small print."""
    menu = "<ul>" + "<li><a href=/>Menu entry</a></li>" * 20 + "</ul>"
    teaser = f"<h3><a href=/>Another page</a></h3><p>Teaser. {PROSE}</p>"
    print_ = "<div>Small print of the site</div>"
    found = text(
        f"{menu}<div><h1>Leave</h1><p>{PROSE}</p><p>Brief.</p><p>{PROSE} Again.</p></div>{menu}{teaser}{print_}"
    )

    assert found.count(PROSE) == 2
    assert "Brief." in found
    for word in ("Menu", "Teaser", "Small print"):
        assert word not in found


def test_links_of_a_main_part_are_content() -> None:
    """A topic's page of a government is little else."""
    found = text("<main><h1>Taxes</h1><ul>" + "<li><a href=/>Personal income tax</a></li>" * 3 + "</ul></main>")

    assert found.count("- Personal income tax") == 3


def test_headings_make_the_path_of_a_passage() -> None:
    """Outermost first, without the page's title."""
    document = read(
        f"<main><h1>Leave</h1><p>Zero. {PROSE}</p><h2>Parental</h2><p>One.</p><h3>Pay</h3><p>Two.</p>"
        "<h2>Sick</h2><p>Three.</p></main>"
    )

    assert document.title == "Leave"
    assert [passage.heading for passage in document.passages] == ["", "Parental", "Parental › Pay", "Sick"]
    assert [passage.text for passage in document.passages][1:] == ["One.", "Two.", "Three."]


def test_the_title_is_the_heading_that_the_page_is_called_by() -> None:
    """Else what it calls itself for others, else in the window."""
    head = "<title>Leave - Canada.ca</title>"
    assert read(f"{head}<h1>Canada.ca</h1><main><h1>Leave</h1><p>{PROSE}</p></main>").title == "Leave"
    assert read(f"{head}<h1>Leave</h1><div><p>{PROSE}</p></div>").title == "Leave"
    shared = '<meta property="og:title" content="Types of leave">'
    assert read(f"{head}{shared}<main><p>{PROSE}</p></main>").title == "Types of leave"
    assert read(f"{head}<main><p>{PROSE}</p></main>").title == "Leave - Canada.ca"
    assert read(f"<p>{PROSE}</p>").title == ""


def test_lists_keep_their_depth() -> None:
    """What follows in an item is no item of its own."""
    found = text(
        "<main><ul><li>One<ul><li>Inner</ul><li><p>Two</p><p>More of two</p></ul><dl><dt>Term<dd>Sense</dl></main>"
    )

    assert found.split("\n") == ["- One", "  - Inner", "- Two", "", "More of two", "", "- Term", "", "Sense"]


def test_tables_of_data_are_markdown() -> None:
    """A cell over several rows is repeated; one over several columns is not."""
    found = text(
        "<main><table><caption>Rates</caption><tr><th>Group<th>Level<th>Rate</tr>"
        "<tr><td rowspan=2>AS<td>1<td>50 | 60</tr><tr><td>2<td>70</tr><tr><td colspan=2>All<td>80</tr></table></main>"
    )

    assert found.split("\n") == [
        "Rates",
        "",
        "| Group | Level | Rate |",
        "| --- | --- | --- |",
        "| AS | 1 | 50 \\| 60 |",
        "| AS | 2 | 70 |",
        "| All |  | 80 |",
    ]


def test_tables_that_lay_out_are_text() -> None:
    """By their role, by what they hold, or with a single column."""
    for table in (
        f"<table role=presentation><tr><td>{PROSE}<td>Two</table>",
        f"<table><tr><td><h2>One</h2><p>{PROSE}</p><td>Two</table>",
        f"<table><tr><td>{PROSE}</table>",
    ):
        found = text(f"<main>{table}</main>")
        assert PROSE in found
        assert "|" not in found


def test_what_is_not_text_is_told_by_its_name() -> None:
    """Images by their alternative text, links without text by their label; a caption is not said twice."""
    found = text(
        f"<main><p>{PROSE}</p><p><img src=a.png alt='Map of the regions'></p><img src=b.png alt=''><img src=c alt=icon>"
        "<p><a href=/ aria-label='Download the report'></a><a href=/ aria-label='No'>Yes</a></p>"
        "<figure><img src=d alt='The harbour in 1900'><figcaption>The harbour in 1900.</figcaption></figure>"
        "</main>"
    )

    assert "Map of the regions" in found
    assert "Download the report" in found
    assert "Yes" in found
    assert found.count("The harbour in 1900") == 1
    for word in ("icon", "No", "png"):
        assert word not in found


def test_details_are_read_closed() -> None:
    """With their summary."""
    assert text(f"<main><details><summary>More</summary><p>{PROSE}</p></details></main>") == f"More\n\n{PROSE}"


def test_code_and_lines_keep_their_form() -> None:
    """Breaks of the source are none."""
    found = text("<main><p>One\ntwo<br>three</p><pre>a\n  b</pre><p>A <code>c</code> <b>d</b>.</main>")

    assert found == "One two\nthree\n\n```\na\n  b\n```\n\nA c d."


def test_the_language_is_that_of_the_content() -> None:
    """As its own element says, or one around it; else as it reads."""
    assert read(f"<html lang=en><main lang=fr-CA><p>{PROSE}</p></main>").language == "fr"
    assert read(f"<html lang=en-CA><main><p>{PROSE}</p></main>").language == "en"
    assert read(f"<html lang=de><main><p>{PROSE}</p></main>").language is None
    assert read(f"<main><p>{PROSE}</p></main>").language == "en"
    assert read("<p>Les demandes de congé sont présentées par écrit au gestionnaire.</p>").language == "fr"


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("été".encode("latin-1"), "iso-8859-1"),
        ("été".encode("cp1252"), "windows-1252"),
        ("été".encode(), None),
        ("été".encode(), "iso-8859-1"),  # what a server says that knows no better
        ("<meta charset=iso-8859-1>été".encode("latin-1"), None),
        ("<meta charset=iso-8859-1>été".encode(), None),
        (codecs.BOM_UTF16_LE + "été".encode("utf-16-le"), "iso-8859-1"),
        (codecs.BOM_UTF8 + "été".encode(), "windows-1252"),
        ("été".encode("latin-1"), "no-such-charset"),
        ("été".encode("latin-1"), "rot13"),
    ],
)
def test_the_charset_is_found(body: bytes, charset: str | None) -> None:
    """By the mark, the bytes, the server's word, or the page's."""
    document = extract.parse_page(body, charset=charset)

    assert [passage.text for passage in document.passages] == ["été"]


def test_unseen_characters_are_not_read() -> None:
    """With them a page could say to a model what it shows to nobody."""
    found = text("<main><p>a\u200bb\u202ec\U000e0041d\x01e &#x200b;f</p></main>")

    assert found == "abcde f"


def test_a_page_without_text_has_no_passages() -> None:
    """Such as one that scripts draw."""
    assert read("<div id=root></div><script>draw()</script>").passages == ()
    assert extract.parse_page(b"").passages == ()
