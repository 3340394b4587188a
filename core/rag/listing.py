"""An answer's sources as the last lines of its text, for whoever is shown text alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from core.contract import Done, Event, Source, Text

HEADING = "Sources"  # the same word in English and French


async def listed(answer: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """The answer's events; before `Done`, a list of the sources that came, as text."""
    sources: dict[int, Source] = {}
    async with aclosing(answer) as events:
        async for event in events:
            if isinstance(event, Source):
                sources[event.number] = event
            elif isinstance(event, Done) and sources:
                yield Text(f"\n\n{HEADING}\n" + "\n".join(line(sources[number]) for number in sorted(sources)))
            yield event


def line(source: Source) -> str:
    return f"[{source.number}] {source.title}" + (f" – {source.url}" if source.url else "")
