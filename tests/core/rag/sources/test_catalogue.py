"""The file of sources: its rules, its error messages and its changes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core import PROJECT_ROOT
from core.errors import ConfigError, NotFound
from core.rag.sources.catalogue import Sources, load_catalogue

SHIPPED = PROJECT_ROOT / "config" / "sources.toml"
GOOD = """
[echo]
kind = "feed"
title = { en = "Echo", fr = "Écho" }
description = { en = "An echo.", fr = "Un écho." }
url = { en = "https://example.org/en.xml", fr = "https://example.org/fr.xml" }
"""
PLACED = """
[echo.named]
file = "places.csv"
url = { en = "https://example.org/{code}_e.xml" }
"""
SEARCH = """
[find]
kind = "search"
title = { en = "Find", fr = "Cherche" }
description = { en = "A search.", fr = "Une recherche." }
url = { en = "https://example.org/api?q={query}" }
fields = { entries = "results", title = "name" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "places.csv").write_text("name,code\nOttawa,on-1\nTours/..,../x\n")
    (tmp_path / "sources.toml").write_text(GOOD)
    return tmp_path / "sources.toml"


def loaded(file: Path) -> Sources:
    sources = Sources(file)
    sources.load()
    return sources


def test_shipped_sources_are_valid() -> None:
    """All sources of the mission exist, in both languages, with examples in both."""
    sources = load_catalogue(SHIPPED).sources

    assert {"weather", "csps-learning", "busrides", "gc-news", "open-data", "cbc-news"} <= set(sources)
    for source in sources.values():
        assert source.title("en") != source.title("fr")
        assert source.section.examples.en
        assert source.section.examples.fr
        assert source.url("en", query="x").startswith("https://")


def test_each_language_has_its_own_url() -> None:
    """French readers get the French feed."""
    weather = load_catalogue(SHIPPED).sources["weather"]

    assert "meteo.gc.ca" in weather.url("fr")
    assert "weather.gc.ca" in weather.url("en")


def test_a_source_in_one_language_serves_both(file: Path) -> None:
    """A source in English only is read for French questions too."""
    file.write_text(SEARCH)
    source = load_catalogue(file).sources["find"]

    assert source.url("fr", query="eau") == source.url("en", query="eau") == "https://example.org/api?q=eau"


def test_every_problem_has_its_line(file: Path) -> None:
    """One error lists all problems with line and key."""
    file.write_text(GOOD.replace("title", "titel").replace('"feed"', '"fed"'))

    with pytest.raises(ConfigError) as caught:
        load_catalogue(file)

    assert f"{file}:3: `echo.kind`" in caught.value.message
    assert f"{file}:4: `echo.titel` is not a setting; did you mean `title`?" in caught.value.message
    assert "`echo.title` is missing" in caught.value.message


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/feed", "only https"),
        ("https://user@example.org/feed", "user name"),
        ("https://localhost/feed", "not a name of the public Internet"),
        ("https://example.org:8443/feed", "port"),
        ("https://{code}.example.org/feed", "only the path"),
        ("https://example.org/feed#{code}", "only the path"),
        ("https://example.org/{query}", "query"),
        ("https://example.org/{other}", "{other} is not known"),
        ("https://example.org/{code", "a brace"),
        ("ftp://example.org/feed", "must begin with"),
    ],
)
def test_unsafe_url_templates_are_refused(file: Path, url: str, why: str) -> None:
    """A template is a public https URL with a fixed host and known placeholders."""
    file.write_text(GOOD + PLACED.replace("https://example.org/{code}_e.xml", url))

    with pytest.raises(ConfigError, match=why) as caught:
        load_catalogue(file)

    assert f"{file}:10" in caught.value.message


def test_internal_hosts_need_rag_allow(file: Path) -> None:
    """RAG_ALLOW opens a host and port, also without TLS."""
    file.write_text(GOOD.replace("https://example.org", "http://127.0.0.1:8080"))

    assert load_catalogue(file, ["127.0.0.1:8080"]).sources["echo"].url("en") == "http://127.0.0.1:8080/en.xml"
    with pytest.raises(ConfigError, match="port"):
        load_catalogue(file)


