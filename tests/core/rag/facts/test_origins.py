"""What can be added: files, folders, rows of a CSV file, pages, sitemaps; and how words are taken from text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import ConfigError, FetchFailed, NotFound, UnreadableDocument
from core.rag.documents import Document, Passage
from core.rag.facts.csv_facts import parse_rows
from core.rag.facts.glossary import Glossary
from core.rag.facts.origins import Origins, is_sitemap, is_sitemap_index, sitemap_urls
from core.rag.facts.sync import Origin, OriginEntry
from core.rag.fetching.fetch import FetchedPage
from core.rag.stemming import index_stems
from tests.core.rag.facts.support_fakes import WHEN

SITE = "https://a.example"


class FakeFetcher:
    """Pages by URL: a body, or a body and its media type. Remembers whether robots.txt was to be asked."""

    def __init__(self, pages: Mapping[str, bytes | tuple[bytes, str]]) -> None:
        self._pages = pages
        self.asked: list[tuple[str, bool]] = []

    async def fetch(self, url: str, *, robots: bool = True) -> FetchedPage:
        self.asked.append((url, robots))
        if url not in self._pages:
            raise FetchFailed("status 404")
        page = self._pages[url]
        body, media_type = page if isinstance(page, tuple) else (page, "text/html")
        return FetchedPage(url, media_type, None, body, WHEN, cached=False)


class FakeReader:
    """Every document is its body in one passage; its title is its name or URL."""

    async def read(
        self, body: bytes, media_type: str, *, name: str = "", url: str | None = None, charset: str | None = None
    ) -> Document:
        return Document(name or url or "", (Passage(body.decode()),), "text", None, url)


def origins(pages: Mapping[str, bytes | tuple[bytes, str]] | None = None) -> tuple[Origins, FakeFetcher]:
    fetcher = FakeFetcher(pages or {})
    return Origins(fetcher, FakeReader()), fetcher


def keys(origin: Origin) -> list[str]:
    return [entry.key for entry in origin.entries]


async def read(entry: OriginEntry) -> Document:
    return await (await entry.open()).read()


async def digests(found: Origins, named: Path) -> list[str]:
    return [(await entry.open()).digest for entry in (await found.find(str(named))).entries]


async def test_a_folder_is_all_that_can_be_read_in_it(tmp_path: Path) -> None:
    """Also in folders within; hidden files and other formats are left out."""
    for name in ("b.md", "a.txt", "sub/c.pdf", "sub/facts.csv", ".hidden.md", ".git/d.md", "picture.png", "noname"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found, _ = origins()

    origin = await found.find(str(tmp_path))

    assert str(tmp_path) == origin.name
    assert [str(tmp_path / name) for name in ("a.txt", "b.md", "sub/c.pdf", "sub/facts.csv")] == keys(origin)
    assert "a.txt" == (await read(origin.entries[0])).passages[0].text


async def test_a_digest_is_of_what_a_file_holds(tmp_path: Path) -> None:
    """Touching it changes nothing; another byte, or another kind of file, does."""
    file = tmp_path / "a.md"
    file.write_text("one")
    found, _ = origins()
    first = await digests(found, file)

    os.utime(file, (1, 1))
    assert first == await digests(found, file)
    file.write_text("two")
    assert first != await digests(found, file)
    assert await digests(found, file) != await digests(found, file.rename(tmp_path / "a.html"))


async def test_a_file_that_cannot_be_read_is_told_when_it_is_opened(tmp_path: Path) -> None:
    """One that vanished meanwhile must not end the whole run."""
    (tmp_path / "a.md").write_text("one")
    found, _ = origins()
    origin = await found.find(str(tmp_path))
    (tmp_path / "a.md").unlink()

    with pytest.raises(UnreadableDocument, match="No such file"):
        await origin.entries[0].open()
    with pytest.raises(NotFound, match="there is no such file or folder"):
        await found.find(str(tmp_path / "nowhere"))


async def test_a_name_that_is_no_text_can_be_stored(tmp_path: Path) -> None:
    """Linux allows any bytes in names."""
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md"))).write_text("one")
    found, _ = origins()

    assert [f"{tmp_path}/caf?.md"] == keys(await found.find(str(tmp_path)))


# ---------------------------------------------------------------- rows

CSV = """Titre;Réponse;Lien;Langue;ID;Ministère
Congé parental;Jusqu'à 63 semaines.;https://a.example/p;français;p1;École
Dental plan;"Cleaning, 90 %";;EN;;
;;;;;
Dental plan;"Cleaning, 90 %";;EN;;
Sans id;Rien d'autre à dire ici.;javascript:alert(1);;p1;
"""


def test_rows_are_facts() -> None:
    """Columns are known by their names in either language; others join the text; empty rows and repeats go."""
    rows = parse_rows(CSV.encode())

    assert [("p1", "Congé parental"), (rows[1].digest[:16], "Dental plan"), ("p1 2", "Sans id")] == [
        (row.key, row.title) for row in rows
    ]
    first, second, third = (row.document() for row in rows)
    assert ("fr", "https://a.example/p") == (first.language, first.url)
    assert "Jusqu'à 63 semaines.\n\nMinistère: École" == first.passages[0].text
    assert ("en", None, "Cleaning, 90 %") == (second.language, second.url, second.passages[0].text)
    assert ("fr", None) == (third.language, third.url)


def test_no_two_rows_have_one_key() -> None:
    """Also where what a row's key would become is another's already."""
    rows = parse_rows(b"id,text\na,1\na,2\na 2,3\na,4\na,5\n")
    assert ["a", "a 3", "a 2", "a 4", "a 5"] == [row.key for row in rows]


def test_rows_in_the_charset_of_a_spreadsheet() -> None:
    """Windows-1252 is what Excel writes."""
    assert "Congé" == parse_rows("title,text\nCongé,payé\n".encode("cp1252"))[0].title


def test_rows_without_known_columns_are_what_they_say() -> None:
    """Named by their first cell, with every cell under its name."""
    row = parse_rows(b"Form,Used for\nGC-80,Expenses\n")[0]

    assert ("GC-80", "Form: GC-80\n\nUsed for: Expenses") == (row.title, row.text)


@pytest.mark.parametrize("body", [b"", b"title,text\n", b"\xff\xfe", b"\0\0\0", b'"unclosed\n' * 50, b",,,,\n,,,,\n"])
def test_no_bytes_are_too_odd_for_rows(body: bytes) -> None:
    """They give rows, or an error that says what is wrong."""
    try:
        rows = parse_rows(body)
    except UnreadableDocument as exc:
        assert "CSV" in exc.message  # noqa: PT017
    else:
        assert len(rows) <= 2


def test_a_cell_without_end_is_refused() -> None:
    """Or it would be one passage of megabytes."""
    with pytest.raises(UnreadableDocument, match="line 2"):
        parse_rows(b"title,text\na," + b"x" * 200_000)


async def test_a_csv_file_by_itself_is_rows_with_keys(tmp_path: Path) -> None:
    """So that a row that vanishes or changes is known."""
    file = tmp_path / "faq.csv"
    file.write_text(CSV, encoding="utf-8")
    found, _ = origins()
    before = await digests(found, file)
    file.write_text(CSV.replace("63", "61"), encoding="utf-8")
    after = await digests(found, file)

    assert [f"{file}#p1", f"{file}#p1 2"] == keys(await found.find(str(file)))[::2]
    assert [True, False, False] == [one != other for one, other in zip(before, after, strict=True)]


async def test_a_csv_file_of_a_site_is_rows_too() -> None:
    """By its media type."""
    found, _ = origins({f"{SITE}/faq": (CSV.encode(), "text/csv")})

    assert 3 == len((await found.find(f"{SITE}/faq")).entries)


# ---------------------------------------------------------------- pages


def sitemap(*urls: str, root: str = "urlset") -> bytes:
    each = "".join(f"<url><loc> {url} </loc><lastmod>2026</lastmod></url>" for url in urls)
    return (
        f'<?xml version="1.0"?>\n<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{each}</{root}>'.encode()
    )


async def test_a_page_is_fetched_once_without_asking_robots() -> None:
    """The operator named it."""
    found, fetcher = origins({f"{SITE}/p": b"<p>Hello"})

    origin = await found.find(f"{SITE}/p")

    assert [f"{SITE}/p"] == keys(origin)
    assert f"{SITE}/p" == (await read(origin.entries[0])).url
    assert [(f"{SITE}/p", False)] == fetcher.asked


async def test_pages_of_a_sitemap_are_fetched_by_the_sites_rules() -> None:
    """Of its own host alone, each once, and only when they are opened."""
    pages = {
        f"{SITE}/map": sitemap(
            f"{SITE}/a?x=1&amp;y=2", f"{SITE}/b", f"{SITE}/b", "https://other.example/", "file:///etc"
        )
    }
    found, fetcher = origins({**pages, f"{SITE}/b": b"text"})

    origin = await found.find(f"{SITE}/map")

    assert [f"{SITE}/a?x=1&y=2", f"{SITE}/b"] == keys(origin)
    assert [(f"{SITE}/map", False)] == fetcher.asked
    await origin.entries[1].open()
    assert (f"{SITE}/b", True) == fetcher.asked[-1]
    with pytest.raises(FetchFailed):
        await origin.entries[0].open()


async def test_an_index_of_sitemaps_is_followed_one_step() -> None:
    """What they name are pages, even if they say that it is more sitemaps."""
    index = sitemap(f"{SITE}/1.xml", f"{SITE}/2.xml", root="sitemapindex")
    maps = {f"{SITE}/1.xml": sitemap(f"{SITE}/a", f"{SITE}/b"), f"{SITE}/2.xml": sitemap(f"{SITE}/b", f"{SITE}/c")}
    found, _ = origins({f"{SITE}/index": index, **maps})

    assert [f"{SITE}/{name}" for name in "abc"] == keys(await found.find(f"{SITE}/index"))


async def test_a_sitemap_that_fails_half_way_removes_nothing() -> None:
    """The error comes before anything is compared."""
    found, _ = origins({f"{SITE}/index": sitemap(f"{SITE}/gone.xml", root="sitemapindex")})

    with pytest.raises(FetchFailed):
        await found.find(f"{SITE}/index")


def test_sitemaps_are_known_by_their_root() -> None:
    """A page that speaks of one is none; entities and comments mean nothing."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url>'

    assert (True, True) == (is_sitemap(sitemap()), is_sitemap_index(sitemap(root="sitemapindex")))
    assert (False, False) == (is_sitemap(b"<html>a urlset is"), is_sitemap(b""))
    assert ["&b;"] == sitemap_urls(bomb)
    assert [] == sitemap_urls(b"<loc>" * 100_000)
    assert [] == sitemap_urls(b"<loc>" + b" " * 200_000 + b"<")
    assert ["https://a/x"] == sitemap_urls(b"<sm:loc><![CDATA[ https://a/x ]]></sm:loc>")


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("Congés payés", "conge paye", "fr"),
        ("l'employé", "les employés", "fr"),
        ("remboursement des dépenses", "REMBOURSEMENTS depense", "fr"),
        ("Œuvre", "oeuvres", "fr"),
        ("managers' claims", "manager claim", "en"),
        ("ＦＵＬＬ ﬁle", "full files", "en"),
    ],
)
def test_forms_of_a_word_have_one_stem(one: str, other: str, language: str) -> None:
    """Endings, accents, capitals, ligatures and elisions make no difference."""
    assert index_stems(one, language) == index_stems(other, language) != []  # type: ignore[arg-type]


