"""Lists an answer's sources as its last lines, for clients that show text alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from core.contract import Done, Event, Source, Text

HEADING = "\n\nSources"  # the same word in English and French


async def append_source_list(answer: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """Yields the answer's events, and a text with the list of its sources before `Done`."""
    sources: dict[int, Source] = {}
    async with aclosing(answer) as events:
        async for event in events:
            if isinstance(event, Source):
                sources[event.number] = event
            elif isinstance(event, Done) and sources:
                yield Text(format_source_list(sources))
            yield event


def format_source_list(sources: Mapping[int, Source]) -> str:
    """Returns HEADING and a line for each source, by number."""
    return HEADING + "".join(f"\n{format_source(sources[number])}" for number in sorted(sources))


def format_source(source: Source) -> str:
    """Returns the number with title, address, or both."""
    parts = [part for part in (source.title.strip(), source.url) if part]
    return " ".join((f"[{source.number}]", " – ".join(parts))).rstrip()
