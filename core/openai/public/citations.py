"""The citations of an answer as OpenAI's annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from core.contract import Json, Source
from core.rag.source_list import HEADING, format_source, format_source_list

# Skips code, where a number in brackets is an index, and Markdown links.
CITATION = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\[(?P<numbers>\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()", re.DOTALL | re.ASCII
)
NUMBER = re.compile(r"\d+")


def build_annotations(text: str, sources: Mapping[int, Source]) -> list[Json]:
    """Lists the citations in the order of the text: each [n], then each line of the source list at its end.

    Indices count Unicode code points, as in OpenAI's own answers: `content[start_index:end_index]` is the citation.
    A source without a URL has no annotation, because OpenAI knows only URL citations.
    """
    if not sources:
        return []
    answer_chars = len(text) - len(format_source_list(sources))
    places = [*find_citations(text[:answer_chars]), *source_lines(answer_chars, sources)]
    return [
        url_citation(source.title, source.url, start, end)
        for number, start, end in places
        if (source := sources.get(number)) and source.url
    ]


def find_citations(text: str) -> Iterator[tuple[int, int, int]]:
    """Yields (number, start, end) of each citation; the numbers of `[1, 2]` share a place."""
    for match in CITATION.finditer(text):
        for number in NUMBER.findall(match["numbers"] or ""):
            yield int(number), *match.span()


def source_lines(start: int, sources: Mapping[int, Source]) -> Iterator[tuple[int, int, int]]:
    """Yields (number, start, end) of each line of the source list that begins at `start`."""
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
