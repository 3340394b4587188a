"""The choice of sources, with the shipped sources and the bundled encoder."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.rag.embeddings import LocalEmbedder
from core.rag.sources.catalogue import Catalogue, load_catalogue
from core.rag.sources.choice import Chooser, Shortlist, SourceCandidate
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


ADDED = """
[added]
kind = "feed"
title = { en = "Spacing Magazine - Canadian Urbanism", fr = "Spacing Magazine - Canadian Urbanism" }
description = { en = "Spacing Magazine", fr = "Spacing Magazine" }
url = { en = "https://spacing.example/feed" }

[library]
kind = "page"
title = { en = "Ottawa Public Library events", fr = "Activités de la bibliothèque" }
description = { en = "Events", fr = "Activités" }
url = { en = "https://library.example/" }
"""


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("What is new on Spacing Magazine?", "added"),
        ("latest Spacing magazine stories about urbanism", "added"),
        ("What does Spacing Magazine say about parks?", "added"),
        ("What does urbanism mean?", None),
        ("Are there events at the public library this week?", "library"),
        ("Quelles sont les activités de la bibliothèque ?", "library"),
        ("What is the news?", None),
        ("Is the public interested?", None),
    ],
)
def test_a_source_without_names_is_found_by_its_title(tmp_path: Path, question: str, source: str | None) -> None:
    """`csps-llm sources add` writes neither names nor examples."""
    (tmp_path / "sources.toml").write_text(ADDED)

    assert ([] if source is None else [source]) == by_words(load_catalogue(tmp_path / "sources.toml"), question)


def test_a_model_is_asked_only_about_an_unsure_shortlist(catalogue: Catalogue) -> None:
    """A name with a topic is sure; a topic alone is not."""
    chooser = Chooser(catalogue)

    def shortlist(question: str) -> Shortlist:
        return chooser.shortlist(question, catalogue.sources.values(), None)

    assert shortlist("Is there a weather warning for Halifax? Will it snow?").is_sure
    assert not shortlist("Will it snow?").is_sure
    assert shortlist("Hello").is_sure


def test_a_certain_source_cannot_be_dropped(catalogue: Catalogue) -> None:
    """An engine's empty answer counts less than a likelihood of 0.99."""
    likely = [SourceCandidate(source, 0.99, frozenset()) for source in catalogue.sources.values()][:1]
    doubted = [SourceCandidate(source, 0.8, frozenset()) for source in catalogue.sources.values()][1:2]

    assert tuple(likely) == Shortlist((*likely, *doubted), (*likely, *doubted)).certain
