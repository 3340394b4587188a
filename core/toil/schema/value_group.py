"""Collects the schemas that apply to one value, and the parts of the value that they describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.toil.schema import patterns
from core.toil.schema.disjointness import ConstraintCache, are_disjoint
from core.toil.schema.drafts import children
from core.toil.schema.references import LocatedSchema, SchemaNode, SchemaReferences, in_place_schemas

MEMBERS_LIMIT = 200
NEGATED_LIMIT = 500  # schemas below a negated one
PARTS = {
    *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames", "required"),
    *("dependentRequired", "dependentSchemas", "minProperties", "items", "prefixItems", "contains", "unevaluatedItems"),
    *(
        "dependencies",
        "additionalItems",
        "$ref",
        "$dynamicRef",
        "$recursiveRef",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
    ),
}
# A value can break these by an additional property. Where they are negated, such a property can be what is asked for.
BROKEN_BY_MORE = {
    *("additionalProperties", "patternProperties", "unevaluatedProperties", "propertyNames", "maxProperties"),
    *("enum", "const"),
}


@dataclass
class ValueGroup:
    """`names`: of `properties` in their order, then those that other keywords mention.

    `describing`: the schemas that name parts. `opaque`: the parts of its parts cannot be told. `items_by_position`: the
    number of schemas in which an item's schema depends on its position.
    """

    properties: dict[str, list[LocatedSchema]] = field(default_factory=dict)
    mentioned: dict[str, None] = field(default_factory=dict)
    patterns: dict[str, None] = field(default_factory=dict)
    items: list[LocatedSchema] = field(default_factory=list)
    describing: list[str] = field(default_factory=list)
    least: int = 0  # of properties
    lists_properties: bool = False
    asks_for_more: bool = False
    opaque: bool = False
    items_by_position: int = 0
    has_overlapping_parts: bool = False  # a pattern or `additionalProperties` describes properties beside their schemas

    @property
    def names(self) -> dict[str, None]:
        return dict.fromkeys([*self.properties, *self.mentioned])

    @property
    def closable(self) -> bool:
        """True if the value may be limited to the names."""
        possible = [n for n in self.names if all(each.schema is not False for each in self.properties.get(n, ()))]
        return self.lists_properties and not self.asks_for_more and not self.opaque and self.least <= len(possible)


def collect_group(
    heads: Iterable[LocatedSchema],
    references: SchemaReferences,
    *,
    narrow: bool = False,
    skipped: frozenset[str] = frozenset(),
) -> ValueGroup:
    """`skipped`: pointers of schemas that are left out. `narrow`: `additionalProperties: true` asks for nothing."""
    group, visited = ValueGroup(), set[str]()
    waiting = [(each, False) for each in heads]
    while waiting:
        located, negated = waiting.pop(0)
        if isinstance(located.schema, bool) or located.pointer in visited | skipped:
            continue
        if len(visited) >= MEMBERS_LIMIT:
            group.opaque = True
            break
        visited.add(located.pointer)
        node = SchemaNode(located.schema, located.pointer, references.draft)
        add_member(group, node, negated=negated, narrow=narrow)
        group.opaque = group.opaque or is_opaque(node, references)
        waiting += [(each, negated) for each, _ in in_place_schemas(node, references)]
        waiting += [(node.subschema("not"), True)] if "not" in node.keywords else []
    return group


def add_member(group: ValueGroup, node: SchemaNode, *, negated: bool, narrow: bool) -> None:
    keywords = node.keywords
    for name, located in node.subschema_map("properties").items():
        group.properties.setdefault(name, []).append(located)
    group.lists_properties = group.lists_properties or ("properties" in keywords and not negated)
    group.mentioned |= dict.fromkeys(mentioned_names(node))
    add_items(group, node)
    group.least = max(group.least, int(keywords.get("minProperties", 0)))
    if {"properties", "required", "patternProperties"} & keywords.keys() or names_of_dependents(node):
        group.describing.append(node.pointer)
    if negated:
        return
    more = [node.subschema(word) for word in ("additionalProperties", "unevaluatedProperties") if word in keywords]
    by_pattern = node.subschema_map("patternProperties")
    group.patterns |= dict.fromkeys(by_pattern)
    group.asks_for_more = (
        group.asks_for_more
        or any(asks_for_more(each.schema, narrow=narrow) for each in more)
        or "propertyNames" in keywords
        or any(is_container(value) for value in (*keywords.get("enum", ()), keywords.get("const")))
    )
    overlapping = [*(each for each in more), *(by_pattern[each] for each in by_pattern if may_match(each, keywords))]
    group.has_overlapping_parts = group.has_overlapping_parts or any(describes_parts(each) for each in overlapping)


def add_items(group: ValueGroup, node: SchemaNode) -> None:
    """`contains` describes the same items as `items`. After `prefixItems`, `items` describes others."""
    rest = node.subschema("unevaluatedItems")
    by_position = [*node.subschemas("prefixItems"), *([rest] if "unevaluatedItems" in node.keywords else [])]
    all_items = [node.subschema(word) for word in ("items", "contains") if word in node.keywords]
    group.items += [each for each in all_items if describes_parts(each)]
    if any(describes_parts(each) for each in by_position):
        group.items_by_position += 1
        group.items = [each for each in group.items if each.pointer != node.pointer_to("items")]


def mentioned_names(node: SchemaNode) -> list[str]:
    return [*node.keywords.get("required", ()), *names_of_dependents(node)]


def names_of_dependents(node: SchemaNode) -> list[str]:
    by_list = node.keywords.get("dependentRequired", {})
    return [
        *by_list,
        *(name for names in by_list.values() for name in names),
        *node.keywords.get("dependentSchemas", {}),
    ]


def asks_for_more(schema: Any, *, narrow: bool) -> bool:
    return schema is not False and not (narrow and schema in (True, {}))


def may_match(pattern: str, keywords: dict[str, Any]) -> bool:
    """True unless the pattern's first characters differ from those of each declared name."""
    return any(not patterns.are_disjoint(f"^{name}", pattern) for name in keywords.get("properties", ()))


