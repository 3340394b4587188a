"""Names in questions: places of Canada, departments and sections, as people write them in both languages."""

from __future__ import annotations

import pytest

from core import PROJECT_ROOT
from core.rag.sources.name_table import NameTable

FOLDER = PROJECT_ROOT / "config" / "sources"


@pytest.fixture(scope="module")
def places() -> NameTable:
    return NameTable.load(FOLDER / "places.csv", strict=True)


@pytest.fixture(scope="module")
def departments() -> NameTable:
    return NameTable.load(FOLDER / "departments.csv")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("météo montreal demain", ["Montréal (Quebec)"]),
        ("Quel temps fera-t-il à Québec ?", ["Québec (Quebec)"]),
        ("Weather in Quebec City", ["Québec (Quebec)"]),
        ("Are there any weather warnings for St. John's?", ["St. John's (Newfoundland and Labrador)"]),
        ("Météo à Saint-Jean de Terre-Neuve", ["St. John's (Newfoundland and Labrador)"]),
        ("Weather in Windsor", ["Windsor (Ontario)"]),
        ("Weather in Windsor, Nova Scotia", ["Windsor (Nova Scotia)"]),
        ("Windsor NS forecast", ["Windsor (Nova Scotia)"]),
        ("météo de Windsor au Québec", ["Windsor (Quebec)"]),
        ("Montréal et Québec demain", ["Montréal (Quebec)", "Québec (Quebec)"]),
        ("Weather in Nova Scotia", ["Nova Scotia"]),
        ("Quelle est la météo à Sept-Îles", ["Sept-Îles (Quebec)"]),
        ("rain in hope today?", ["Hope (British Columbia)"]),
        ("I hope that it will not rain on the trail", []),
        ("Hope you are well. Rain on Friday?", []),
        ("Will it rain on Friday?", []),
        ("quels vêtements ont-ils pour demain", []),
    ],
)
def test_places_are_found(places: NameTable, question: str, expected: list[str]) -> None:
    """Spelling, accents and provinces make no difference; common words are no places."""
    assert expected == [named.label("en") for named in places.find(question)]


def test_places_have_names_in_both_languages(places: NameTable) -> None:
    """A French answer names Nouvelle-Écosse."""
    (halifax,) = places.find("Halifax")

    assert halifax.label("fr") == "Halifax (Nouvelle-Écosse)"


@pytest.mark.parametrize(
    ("question", "unknown_name"),
    [
        ("What is the weather in Tokyo?", "Tokyo"),
        ("Quel temps fait-il à Lisbonne ?", "Lisbonne"),
        ("Will it snow in January?", None),
        ("What is it in Celsius?", None),
        ("Fera-t-il beau à Ottawa en Juillet ?", None),
        ("Do I need an umbrella in the morning?", None),
    ],
)
def test_places_elsewhere_are_reported(places: NameTable, question: str, unknown_name: str | None) -> None:
    """A question about another country must not get Ottawa's weather."""
    assert places.unknown_name(question) == unknown_name


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What did the treasury board announce?", ["Treasury Board of Canada Secretariat"]),
        ("Quoi de neuf à l'ARC ?", ["Canada Revenue Agency"]),
        ("un arc en ciel", []),
        ("Immigration, Réfugiés et Citoyenneté Canada", ["Immigration, Refugees and Citizenship Canada"]),
        ("ministère des finances", ["Department of Finance Canada"]),
        ("Sante Canada", ["Health Canada"]),
    ],
)
def test_departments_are_found(departments: NameTable, question: str, expected: list[str]) -> None:
    """Either name, words that people use, and acronyms in capitals find them."""
    assert expected == [named.label("en") for named in departments.find(question)]


def test_the_number_of_names_is_limited(places: NameTable) -> None:
    """A list of cities must not cause a hundred fetches, nor a long text a long search."""
    many = "Toronto, Calgary, Halifax, Regina, Moncton " * 2000

    assert len(places.find(many)) == 3
