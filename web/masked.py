"""How HTTP tells a caller that personal information was taken out of its request: a header before the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, MutableMapping
from contextlib import aclosing
from typing import TypeVar

from core.contract import Json, Masked, PersonalInformation

HEADER = "X-Personal-Information-Masked"
Part = TypeVar("Part")


def header_value(found: Iterable[PersonalInformation]) -> str:
    """The kinds with their numbers, such as "sin=1, email=2"."""
    return ", ".join(f"{each.kind}={each.count}" for each in found)


def encode_found(found: Iterable[PersonalInformation]) -> list[Json]:
    return [{"kind": each.kind, "count": each.count} for each in found]


async def report_masked(
    parts: AsyncGenerator[Part, None], headers: MutableMapping[str, str], event_of: Callable[[Part], object]
) -> AsyncGenerator[Part, None]:
    """The parts of an answer without `Masked`, which becomes a header: it comes before any other part."""
    async with aclosing(parts):
        async for part in parts:
            event = event_of(part)
            if isinstance(event, Masked):
                headers[HEADER] = header_value(event.found)
            else:
                yield part
