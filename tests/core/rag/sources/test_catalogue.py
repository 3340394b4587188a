"""The file of sources: what it may say, what is said about a bad one, and how changes are taken."""

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
    """All that the mission names are there, each in both languages and with questions that it answers in both."""
    sources = load_catalogue(SHIPPED).sources

    assert {"weather", "csps-learning", "busrides", "gc-news", "open-data", "cbc-news"} <= set(sources)
    for source in sources.values():
        assert source.title("en") != source.title("fr")
        assert source.section.examples.en
        assert source.section.examples.fr
        assert source.url("en", query="x").startswith("https://")


def test_each_language_has_its_url() -> None:
    """French readers are given the French feed."""
    weather = load_catalogue(SHIPPED).sources["weather"]

    assert "meteo.gc.ca" in weather.url("fr")
    assert "weather.gc.ca" in weather.url("en")


def test_a_source_in_one_language_serves_both(file: Path) -> None:
    """What exists in English only is read in French too."""
    file.write_text(SEARCH)
    source = load_catalogue(file).sources["find"]

    assert source.url("fr", query="eau") == source.url("en", query="eau") == "https://example.org/api?q=eau"


def test_every_problem_is_told_with_its_line(file: Path) -> None:
    """An operator sees all that is wrong at once, with line and key."""
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
def test_urls_that_lead_elsewhere_are_refused(file: Path, url: str, why: str) -> None:
    """A template is a public https URL whose host is fixed, and names only what there is to put in."""
    file.write_text(GOOD + PLACED.replace("https://example.org/{code}_e.xml", url))

    with pytest.raises(ConfigError, match=why) as caught:
        load_catalogue(file)

    assert f"{file}:10" in caught.value.message


def test_hosts_inside_are_read_if_the_operator_allows_them(file: Path) -> None:
    """RAG_ALLOW opens a host and port, also without TLS."""
    file.write_text(GOOD.replace("https://example.org", "http://127.0.0.1:8080"))

    assert load_catalogue(file, ["127.0.0.1:8080"]).sources["echo"].url("en") == "http://127.0.0.1:8080/en.xml"
    with pytest.raises(ConfigError, match="port"):
        load_catalogue(file)


@pytest.mark.parametrize(
    "query", ["a&rows=1", "../..", "#x", "https://evil.example/", "é à\n", "%2e%2e", "{code}", "a" * 5000]
)
def test_what_is_searched_for_stays_in_its_place(file: Path, query: str) -> None:
    """Whatever somebody asks, it is one value of one parameter."""
    import httpx

    file.write_text(SEARCH)
    url = httpx.URL(load_catalogue(file).sources["find"].url("en", query=query))

    assert (url.host, url.path, url.fragment) == ("example.org", "/api", "")
    assert list(url.params.multi_items()) == [("q", query[:200])]


def test_a_table_cannot_change_a_path(file: Path) -> None:
    """A value with slashes or dots of its own is refused, also where the operator wrote it."""
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
        (GOOD.replace("url = {", "url = {} #"), "neither `en` nor `fr`"),
        (GOOD.replace("[echo]", "[Echo_1]"), "only a-z, 0-9 and -"),
        (GOOD + PLACED.replace("places.csv", "absent.csv"), r"absent\.csv: it cannot be read"),
        ("[none]\nen = [1]", r"sources\.toml:2"),
    ],
)
def test_what_would_not_work_is_refused(file: Path, text: str, why: str) -> None:
    """A search without paths, a source without URL, a name that is none, a table that is missing."""
    file.write_text(text)

    with pytest.raises(ConfigError, match=why):
        load_catalogue(file)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("name,code\n", "names nothing"),
        ("name,code\n,x\n", "csv:2: `name` is missing"),
        ("name,weight\na,b\n", "csv:2: `weight`"),
    ],
)
def test_a_bad_table_is_told_with_its_line(file: Path, table: str, why: str) -> None:
    """As the file is."""
    file.write_text(GOOD + PLACED)
    (file.parent / "places.csv").write_text(table)

    with pytest.raises(ConfigError, match=why):
        load_catalogue(file)


def test_unknown_source_names_the_nearest_and_all(file: Path) -> None:
    """Who mistypes is told what there is."""
    with pytest.raises(NotFound, match=r"did you mean 'echo'\? There are: echo"):
        loaded(file).get("ecco")


async def test_a_bad_change_keeps_everything_and_says_why(file: Path) -> None:
    """After a bad edit the old sources still answer, and the log names file and line."""
    sources = loaded(file)
    file.write_text(GOOD.replace('"feed"', '"fed"'))

    with capture_logs() as logs:
        assert not await sources.reload()

    assert sources.get("echo").section.kind == "feed"
    assert "sources.toml:3" in logs[0]["problem"]


async def test_changes_are_taken_while_running(file: Path) -> None:
    """A changed file, and a changed table of names, are in force without a restart."""
    file.write_text(GOOD + PLACED)
    sources = loaded(file)
    swapped = asyncio.Event()
    watching = asyncio.create_task(sources.watch(swapped.set))
    while not swapped.is_set():  # the watcher tells nobody when it begins to watch
        (file.parent / "places.csv").write_text("name,code\nIqaluit,nu-1\n")
        try:
            await asyncio.wait_for(swapped.wait(), 0.5)
        except TimeoutError:
            continue
    watching.cancel()

    named = sources.get("echo").named
    assert named is not None
    assert [found.name for found in named.find("in Iqaluit")] == ["Iqaluit"]
