"""The sources that a question needs in its conversation, chosen by words alone from the shipped ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core import PROJECT_ROOT
from core.rag.embeddings import Embedder, LocalEmbedder, Vectors
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion
from core.rag.sources.catalogue import Sources
from core.rag.sources.finder import names_of
from core.rag.sources.need import Need, NeedFinder
from tests.core.support_chatting import whisper


@pytest.fixture(scope="module")
def needs() -> NeedFinder:
    return shipped_needs()


def shipped_needs(embedder: Embedder | None = None) -> NeedFinder:
    sources = Sources(PROJECT_ROOT / "config" / "sources.toml")
    sources.load()
    return NeedFinder(sources, embedder)


async def need_of(needs: NeedFinder, text: str, *earlier: str, cited: tuple[str, ...] = ()) -> Need:
    exchanges = tuple(EarlierExchange(question, "…", cited) for question in earlier)
    every = ("weather", "gc-news", "open-data", "cbc-news", "statcan-daily", "busrides", "csps-learning")
    return await needs.find(whisper(sources=every), LookupQuestion(text, exchanges), "en")


def places(need: Need) -> list[str]:
    return [found.item.name for source in need.sources for found in names_of(source, need.texts).found]


@pytest.mark.parametrize(
    ("turns", "source", "names"),
    [
        (("What is the weather in Ottawa?", "and in Montréal?"), "weather", ["Montréal"]),
        (("Quelle est la météo à Québec ?", "et demain ?"), "weather", ["Québec"]),
        (("What is the weather in Ottawa?", "and in Montréal?", "and tomorrow?"), "weather", ["Montréal"]),
        (("What is the weather in Ottawa?", "Thanks!", "Saskatoon?"), "weather", ["Saskatoon"]),
        (("Weather in Halifax", "and Moncton?", "Which one is colder?"), "weather", ["Halifax", "Moncton"]),
        (("What is the weather in Ottawa?", "and in Paris?"), "weather", ["Paris"]),
        (("Weather forecast for Calgary", "Should I bring a coat?"), "weather", ["Calgary"]),
        (("What did Health Canada announce?", "And Parks Canada?"), "gc-news", ["Parks Canada"]),
        (("wether in otawa", "and in montral?"), "weather", ["Montréal"]),
        (("What are the CBC headlines?", "And in sports?"), "cbc-news", ["Sports"]),
        (("What is the weather in Paris?", "Ontario"), "weather", ["Paris"]),
        (("Quelle est la météo à Saint-Jean ?", "non, celui au Nouveau-Brunswick"), "weather", ["Saint John"]),
        (("What is the weather in Ottawa?", "and Toronto?", "which is warmer?"), "weather", ["Ottawa", "Toronto"]),
        (("Quelle est la météo à Gatineau ?", "en anglais s.v.p.", "et demain ?"), "weather", ["Gatineau"]),
        (("CBC headlines", "Thanks. What's the weather in Guelph?"), "weather", ["Guelph"]),
        (("Weather in Toronto?", "What about Health Canada?"), "gc-news", ["Health Canada"]),
        (("Weather in Laval", "What are the CBC headlines?", "and the weather tomorrow?"), "weather", ["Laval"]),
    ],
)
async def test_a_follow_up_reads_the_source_of_the_question_before_it(
    needs: NeedFinder, turns: tuple[str, ...], source: str, names: list[str]
) -> None:
    """The place or department is that of the latest question that names one."""
    need = await need_of(needs, turns[-1], *turns[:-1])

    assert ([source], names) == ([each.name for each in need.sources], places(need))


@pytest.mark.parametrize(
    "text",
    [
        "Thank you!",
        "thx",
        "That's not what I asked.",
        "Vous n'avez pas répondu à ma question.",
        "What's new with you?",
        "Traduis ça en anglais.",
        "Why does it snow?",
        "Who invented the telephone?",
        "Tell me a joke.",
    ],
)
async def test_other_questions_read_nothing(needs: NeedFinder, text: str) -> None:
    """Thanks, work on the answer, and questions with another subject."""
    assert () == (await need_of(needs, text, "What is the weather in Ottawa?")).sources


async def test_the_cited_source_is_the_subject(needs: NeedFinder) -> None:
    """A model may have chosen a source that the words of the question do not."""
    cited = ("Environment Canada weather forecast: Ottawa (Ontario)",)
    need = await need_of(needs, "and tomorrow?", "Is it any good out there?", cited=cited)

    assert ["weather"] == [source.name for source in need.sources]


@pytest.mark.parametrize(
    ("turns", "query"),
    [
        (("Are there open datasets about water quality?", "And about forests?"), "forests"),
        (("Are there open datasets about salmon?", "And about lakes?", "Can I download it?"), "lakes"),
        (("Find an open dataset on immigration.", "Is there one on refugees?"), "refugees"),
    ],
)
async def test_a_follow_up_searches_for_the_latest_subject(
    needs: NeedFinder, turns: tuple[str, ...], query: str
) -> None:
    """Words that stand for something said before are left out."""
    need = await need_of(needs, turns[-1], *turns[:-1])

    assert query == needs.query(need.sources[0], need.texts)


async def test_a_source_of_an_earlier_question_is_among_the_candidates(needs: NeedFinder) -> None:
    """So `csps-llm explain` shows it as read."""
    need = await need_of(needs, "and tomorrow?", "What is the weather in Ottawa?")

    assert need.sources == tuple(each.source for each in need.candidates)


async def test_questions_for_something_new_behave_alike_in_both_languages(encoder: LocalEmbedder) -> None:
    """Alone they read the headlines, about a department its news, and as small talk nothing."""
    needs = shipped_needs(encoder)
    await needs.warm()  # a question does not wait long for it
    for texts, names in (
        (("What's new?", "Quoi de neuf ?", "Anything new?", "Du nouveau ?"), ["cbc-news"]),
        (("What's new at Health Canada?", "Quoi de neuf à Santé Canada ?"), ["gc-news"]),
        (("What's new with you?", "Quoi de neuf chez toi ?"), []),
    ):
        for text in texts:
            assert names == [source.name for source in (await need_of(needs, text)).sources], text


@pytest.mark.parametrize(
    "text",
    [
        "Does Health Canada approve drugs?",
        "Who is the minister of health?",
        "Où se trouve le bureau de Transports Canada ?",
        "My friend works at Environment Canada",
    ],
)
async def test_a_department_without_a_request_for_news_reads_nothing(encoder: LocalEmbedder, text: str) -> None:
    """Its name alone is no request for what it announced."""
    needs = shipped_needs(encoder)
    await needs.warm()
    assert () == (await need_of(needs, text)).sources


class CountingEmbedder:
    """Gives every text the same vector."""

    name = "counting"

    def __init__(self) -> None:
        self.calls = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls += 1
        return np.ones((len(texts), 1), dtype=np.float32)

    async def close(self) -> None: ...


async def test_a_question_before_the_end_of_warming_chooses_by_words_alone() -> None:
    """The first answer of a new process does not wait for an encoder that is loading."""
    embedder = CountingEmbedder()
    needs = shipped_needs(embedder)
    needs.expect_warming()
    need = await need_of(needs, "What is the weather in Ottawa?")
    calls_before = embedder.calls
    await needs.warm()
    await need_of(needs, "What is the weather in Ottawa?")

    assert ["weather"] == [source.name for source in need.sources]
    assert (0, 2) == (calls_before, embedder.calls)
