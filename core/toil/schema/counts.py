"""Translates `minProperties` and `maxProperties`, which the engine enforces in few objects only.

llguidance counts properties if all declared ones are required, or if none is and the limits are 0 or 1
(https://github.com/guidance-ai/llguidance/blob/main/docs/json_schema.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from core.toil.schema.references import SchemaNode
from core.toil.schema.translation import ANY, UNENFORCED, Translation, Translator, intersection, union

CHOICES_LIMIT = 24  # ways to choose names that make up `minProperties`, or that `maxProperties` forbids


@dataclass(frozen=True, slots=True)
class CountedNames:
    """The names of an object's properties. `closed`: there are no others."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    closed: bool


@dataclass(frozen=True, slots=True)
class CountLimits:
    """`low`: None if the required names settle it. `high`: None if no object has more."""

    low: int | None
    high: int | None

    @classmethod
    def of(cls, node: SchemaNode, names: CountedNames) -> CountLimits:
        low, high = (node.keywords.get(keyword) for keyword in ("minProperties", "maxProperties"))
        most = len(names.required) + len(names.optional)
        return cls(
            None if low is None or low <= len(names.required) else int(low),
            None if high is None or (names.closed and high >= most) else int(high),
        )

    def keywords(self) -> dict[str, int]:
        limits = {"minProperties": self.low, "maxProperties": self.high}
        return {keyword: limit for keyword, limit in limits.items() if limit is not None}


def translate_counts(
    translator: Translator, node: SchemaNode, names: CountedNames, *, sole: bool
) -> Iterator[Translation]:
    """`sole`: no other schema names properties of the value."""
    limits = CountLimits.of(node, names)
    for keyword in {"minProperties", "maxProperties"} - limits.keywords().keys():
        translator.report_if_present(node, keyword, enforced=True)
    if not limits.keywords():
        return
    sole = sole and not {"dependentRequired", "dependentSchemas"} & node.keywords.keys()
    translated = (count_by_engine(names, limits) if sole else None) or list_choices(names, limits)
    if translated is None:
        translated = fix_choice(names, limits) if translator.narrow else UNENFORCED
    for keyword in limits.keywords():
        translator.report(node.pointer_to(keyword), translated.exact)
    yield translated


def count_by_engine(names: CountedNames, limits: CountLimits) -> Translation | None:
    few = limits.low in (None, 0, 1) and limits.high in (None, 0, 1)
    if names.optional and (not names.closed or names.required or not few):
        return None
    # The engine counts a name twice that is written twice.
    return Translation(limits.keywords(), exact=names.closed or (limits.low or 0) < 2)


def list_choices(names: CountedNames, limits: CountLimits) -> Translation | None:
    """One alternative for each choice of as many names as are needed or forbidden; None if there are too many."""
    needed = max(0, (limits.low or 0) - len(names.required))
    forbidden = 0 if limits.high is None else max(0, len(names.optional) + len(names.required) - limits.high)
    if not names.closed or max(needed, forbidden) > len(names.optional):
        return None
    if max(math.comb(len(names.optional), count) for count in (needed, forbidden)) > CHOICES_LIMIT:
        return None
    present = [Translation({"required": list(chosen)}) for chosen in combinations(names.optional, needed)]
    absent = [
        Translation({"properties": dict.fromkeys(chosen, False)}) for chosen in combinations(names.optional, forbidden)
    ]
    return intersection([union(present) if needed else ANY, union(absent) if forbidden else ANY])


def fix_choice(names: CountedNames, limits: CountLimits) -> Translation:
    """Requires the first optional names that make up the count, and forbids those above it."""
    minimum = max(0, (limits.low or 0) - len(names.required))
    room = len(names.optional) if limits.high is None else max(0, limits.high - len(names.required))
    required, omitted = names.optional[:minimum], names.optional[max(minimum, room) :]
    without: dict[str, Any] = {"properties": dict.fromkeys(omitted, False)} if omitted else {}
    exact = minimum <= len(names.optional) and (names.closed or limits.high is None)
    return Translation({**without, "required": list(required)} if required else without or True, exact)