def is_opaque(node: SchemaNode, references: SchemaReferences) -> bool:
    """True if a property that is not declared may be needed, or if it cannot be told which schemas apply."""
    reference = node.keywords.get("$ref")
    unknown = isinstance(reference, str) and references.resolve(reference, node.pointer_to("$ref")) is None
    if unknown or "$dynamicRef" in node.keywords:
        return True
    negated = [node.subschema(word) for word in ("not", "if") if word in node.keywords]
    branches = node.subschemas("oneOf")
    if not negated and not branches:
        return False
    if any(can_be_broken_by_more(each, references) for each in negated):
        return True
    if not any(can_be_broken_by_more(each, references) for each in branches):
        return False
    here, cache = LocatedSchema(node.schema, node.pointer), ConstraintCache()
    pairs = [(one, other) for n, one in enumerate(branches) for other in branches[:n]]
    return not all(are_disjoint([here, one], [here, other], references, cache) for one, other in pairs)


def can_be_broken_by_more(located: LocatedSchema, references: SchemaReferences) -> bool:
    """True if an undeclared property in the value, or in a part of it, can break the schema."""
    waiting, visited = [located], set[str]()
    while waiting:
        each = waiting.pop()
        if isinstance(each.schema, bool) or each.pointer in visited:
            continue
        visited.add(each.pointer)
        if len(visited) > NEGATED_LIMIT:
            return True
        if any(breaks(keyword, value) for keyword, value in each.schema.items()):
            return True
        waiting += [LocatedSchema(inner, each.pointer + step) for step, inner in children(each.schema)]
        if isinstance(reference := each.schema.get("$ref"), str):
            target = references.resolve(reference, f"{each.pointer}/$ref")
            waiting += [target] if target else []
    return False


def breaks(keyword: str, value: Any) -> bool:
    if keyword in ("enum", "const"):
        return any(is_container(each) for each in (value if keyword == "enum" and isinstance(value, list) else [value]))
    return keyword in BROKEN_BY_MORE and value is not True


def describes_parts(located: LocatedSchema) -> bool:
    if isinstance(located.schema, bool):
        return False
    values = (*located.schema.get("enum", ()), located.schema.get("const"))
    return bool(PARTS & located.schema.keys()) or any(is_container(each) for each in values)


def is_container(value: Any) -> bool:
    return isinstance(value, dict | list)
