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
        ("weather for the MS Teams meeting", []),
        ("not Vancouver, Victoria!", ["Victoria (British Columbia)"]),
        ("pas à Ottawa", ["Ottawa (Ontario)"]),
        ("moncton ontario", ["Moncton (New Brunswick)"]),
        ("weather in richmond bc", ["Richmond (British Columbia)"]),
        ("windsor nova scotia", ["Windsor (Nova Scotia)"]),
    ],
)
def test_places_are_found(places: NameTable, question: str, expected: list[str]) -> None:
    """Spelling, accents and provinces make no difference; common words are no places."""
    assert expected == [named.label("en") for named in places.find(question)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("weather in Paris", "Paris (France)"),
        ("météo à Londres", "London (United Kingdom)"),
        ("weather in Paris, Ontario", None),
        ("météo à Paris en Ontario", None),
        ("weather in London, England", "London (United Kingdom)"),
        ("weather in London", None),
        ("Vancouver, Washington forecast", "Vancouver (Washington)"),
        ("Vancouver, WA forecast", "Vancouver (Washington)"),
        ("weather in london england", "London (United Kingdom)"),
        ("weather in Hamilton, Bermuda", "Hamilton (Bermuda)"),
        ("weather in Hamilton", None),
        ("weather in perth", "Perth (Australia)"),
        ("delhi weather", "Delhi (India)"),
        ("Is it warm in Portugal?", "Portugal"),
    ],
)
def test_places_abroad_are_no_places_at_home(places: NameTable, question: str, expected: str | None) -> None:
    """A place abroad is meant if it is better known, unless the one at home is well known or its province is named."""
    (found,) = places.find(question)

    assert expected == (None if found.is_covered else found.label("en"))


@pytest.mark.parametrize(
    ("question", "taken", "instead_of"),
    [
        ("Weather in London", "London (Ontario)", "London (United Kingdom)"),
        ("Weather in Sydney", "Sydney (Nova Scotia)", "Sydney (Australia)"),
        ("Weather in Sydney, Nova Scotia", "Sydney (Nova Scotia)", None),
        ("Weather in Richmond", "Richmond (British Columbia)", None),
        ("Weather in Richmond, Quebec", "Richmond (Quebec)", None),
        ("Weather in St Johns", "St. John's (Newfoundland and Labrador)", None),
        ("Weather in St. John", "Saint John (New Brunswick)", None),
        ("Météo à Saint-Jean", "St. John's (Newfoundland and Labrador)", "Saint John (New Brunswick)"),
        ("Météo à Saint-Jean, Terre-Neuve-et-Labrador", "St. John's (Newfoundland and Labrador)", None),
    ],
)
def test_another_well_known_place_of_the_same_name_is_told(
    places: NameTable, question: str, taken: str, instead_of: str | None
) -> None:
    """Of several places at home, the largest is taken. Another one is told if it is a city too, or greater abroad."""
    (found,) = places.resolve(question)

    assert (taken, instead_of) == (found.item.label("en"), found.instead_of and found.instead_of.label("en"))


@pytest.mark.parametrize(
    ("question", "rest"),
    [("and in Montréal?", "and in ?"), ("Gaspé ?", " ?"), ("Is it raining?", "Is it raining?"), ("gaspé", "")],
)
def test_a_question_without_its_names(places: NameTable, question: str, rest: str) -> None:
    """What is left tells whether the question has a subject of its own; a name alone is a name in any spelling."""
    assert rest == places.without_names(question)


def test_places_have_names_in_both_languages(places: NameTable) -> None:
    """A French answer names Nouvelle-Écosse."""
    (halifax,) = places.find("Halifax")

    assert halifax.label("fr") == "Halifax (Nouvelle-Écosse)"


@pytest.mark.parametrize(
    ("question", "unknown_name"),
    [
        ("What is the weather in Springfield?", "Springfield"),
        ("Quel temps fait-il à Uccle ?", "Uccle"),
        ("Weather at k1a 0b1", "K1A 0B1"),
        ("Météo pour J8X4B7", "J8X4B7"),
        ("Is it raining in Canada?", None),
        ("Will it snow in January?", None),
        ("What is it in Celsius?", None),
        ("Fera-t-il beau à Ottawa en Juillet ?", None),
        ("Do I need an umbrella in the morning?", None),
    ],
)
def test_places_elsewhere_are_reported(places: NameTable, question: str, unknown_name: str | None) -> None:
    """A question about a place that the table lacks must not get Ottawa's weather."""
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
        ("What did Revenue Canada announce?", ["Canada Revenue Agency"]),
        ("Quoi de neuf à Anciens Combattants ?", ["Veterans Affairs Canada"]),
        ("VAC news", ["Veterans Affairs Canada"]),
        ("Les nouvelles d'ACC", ["Veterans Affairs Canada"]),
        ("news from Parks Canada", ["Parks Canada"]),
        ("Que dit Parcs Canada ?", ["Parks Canada"]),
        ("La GRC a-t-elle annoncé quelque chose ?", ["Royal Canadian Mounted Police"]),
        ("the RCMP", ["Royal Canadian Mounted Police"]),
        ("Service Canada announcements", ["Service Canada"]),
        ("ministère des Travaux publics et des Services gouvernementaux", ["Public Services and Procurement Canada"]),
        ("Department of Industry", ["Innovation, Science and Economic Development Canada"]),
        ("announcements of the department of the environment", ["Environment and Climate Change Canada"]),
        ("What did the Ministry of Health announce?", ["Health Canada"]),
        ("the minister of national defense", ["National Defence"]),
        ("le ministre de la Défense", ["National Defence"]),
        ("Department of Fisheries", ["Fisheries and Oceans Canada"]),
        ("le ministère de l'Immigration", ["Immigration, Refugees and Citizenship Canada"]),
        ("Industrie Canada", ["Innovation, Science and Economic Development Canada"]),
    ],
)
def test_departments_are_found(departments: NameTable, question: str, expected: list[str]) -> None:
    """Either name, words that people use, and acronyms in capitals find them."""
    assert expected == [named.label("en") for named in departments.find(question)]


def test_the_number_of_names_is_limited(places: NameTable) -> None:
    """A list of cities must not cause a hundred fetches, nor a long text a long search."""
    many = "Toronto, Calgary, Halifax, Regina, Moncton " * 2000

    assert len(places.find(many)) == 3
