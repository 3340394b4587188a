"""Proves that two schemas share no value, by the constraints that `allOf` and `$ref` add up to."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from core.toil.schema.drafts import escape_token, normalize_keywords
from core.toil.schema.references import LocatedSchema, SchemaReferences
from core.toil.schema.values import TYPES, allowed_types, identity, type_of

DEPTH_LIMIT = 6
VISITED_LIMIT = 50


@dataclass
class Constraints:
    """Every value has one of `types`, is one of `values` unless None, and as an object has the `required` keys."""

    types: frozenset[str] = frozenset(TYPES)
    values: list[Any] | None = None
    required: set[str] = field(default_factory=set)
    properties: dict[str, list[LocatedSchema]] = field(default_factory=dict)
    names: set[str] | None = None  # an object has no others, unless None

    def identities(self) -> set[Hashable]:
        return {identity(value) for value in self.values or ()}

    def forbids(self, name: str) -> bool:
        undeclared = self.names is not None and name not in self.names
        return undeclared or any(located.schema is False for located in self.properties.get(name, ()))


ConstraintCache = dict[tuple[str, ...], Constraints]  # by the pointers of the schemas


def cached_constraints(
    schemas: list[LocatedSchema], references: SchemaReferences, cache: ConstraintCache
) -> Constraints:
    key = tuple(located.pointer for located in schemas)
    if key not in cache:
        cache[key] = collect_constraints(schemas, references)
    return cache[key]


def collect_constraints(schemas: list[LocatedSchema], references: SchemaReferences) -> Constraints:
    """The constraints on a value that conforms to all of the schemas."""
    constraints = Constraints()
    waiting, visited = list(schemas), set[str]()
    while waiting and len(visited) < VISITED_LIMIT:
        located = waiting.pop()
        if located.schema is False:
            constraints.types = frozenset()
        if isinstance(located.schema, bool) or located.pointer in visited:
            continue
        visited.add(located.pointer)
        waiting.extend(_add_schema(constraints, located, references))
    if constraints.values is not None:
        constraints.types &= {type_of(value) for value in constraints.values}
    return constraints


def _add_schema(constraints: Constraints, located: LocatedSchema, references: SchemaReferences) -> list[LocatedSchema]:
    """Adds the constraints of one schema. Returns the schemas that `allOf` and `$ref` apply beside it."""
    assert isinstance(located.schema, dict)
    keywords, steps = normalize_keywords(located.schema, references.draft)
    constraints.types &= allowed_types(keywords.get("type"))
    for values in (keywords.get("enum"), [keywords["const"]] if "const" in keywords else None):
        if isinstance(values, list):
            allowed = constraints.identities()
            constraints.values = [v for v in values if constraints.values is None or identity(v) in allowed]
    constraints.required.update(keywords.get("required", ()))
    for name, inner in keywords.get("properties", {}).items():
        pointer = f"{located.pointer}/properties/{escape_token(name)}"
        constraints.properties.setdefault(name, []).append(LocatedSchema(inner, pointer))
    if keywords.get("additionalProperties") is False and not keywords.get("patternProperties"):
        declared = set(keywords.get("properties", {}))
        constraints.names = declared if constraints.names is None else constraints.names & declared
    beside = [LocatedSchema(each, f"{located.pointer}/allOf/{n}") for n, each in enumerate(keywords.get("allOf", ()))]
    if isinstance(reference := keywords.get("$ref"), str):
        target = references.resolve(reference, located.pointer + steps["$ref"])
        beside += [target] if target else []
    return beside


def are_disjoint(
    one: list[LocatedSchema],
    other: list[LocatedSchema],
    references: SchemaReferences,
    cache: ConstraintCache,
    depth: int = 0,
) -> bool:
    """True if no value conforms to both; False also where that cannot be proved."""
    if depth > DEPTH_LIMIT:
        return False
    first, second = cached_constraints(one, references, cache), cached_constraints(other, references, cache)
    if not first.types & second.types:
        return True
    if first.values is not None and second.values is not None:
        return not first.identities() & second.identities()
    if first.types & second.types != {"object"}:
        return False
    for name in sorted(first.required | second.required):
        if (name in first.required and second.forbids(name)) or (name in second.required and first.forbids(name)):
            return True
        mine, theirs = first.properties.get(name), second.properties.get(name)
        if mine and theirs and are_disjoint(mine, theirs, references, cache, depth + 1):
            return True
    return False
