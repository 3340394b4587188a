"""Decides which personalities and collections a caller may use, by the names under which lists know the caller.

Pure but for the watched files that it asks. A list that is missing admits everybody; an empty one admits nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import chain

from core.access.names import is_admitted
from core.configuration.personalities import Personalities, Personality
from core.errors import AccessRefused

AllowLists = Callable[[], Mapping[str, Collection[str] | None]]  # of the collections, by name


def no_lists() -> Mapping[str, Collection[str] | None]:
    return {}


class AccessGate:
    """`collections`: the allow lists of the collections, as config/facts.toml has them now."""

    def __init__(self, personalities: Personalities, collections: AllowLists = no_lists) -> None:
        self._personalities = personalities
        self._collections = collections

    def visible(self, names: frozenset[str]) -> tuple[str, ...]:
        """The personalities that the caller may use, in their display order."""
        return tuple(each for each in self._personalities.names() if self._admits(each, names))

    def choose(self, name: str, names: frozenset[str]) -> Personality:
        """The personality, with those of its collections that the caller may search.

        Raises PersonalityUnknown, AccessRefused.
        """
        personality = self._personalities.get(name)
        if not is_admitted(personality.allow, names):
            raise AccessRefused(f"you may not use the personality {personality.name}; its allow list does not name you")
        collections = tuple(each for each in personality.collections if self.may_search(each, names))
        if collections == personality.collections:
            return personality
        return personality.model_copy(update={"collections": collections})

    def may_search(self, collection: str, names: frozenset[str]) -> bool:
        return is_admitted(self._collections().get(collection), names)

    def ids_of(self, kind: str) -> frozenset[str]:
        """The ids that any list names under this kind."""
        lists = [self._personalities.get(name).allow for name in self._personalities.names()]
        entries = chain.from_iterable(each or () for each in (*lists, *self._collections().values()))
        return frozenset(each.partition(":")[2] for each in entries if each.partition(":")[0] == kind)

    def _admits(self, personality: str, names: frozenset[str]) -> bool:
        return is_admitted(self._personalities.get(personality).allow, names)
