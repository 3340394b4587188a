"""Closes objects: a schema that lists `properties`, even none, gets no others, unless it asks for more.

JSON Schema allows undeclared properties wherever nothing forbids them. A weak model then goes on with words of the
schema itself, such as `{"name": …, "title": …, "type": "string"}`. A subset of the allowed values still conforms.

Several schemas can apply to one value, by `allOf`, `$ref`, `if` and others. The names of all of them are declared, so
the outermost schema closes the object once, and with it the inner parts that several of the schemas describe.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.toil.schema import patterns
from core.toil.schema.drafts import Schema
from core.toil.schema.references import (
    EVERYTHING,
    NOTHING,
    LocatedSchema,
    SchemaNode,
    SchemaReferences,
    Sharing,
    in_place_schemas,
)
from core.toil.schema.value_group import MEMBERS_LIMIT, ValueGroup, collect_group, describes_parts

DEPTH_LIMIT = 8
BRANCHES_LIMIT = 40  # of all `anyOf` and `oneOf` for a value; beyond, only the outermost branches are told apart
# Keywords that say nothing about the parts of an object or an array.
NEUTRAL = {
    *("type", "minLength", "maxLength", "pattern", "format", "contentMediaType", "contentEncoding"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems"),
}


@dataclass(frozen=True, slots=True)
class Closure:
    """The way to close one schema's objects.

    `sharing`: for the schemas that apply to the same value; None if each closes its own objects. `sole`: no other one
    names parts of the value. `own`: the schema lists all names itself. `names`: those that it uses without declaring
    them. `here`: a schema that closes the value, unless the branches of an `anyOf` or a `oneOf` close it.
    """

    sharing: Sharing | None
    sole: bool = False
    own: bool = False
    names: tuple[str, ...] = ()
    here: Schema = True


def close(node: SchemaNode, references: SchemaReferences, *, narrow: bool) -> Closure:
    """The closure of a schema to which no other schema is added."""
    telling = node.keywords.keys() - NEUTRAL
    if is_passed_through(node, telling):
        return Closure(None)
    here = LocatedSchema(node.schema, node.pointer)
    if branchings := find_branchings(here, references):
        return close_branches(here, branchings, references, narrow=narrow)
    group = collect_group([here], references, narrow=narrow)
    sharing = share(group, references)
    if group.describing in ([], [node.pointer]) and sharing == NOTHING:
        own = group.closable and node.keywords.get("additionalProperties") is not False
        undeclared = tuple(name for name in group.names if name not in group.properties) if own else ()
        return Closure(sharing, sole=True, own=own, names=undeclared)
    return Closure(sharing, here=closing_schema(group, sharing, references, narrow=narrow))


def is_passed_through(node: SchemaNode, telling: set[str]) -> bool:
    """True if the schema only refers to others, and at most one of them applies to a value."""
    if telling == {"allOf"}:
        return len(node.keywords["allOf"]) == 1
    return len(telling) == 1 and telling <= {"$ref", "$dynamicRef", "anyOf", "oneOf"}


def find_branchings(here: LocatedSchema, references: SchemaReferences) -> list[list[LocatedSchema]]:
    """The branches of each `anyOf` and `oneOf` for the value, also those in `allOf`, in references and in branches.

    The first one applies to every value.
    """
    branchings: list[list[LocatedSchema]] = []
    waiting, visited = [here], set[str]()
    for located in waiting:
        if isinstance(located.schema, bool) or located.pointer in visited or len(visited) >= MEMBERS_LIMIT:
            continue
        visited.add(located.pointer)
        node = SchemaNode(located.schema, located.pointer, references.draft)
        branchings += [branches for keyword in ("anyOf", "oneOf") if (branches := node.subschemas(keyword))]
        waiting += [each for each, always in in_place_schemas(node, references) if always]
        waiting += [each for keyword in ("anyOf", "oneOf") for each in node.subschemas(keyword)]
    few = sum(map(len, branchings)) <= BRANCHES_LIMIT
    return branchings if few else branchings[:1]


def close_branches(
    here: LocatedSchema, branchings: list[list[LocatedSchema]], references: SchemaReferences, *, narrow: bool
) -> Closure:
    """Closes each branch with its own names and the common ones, but without the names of its siblings.

    Of several `anyOf` and `oneOf`, each leaves the names in the branches of the others open.
    """
    groups: dict[str, ValueGroup] = {}
    for branches in branchings:
        pointers = frozenset(branch.pointer for branch in branches)
        found = {
            each.pointer: collect_group([here], references, narrow=narrow, skipped=pointers - {each.pointer})
            for each in branches
        }
        if not groups or not any(group.opaque for group in found.values()):
            groups |= found
    sharing = NOTHING
    for group in groups.values():
        sharing = sharing.union(share(group, references))
    closings = {pointer: closing_schema(group, sharing, references, narrow=narrow) for pointer, group in groups.items()}
    return Closure(
        replace(sharing, branches=tuple(sorted((each, json.dumps(part)) for each, part in closings.items())))
    )


def share(group: ValueGroup, references: SchemaReferences, depth: int = 0) -> Sharing:
    """The parts of the value that more than one of its schemas describes."""
    if group.opaque or depth > DEPTH_LIMIT or (group.has_overlapping_parts and group.properties):
        return EVERYTHING
    names = []
    for name, schemas in group.properties.items():
        if len(relevant := [each for each in schemas if describes_parts(each)]) > 1:
            names.append((name, share(collect_group(relevant, references), references, depth + 1)))
    if len(group.items) + group.items_by_position < 2:
        return Sharing(tuple(names))
    inside = (
        EVERYTHING if group.items_by_position else share(collect_group(group.items, references), references, depth + 1)
    )
    return Sharing(tuple(names), inside)


def closing_schema(group: ValueGroup, sharing: Sharing, references: SchemaReferences, *, narrow: bool) -> Schema:
    """A schema that allows the declared names only, also in the parts that several schemas describe."""
    if sharing.everything:
        return True

    def close_part(schemas: list[LocatedSchema], inner: Sharing) -> Schema:
        relevant = [each for each in schemas if describes_parts(each)]
        return closing_schema(collect_group(relevant, references, narrow=narrow), inner, references, narrow=narrow)

    parts = {
        name: close_part(group.properties[name], inner) for name, inner in sharing.names if name in group.properties
    }
    parts = {name: part for name, part in parts.items() if part is not True}
    schema: dict[str, object] = {}
    if group.closable:
        schema["properties"] = {name: parts.get(name, True) for name in group.names}
        if group.patterns:
            schema["patternProperties"] = dict.fromkeys(enforced_patterns(group.patterns), True)
        schema["additionalProperties"] = False
    elif parts:
        schema["properties"] = parts
    if sharing.items and (items := close_part(group.items, sharing.items)) is not True:
        schema["items"] = items
    return schema or True


def enforced_patterns(originals: Iterable[str]) -> dict[str, str]:
    """The original of each pattern that the engine can enforce beside the others, by its translation."""
    enforced: dict[str, str] = {}
    for original in originals:
        pattern = patterns.translate_pattern(original)
        separate = all(patterns.are_disjoint(original, other) for other in enforced.values())
        if pattern.exact and len(pattern.patterns) == 1 and separate:
            enforced[pattern.patterns[0]] = original
    return enforced
