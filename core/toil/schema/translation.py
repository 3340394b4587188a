"""Translated schemas and how they combine. Each allows every value that its origin allows, and may allow more.

`intersection` and `union` keep that property. `exact` says that a translation allows no more than its origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from core.toil.schema.drafts import Draft, Schema
from core.toil.schema.references import LocatedSchema, SchemaNode, SchemaReferences, Sharing
from core.toil.schema.values import TYPES, allowed_types, identity, type_of

OBJECT_KEYWORDS = {"properties", "patternProperties", "additionalProperties"}
ARRAY_KEYWORDS = {"prefixItems", "items"}


class Translation(NamedTuple):
    schema: Schema
    exact: bool = True


ANY = Translation(True)
NONE = Translation(False)
UNENFORCED = Translation(True, exact=False)  # only the validator checks it


class Translator(Protocol):
    """The recursion of `translator.SchemaTranslator`, for the modules of single keywords: they cannot import it."""

    references: SchemaReferences
    draft: Draft
    narrow: bool
    meant_numbers: dict[int, int | float]

    def translate(self, located: LocatedSchema, sharing: Sharing | None = None) -> Translation: ...
    def translate_unreported(self, located: LocatedSchema) -> Translation: ...
    def negate(self, located: LocatedSchema) -> Translation: ...
    def report(self, pointer: str, enforced: bool) -> None: ...
    def report_if_present(self, node: SchemaNode, keyword: str, *, enforced: bool) -> None: ...
    def count_step(self, pointer: str) -> None: ...


def intersection(parts: Iterable[Translation]) -> Translation:
    parts = list(parts)
    exact = all(part.exact for part in parts)
    if any(part.schema is False for part in parts):
        return Translation(False, exact)
    base: dict[str, Any] = {}
    separate: list[Schema] = []
    for schema in (part.schema for part in parts):
        if isinstance(schema, bool):
            continue
        if schema.keys() == base.keys() & {"enum"}:
            base["enum"] = shared_values(base["enum"], schema["enum"])
        elif share_keywords(base, schema):
            separate.append(schema)
        else:
            base |= schema
    if "enum" in base:
        base["enum"] = [value for value in base["enum"] if type_of(value) in allowed_types(base.get("type"))]
        if not base["enum"]:
            return Translation(False, exact)
    if separate:
        base = {"allOf": [base, *separate]} if "allOf" in base else {**base, "allOf": separate}
    # The engine refuses a document in which a definition contradicts itself, even where no value needs it.
    return Translation(base or True, exact) if possible_types(base) else Translation(False, exact)


def possible_types(schema: Schema) -> frozenset[str]:
    """The types of value that the schema may allow. Does not follow references."""
    if isinstance(schema, bool):
        return frozenset(TYPES) if schema else frozenset()
    types = allowed_types(schema.get("type"))
    if "enum" in schema:
        types &= {type_of(value) for value in schema["enum"]}
    properties = schema.get("properties", {})
    if any(properties.get(name) is False for name in schema.get("required", ())):
        types -= {"object"}
    for each in schema.get("allOf", ()):
        types &= possible_types(each)
    if "anyOf" in schema:
        types &= frozenset[str]().union(*map(possible_types, schema["anyOf"]))
    return types


def shared_values(values: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    allowed = {identity(value) for value in others}
    return [value for value in values if identity(value) in allowed]


def share_keywords(base: dict[str, object], more: dict[str, object]) -> bool:
    """True if merging the two into one schema would change their meaning."""
    if base.keys() & more.keys():
        return True
    return any(base.keys() & group and more.keys() & group for group in (OBJECT_KEYWORDS, ARRAY_KEYWORDS))


def union(parts: Iterable[Translation]) -> Translation:
    parts = list(parts)
    exact = all(part.exact for part in parts)
    if any(part.schema is True for part in parts):
        return Translation(True, exact)
    schemas = [part.schema for part in parts if part.schema is not False]
    if len(schemas) < 2:
        return Translation(schemas[0] if schemas else False, exact)
    return Translation({"anyOf": schemas}, exact)
