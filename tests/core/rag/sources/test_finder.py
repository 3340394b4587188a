"""The way from a question to its sources, with a real website, fetcher and reader."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from core.configuration.personalities import Personality
from core.configuration.toml import BilingualText
from core.contract import Json
from core.errors import ModelUnavailable
from core.rag.deciding import Decide
from core.rag.documents import Passage
from core.rag.embeddings import Vectors
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion
from core.rag.reading.reader import Reader
from core.rag.retrieval import Lookup, LookupNotice
from core.rag.sources.catalogue import Sources
from core.rag.sources.finder import SourceFinder, first_entries, full_name
from tests.core.rag.fetching.support_websites import WallClock, Website, fetcher, website

ATOM = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title></title>
<link href="https://weather.example.org/{title}"/><id>x</id>
<entry><title>Old</title><link href="https://weather.example.org/1"/><id>1</id><updated>2025-05-01T10:00:00Z</updated>
<summary>It rained.</summary></entry>
<entry><title>Tomorrow: sunny</title><link href="https://weather.example.org/2"/><id>2</id>
<updated>2025-06-01T10:00:00Z</updated><summary>High 25.</summary></entry></feed>"""
FILE = """
[weather]
kind = "feed"
title = {{ en = "The forecast", fr = "Les prévisions" }}
description = {{ en = "The weather.", fr = "La météo." }}
url = {{ en = "http://{host}/city_e.xml", fr = "http://{host}/city_f.xml" }}
names = {{ en = ["weather forecast"], fr = ["prévisions météo"] }}
examples = {{ en = ["What is the weather forecast?"] }}
fresh_s = 60
entries = 1
[weather.named]
file = "places.csv"
url = {{ en = "http://{host}/{{code}}_e.xml", fr = "http://{host}/{{code}}_f.xml" }}
strict = true

[data]
kind = "search"
title = {{ en = "Open data", fr = "Données ouvertes" }}
description = {{ en = "Data sets.", fr = "Jeux de données." }}
url = {{ en = "http://{host}/search?q={{query}}" }}
page = {{ en = "https://data.example.org/?q={{query}}" }}
fields = {{ entries = "results", title = "title", summary = "notes", date = "changed", link = "url" }}
names = {{ en = ["open data"], fr = ["données ouvertes"] }}

[none]
en = ["Hello"]
"""
FORECAST = "What is the weather forecast for tomorrow?"


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with website() as serving:
        for city in ("city", "halifax"):
            for language in ("e", "f"):
                serving.page(
                    f"/{city}_{language}.xml",
                    ATOM.format(title=f"{city}-{language}"),
                    Content_Type="application/atom+xml",
                )
        entry = {"title": "Lakes", "notes": "All of <b>them</b>", "changed": "2025-05-05", "url": "/set/1"}
        serving.page("/search", json.dumps({"results": [entry]}), Content_Type="application/json")
        yield serving


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    made = Reader()
    yield made
    await made.close()


@pytest.fixture
def sources(site: Website, tmp_path: Path) -> Sources:
    (tmp_path / "places.csv").write_text("name,code\nHalifax,halifax\nMoncton,moncton\n")
    (tmp_path / "sources.toml").write_text(FILE.format(host=site.origin))
    loaded = Sources(tmp_path / "sources.toml", [site.origin])
    loaded.load()
    return loaded


@pytest.fixture
def finder(sources: Sources, site: Website, reader: Reader) -> SourceFinder:
    return SourceFinder(sources, fetcher(site), reader)


def personality(*names: str) -> Personality:
    return Personality(
        name="echo",
        title="Echo",
        language="fr",
        description=BilingualText(en="x", fr="x"),
        system="x",
        greeting="x",
        sources=names or ("weather", "data"),
    )


async def test_a_question_is_answered_from_its_source(finder: SourceFinder, site: Website) -> None:
    """The newest entries come first, with date and link, and the source has an address for people."""
    lookup = await finder.find(personality(), LookupQuestion(FORECAST), "en")

    (document,) = lookup.documents
    assert lookup.unread == ()
    assert document.name == "The forecast"
    assert [passage.heading for passage in document.passages] == ["Tomorrow: sunny"]
    assert document.passages[0].link == "https://weather.example.org/2"
    assert document.source is not None
    assert (document.source.url, document.source.language) == ("https://weather.example.org/city-e", "en")
    assert document.source.fetched_at is not None


