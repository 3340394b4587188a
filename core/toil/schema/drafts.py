"""Normalizes schemas of drafts 4 to 2020-12 to the keywords of 2020-12.

A keyword that a draft does not define asserts nothing there: https://json-schema.org/specification-links
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

from core.errors import SchemaRefused

Schema = dict[str, Any] | bool


class Draft(IntEnum):
    """Ordered by age."""

    DRAFT4 = 4
    DRAFT6 = 6
    DRAFT7 = 7
    DRAFT2019 = 2019
    DRAFT2020 = 2020


DRAFT_URIS: Mapping[str, Draft] = {
    "json-schema.org/draft-04/schema": Draft.DRAFT4,
    "json-schema.org/draft-06/schema": Draft.DRAFT6,
    "json-schema.org/draft-07/schema": Draft.DRAFT7,
    "json-schema.org/draft/2019-09/schema": Draft.DRAFT2019,
    "json-schema.org/draft/2020-12/schema": Draft.DRAFT2020,
    "json-schema.org/schema": Draft.DRAFT2020,
}
DRAFT4_KEYWORDS = (
    *("$ref", "type", "enum", "allOf", "anyOf", "oneOf", "not", "format", "properties", "patternProperties"),
    *("additionalProperties", "required", "minProperties", "maxProperties", "items", "minItems", "maxItems"),
    *("uniqueItems", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "multipleOf"),
)
SINCE: Mapping[str, Draft] = {
    **dict.fromkeys(DRAFT4_KEYWORDS, Draft.DRAFT4),
    **dict.fromkeys(("const", "contains", "propertyNames"), Draft.DRAFT6),
    **dict.fromkeys(("contentMediaType", "contentEncoding"), Draft.DRAFT6),
    **dict.fromkeys(("if", "then", "else"), Draft.DRAFT7),
    **dict.fromkeys(("dependentRequired", "dependentSchemas", "minContains", "maxContains"), Draft.DRAFT2019),
    **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems", "$recursiveRef"), Draft.DRAFT2019),
    **dict.fromkeys(("prefixItems", "$dynamicRef"), Draft.DRAFT2020),
}
UNTIL: Mapping[str, Draft] = {
    "additionalItems": Draft.DRAFT2019,
    "dependencies": Draft.DRAFT2020,  # dropped from the specification in 2019-09; the validator still asserts it
    "$recursiveRef": Draft.DRAFT2019,
    "contentMediaType": Draft.DRAFT7,
    "contentEncoding": Draft.DRAFT7,
}
MAP_KEYWORDS = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
LIST_KEYWORDS = {"allOf", "anyOf", "oneOf", "prefixItems"}
SCHEMA_KEYWORDS = {
    *("not", "if", "then", "else", "additionalProperties", "unevaluatedProperties", "propertyNames", "contains"),
    *("items", "additionalItems", "unevaluatedItems", "contentSchema"),
}


def detect_draft(schema: Schema) -> Draft:
    """The draft that `$schema` names, 2020-12 by default. Raises SchemaRefused for an unknown one."""
    uri = schema.get("$schema") if isinstance(schema, dict) else None
    if uri is None:
        return Draft.DRAFT2020
    declared_draft = (
        DRAFT_URIS.get(re.sub(r"^https?://", "", uri).rstrip("#").strip()) if isinstance(uri, str) else None
    )
    if declared_draft is None:
        raise SchemaRefused("/$schema: unknown draft; use 4, 6, 7, 2019-09 or 2020-12, or remove the keyword")
    return declared_draft


def is_assertion(keyword: str, draft: Draft) -> bool:
    """True if the keyword constrains values in this draft."""
    if keyword in UNTIL:
        return SINCE.get(keyword, Draft.DRAFT4) <= draft <= UNTIL[keyword]
    return keyword in SINCE and draft >= SINCE[keyword]


def normalize_keywords(schema: dict[str, Any], draft: Draft) -> tuple[dict[str, Any], dict[str, str]]:
    """The schema's assertions as 2020-12 keywords, one level deep, and the original pointer step of each."""
    if draft <= Draft.DRAFT7 and isinstance(schema.get("$ref"), str):
        return {"$ref": schema["$ref"]}, {"$ref": "/$ref"}
    keywords = {keyword: value for keyword, value in schema.items() if is_assertion(keyword, draft)}
    steps = {keyword: f"/{keyword}" for keyword in keywords}
    if draft == Draft.DRAFT4:
        convert_exclusive_bounds(keywords)
    if draft <= Draft.DRAFT2019:
        convert_items(keywords, steps)
    convert_dependencies(keywords, steps)
    if "$recursiveRef" in keywords:
        keywords["$dynamicRef"], steps["$dynamicRef"] = keywords.pop("$recursiveRef"), steps.pop("$recursiveRef")
    return keywords, steps


def convert_exclusive_bounds(keywords: dict[str, Any]) -> None:
    """Converts draft 4, in which `exclusiveMinimum: true` makes `minimum` exclusive."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if keywords.pop(exclusive, False) is True and bound in keywords:
            keywords[exclusive] = keywords.pop(bound)


def convert_items(keywords: dict[str, Any], steps: dict[str, str]) -> None:
    """Converts drafts before 2020-12: a list in `items` is `prefixItems`, and `additionalItems` is `items`."""
    rest = keywords.pop("additionalItems", None)
    if isinstance(keywords.get("items"), list):
        keywords["prefixItems"], steps["prefixItems"] = keywords.pop("items"), "/items"
        if rest is not None:
            keywords["items"], steps["items"] = rest, "/additionalItems"


def convert_dependencies(keywords: dict[str, Any], steps: dict[str, str]) -> None:
    """`dependencies` became `dependentRequired` (lists) and `dependentSchemas` in 2019-09."""
    dependencies = keywords.pop("dependencies", None)
    if not isinstance(dependencies, dict):
        return
    lists = {name: needed for name, needed in dependencies.items() if isinstance(needed, list)}
    schemas = {name: needed for name, needed in dependencies.items() if not isinstance(needed, list)}
    for keyword, part in (("dependentRequired", lists), ("dependentSchemas", schemas)):
        if part:
            keywords[keyword], steps[keyword] = part, "/dependencies"


def escape_token(key: str) -> str:
    """Escapes a reference token of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def children(schema: dict[str, Any]) -> Iterator[tuple[str, Schema]]:
    """The direct subschemas by the keywords of every draft, each with its pointer relative to this schema."""
    for keyword, value in schema.items():
        if keyword in MAP_KEYWORDS and isinstance(value, dict):
            for name, inner in value.items():
                if isinstance(inner, dict | bool):
                    yield f"/{escape_token(keyword)}/{escape_token(name)}", inner
        elif (keyword in LIST_KEYWORDS or keyword == "items") and isinstance(value, list):
            for number, inner in enumerate(value):
                if isinstance(inner, dict | bool):
                    yield f"/{keyword}/{number}", inner
        elif keyword in SCHEMA_KEYWORDS and isinstance(value, dict | bool):
            yield f"/{keyword}", value


def walk(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """All schemas of a document with their pointers, the root first. Iterative: the input chooses the depth."""
    waiting: list[tuple[str, Schema]] = [("", schema)]
    while waiting:
        pointer, each = waiting.pop()
        yield pointer, each
        if isinstance(each, dict):
            waiting.extend((pointer + step, inner) for step, inner in children(each))
