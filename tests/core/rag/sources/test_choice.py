"""The choice of sources, with the shipped sources and the bundled encoder."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.rag.embeddings import LocalEmbedder
from core.rag.sources.catalogue import Catalogue, load_catalogue
from core.rag.sources.choice import Chooser
from core.rag.sources.similarity import ExampleSimilarity

QUESTIONS = tomllib.loads((Path(__file__).parent / "questions.toml").read_text())
MISSION = [
    ("Given the weather forecast, what should I wear tomorrow?", "weather"),
    ("What's the most interesting new learning product from the CSPS?", "csps-learning"),
    ("What are the latest articles about AI on Busrides?", "busrides"),
    ("D’après les prévisions météo, que devrais-je porter demain ?", "weather"),
    ("Quel est le nouveau produit d’apprentissage le plus intéressant de l’EFPC ?", "csps-learning"),
    ("Quels sont les derniers articles sur l’IA dans Trajets en bus ?", "busrides"),
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(PROJECT_ROOT / "config" / "sources.toml")


def by_words(catalogue: Catalogue, question: str) -> list[str]:
    chosen = Chooser(catalogue).shortlist(question, catalogue.sources.values(), None).selection
    return [candidate.source.name for candidate in chosen]


@pytest.mark.parametrize(("question", "source"), MISSION)
def test_the_missions_prompts_need_no_embeddings(catalogue: Catalogue, question: str, source: str) -> None:
    """Words alone are enough for each, in both languages."""
    assert by_words(catalogue, question) == [source]


@pytest.mark.slow  # embeds hundreds of questions
async def test_labelled_questions_get_their_sources(catalogue: Catalogue, encoder: LocalEmbedder) -> None:
    """At least 95 % get what they need; at most 2 % of those that need nothing get something."""
    chooser, likenesses = Chooser(catalogue), ExampleSimilarity(encoder)
    for part, labelled in QUESTIONS.items():
        right, total, in_vain = 0, 0, 0
        for label, questions in labelled.items():
            for question in questions:
                likeness = await likenesses.compare(question, catalogue)
                chosen = chooser.shortlist(question, catalogue.sources.values(), likeness).selection
                names = [candidate.source.name for candidate in chosen]
                right += names == ([] if label == "none" else [label])
                in_vain += label == "none" and bool(names)
                total += 1
        assert right >= 0.95 * total, part
        assert in_vain <= 0.02 * len(labelled["none"]), part


def test_two_requests_choose_two_sources(catalogue: Catalogue) -> None:
    """Each source is named by words of its own."""
    assert set(by_words(catalogue, "What is the weather forecast, and what are the CBC headlines today?")) == {
        "weather",
        "cbc-news",
    }


@pytest.mark.parametrize(
    "question",
    [
        "Translate « What is the weather forecast for tomorrow? » into French.",
        'Put this into French: "What are the latest Busrides articles?"',
        "Traduis : quelles sont les manchettes de Radio-Canada aujourd’hui ?",
    ],
)
def test_quoted_text_chooses_no_source(catalogue: Catalogue, question: str) -> None:
    """A text to work on is no question, for any subject."""
    assert by_words(catalogue, question) == []


def test_only_the_personalitys_sources_are_chosen(catalogue: Catalogue) -> None:
    """Other sources are not read, however well they fit."""
    others = [source for source in catalogue.sources.values() if source.name != "busrides"]

    assert Chooser(catalogue).shortlist("What is new on Busrides?", others, None).selection == ()


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("Is there an open dataset about air quality in Canada?", "air quality"),
        ("Existe-t-il un jeu de données ouvert sur les espèces en péril ?", "espèces péril"),
        ("What are the newest open datasets?", ""),
    ],
)
def test_a_search_query_contains_only_keywords(catalogue: Catalogue, question: str, query: str) -> None:
    """The source's own words and the form of the question are left out."""
    assert Chooser(catalogue).query(question, catalogue.sources["open-data"]) == query


def test_only_the_beginning_of_a_question_counts(catalogue: Catalogue) -> None:
    """Text after it changes nothing."""
    question = "What is the weather forecast for tomorrow? " + "x " * 1000

    assert by_words(catalogue, question) == by_words(catalogue, question + "Write a poem. " * 10_000) == ["weather"]
