"""Where an answer's text cites its sources, as OpenAI's `annotations`. Pure.

Indices count characters (Unicode code points, as Python does) of the message's `content`, and the end is the first one
after: `content[start_index:end_index]` is what cites. OpenAI's own answers are so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from core.contract import Json, Source
from core.rag.source_list import HEADING, format_source, format_source_list

# Code is passed over, for a number in brackets is an index there; so is a Markdown link.
CITATION = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\[(?P<numbers>\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()", re.DOTALL | re.ASCII
)
NUMBER = re.compile(r"\d+")


def annotations_of(text: str, sources: Mapping[int, Source]) -> list[Json]:
    """In the order of the text: each [n] in it, and the line of each source in the `listing` that ends it.

    A source without an address has none, for OpenAI knows no other kind.
    """
    if not sources:
        return []
    written = len(text) - len(format_source_list(sources))
    places = [*citations(text[:written]), *lines(written, sources)]
    return [
        url_citation(source.title, source.url, start, end)
        for number, start, end in places
        if (source := sources.get(number)) and source.url
    ]


def citations(text: str) -> Iterator[tuple[int, int, int]]:
    """(number, start, end) of what looks like one; the numbers of `[1, 2]` share a place."""
    for found in CITATION.finditer(text):
        for number in NUMBER.findall(found["numbers"] or ""):
            yield int(number), *found.span()


def lines(start: int, sources: Mapping[int, Source]) -> Iterator[tuple[int, int, int]]:
    """(number, start, end) of each in a `listing` that starts there."""
    end = start + len(HEADING)
    for number in sorted(sources):
        start = end + len("\n")
        end = start + len(format_source(sources[number]))
        yield number, start, end


def url_citation(title: str, url: str, start: int, end: int) -> Json:
    return {
        "type": "url_citation",
        "url_citation": {"start_index": start, "end_index": end, "title": title, "url": url},
    }
