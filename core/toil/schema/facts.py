"""What is certain about the values of a schema, gathered over `allOf` and `$ref`; enough to tell schemas apart."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from core.toil.schema.drafts import escaped, modern
from core.toil.schema.references import References, Target
from core.toil.schema.values import TYPES, identity, type_of, types_of

DEPTH_LIMIT = 6


@dataclass
class Facts:
    """Every value has one of `types`, is one of `values` if these are known, and as an object has `required`."""

    types: frozenset[str] = frozenset(TYPES)
    values: list[Any] | None = None
    required: set[str] = field(default_factory=set)
    properties: dict[str, list[Target]] = field(default_factory=dict)

    def identities(self) -> set[Hashable]:
        return {identity(value) for value in self.values or ()}

    def forbids(self, name: str) -> bool:
        return any(target.schema is False for target in self.properties.get(name, ()))


Known = dict[tuple[str, ...], Facts]  # by the pointers of the schemas that hold together


def known_of(targets: list[Target], references: References, known: Known) -> Facts:
    """As `gather`, once."""
    key = tuple(target.at for target in targets)
    if key not in known:
        known[key] = gather(targets, references)
    return known[key]


def gather(targets: list[Target], references: References) -> Facts:
    """Of the values that all the targets allow."""
    facts = Facts()
    waiting, seen = list(targets), set[str]()
    while waiting and len(seen) < 50:
        target = waiting.pop()
        if target.schema is False:
            facts.types = frozenset()
        if isinstance(target.schema, bool) or target.at in seen:
            continue
        seen.add(target.at)
        waiting.extend(_take(facts, target, references))
    if facts.values is not None:
        facts.types &= {type_of(value) for value in facts.values}
    return facts


def _take(facts: Facts, target: Target, references: References) -> list[Target]:
    """Adds what one schema says; the schemas that hold beside it."""
    assert isinstance(target.schema, dict)
    words, places = modern(target.schema, references.draft)
    facts.types &= types_of(words.get("type"))
    for values in (words.get("enum"), [words["const"]] if "const" in words else None):
        if isinstance(values, list):
            known = facts.identities()
            facts.values = [v for v in values if facts.values is None or identity(v) in known]
    facts.required.update(words.get("required", ()))
    for name, inner in words.get("properties", {}).items():
        at = f"{target.at}/properties/{escaped(name)}"
        facts.properties.setdefault(name, []).append(Target(inner, at))
    beside = [Target(each, f"{target.at}/allOf/{n}") for n, each in enumerate(words.get("allOf", ()))]
    if isinstance(reference := words.get("$ref"), str):
        found = references.resolve(reference, target.at + places["$ref"])
        beside += [found] if found else []
    return beside


def disjoint(one: list[Target], other: list[Target], references: References, known: Known, depth: int = 0) -> bool:
    """Whether surely no value is allowed by both; False where it is not seen."""
    if depth > DEPTH_LIMIT:
        return False
    first, second = known_of(one, references, known), known_of(other, references, known)
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
        if mine and theirs and disjoint(mine, theirs, references, known, depth + 1):
            return True
    return False