def test_a_source_keeps_the_title_of_its_feed() -> None:
    """It may name the city; a title that says nothing more is left out."""
    assert full_name("Weather", "Ottawa - Environment Canada") == "Weather (Ottawa - Environment Canada)"
    assert full_name("Weather: Ottawa", "ottawa") == full_name("Weather: Ottawa", "") == "Weather: Ottawa"


def test_a_source_shows_its_newest_entries_whole() -> None:
    """A long entry is one entry, though it is several passages."""
    parts = [Passage(part, heading) for heading, part in (("A › 1", "a"), ("A", "b"), ("B", "c"), ("C", "d"))]

    assert [passage.text for passage in first_entries(parts, 2)] == ["a", "b", "c"]


async def test_the_question_decides_the_language(finder: SourceFinder, site: Website) -> None:
    """A French question reads the French feed."""
    lookup = await finder.find(personality(), LookupQuestion("Quelles sont les prévisions météo ?"), "fr")

    assert lookup.documents[0].name == "Les prévisions"
    assert "/city_f.xml" in site.paths


async def test_a_named_place_is_read(finder: SourceFinder, site: Website) -> None:
    """Each place has a feed, and its name is in the title."""
    lookup = await finder.find(personality(), LookupQuestion("weather forecast for Halifax"), "en")

    assert lookup.documents[0].name == "The forecast: Halifax"
    assert "/halifax_e.xml" in site.paths
    assert "/city_e.xml" not in site.paths


async def test_an_unknown_place_is_reported(finder: SourceFinder, site: Website) -> None:
    """The default place is not read instead; the report is in the personality's language."""
    lookup = await finder.find(personality(), LookupQuestion("What is the weather forecast in Tokyo?"), "en")

    assert lookup.documents == ()
    assert lookup.notices == (LookupNotice("uncovered", "Les prévisions", "Tokyo"),)
    assert lookup.missing == ("Les prévisions (Tokyo)",)
    assert site.paths == []


async def test_without_a_place_the_default_is_read_and_told(sources: Sources, finder: SourceFinder) -> None:
    """The source has the place in its name. The next answer does not tell it again."""
    sources.file.write_text(sources.file.read_text().replace("strict = true", 'strict = true\ndefault = "Halifax"'))
    assert await sources.reload()
    first = await finder.find(personality(), LookupQuestion(FORECAST), "fr")
    earlier = (EarlierExchange(FORECAST, "Rain.", ("Les prévisions: Halifax",)),)
    second = await finder.find(personality(), LookupQuestion("et demain ?", earlier), "fr")

    assert (LookupNotice("default", "Les prévisions", "Halifax"),) == first.notices
    assert ["Les prévisions: Halifax"] == [document.name for document in first.documents]
    assert (["Les prévisions: Halifax"], ()) == ([each.name for each in second.documents], second.notices)


async def test_a_follow_up_reads_another_place(finder: SourceFinder, site: Website) -> None:
    """It names the place alone; the source is that of the question before it."""
    earlier = (EarlierExchange("weather forecast for Halifax", "Rain."),)
    lookup = await finder.find(personality(), LookupQuestion("and in Moncton?", earlier), "en")

    assert [] == list(lookup.documents)  # the site has no such page
    assert "/moncton_e.xml" in site.paths


async def test_a_place_abroad_is_reported_beside_one_that_is_read(
    finder: SourceFinder, sources: Sources, site: Website
) -> None:
    """A row without values is a place that the source does not cover."""
    (sources.file.parent / "places.csv").write_text("name,code,weight\nHalifax,halifax,400000\nParis,,2000000\n")
    assert await sources.reload()
    lookup = await finder.find(personality(), LookupQuestion("weather forecast for Halifax and Paris"), "en")

    assert ["The forecast: Halifax"] == [document.name for document in lookup.documents]
    assert (LookupNotice("uncovered", "Les prévisions", "Paris"),) == lookup.notices