@pytest.mark.parametrize(
    "query", ["a&rows=1", "../..", "#x", "https://evil.example/", "é à\n", "%2e%2e", "{code}", "a" * 5000]
)
def test_a_query_stays_one_parameter(file: Path, query: str) -> None:
    """Any query is one value of one parameter."""
    import httpx

    file.write_text(SEARCH)
    url = httpx.URL(load_catalogue(file).sources["find"].url("en", query=query))

    assert (url.host, url.path, url.fragment) == ("example.org", "/api", "")
    assert list(url.params.multi_items()) == [("q", query[:200])]


def test_a_table_cannot_change_a_path(file: Path) -> None:
    """A value with slashes or dots is refused, even if the operator wrote it."""
    from core.errors import FetchRefused

    file.write_text(GOOD + PLACED)
    source = load_catalogue(file).sources["echo"]
    assert source.named is not None
    (ottawa,), (tours,) = source.named.find("in Ottawa"), source.named.find("in Tours/..")

    assert source.url("en", ottawa) == "https://example.org/on-1_e.xml"
    with pytest.raises(FetchRefused):
        source.url("en", tours)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (SEARCH.replace("fields", "# fields"), "a search needs `fields`"),
        (GOOD.replace("url = {", "url = {} #"), "`en` or `fr` is required"),
        (GOOD.replace("[echo]", "[Echo_1]"), "only a-z, 0-9 and -"),
        (GOOD + PLACED.replace("places.csv", "absent.csv"), r"absent\.csv: the table cannot be read"),
        ("[none]\nen = [1]", r"sources\.toml:2"),
    ],
)
def test_incomplete_sources_are_refused(file: Path, text: str, why: str) -> None:
    """A search without paths, a source without URL, an invalid name, a missing table."""
    file.write_text(text)

    with pytest.raises(ConfigError, match=why):
        load_catalogue(file)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("name,code\n", "the table has no rows"),
        ("name,code\n,x\n", "csv:2: `name` is missing"),
        ("name,weight\na,b\n", "csv:2: `weight`"),
    ],
)
def test_a_bad_table_has_its_line(file: Path, table: str, why: str) -> None:
    """The error names the table's file and line."""
    file.write_text(GOOD + PLACED)
    (file.parent / "places.csv").write_text(table)

    with pytest.raises(ConfigError, match=why):
        load_catalogue(file)


def test_unknown_source_names_the_nearest_and_all(file: Path) -> None:
    """The error lists all names, because the user mistyped one."""
    with pytest.raises(NotFound, match=r"did you mean 'echo'\? There are: echo"):
        loaded(file).get("ecco")


async def test_a_bad_change_keeps_everything_and_says_why(file: Path) -> None:
    """The old sources stay in use, and the log names file and line."""
    sources = loaded(file)
    file.write_text(GOOD.replace('"feed"', '"fed"'))

    with capture_logs() as logs:
        assert not await sources.reload()

    assert sources.get("echo").section.kind == "feed"
    assert "sources.toml:3" in logs[0]["problem"]


async def test_changes_apply_without_a_restart(file: Path) -> None:
    """This holds for the file and for tables of names."""
    file.write_text(GOOD + PLACED)
    sources = loaded(file)
    swapped = asyncio.Event()
    watching = asyncio.create_task(sources.watch(swapped.set))
    while not swapped.is_set():  # the watcher does not report when it begins to watch
        (file.parent / "places.csv").write_text("name,code\nIqaluit,nu-1\n")
        try:
            await asyncio.wait_for(swapped.wait(), 0.5)
        except TimeoutError:
            continue
    watching.cancel()

    named = sources.get("echo").named
    assert named is not None
    assert [item.name for item in named.find("in Iqaluit")] == ["Iqaluit"]
