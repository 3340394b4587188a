"""The correction of typing errors."""

from __future__ import annotations

import pytest

from core import PROJECT_ROOT
from core.rag.questions.spelling import Speller, edit_distance
from core.rag.sources.catalogue import load_catalogue
from core.rag.sources.source_spelling import build_speller


@pytest.fixture(scope="module")
def speller() -> Speller:
    return build_speller(load_catalogue(PROJECT_ROOT / "config" / "sources.toml"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("wether in otawa", "weather in Ottawa"),
        ("metéo a montral demain", "metéo a Montréal demain"),
        ("forcast for Halifx", "forecast for Halifax"),
        ("latest busrids artcles", "latest Busrides articles"),
        ("What is the unemploymnt rate?", "What is the unemployment rate?"),
        ("Y a-t-il un jeu de donmées ?", "Y a-t-il un jeu de données ?"),
        ("healt canada", "Health canada"),
        ("la méto de Sherbrokke", "la météo de Sherbrooke"),
        ("TORONTOO weather", "Toronto weather"),
    ],
)
def test_typing_errors_are_corrected(speller: Speller, written: str, meant: str) -> None:
    """A letter left out, doubled, swapped or wrong; the rest of the question stays as it is."""
    assert meant == speller.correct(written)


@pytest.mark.parametrize(
    "question",
    [
        "I don't know whether the poste is open",
        "It is a rainy day and the coast is clear.",
        "Combien coûte la corse du train ?",
        "Ma couronne est-elle couverte ?",
        "Comment remercier une collègue ?",
        "Aimes-tu la musique ?",
        "What are the heath rules?",
        "x" * 500,
        "",
    ],
)
def test_words_of_a_language_are_no_errors(speller: Speller, question: str) -> None:
    """They stay, however near they are to a name or a topic."""
    assert question == speller.correct(question)


def test_rare_names_are_the_correction_of_one_error_only() -> None:
    """A longer word with two differences is another word."""
    speller = Speller({"innovation": "Innovation"}, rare={"innovation"})

    assert ("Innovation", "inonvatoin") == (speller.correct("inovation"), speller.correct("inonvatoin"))


@pytest.mark.parametrize(
    ("one", "other", "distance"), [("ab", "ba", 1), ("weather", "wether", 1), ("abc", "abc", 0), ("", "ab", 2)]
)
def test_neighbours_swapped_count_as_one_error(one: str, other: str, distance: int) -> None:
    """So do a letter inserted, deleted or replaced."""
    assert distance == edit_distance(one, other)
