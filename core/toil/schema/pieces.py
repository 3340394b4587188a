"""Parts of a schema that a model is held to, and how they combine. Each allows all that its origin allows, or more.

So `both` of two is all that both origins allow, or more; `either` likewise. `exact` says that it is not more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from core.toil.schema.drafts import Schema

OBJECT_WORDS = {"properties", "patternProperties", "additionalProperties"}
ARRAY_WORDS = {"prefixItems", "items"}


class Written(NamedTuple):
    schema: Schema
    exact: bool = True


ANY = Written(True)
NONE = Written(False)
UNKNOWN = Written(True, exact=False)  # nothing is held; the check has to


def both(parts: Iterable[Written]) -> Written:
    parts = list(parts)
    exact = all(part.exact for part in parts)
    if any(part.schema is False for part in parts):
        return Written(False, exact)
    base: dict[str, object] = {}
    beside: list[Schema] = []
    for schema in (part.schema for part in parts):
        if isinstance(schema, bool):
            continue
        if clash(base, schema):
            beside.append(schema)
        else:
            base |= schema
    if not beside:
        return Written(base or True, exact)
    beside = [base, *beside] if "allOf" in base else beside
    return Written({"allOf": beside} if "allOf" in base else {**base, "allOf": beside}, exact)


def clash(base: dict[str, object], more: dict[str, object]) -> bool:
    """Whether the two cannot stand in one schema and mean the same."""
    if base.keys() & more.keys():
        return True
    return any(base.keys() & words and more.keys() & words for words in (OBJECT_WORDS, ARRAY_WORDS))


def either(parts: Iterable[Written]) -> Written:
    parts = list(parts)
    exact = all(part.exact for part in parts)
    if any(part.schema is True for part in parts):
        return Written(True, exact)
    schemas = [part.schema for part in parts if part.schema is not False]
    if len(schemas) < 2:
        return Written(schemas[0] if schemas else False, exact)
    return Written({"anyOf": schemas}, exact)
