"""HTML pages: marked content is read, and boilerplate is not."""

from __future__ import annotations

import codecs

import pytest

from core.rag.documents import PASSAGE_LIMIT_CHARS, Document
from core.rag.reading.pages import extract
from core.rag.reading.raw_document import RawDocument
from tests.support.written_pages import WrittenPage, agreement, hashed_grams, plain_text, written_pages

PROSE = "Employees may ask for leave in writing, and their managers answer within ten working days of that."
PAGES = written_pages()


def read(html: str, **options: str) -> Document:
    return extract.parse_page(RawDocument(html.encode(), **options))


def text(html: str) -> str:
    return "\n".join(passage.text for passage in read(html).passages)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_content_of_a_page_is_read(page: WrittenPage) -> None:
    """Landmarks mark it, or only its text. All of the content is read, and no boilerplate."""
    document = extract.parse_page(RawDocument(page.html))

    agreed = agreement(plain_text(document), hashed_grams(page.expected, 1))
    assert agreed.f1 > 0.97, plain_text(document)
    assert all(len(passage.text) <= PASSAGE_LIMIT_CHARS for passage in document.passages)


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
        "<select><option>FRAME</select>",
        "<textarea>FRAME</textarea>",
        "<form><label>FRAME <input type=search></label></form>",
        '<span class="wb-inv">FRAME</span>',
        '<p class="visually-hidden">FRAME</p>',
        '<div class="hidden">FRAME</div>',
        '<a href="/fr" lang="fr" hreflang="fr">Français</a><del>FRAME</del>',
        '<p><s>FRAME</s> <span style="text-decoration: line-through">FRAME</span></p>',
        '<a href="#main">Skip to main FRAME</a>',
        '<a href="#wb-cont">Passer au contenu FRAME</a>',
        '<div class="cookie-banner"><p>We use cookies on this site, FRAME, to make your visit a better one.</p></div>',
        '<div id="shareTools"><a href=/>FRAME</a></div>',
        '<ol class="breadcrumb"><li><a href=/>FRAME</a></ol>',
        '<div class="comments"><p>I read this FRAME with much interest, and I have to say that it is wrong.</p></div>',
    ],
)
def test_boilerplate_is_not_read(frame: str) -> None:
    """This holds inside and beside the main part."""
    inside = f"<main><h1>Leave</h1>{frame}<p>{PROSE}</p></main>"
    beside = f"{frame}<main><h1>Leave</h1><p>{PROSE}</p></main>{frame}"
    without = f"{frame}<h1>Leave</h1><p>{PROSE}</p><p>{PROSE} Again.</p>{frame}"

    for html in (inside, beside, without):
        assert PROSE in text(html)
        assert "FRAME" not in text(html)


@pytest.mark.parametrize("main", ["<main>{}</main>", "<div role='main'>{}</div>", "<article>{}</article>"])
def test_the_main_part_is_the_content(main: str) -> None:
    """Text beside it is dropped, however much there is."""
    html = f"<div><p>Elsewhere. {PROSE}</p></div>{main.format(f'<p>Here. {PROSE}</p><p>{PROSE}</p>')}"

    assert "Here." in text(html)
    assert "Elsewhere." not in text(html)


def test_headers_and_footers_of_articles_are_content() -> None:
    """The page's own are boilerplate."""
    article = f"<article><header><p>By the Minister</p></header><p>{PROSE}</p><footer><p>Ottawa</p></footer></article>"
    result = text(f"<header>SITE</header><main>{article}</main><footer>SITE</footer>")

    assert "By the Minister" in result
    assert "Ottawa" in result
    assert "SITE" not in result


def test_an_empty_or_hidden_main_part_is_ignored() -> None:
    """The content is searched elsewhere."""
    assert PROSE in text(f"<main></main><div><p>{PROSE}</p></div>")
    assert PROSE in text(f"<main hidden><p>Old. {PROSE}</p></main><div><p>{PROSE}</p></div>")


def test_a_page_may_stand_in_a_form() -> None:
    """Some servers put the whole page into a form."""
    assert PROSE in text(f"<form><main><p>{PROSE} {PROSE} {PROSE}</p><input></main></form>")


def test_without_landmarks_content_is_the_run_of_prose() -> None:
    """It is result between menus, teasers and small print."""
    menu = "<ul>" + "<li><a href=/>Menu entry</a></li>" * 20 + "</ul>"
    teaser = f"<h3><a href=/>Another page</a></h3><p>Teaser. {PROSE}</p>"
    print_ = "<div>Small print of the site</div>"
    result = text(
        f"{menu}<div><h1>Leave</h1><p>{PROSE}</p><p>Brief.</p><p>{PROSE} Again.</p></div>{menu}{teaser}{print_}"
    )

    assert result.count(PROSE) == 2
    assert "Brief." in result
    for word in ("Menu", "Teaser", "Small print"):
        assert word not in result


def test_links_of_a_main_part_are_content() -> None:
    """A government's topic page consists of links."""
    result = text("<main><h1>Taxes</h1><ul>" + "<li><a href=/>Personal income tax</a></li>" * 3 + "</ul></main>")

    assert result.count("- Personal income tax") == 3


