"""Origins: files, folders, rows of a CSV file, pages, sitemaps; and the stems of words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import ConfigError, FetchFailed, NotFound, UnreadableDocument
from core.rag.documents import Document
from core.rag.facts.connectors.protocol import Origin, OriginEntry
from core.rag.facts.connectors.sitemap import sitemap_root, sitemap_urls
from core.rag.facts.csv_facts import parse_rows
from core.rag.facts.glossary import Glossary
from core.rag.facts.origins import Origins
from core.rag.stemming import index_stems
from tests.core.rag.facts.support_fakes import FakeFetcher, FakeReader

SITE = "https://a.example"


def origins(pages: Mapping[str, bytes | tuple[bytes, str]] | None = None) -> tuple[Origins, FakeFetcher]:
    fetcher = FakeFetcher(pages or {})
    return Origins(fetcher, FakeReader()), fetcher


def keys(origin: Origin) -> list[str]:
    return [entry.key for entry in origin.entries]


async def read(entry: OriginEntry) -> Document:
    return await (await entry.open()).read()


async def digests(lister: Origins, path: Path) -> list[str]:
    return [(await entry.open()).digest for entry in (await lister.find(str(path))).entries]


async def test_a_folder_contains_its_readable_files(tmp_path: Path) -> None:
    """Subfolders are included; hidden files and other formats are left out."""
    for name in ("b.md", "a.txt", "sub/c.pdf", "sub/facts.csv", ".hidden.md", ".git/d.md", "picture.png", "noname"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    lister, _ = origins()

    origin = await lister.find(str(tmp_path))

    assert str(tmp_path) == origin.name
    assert [str(tmp_path / name) for name in ("a.txt", "b.md", "sub/c.pdf", "sub/facts.csv")] == keys(origin)
    assert "a.txt" == (await read(origin.entries[0])).passages[0].text


async def test_a_digest_depends_on_content_and_kind(tmp_path: Path) -> None:
    """Touching a file changes nothing; another byte or another suffix does."""
    file = tmp_path / "a.md"
    file.write_text("one")
    lister, _ = origins()
    first = await digests(lister, file)

    os.utime(file, (1, 1))
    assert first == await digests(lister, file)
    file.write_text("two")
    assert first != await digests(lister, file)
    assert await digests(lister, file) != await digests(lister, file.rename(tmp_path / "a.html"))


async def test_an_unreadable_file_fails_when_it_is_opened(tmp_path: Path) -> None:
    """A file that vanished must not end the whole run."""
    (tmp_path / "a.md").write_text("one")
    lister, _ = origins()
    origin = await lister.find(str(tmp_path))
    (tmp_path / "a.md").unlink()

    with pytest.raises(UnreadableDocument, match="No such file"):
        await origin.entries[0].open()
    with pytest.raises(NotFound, match="there is no such file or folder"):
        await lister.find(str(tmp_path / "nowhere"))


async def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    """Whoever may write to the folder could otherwise publish other files of this machine. Links inside are fine."""
    folder, secret = tmp_path / "docs", tmp_path / "secret.md"
    (folder / "sub").mkdir(parents=True)
    secret.write_text("secret")
    (folder / "sub" / "a.md").write_text("one")
    (folder / "out.md").symlink_to(secret)
    (folder / "in.md").symlink_to(folder / "sub" / "a.md")
    (folder / "circle").symlink_to(folder)
    os.mkfifo(folder / "pipe.md")
    lister, _ = origins()

    origin = await lister.find(str(folder))

    assert [str(folder / "in.md"), str(folder / "sub" / "a.md")] == keys(origin)
    assert "links that lead out of the folder are not followed: 1" == origin.left_out


async def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its documents would otherwise count as gone."""
    (tmp_path / "sub").mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("sub"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    lister, _ = origins()

    with pytest.raises(UnreadableDocument, match="sub cannot be listed: Permission denied"):
        await lister.find(str(tmp_path))


async def test_an_undecodable_file_name_can_be_stored(tmp_path: Path) -> None:
    """Linux allows any bytes in names."""
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md"))).write_text("one")
    lister, _ = origins()

    assert [f"{tmp_path}/caf?.md"] == keys(await lister.find(str(tmp_path)))


# ---------------------------------------------------------------- rows

CSV = """Titre;Réponse;Lien;Langue;ID;Ministère
Congé parental;Jusqu'à 63 semaines.;https://a.example/p;français;p1;École
Dental plan;"Cleaning, 90 %";;EN;;
;;;;;
Dental plan;"Cleaning, 90 %";;EN;;
Sans id;Rien d'autre à dire ici.;javascript:alert(1);;p1;
"""


def test_rows_are_facts() -> None:
    """Columns are recognised in either language; others join the text; empty rows and repeats are dropped."""
    rows = parse_rows(CSV.encode())

    assert [("p1", "Congé parental"), (rows[1].digest[:16], "Dental plan"), ("p1 2", "Sans id")] == [
        (row.key, row.title) for row in rows
    ]
    first, second, third = (row.document() for row in rows)
    assert ("fr", "https://a.example/p") == (first.language, first.url)
    assert "Jusqu'à 63 semaines.\n\nMinistère: École" == first.passages[0].text
    assert ("en", None, "Cleaning, 90 %") == (second.language, second.url, second.passages[0].text)
    assert ("fr", None) == (third.language, third.url)


def test_each_row_has_its_own_key() -> None:
    """A renamed key must not equal the key of another row."""
    rows = parse_rows(b"id,text\na,1\na,2\na 2,3\na,4\na,5\n")
    assert ["a", "a 3", "a 2", "a 4", "a 5"] == [row.key for row in rows]


def test_rows_in_the_charset_of_a_spreadsheet() -> None:
    """Excel writes Windows-1252."""
    assert "Congé" == parse_rows("title,text\nCongé,payé\n".encode("cp1252"))[0].title


def test_rows_without_known_columns_are_read() -> None:
    """The first cell is the title; the text has every cell with its column's name."""
    row = parse_rows(b"Form,Used for\nGC-80,Expenses\n")[0]

    assert ("GC-80", "Form: GC-80\n\nUsed for: Expenses") == (row.title, row.text)


@pytest.mark.parametrize("body", [b"", b"title,text\n", b"\xff\xfe", b"\0\0\0", b'"unclosed\n' * 50, b",,,,\n,,,,\n"])
def test_any_bytes_give_rows_or_an_error(body: bytes) -> None:
    """The error says what is wrong."""
    try:
        rows = parse_rows(body)
    except UnreadableDocument as exc:
        assert "CSV" in exc.message  # noqa: PT017
    else:
        assert len(rows) <= 2


def test_a_huge_cell_is_refused() -> None:
    """It would become a passage of megabytes."""
    with pytest.raises(UnreadableDocument, match="line 2"):
        parse_rows(b"title,text\na," + b"x" * 200_000)


async def test_a_csv_file_by_itself_is_rows_with_keys(tmp_path: Path) -> None:
    """The keys show which row was removed or changed."""
    file = tmp_path / "faq.csv"
    file.write_text(CSV, encoding="utf-8")
    lister, _ = origins()
    before = await digests(lister, file)
    file.write_text(CSV.replace("63", "61"), encoding="utf-8")
    after = await digests(lister, file)

    assert [f"{file}#p1", f"{file}#p1 2"] == keys(await lister.find(str(file)))[::2]
    assert [True, False, False] == [one != other for one, other in zip(before, after, strict=True)]


async def test_a_csv_file_by_url_is_rows() -> None:
    """Its media type shows that it is CSV."""
    lister, _ = origins({f"{SITE}/faq": (CSV.encode(), "text/csv")})

    assert 3 == len((await lister.find(f"{SITE}/faq")).entries)


# ---------------------------------------------------------------- pages


def sitemap(*urls: str, root: str = "urlset") -> bytes:
    each = "".join(f"<url><loc> {url} </loc><lastmod>2026</lastmod></url>" for url in urls)
    return (
        f'<?xml version="1.0"?>\n<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{each}</{root}>'.encode()
    )


async def test_a_named_page_is_fetched_once_without_robots_txt() -> None:
    """The operator named it."""
    lister, fetcher = origins({f"{SITE}/p": b"<p>Hello"})

    origin = await lister.find(f"{SITE}/p")

    assert [f"{SITE}/p"] == keys(origin)
    assert f"{SITE}/p" == (await read(origin.entries[0])).url
    assert [(f"{SITE}/p", False)] == fetcher.requests


async def test_pages_of_a_sitemap_obey_robots_txt() -> None:
    """Only pages of its own host are fetched, once, when they are opened."""
    pages = {
        f"{SITE}/map": sitemap(
            f"{SITE}/a?x=1&amp;y=2", f"{SITE}/b", f"{SITE}/b", "https://other.example/", "file:///etc"
        )
    }
    lister, fetcher = origins({**pages, f"{SITE}/b": b"text"})

    origin = await lister.find(f"{SITE}/map")

    assert [f"{SITE}/a?x=1&y=2", f"{SITE}/b"] == keys(origin)
    assert [(f"{SITE}/map", False)] == fetcher.requests
    await origin.entries[1].open()
    assert (f"{SITE}/b", True) == fetcher.requests[-1]
    with pytest.raises(FetchFailed):
        await origin.entries[0].open()


async def test_a_sitemap_index_is_followed_one_step() -> None:
    """URLs in its sitemaps are pages, even if they look like sitemaps."""
    index = sitemap(f"{SITE}/1.xml", f"{SITE}/2.xml", root="sitemapindex")
    maps = {f"{SITE}/1.xml": sitemap(f"{SITE}/a", f"{SITE}/b"), f"{SITE}/2.xml": sitemap(f"{SITE}/b", f"{SITE}/c")}
    lister, _ = origins({f"{SITE}/index": index, **maps})

    assert [f"{SITE}/{name}" for name in "abc"] == keys(await lister.find(f"{SITE}/index"))


async def test_a_failing_sitemap_removes_nothing() -> None:
    """The error comes before documents are compared."""
    lister, _ = origins({f"{SITE}/index": sitemap(f"{SITE}/gone.xml", root="sitemapindex")})

    with pytest.raises(FetchFailed):
        await lister.find(f"{SITE}/index")


def test_sitemaps_are_detected_by_their_root() -> None:
    """A page about sitemaps is none; entities and comments make no difference."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url>'

    assert ("urlset", "sitemapindex") == (sitemap_root(sitemap()), sitemap_root(sitemap(root="sitemapindex")))
    assert (None, None) == (sitemap_root(b"<html>a urlset is"), sitemap_root(b""))
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


def test_text_without_content_words_has_no_stems() -> None:
    """Function words, signs, single letters and overlong strings are dropped."""
    assert [] == index_stems("What is the? — à la … a 🙂 " + "x" * 41, None)


def test_the_longest_phrase_of_the_glossary_matches() -> None:
    """Endings and accents make no difference."""
    glossary = Glossary([["credit card", "carte de crédit"], ["card", "badge"], ["leave"]])

    phrases = glossary.phrases("My Credit Cards are lost")

    assert {("credit",), ("card",), ("lost",), ("credit", "card"), ("cart", "credit")} <= set(phrases)
    assert ("badg",) not in phrases
    assert ("badg",) in glossary.phrases("my cards")
    assert ("credit", "card") in glossary.phrases("ma carte de credit")


def test_the_phrases_of_a_question_are_limited() -> None:
    """Pasted text must not make the search slow."""
    assert 60 == len(Glossary().phrases(" ".join(f"word{number}" for number in range(1000))))


def test_an_invalid_glossary_has_its_line(tmp_path: Path) -> None:
    """The error names file, line and key."""
    (tmp_path / "glossary.toml").write_text('meanings = [["a", ""]]\n')

    with pytest.raises(ConfigError, match=r"glossary\.toml.*meanings"):
        Glossary.load(tmp_path / "glossary.toml")


async def test_pages_above_the_limit_of_sitemaps_are_said() -> None:
    """The protocol allows 50,000; some sites write more."""
    urls = "".join(f"<url><loc>{SITE}/{number}</loc></url>" for number in range(50_001))
    lister, _ = origins({f"{SITE}/sitemap.xml": f"<urlset>{urls}</urlset>".encode()})

    origin = await lister.find(f"{SITE}/sitemap.xml")

    assert 50_000 == len(origin.entries)
    assert "only the first 50,000 of 50,001 pages are read" == origin.left_out
