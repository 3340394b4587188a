"""Sources as text."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from core.contract import Done, Event, Source, Status, Text, Usage
from core.rag.source_list import append_source_list, format_source

DONE = Done("stop", "fake-model", Usage())


async def answer(*events: Event) -> AsyncGenerator[Event, None]:
    for event in events:
        yield event


async def test_sources_follow_the_answer() -> None:
    """Each is listed once, by number, with its address if it has one; other events pass through."""
    sources = (
        Source(2, "Notes"),
        Source(1, "Pool", "https://x.example/pool"),
        Source(1, "Pool", "https://x.example/pool"),
    )
    events = [
        event async for event in append_source_list(answer(Status("reading"), *sources, Text("Green [1]."), DONE))
    ]

    assert "".join(event.text for event in events if isinstance(event, Text)) == (
        "Green [1].\n\nSources\n[1] Pool – https://x.example/pool\n[2] Notes"
    )
    assert events[0] == Status("reading")
    assert events[-1] == DONE


@pytest.mark.parametrize(("text", "listed"), [("Green.", ""), ("Green [2].", "\n\nSources\n[2] b.txt")])
async def test_files_are_listed_if_they_are_cited(text: str, listed: str) -> None:
    """The person knows the files of the question; a number in the answer needs its line."""
    files = (Source(1, "a.txt"), Source(2, "b.txt"))
    events = [event async for event in append_source_list(answer(*files, Text(text), DONE))]

    assert "".join(event.text for event in events if isinstance(event, Text)) == text + listed


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (Source(1, "", "https://x.example/pool"), "[1] https://x.example/pool"),
        (Source(1, "  ", "https://x.example/pool"), "[1] https://x.example/pool"),
        (Source(1, ""), "[1]"),
    ],
)
def test_a_source_without_a_title_shows_its_address(source: Source, line: str) -> None:
    """Nothing replaces the missing part."""
    assert format_source(source) == line


async def test_without_sources_nothing_is_added() -> None:
    """The text is the model's own."""
    assert [event async for event in append_source_list(answer(Text("Hi"), DONE))] == [Text("Hi"), DONE]