def test_headings_become_the_path_of_a_passage() -> None:
    """The outermost comes first, without the page's title."""
    document = read(
        f"<main><h1>Leave</h1><p>Zero. {PROSE}</p><h2>Parental</h2><p>One.</p><h3>Pay</h3><p>Two.</p>"
        "<h2>Sick</h2><p>Three.</p></main>"
    )

    assert document.title == "Leave"
    assert [passage.heading for passage in document.passages] == ["", "Parental", "Parental › Pay", "Sick"]
    assert [passage.text for passage in document.passages][1:] == ["One.", "Two.", "Three."]


def test_the_title_is_the_heading_that_matches_the_metadata() -> None:
    """Else it is the metadata's title, else the window's."""
    head = "<title>Leave - Canada.ca</title>"
    assert read(f"{head}<h1>Canada.ca</h1><main><h1>Leave</h1><p>{PROSE}</p></main>").title == "Leave"
    assert read(f"{head}<h1>Leave</h1><div><p>{PROSE}</p></div>").title == "Leave"
    shared = '<meta property="og:title" content="Types of leave">'
    assert read(f"{head}{shared}<main><p>{PROSE}</p></main>").title == "Types of leave"
    assert read(f"{head}<main><p>{PROSE}</p></main>").title == "Leave - Canada.ca"
    assert read(f"<p>{PROSE}</p>").title == ""


def test_lists_keep_their_depth() -> None:
    """A second paragraph in an item is no item."""
    result = text(
        "<main><ul><li>One<ul><li>Inner</ul><li><p>Two</p><p>More of two</p></ul><dl><dt>Term<dd>Sense</dl></main>"
    )

    assert result.split("\n") == ["- One", "  - Inner", "- Two", "", "More of two", "", "- Term", "", "Sense"]


def test_data_tables_become_markdown() -> None:
    """A cell over several rows is repeated, one over several columns is not."""
    result = text(
        "<main><table><caption>Rates</caption><tr><th>Group<th>Level<th>Rate</tr>"
        "<tr><td rowspan=2>AS<td>1<td>50 | 60</tr><tr><td>2<td>70</tr><tr><td colspan=2>All<td>80</tr></table></main>"
    )

    assert result.split("\n") == [
        "Rates",
        "",
        "| Group | Level | Rate |",
        "| --- | --- | --- |",
        "| AS | 1 | 50 \\| 60 |",
        "| AS | 2 | 70 |",
        "| All |  | 80 |",
    ]


def test_layout_tables_become_text() -> None:
    """Their role, their content or a single column shows that they are no data."""
    for table in (
        f"<table role=presentation><tr><td>{PROSE}<td>Two</table>",
        f"<table><tr><td><h2>One</h2><p>{PROSE}</p><td>Two</table>",
        f"<table><tr><td>{PROSE}</table>",
    ):
        result = text(f"<main>{table}</main>")
        assert PROSE in result
        assert "|" not in result


def test_images_and_icons_are_read_by_their_labels() -> None:
    """Images have alternative text, links a label; a caption is not repeated."""
    result = text(
        f"<main><p>{PROSE}</p><p><img src=a.png alt='Map of the regions'></p><img src=b.png alt=''><img src=c alt=icon>"
        "<p><a href=/ aria-label='Download the report'></a><a href=/ aria-label='No'>Yes</a></p>"
        "<figure><img src=d alt='The harbour in 1900'><figcaption>The harbour in 1900.</figcaption></figure>"
        "</main>"
    )

    assert "Map of the regions" in result
    assert "Download the report" in result
    assert "Yes" in result
    assert result.count("The harbour in 1900") == 1
    for word in ("icon", "No", "png"):
        assert word not in result


def test_closed_details_are_read() -> None:
    """The summary is read too."""
    assert text(f"<main><details><summary>More</summary><p>{PROSE}</p></details></main>") == f"More\n\n{PROSE}"


def test_code_and_lines_keep_their_form() -> None:
    """Line breaks of the source do not count."""
    result = text("<main><p>One\ntwo<br>three</p><pre>a\n  b</pre><p>A <code>c</code> <b>d</b>.</main>")

    assert result == "One two\nthree\n\n```\na\n  b\n```\n\nA c d."


def test_the_language_is_that_of_the_content() -> None:
    """The content's element declares it, or one around it; else it is detected."""
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
        ("été".encode(), "iso-8859-1"),  # sent by a misconfigured server
        ("<meta charset=iso-8859-1>été".encode("latin-1"), None),
        ("<meta charset=iso-8859-1>été".encode(), None),
        (codecs.BOM_UTF16_LE + "été".encode("utf-16-le"), "iso-8859-1"),
        (codecs.BOM_UTF8 + "été".encode(), "windows-1252"),
        ("été".encode("latin-1"), "no-such-charset"),
        ("été".encode("latin-1"), "rot13"),
    ],
)
def test_the_charset_is_detected(body: bytes, charset: str | None) -> None:
    """The byte order mark, the bytes, the server's header or the page decides."""
    document = extract.parse_page(RawDocument(body, charset=charset))

    assert [passage.text for passage in document.passages] == ["été"]


def test_invisible_characters_are_not_read() -> None:
    """A page could use them to address the model unseen."""
    result = text("<main><p>a\u200bb\u202ec\U000e0041d\x01e &#x200b;f</p></main>")

    assert result == "abcde f"


def test_a_page_without_text_has_no_passages() -> None:
    """Pages that scripts draw have none."""
    assert read("<div id=root></div><script>draw()</script>").passages == ()
    assert extract.parse_page(RawDocument(b"")).passages == ()