async def test_a_search_gets_the_questions_words(finder: SourceFinder, site: Website) -> None:
    """Its JSON is read like a feed, and its link for people leads to a page."""
    lookup = await finder.find(personality(), LookupQuestion("Is there open data on lakes?"), "en")

    (document,) = lookup.documents
    request = next(request for request in site.requests if request.path == "/search")
    assert request.query["q"] == "lakes"
    assert document.source is not None
    assert document.source.url == "https://data.example.org/?q=lakes"
    assert (document.passages[0].heading, document.passages[0].link) == ("Lakes", f"http://{site.origin}/set/1")


@pytest.mark.parametrize(
    ("path", "body"),
    [("/city_e.xml", "gone"), ("/city_e.xml", '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title></feed>')],
)
async def test_failed_and_empty_sources_are_reported(finder: SourceFinder, site: Website, path: str, body: str) -> None:
    """The report names the source's title; the log contains neither question nor address."""
    site.page(path, body, 404 if body == "gone" else 200, Content_Type="application/atom+xml")
    with capture_logs() as logs:
        lookup = await finder.find(personality(), LookupQuestion(FORECAST), "en")

    assert (lookup.documents, lookup.unread) == ((), ("Les prévisions",))
    (warning,) = [log for log in logs if log["event"] == "source_read_failed"]
    assert warning["source"] == "weather"
    assert "tomorrow" not in str(logs)


async def test_other_sources_are_read_after_a_failure(finder: SourceFinder, site: Website) -> None:
    """The failed source is reported."""
    del site.pages["/search"]
    lookup = await finder.find(
        personality(), LookupQuestion("What is the weather forecast, and is there open data on lakes?"), "en"
    )

    assert [document.name for document in lookup.documents] == ["The forecast"]
    assert lookup.unread == ("Données ouvertes",)


async def test_a_question_without_need_fetches_nothing(finder: SourceFinder, site: Website) -> None:
    """No site gets a request."""
    lookup = await finder.find(personality(), LookupQuestion("Write a poem about a weather forecast."), "en")

    assert (lookup.documents, lookup.unread, site.requests) == ((), (), [])


async def test_only_the_personalitys_own_sources_are_read(finder: SourceFinder, site: Website) -> None:
    """A personality without sources, or with others, gets none of these."""
    assert (await finder.find(personality("data"), LookupQuestion(FORECAST), "en")).documents == ()
    with capture_logs() as logs:
        assert await finder.find(personality("absent"), LookupQuestion(FORECAST), "en") == Lookup()
    assert logs == []  # nothing was compared or chosen
    assert site.requests == []


async def test_a_fresh_copy_is_used(sources: Sources, site: Website, reader: Reader, tmp_path: Path) -> None:
    """A source is fetched again when its copy is older than the file allows."""
    clock = WallClock()
    finder = SourceFinder(sources, fetcher(site, tmp_path / "pages", now=clock), reader)
    for seconds in (0, 59, 2):
        clock.advance(seconds)
        await finder.find(personality(), LookupQuestion(FORECAST), "en")

    assert site.paths.count("/city_e.xml") == 2


async def test_robots_txt_is_obeyed(finder: SourceFinder, site: Website) -> None:
    """A forbidden source is not read, and reported."""
    site.page("/robots.txt", "User-agent: *\nDisallow: /", Content_Type="text/plain")

    assert (await finder.find(personality(), LookupQuestion(FORECAST), "en")).unread == ("Les prévisions",)
    assert "/city_e.xml" not in site.paths


async def test_reloaded_sources_are_used(finder: SourceFinder, sources: Sources) -> None:
    """The next question uses the changed file."""
    assert (await finder.find(personality(), LookupQuestion(FORECAST), "en")).documents
    sources.file.write_text(sources.file.read_text().replace("weather forecast", "tide table"))
    assert await sources.reload()

    assert not (await finder.find(personality(), LookupQuestion(FORECAST), "en")).documents


# ---------------------------------------------------------------- the model


