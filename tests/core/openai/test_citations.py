"""Where an answer cites its sources, in OpenAI's form."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract import Source
from core.openai.responses import build_annotations
from core.rag.source_list import format_source_list

POOL = Source(1, "Pool", "https://x.example/pool")
RINK = Source(2, "Patinoire d’été", "https://x.example/rink")
NOTES = Source(3, "Notes")
SOURCES = {each.number: each for each in (RINK, POOL, NOTES)}


def cited(text: str, *sources: Source) -> list[tuple[str, str]]:
    """What cites, and the address, of the text with its list."""
    given = {each.number: each for each in sources}
    whole = text + format_source_list(given)
    found: list[Any] = build_annotations(whole, given)
    assert all(each["type"] == "url_citation" for each in found)
    places = [each["url_citation"] for each in found]
    return [(whole[each["start_index"] : each["end_index"]], each["url"]) for each in places]


def test_each_number_and_each_line_of_the_list() -> None:
    """In the order of the text, also after letters beyond ASCII and pictures of several bytes."""
    assert [
        ("[2]", RINK.url),
        ("[1]", POOL.url),
        ("[2]", RINK.url),
        ("[1] Pool – https://x.example/pool", POOL.url),
        ("[2] Patinoire d’été – https://x.example/rink", RINK.url),
    ] == cited("Gelée 😀 [2], vert [1], et encore [2].", RINK, POOL)


def test_the_form() -> None:
    """Title and address beside the place; a source that nothing in the text names is in the list."""
    assert [
        {
            "type": "url_citation",
            "url_citation": {"start_index": 14, "end_index": 47, "title": "Pool", "url": "https://x.example/pool"},
        }
    ] == build_annotations("Yes." + format_source_list({1: POOL}), {1: POOL})


def test_numbers_in_one_pair_of_brackets_share_it() -> None:
    """Each once."""
    assert [("[1, 2;1]", POOL.url), ("[1, 2;1]", RINK.url)] == cited("Both [1, 2;1].", POOL, RINK)[:2]


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
def test_what_does_not_cite(text: str) -> None:
    """The list alone is left."""
    assert ["[1] Pool", "[2] Pati"] == [place[:8] for place, _ in cited(text, *SOURCES.values())]


def test_without_sources_there_are_none() -> None:
    """Whatever the text has in brackets."""
    assert [] == cited("As said [1].")


def test_a_title_with_numbers_cites_nothing() -> None:
    """The list is ours, and not the answer's."""
    assert [("[1] See [1] – https://x/", "https://x/")] == cited("Hm.", Source(1, "See [1]", "https://x/"))
