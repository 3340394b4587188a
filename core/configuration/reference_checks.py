"""Finds unknown sources and collections in personalities. Without this check, a misspelt name would have no effect.

Personalities themselves know nothing of what they name; who knows both asks here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from core.configuration import toml
from core.configuration.personalities import Personalities
from core.configuration.watched_config import unknown


def unknown_sources(personalities: Personalities, known: Collection[str]) -> tuple[str, ...]:
    """One sentence for each unknown source, with its file and line. Raises ConfigError if a file cannot be read."""
    return tuple(unknown_references(personalities, "sources", "source", known))


def unknown_collections(personalities: Personalities, known: Collection[str]) -> tuple[str, ...]:
    """Like `unknown_sources`, with the command that creates a collection."""
    problems = unknown_references(personalities, "collections", "collection", known)
    return tuple(f"{each}. `csps-llm facts add` makes one" for each in problems)


def unknown_references(personalities: Personalities, key: str, what: str, known: Collection[str]) -> Iterator[str]:
    for name in personalities.names():
        named = getattr(personalities.get(name), key)
        if absent := [each for each in named if each not in known]:
            file = personalities.folder / f"{name}.toml"
            place = toml.place_of((key,), file, toml.text_of(file))
            yield from (f"{place}: {unknown(what, each, known)}" for each in absent)
