"""Citations in OpenAI's form."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract import Source
from core.openai.public.citations import build_annotations
from core.rag.source_list import format_source_list

POOL = Source(1, "Pool", "https://x.example/pool")
RINK = Source(2, "Patinoire d’été", "https://x.example/rink")
NOTES = Source(3, "Notes")
SOURCES = {each.number: each for each in (RINK, POOL, NOTES)}


def citations(text: str, *sources: Source) -> list[tuple[str, str]]:
    """Append the source list to the text; return each citation and its URL."""
    by_number = {each.number: each for each in sources}
    whole = text + format_source_list(by_number)
    found: list[Any] = build_annotations(whole, by_number)
    assert all(each["type"] == "url_citation" for each in found)
    places = [each["url_citation"] for each in found]
    return [(whole[each["start_index"] : each["end_index"]], each["url"]) for each in places]


def test_each_number_and_each_source_line_is_a_citation() -> None:
    """They follow the order of the text; indices count code points, also after an emoji."""
    assert [
        ("[2]", RINK.url),
        ("[1]", POOL.url),
        ("[2]", RINK.url),
        ("[1] Pool – https://x.example/pool", POOL.url),
        ("[2] Patinoire d’été – https://x.example/rink", RINK.url),
    ] == citations("Gelée 😀 [2], vert [1], et encore [2].", RINK, POOL)


def test_a_citation_has_title_url_and_indices() -> None:
    """A source that the text does not cite still has its line in the list."""
    assert [
        {
            "type": "url_citation",
            "url_citation": {"start_index": 14, "end_index": 47, "title": "Pool", "url": "https://x.example/pool"},
        }
    ] == build_annotations("Yes." + format_source_list({1: POOL}), {1: POOL})


def test_numbers_in_one_pair_of_brackets_share_their_place() -> None:
    """Each number yields one citation."""
    assert [("[1, 2;1]", POOL.url), ("[1, 2;1]", RINK.url)] == citations("Both [1, 2;1].", POOL, RINK)[:2]


@pytest.mark.parametrize(
    "text",
    [
        "No such source [4], [0], [1-3], [1000].",
        "Without an address [3].",
        "`list[1]` and ```\nlist[1]\n``` and ```\nlist[1]",
        "A link of its own: [1](https://elsewhere.example)",
        "Not closed [1, 2",
    ],
)
def test_other_brackets_are_no_citations(text: str) -> None:
    """Only the source list remains."""
    assert ["[1] Pool", "[2] Pati"] == [place[:8] for place, _ in citations(text, *SOURCES.values())]


def test_without_sources_there_are_no_citations() -> None:
    """Brackets in the text do not matter."""
    assert [] == citations("As said [1].")


def test_brackets_in_a_title_are_no_citation() -> None:
    """The source list is ours, not a part of the answer."""
    assert [("[1] See [1] – https://x/", "https://x/")] == citations("Hm.", Source(1, "See [1]", "https://x/"))
