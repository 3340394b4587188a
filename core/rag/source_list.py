"""Lists an answer's sources as its last lines, for clients that show text alone.

Files and pasted texts are sources without an address. The person knows them, so they are listed only if the answer
cites them, or beside sources that have an address.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing

from core.contract import Done, Event, Source, Text
from core.rag.citations import cited_numbers

HEADING = "\n\nSources"  # the same word in English and French


async def append_source_list(answer: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """Yields the answer's events, and a text with the list of its sources before `Done`."""
    sources: dict[int, Source] = {}
    text = ""
    async with aclosing(answer) as events:
        async for event in events:
            match event:
                case Source(number):
                    sources[number] = event
                case Text(part):
                    text += part
                case Done() if listed := sources_to_list(sources.values(), text):
                    yield Text(format_source_list({each.number: each for each in listed}))
            yield event


def sources_to_list(sources: Iterable[Source], answer: str) -> tuple[Source, ...]:
    """Returns the sources that are worth listing below an answer."""
    found, cited = tuple(sources), cited_numbers(answer)
    return found if any(each.url for each in found) else tuple(each for each in found if each.number in cited)


def format_source_list(sources: Mapping[int, Source]) -> str:
    """Returns HEADING and a line for each source, by number."""
    return HEADING + "".join(f"\n{format_source(sources[number])}" for number in sorted(sources))


def format_source(source: Source) -> str:
    """Returns the number with title, address, or both."""
    parts = [part for part in (source.title.strip(), source.url) if part]
    return " ".join((f"[{source.number}]", " – ".join(parts))).rstrip()
