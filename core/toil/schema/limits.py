"""Refuses, with the place and what to do, schemas that are bombs and schemas that no value can satisfy."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from core import strict_json
from core.errors import BadRequest, SchemaRefused
from core.toil.schema.drafts import Schema, walk
from core.toil.schema.place import Place
from core.toil.schema.references import References, Target

BYTES_LIMIT = 2**17
SUBSCHEMAS_LIMIT = 10_000
ENUM_LIMIT = 10_000
PATTERN_LIMIT_CHARS = 5000
LEAST_LIMITS = {"minItems": 2000, "minProperties": 2000, "minLength": 50_000, "minContains": 2000}
UNFOLDED_LIMIT = 50_000  # schemas about one value, references followed
STEPS_LIMIT = 50_000
PAIRS = (("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties"))
TYPE_OF_PAIR = {"minLength": "string", "minItems": "array", "minProperties": "object", "minimum": "number"}


def readable(schema: Any) -> Schema:
    """The schema, if it is one that may be handed on at all. Raises SchemaRefused."""
    if not isinstance(schema, dict | bool):
        raise SchemaRefused("a JSON Schema is an object, true or false")
    if schema is False:
        raise SchemaRefused("the schema `false` allows no value at all; use `true` or an object")
    try:
        strict_json.check(schema)
    except BadRequest as exc:
        raise SchemaRefused(f"the schema: {exc.message}") from exc
    if (size := len(json.dumps(schema))) > BYTES_LIMIT:
        raise SchemaRefused(f"the schema takes {size} bytes; the limit is {BYTES_LIMIT}: leave out what is not needed")
    return schema


def checked(schema: Any) -> References:
    """The document's references. Raises SchemaRefused."""
    readable(schema)
    check_sizes(schema)
    references = References.of(schema)
    check_unfolding(references)
    return references


def check_sizes(schema: Schema) -> None:
    for number, (at, each) in enumerate(walk(schema)):
        if number >= SUBSCHEMAS_LIMIT:
            raise SchemaRefused(f"the schema has more than {SUBSCHEMAS_LIMIT} schemas inside; split it")
        if not isinstance(each, dict):
            continue
        if isinstance(each.get("enum"), list) and len(each["enum"]) > ENUM_LIMIT:
            raise SchemaRefused(f"{at}/enum: {len(each['enum'])} values; the limit is {ENUM_LIMIT}: use a pattern")
        if isinstance(each.get("pattern"), str) and len(each["pattern"]) > PATTERN_LIMIT_CHARS:
            raise SchemaRefused(f"{at}/pattern: longer than {PATTERN_LIMIT_CHARS} characters; shorten it")
        for word, limit in LEAST_LIMITS.items():
            if isinstance(each.get(word), int | float) and each[word] > limit:
                raise SchemaRefused(f"{at}/{word}: no answer here holds more than {limit}; ask for fewer")


def check_unfolding(references: References) -> None:
    """How many schemas speak of one value when references are followed; a loop among them has no end."""
    weights: dict[str, int] = {}
    for at, schema in walk(references.root):
        weigh(Target(schema, at), references, weights, {})


def weigh(target: Target, references: References, weights: dict[str, int], under_way: dict[str, str]) -> int:
    if target.at in weights:
        return weights[target.at]
    weight = 1
    under_way = {**under_way, target.at: ""}
    if isinstance(target.schema, dict):
        for word_at, inner in beside(Place(target.schema, target.at, references.draft), references):
            if inner.at in under_way:
                raise SchemaRefused(f"{word_at}: refers to itself without end; nothing can be written")
            weight += weigh(inner, references, weights, under_way)
    if weight > UNFOLDED_LIMIT:
        where = target.at or "the root"
        raise SchemaRefused(f"{where}: checking against it takes too long: its references unfold without measure")
    weights[target.at] = weight
    return weight


def beside(place: Place, references: References) -> Iterator[tuple[str, Target]]:
    """The schemas that speak of the same value, and the pointer of the keyword that says so."""
    if isinstance(reference := place.words.get("$ref"), str):
        found = references.resolve(reference, place.where("$ref"))
        if found:
            yield place.where("$ref"), found
    for word in ("allOf", "anyOf", "oneOf"):
        yield from ((each.at, each) for each in place.inside(word))
    yield from ((place.where(word), place.one(word)) for word in ("not", "if", "then", "else") if word in place.words)
    yield from ((each.at, each) for each in place.named("dependentSchemas").values())


class Satisfiable:
    """Looks for a reason why no finite value can satisfy a schema. It misses some, and never finds a false one."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._fine: set[str] = set()
        self._steps = 0

    def check(self) -> None:
        """Raises SchemaRefused with the place and the reason."""
        if reason := self.barren(Target(self._references.root, ""), frozenset()):
            raise SchemaRefused(f"no value can satisfy the schema: {reason}")

    def barren(self, target: Target, above: frozenset[str]) -> str | None:
        """The reason, or None. `above`: the schemas that a value of this one would have to be part of."""
        self._steps += 1
        if isinstance(target.schema, bool):
            return None if target.schema else f"{target.at} is `false`"
        if target.at in self._fine or self._steps > STEPS_LIMIT:
            return None
        if target.at in above:
            return f"{target.at or 'the root'} requires itself without end"
        place = Place(target.schema, target.at, self._references.draft)
        reason = self._reason(place, above | {target.at})
        if reason is None:
            self._fine.add(target.at)
        return reason

    def _reason(self, place: Place, above: frozenset[str]) -> str | None:
        words = place.words
        if words.get("enum") == [] or words.get("type") == []:
            return f"{place.where('enum' if words.get('enum') == [] else 'type')} lists nothing"
        if isinstance(reference := words.get("$ref"), str):
            found = self._references.resolve(reference, place.where("$ref"))
            if found and (reason := self.barren(found, above)):
                return reason
        for each in place.inside("allOf"):
            if reason := self.barren(each, above):
                return reason
        for word in ("anyOf", "oneOf"):
            ways = place.inside(word)
            reasons = [reason for way in ways if (reason := self.barren(way, above))]
            if ways and len(reasons) == len(ways):
                return reasons[0]
        # A value may be of any of the types: each must be impossible.
        kinds = [self._of_type(place, name, above) for name in sorted(place.types)]
        return kinds[0] if kinds and all(kinds) else None

    def _of_type(self, place: Place, name: str, above: frozenset[str]) -> str | None:
        if reason := crossed(place, name):
            return reason
        if name == "object":
            declared = place.named("properties")
            for needed in place.words.get("required", ()):
                inner = declared.get(needed)
                if inner and (reason := self.barren(inner, above)):
                    return f"{place.where('required')} asks for a property that cannot be: {reason}"
            return None
        if name == "array" and place.words.get("minItems", 0) > len(place.inside("prefixItems")):
            return self.barren(place.one("items"), above)
        return None


def crossed(place: Place, name: str) -> str | None:
    """A least that is above the most."""
    pairs = (*PAIRS, ("minimum", "maximum"))
    for low, high in pairs:
        least, most = place.words.get(low, -math.inf), place.words.get(high, math.inf)
        if TYPE_OF_PAIR[low] == name and least > most:
            return f"{place.where(low)} is above {place.where(high)}"
    return None
