"""What a schema does not allow, as a schema: for `not`, `if` and `oneOf`. Exact where that can be said, else wider."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from core.toil.schema import formats
from core.toil.schema.patterns import none_of
from core.toil.schema.pieces import ANY, NONE, UNKNOWN, Written, both, either
from core.toil.schema.place import Place
from core.toil.schema.references import Target
from core.toil.schema.values import TYPES, distinct, type_of

if TYPE_CHECKING:
    from core.toil.schema.writing import Writer

DEPTH_LIMIT = 12
NUMBERS_LIMIT = 8
# The instance that breaks it has this type; more is not said.
ONLY_TYPE = {
    **dict.fromkeys(("pattern",), "string"),
    **dict.fromkeys(("multipleOf",), "number"),
    **dict.fromkeys(("contentMediaType", "contentEncoding"), "string"),
    **dict.fromkeys(("items", "prefixItems", "uniqueItems", "unevaluatedItems", "maxContains", "minContains"), "array"),
    **dict.fromkeys(("patternProperties", "additionalProperties", "propertyNames"), "object"),
    **dict.fromkeys(("dependentSchemas", "unevaluatedProperties"), "object"),
}
APPLICATORS = {"allOf", "anyOf", "oneOf", "not", "if", "$ref", "$dynamicRef"}
OF_NAMES = {"required", "properties", "dependentRequired"}
# The smallest or largest that breaks a limit, in the words of its opposite.
OPPOSITE = {
    "minLength": ("maxLength", -1, "string"),
    "maxLength": ("minLength", 1, "string"),
    "minItems": ("maxItems", -1, "array"),
    "maxItems": ("minItems", 1, "array"),
    "minProperties": ("maxProperties", -1, "object"),
    "maxProperties": ("minProperties", 1, "object"),
}
OPPOSITE_BOUND = {
    "minimum": "exclusiveMaximum",
    "maximum": "exclusiveMinimum",
    "exclusiveMinimum": "maximum",
    "exclusiveMaximum": "minimum",
}


def deny(writer: Writer, target: Target, depth: int = 0) -> Written:
    writer.step(target.at)
    if isinstance(target.schema, bool):
        return NONE if target.schema else ANY
    if depth > DEPTH_LIMIT:
        return UNKNOWN
    place = Place(target.schema, target.at, writer.draft)
    return either([way for word in place.words for way in ways(writer, place, word, depth + 1)])


def ways(writer: Writer, place: Place, word: str, depth: int) -> Iterator[Written]:
    """The ways to break one keyword."""
    value = place.words[word]
    if word in APPLICATORS:
        yield applicator(writer, place, word, depth)
    elif word in OF_NAMES:
        yield from broken_names(writer, place, word, depth)
    elif word in OPPOSITE:
        opposite, step, kind = OPPOSITE[word]
        yield Written({"type": kind, opposite: int(value) + step}) if int(value) + step >= 0 else NONE
    elif word in OPPOSITE_BOUND:
        yield Written({"type": "number", OPPOSITE_BOUND[word]: value})
    elif word == "contains":
        yield without(writer, place, depth)
    elif word in ONLY_TYPE or (word == "format" and formats.asserted(value, place.draft)):
        yield Written({"type": ONLY_TYPE.get(word, "string")}, exact=False)
    else:
        yield broken_value(word, value)


def broken_value(word: str, value: Any) -> Written:
    if word == "type":
        return other_types([value] if isinstance(value, str) else value)
    if word in ("enum", "const"):
        return other_values(value if word == "enum" else [value])
    return NONE  # it asserts nothing by itself


def broken_names(writer: Writer, place: Place, word: str, depth: int) -> Iterator[Written]:
    value = place.words[word]
    if word == "required":
        yield from (Written({"type": "object", "properties": {name: False}}) for name in value)
    elif word == "properties":
        yield from (having(name, deny(writer, each, depth)) for name, each in place.named("properties").items())
    else:
        for name, needed in value.items():
            yield from (Written({"type": "object", "required": [name], "properties": {n: False}}) for n in needed)


def applicator(writer: Writer, place: Place, word: str, depth: int) -> Written:
    if word == "allOf":
        return either([deny(writer, each, depth) for each in place.inside("allOf")])
    if word == "anyOf":
        return both([deny(writer, each, depth) for each in place.inside("anyOf")])
    if word == "not":
        return writer.silently(place.one("not"))
    if word == "if":
        condition = place.one("if")
        then, otherwise = (deny(writer, place.one(w), depth) for w in ("then", "else"))
        met, unmet = writer.silently(condition), deny(writer, condition, depth)
        return either([both([met, then]), both([unmet, otherwise])])
    if word == "$ref":
        found = writer.references.resolve(place.words["$ref"], place.where("$ref"))
        return deny(writer, found, depth) if found else UNKNOWN
    return UNKNOWN


def having(name: str, denied: Written) -> Written:
    if denied.schema is False:
        return Written(False, denied.exact)
    return Written({"type": "object", "properties": {name: denied.schema}, "required": [name]}, denied.exact)


def without(writer: Writer, place: Place, depth: int) -> Written:
    """No item as `contains` wants them."""
    if {"minContains", "maxContains"} & place.words.keys():
        return Written({"type": "array"}, exact=False)
    denied = deny(writer, place.one("contains"), depth)
    return Written({"type": "array", "items": denied.schema}, denied.exact)


def other_types(named: list[str]) -> Written:
    """A number that is no integer cannot be asked for."""
    exact = "integer" not in named or "number" in named
    left = [name for name in TYPES if name not in named]
    return Written({"type": left} if left else False, exact)


def other_values(values: list[Any]) -> Written:
    by_type: dict[str, list[Any]] = {}
    for value in distinct(values):
        by_type.setdefault(type_of(value), []).append(value)
    untouched = [name for name in TYPES if name not in by_type]
    parts = [Written({"type": untouched} if untouched else False)]
    return either([*parts, *(other_of_type(name, listed) for name, listed in by_type.items())])


def other_of_type(name: str, listed: list[Any]) -> Written:
    if name == "null":
        return NONE
    if name == "boolean":
        left = [value for value in (True, False) if value not in listed]
        return Written({"enum": left} if left else False)
    if name == "string" and (pattern := none_of(listed)):
        return Written({"type": "string", "pattern": pattern})
    if name == "number" and len(listed) <= NUMBERS_LIMIT:
        edges: list[float | None] = [None, *sorted(listed), None]
        return either([between(low, high) for low, high in pairwise(edges)])
    if name in ("array", "object") and listed in ([[]], [{}]):
        return Written({"type": name, "minItems" if name == "array" else "minProperties": 1})
    return Written({"type": name}, exact=False)


def between(low: float | None, high: float | None) -> Written:
    bounds = {"exclusiveMinimum": low, "exclusiveMaximum": high}
    return Written({"type": "number", **{word: bound for word, bound in bounds.items() if bound is not None}})
