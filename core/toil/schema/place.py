"""One schema of a document, read in 2020-12's words, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.toil.schema.drafts import Draft, escaped, modern
from core.toil.schema.references import Target
from core.toil.schema.values import types_of


@dataclass
class Place:
    """`alone`: nothing else is said about the same values; else it is one part of an `allOf`, `anyOf`, …"""

    schema: dict[str, Any]
    at: str
    draft: Draft
    alone: bool = True

    def __post_init__(self) -> None:
        self.words, self._names = modern(self.schema, self.draft)

    def where(self, word: str, *steps: str | int) -> str:
        """The pointer of a keyword, or of what lies in it, in the schema as it was given."""
        return self.at + self._names.get(word, f"/{word}") + "".join(f"/{escaped(str(step))}" for step in steps)

    def inside(self, word: str) -> list[Target]:
        """The schemas of a keyword that holds a list."""
        value = self.words.get(word)
        return [Target(each, self.where(word, n)) for n, each in enumerate(value if isinstance(value, list) else ())]

    def named(self, word: str) -> dict[str, Target]:
        """The schemas of a keyword that holds a map."""
        return {name: Target(each, self.where(word, name)) for name, each in self.words.get(word, {}).items()}

    def one(self, word: str) -> Target:
        """The schema of a keyword that holds one; `true` if it is not there."""
        return Target(self.words.get(word, True), self.where(word))

    @cached_property
    def types(self) -> frozenset[str]:
        return types_of(self.words.get("type"))