def test_text_that_says_nothing_has_no_stems() -> None:
    """Function words, signs, single letters, and words that no one looks for."""
    assert [] == index_stems("What is the? — à la … a 🙂 " + "x" * 41, None)


def test_a_phrase_of_the_glossary_takes_its_words() -> None:
    """The longest that matches; endings and accents make no difference."""
    glossary = Glossary([["credit card", "carte de crédit"], ["card", "badge"], ["leave"]])

    phrases = glossary.phrases("My Credit Cards are lost")

    assert {("credit",), ("card",), ("lost",), ("credit", "card"), ("cart", "credit")} <= set(phrases)
    assert ("badg",) not in phrases
    assert ("badg",) in glossary.phrases("my cards")
    assert ("credit", "card") in glossary.phrases("ma carte de credit")


def test_a_question_asks_for_so_much_at_most() -> None:
    """Whatever is pasted into it."""
    assert 60 == len(Glossary().phrases(" ".join(f"word{number}" for number in range(1000))))


def test_a_wrong_glossary_is_told_with_its_line(tmp_path: Path) -> None:
    """As every file of the operator is."""
    (tmp_path / "glossary.toml").write_text('meanings = [["a", ""]]\n')

    with pytest.raises(ConfigError, match=r"glossary\.toml.*meanings"):
        Glossary.load(tmp_path / "glossary.toml")
