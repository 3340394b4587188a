"""Reads schemas of drafts 4 to 2020-12 in the words of 2020-12. Knows which keyword means what in which.

https://json-schema.org/specification-links; a keyword that a draft does not have is no assertion there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

from core.errors import SchemaRefused

Schema = dict[str, Any] | bool


class Draft(IntEnum):
    """In order of age."""

    DRAFT4 = 4
    DRAFT6 = 6
    DRAFT7 = 7
    DRAFT2019 = 2019
    DRAFT2020 = 2020


URIS: Mapping[str, Draft] = {
    "json-schema.org/draft-04/schema": Draft.DRAFT4,
    "json-schema.org/draft-06/schema": Draft.DRAFT6,
    "json-schema.org/draft-07/schema": Draft.DRAFT7,
    "json-schema.org/draft/2019-09/schema": Draft.DRAFT2019,
    "json-schema.org/draft/2020-12/schema": Draft.DRAFT2020,
    "json-schema.org/schema": Draft.DRAFT2020,
}
EARLIER_WORDS = (
    *("$ref", "type", "enum", "allOf", "anyOf", "oneOf", "not", "format", "properties", "patternProperties"),
    *("additionalProperties", "required", "minProperties", "maxProperties", "items", "minItems", "maxItems"),
    *("uniqueItems", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "multipleOf"),
)
SINCE: Mapping[str, Draft] = {
    **dict.fromkeys(EARLIER_WORDS, Draft.DRAFT4),
    **dict.fromkeys(("const", "contains", "propertyNames"), Draft.DRAFT6),
    **dict.fromkeys(("contentMediaType", "contentEncoding"), Draft.DRAFT6),
    **dict.fromkeys(("if", "then", "else"), Draft.DRAFT7),
    **dict.fromkeys(("dependentRequired", "dependentSchemas", "minContains", "maxContains"), Draft.DRAFT2019),
    **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems", "$recursiveRef"), Draft.DRAFT2019),
    **dict.fromkeys(("prefixItems", "$dynamicRef"), Draft.DRAFT2020),
}
UNTIL: Mapping[str, Draft] = {
    "additionalItems": Draft.DRAFT2019,
    "dependencies": Draft.DRAFT2020,  # no longer in the specification since 2019-09, and still understood by the check
    "$recursiveRef": Draft.DRAFT2019,
    "contentMediaType": Draft.DRAFT7,
    "contentEncoding": Draft.DRAFT7,
}
MAPS = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
SINGLES = {
    *("not", "if", "then", "else", "additionalProperties", "unevaluatedProperties", "propertyNames", "contains"),
    *("items", "additionalItems", "unevaluatedItems", "contentSchema"),
}


def draft_of(schema: Schema) -> Draft:
    """By `$schema`, else 2020-12. Raises SchemaRefused for one that we do not know."""
    uri = schema.get("$schema") if isinstance(schema, dict) else None
    if uri is None:
        return Draft.DRAFT2020
    known = URIS.get(re.sub(r"^https?://", "", uri).rstrip("#").strip()) if isinstance(uri, str) else None
    if known is None:
        raise SchemaRefused("/$schema: not a draft that is known here: 4, 6, 7, 2019-09 or 2020-12; correct or drop it")
    return known


def understood(keyword: str, draft: Draft) -> bool:
    """Whether it asserts anything in this draft."""
    if keyword in UNTIL:
        return SINCE.get(keyword, Draft.DRAFT4) <= draft <= UNTIL[keyword]
    return keyword in SINCE and draft >= SINCE[keyword]


def modern(schema: dict[str, Any], draft: Draft) -> tuple[dict[str, Any], dict[str, str]]:
    """The schema's assertions in 2020-12's words, one level deep, and under which name each stood, as a pointer."""
    if draft <= Draft.DRAFT7 and isinstance(schema.get("$ref"), str):
        return {"$ref": schema["$ref"]}, {"$ref": "/$ref"}
    words = {word: value for word, value in schema.items() if understood(word, draft)}
    places = {word: f"/{word}" for word in words}
    if draft == Draft.DRAFT4:
        numeric_bounds(words)
    if draft <= Draft.DRAFT2019:
        items_since_2020(words, places)
    dependencies_since_2019(words, places)
    if "$recursiveRef" in words:
        words["$dynamicRef"], places["$dynamicRef"] = words.pop("$recursiveRef"), places.pop("$recursiveRef")
    return words, places


def numeric_bounds(words: dict[str, Any]) -> None:
    """Draft 4: `exclusiveMinimum: true` is about `minimum`."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if words.pop(exclusive, False) is True and bound in words:
            words[exclusive] = words.pop(bound)


def items_since_2020(words: dict[str, Any], places: dict[str, str]) -> None:
    rest = words.pop("additionalItems", None)
    if isinstance(words.get("items"), list):
        words["prefixItems"], places["prefixItems"] = words.pop("items"), "/items"
        if rest is not None:
            words["items"], places["items"] = rest, "/additionalItems"


def dependencies_since_2019(words: dict[str, Any], places: dict[str, str]) -> None:
    both = words.pop("dependencies", None)
    if not isinstance(both, dict):
        return
    lists = {name: needed for name, needed in both.items() if isinstance(needed, list)}
    schemas = {name: needed for name, needed in both.items() if not isinstance(needed, list)}
    for word, part in (("dependentRequired", lists), ("dependentSchemas", schemas)):
        if part:
            words[word], places[word] = part, "/dependencies"


def escaped(key: str) -> str:
    """As a JSON pointer writes it."""
    return key.replace("~", "~0").replace("/", "~1")


def children(schema: dict[str, Any]) -> Iterator[tuple[str, Schema]]:
    """Every schema right inside this one, with its pointer from here; whatever the draft."""
    for word, value in schema.items():
        if word in MAPS and isinstance(value, dict):
            for name, inner in value.items():
                if isinstance(inner, dict | bool):
                    yield f"/{escaped(word)}/{escaped(name)}", inner
        elif (word in LISTS or word == "items") and isinstance(value, list):
            for number, inner in enumerate(value):
                if isinstance(inner, dict | bool):
                    yield f"/{word}/{number}", inner
        elif word in SINGLES and isinstance(value, dict | bool):
            yield f"/{word}", value


def walk(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every schema of a document with its pointer, the root first. No recursion: the input chooses its depth."""
    waiting: list[tuple[str, Schema]] = [("", schema)]
    while waiting:
        at, each = waiting.pop()
        yield at, each
        if isinstance(each, dict):
            waiting.extend((at + step, inner) for step, inner in children(each))