def deciding(answer: Json | Exception, prompts: list[str] | None = None) -> Decide:
    async def decide(_: Personality, prompt: str, schema: Mapping[str, Json]) -> Json:
        if prompts is not None:
            prompts.append(prompt)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return decide


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ({"sources": []}, []),
        ({"sources": ["weather"]}, ["The forecast"]),
        (None, ["The forecast"]),
        ("nonsense", ["The forecast"]),
        (ModelUnavailable("gone"), ["The forecast"]),
    ],
)
async def test_the_model_decides(
    sources: Sources, site: Website, reader: Reader, answer: Json | Exception, read: list[str]
) -> None:
    """It may choose no source; after an invalid answer the shortlist decides."""
    finder = SourceFinder(sources, fetcher(site), reader, decide=deciding(answer))

    assert [
        document.name for document in (await finder.find(personality(), LookupQuestion(FORECAST), "en")).documents
    ] == read


async def test_the_models_query_is_used(sources: Sources, site: Website, reader: Reader) -> None:
    """It replaces the question's words."""
    decide = deciding({"sources": ["data"], "query": "great lakes"})
    await SourceFinder(sources, fetcher(site), reader, decide=decide).find(
        personality(), LookupQuestion("open data on lakes"), "en"
    )

    assert [request.query["q"] for request in site.requests if request.path == "/search"] == ["great lakes"]


async def test_a_clear_choice_needs_no_model(sources: Sources, site: Website, reader: Reader) -> None:
    """A sure shortlist is not asked about, and an empty answer drops no certain source."""
    prompts: list[str] = []
    embedder = FakeEmbedder()  # makes the question the example itself
    finder = SourceFinder(sources, fetcher(site), reader, embedder, deciding({"sources": []}, prompts))
    lookup = await finder.find(personality(), LookupQuestion(FORECAST), "en")

    assert (["The forecast"], []) == ([document.name for document in lookup.documents], prompts)


async def test_without_candidates_the_model_is_not_asked(sources: Sources, site: Website, reader: Reader) -> None:
    """Small talk costs no decision."""
    prompts: list[str] = []
    finder = SourceFinder(sources, fetcher(site), reader, decide=deciding({"sources": []}, prompts))
    await finder.find(personality(), LookupQuestion("Hello!"), "en")

    assert prompts == []


# ---------------------------------------------------------------- the embedder


class FakeEmbedder:
    """Returns one direction for texts with "weather" or "parapluie", another for the rest."""

    name = "fake"

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.texts: list[str] = []
        self.stuck: asyncio.Event | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        if self.failure is not None:
            raise self.failure
        if self.stuck is not None:
            await self.stuck.wait()
        self.texts.extend(texts)
        alike = [any(word in text for word in ("weather", "parapluie")) for text in texts]
        return np.array([[1.0, 0.0] if each else [0.0, 1.0] for each in alike], dtype=np.float32)

    async def close(self) -> None:
        """Does nothing."""


async def test_a_similar_example_finds_the_source(sources: Sources, site: Website, reader: Reader) -> None:
    """A question without a common word reaches the source by meaning; examples are embedded once."""
    embedder = FakeEmbedder()
    finder = SourceFinder(sources, fetcher(site), reader, embedder)
    for _ in range(2):
        lookup = await finder.find(personality(), LookupQuestion("Me faut-il un parapluie ?"), "fr")

    assert [document.name for document in lookup.documents] == ["Les prévisions"]
    assert embedder.texts.count("What is the weather forecast?") == 1


@pytest.mark.parametrize("failure", [ModelUnavailable("gone"), None])
async def test_without_embeddings_words_decide(
    sources: Sources, site: Website, reader: Reader, failure: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failing or hanging embedder delays the answer little, and words still find sources."""
    monkeypatch.setattr("core.rag.sources.similarity.DEADLINE_S", 0.05)
    embedder = FakeEmbedder(failure)
    embedder.stuck = None if failure else asyncio.Event()
    finder = SourceFinder(sources, fetcher(site), reader, embedder)

    assert (await finder.find(personality(), LookupQuestion(FORECAST), "en")).documents
