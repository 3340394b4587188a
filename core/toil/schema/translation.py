"""Translated schemas and how they combine. Each allows every value that its origin allows, and may allow more.

`intersection` and `union` keep that property. `exact` says that a translation allows no more than its origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from core.toil.schema.drafts import Draft, Schema
from core.toil.schema.references import LocatedSchema, SchemaNode, SchemaReferences

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

    def translate(self, located: LocatedSchema, *, alone: bool = True) -> Translation: ...
    def translate_unreported(self, located: LocatedSchema, *, alone: bool = False) -> Translation: ...
    def negate(self, located: LocatedSchema) -> Translation: ...
    def report(self, pointer: str, enforced: bool) -> None: ...
    def report_if_present(self, node: SchemaNode, keyword: str, *, enforced: bool) -> None: ...
    def count_step(self, pointer: str) -> None: ...


def intersection(parts: Iterable[Translation]) -> Translation:
    parts = list(parts)
    exact = all(part.exact for part in parts)
    if any(part.schema is False for part in parts):
        return Translation(False, exact)
    base: dict[str, object] = {}
    separate: list[Schema] = []
    for schema in (part.schema for part in parts):
        if isinstance(schema, bool):
            continue
        if share_keywords(base, schema):
            separate.append(schema)
        else:
            base |= schema
    if not separate:
        return Translation(base or True, exact)
    separate = [base, *separate] if "allOf" in base else separate
    return Translation({"allOf": separate} if "allOf" in base else {**base, "allOf": separate}, exact)


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
