"""What is said about arrays."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import TYPE_CHECKING, Any

from core.toil.schema.facts import gather
from core.toil.schema.objects import in_place
from core.toil.schema.pieces import UNKNOWN, Written, both
from core.toil.schema.place import Place
from core.toil.schema.references import Target

if TYPE_CHECKING:
    from core.toil.schema.writing import Writer

ITEMS_LIMIT = 2000  # no answer holds as many; a bound above it is held as this one
ARRANGED_LIMIT = 4  # values of which every order without repetition is spelled out: 65 arrays


def arrays(writer: Writer, place: Place) -> Iterator[Written]:
    if "array" not in place.types:
        return
    words = place.words
    low, high = int(words.get("minItems", 0)), words.get("maxItems")
    for word in ("prefixItems", "items", "minItems", "maxItems"):
        writer.note_if_there(place, word, held=True)
    counts: dict[str, Any] = {
        word: min(int(words[word]), ITEMS_LIMIT) for word in ("minItems", "maxItems") if word in words
    }
    yield Written(counts or True)
    yield items(writer, place, low)
    if words.get("uniqueItems") is True:
        yield unique(writer, place, low, high)
    elif "uniqueItems" in words:
        writer.note(place.where("uniqueItems"), True)
    if "contains" in words:
        yield contains(writer, place)
    if "unevaluatedItems" in words:
        yield unevaluated(writer, place)


def items(writer: Writer, place: Place, low: int) -> Written:
    first = [writer.write(each) for each in place.inside("prefixItems")]
    rest = writer.write(place.one("items"))
    if writer.narrow:  # what cannot be held is not written, if it need not be
        held = next((n for n, part in enumerate(first) if not part.exact and n >= low), len(first))
        if held < len(first) or (not rest.exact and low <= len(first)):
            first, rest = first[:held], Written(False)
    schema: dict[str, Any] = {"prefixItems": [part.schema for part in first]} if first else {}
    if rest.schema is not True:
        schema["items"] = rest.schema
    return Written(schema or True, all(part.exact for part in (*first, rest)))


def unique(writer: Writer, place: Place, low: int, high: int | None) -> Written:
    """Exact for one item at most and for a few listed values; else the check compares."""
    written, held = Written(True, exact=False), False
    allowed = listed_items(writer, place)
    if high is not None and high <= 1:
        written, held = Written(True), True
    elif allowed is not None and len(allowed) <= ARRANGED_LIMIT:
        fitting = [
            list(each)
            for count in range(low, min(len(allowed), len(allowed) if high is None else int(high)) + 1)
            for each in permutations(allowed, count)
        ]
        others = [{"type": name} for name in sorted(place.types - {"array"})]
        written, held = Written({"anyOf": [*others, {"enum": fitting}]} if fitting or others else False), True
    elif writer.narrow and low <= 1:
        written, held = Written({"maxItems": 1}), True
    elif allowed is not None:
        written = Written({"maxItems": len(allowed)}, exact=False)
    writer.note(place.where("uniqueItems"), held)
    return written


def listed_items(writer: Writer, place: Place) -> list[Any] | None:
    """The values that the items are limited to, if they are."""
    if "prefixItems" in place.words or "items" not in place.words:
        return None
    facts = gather([place.one("items")], writer.references)
    if facts.values is not None:
        return facts.values
    return [True, False] if facts.types == {"boolean"} else None


def contains(writer: Writer, place: Place) -> Written:
    """How many items of a kind. Narrow: the first ones are of that kind."""
    since_2019 = place.draft >= 2019
    low = int(place.words.get("minContains", 1)) if since_2019 else 1
    high = place.words.get("maxContains") if since_2019 else None
    item = writer.silently(place.one("contains"), alone=True)
    settled = low == 0 and high is None
    narrow = writer.narrow and item.exact and (high is None or low == high)
    for word in ("contains", "minContains", "maxContains"):
        writer.note_if_there(place, word, held=settled or (narrow and high is None))
    if settled:
        return Written(True)
    if not narrow:
        return Written({"minItems": low}, exact=False) if low else UNKNOWN
    others: dict[str, Any] = {} if high is None else {"items": writer.deny(place.one("contains")).schema}
    return Written({"prefixItems": [item.schema] * low, "minItems": low, **others}, exact=high is None)


def unevaluated(writer: Writer, place: Place) -> Written:
    """`unevaluatedItems` as `items`, where it is certain which items the other keywords speak of."""
    certain = "$dynamicRef" not in place.words
    longest, covered = 0, "items" in place.words
    waiting: list[tuple[Target, bool]] = [(Target(place.schema, place.at), True)]
    for target, sure in waiting:
        if isinstance(target.schema, bool) or len(waiting) > 200:
            continue
        inner = Place(target.schema, target.at, place.draft)
        speaks = {"prefixItems", "items", "contains", "unevaluatedItems"} & inner.words.keys() - {
            "unevaluatedItems" if inner.at == place.at else ""
        }
        certain = certain and (sure or not speaks) and "contains" not in inner.words
        covered = covered or bool({"items", "unevaluatedItems"} & speaks)
        longest = max(longest, len(inner.words.get("prefixItems", ())))
        waiting.extend((each, sure and counts) for each, counts in in_place(inner, writer.references))
    writer.note(place.where("unevaluatedItems"), certain)
    if not certain or covered:
        return Written(True, certain)
    rest = writer.write(place.one("unevaluatedItems"))
    first: dict[str, Any] = {"prefixItems": [True] * longest} if longest else {}
    return both([Written({**first, "items": rest.schema}, rest.exact)])
