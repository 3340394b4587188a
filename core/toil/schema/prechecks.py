"""Refuses schemas that are too large, unfold too far, or that no value can satisfy. The error names the place."""

from __future__ import annotations

import json
import math
from typing import Any

from core import strict_json
from core.errors import BadRequest, SchemaRefused
from core.toil.schema.drafts import Schema, walk
from core.toil.schema.references import LocatedSchema, SchemaNode, SchemaReferences, in_place_schemas

BYTES_LIMIT = 2**17
SUBSCHEMAS_LIMIT = 10_000
ENUM_LIMIT = 10_000
PATTERN_LIMIT_CHARS = 5000
MINIMUM_LIMITS = {"minItems": 2000, "minProperties": 2000, "minLength": 50_000, "minContains": 2000}
UNFOLDED_LIMIT = 50_000  # schemas that apply to one value, references followed
STEPS_LIMIT = 50_000
BOUNDS_BY_TYPE = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
    "number": ("minimum", "maximum"),
}


def check_readable(schema: Any) -> Schema:
    """Returns the schema if it is one, and small enough to pass on. Raises SchemaRefused."""
    if not isinstance(schema, dict | bool):
        raise SchemaRefused("a JSON Schema is an object, true or false")
    if schema is False:
        raise SchemaRefused("the schema `false` allows no value at all; use `true` or an object")
    try:
        size = len(json.dumps(schema))
        if size > BYTES_LIMIT:  # first, because it is quick: the event loop waits for it
            raise SchemaRefused(f"the schema takes {size} bytes; the limit is {BYTES_LIMIT}: remove unneeded parts")
        strict_json.check(schema)
    except (BadRequest, RecursionError) as exc:
        if isinstance(exc, SchemaRefused):
            raise
        reason = (
            exc.message
            if isinstance(exc, BadRequest)
            else f"it is nested more than {strict_json.DEPTH_LIMIT} levels deep"
        )
        raise SchemaRefused(f"the schema: {reason}") from exc
    return schema


def check_document(schema: Any) -> SchemaReferences:
    """Returns the document's references. Raises SchemaRefused."""
    check_readable(schema)
    check_sizes(schema)
    references = SchemaReferences.of(schema)
    check_unfolding(references)
    return references


def check_sizes(schema: Schema) -> None:
    for number, (pointer, each) in enumerate(walk(schema)):
        if number >= SUBSCHEMAS_LIMIT:
            raise SchemaRefused(f"the schema has more than {SUBSCHEMAS_LIMIT} schemas inside; split it")
        if not isinstance(each, dict):
            continue
        if isinstance(each.get("enum"), list) and len(each["enum"]) > ENUM_LIMIT:
            raise SchemaRefused(f"{pointer}/enum: {len(each['enum'])} values; the limit is {ENUM_LIMIT}: use a pattern")
        if isinstance(each.get("pattern"), str) and len(each["pattern"]) > PATTERN_LIMIT_CHARS:
            raise SchemaRefused(f"{pointer}/pattern: longer than {PATTERN_LIMIT_CHARS} characters; shorten it")
        for keyword, limit in MINIMUM_LIMITS.items():
            if isinstance(each.get(keyword), int | float) and each[keyword] > limit:
                raise SchemaRefused(f"{pointer}/{keyword}: the limit of this service is {limit}; use a smaller number")


def check_unfolding(references: SchemaReferences) -> None:
    """Bounds the number of schemas that apply to one value when references are followed. Refuses endless loops."""
    counts: dict[str, int] = {}
    for pointer, schema in walk(references.root):
        count_unfolded(LocatedSchema(schema, pointer), references, counts, frozenset())


def count_unfolded(
    located: LocatedSchema, references: SchemaReferences, counts: dict[str, int], ancestors: frozenset[str]
) -> int:
    if located.pointer in counts:
        return counts[located.pointer]
    count = 1
    if isinstance(located.schema, dict):
        node = SchemaNode(located.schema, located.pointer, references.draft)
        applied = [inner for inner, _ in in_place_schemas(node, references)]
        negated = [node.subschema("not")] if "not" in node.keywords else []
        for inner in applied + negated:
            if inner.pointer in ancestors | {located.pointer}:  # by a reference: an inner schema's pointer is longer
                raise SchemaRefused(f"{node.pointer_to('$ref')}: refers to itself without end; no value can satisfy it")
            count += count_unfolded(inner, references, counts, ancestors | {located.pointer})
    if count > UNFOLDED_LIMIT:
        place = located.pointer or "the root"
        raise SchemaRefused(
            f"{place}: validation takes too long, because its references expand to too many parts; simplify them"
        )
    counts[located.pointer] = count
    return count


class SatisfiabilityCheck:
    """Looks for a reason why no finite value satisfies a schema. Misses some; never reports a wrong one."""

    def __init__(self, references: SchemaReferences) -> None:
        self._references = references
        self._satisfiable: set[str] = set()
        self._steps = 0

    def check(self) -> None:
        """Raises SchemaRefused with the place and the reason."""
        if reason := self.find_contradiction():
            raise SchemaRefused(f"no value can satisfy the schema: {reason}")

    def find_contradiction(self) -> str | None:
        return self._contradiction(LocatedSchema(self._references.root, ""), frozenset())

    def _contradiction(self, located: LocatedSchema, ancestors: frozenset[str]) -> str | None:
        """The reason, or None. `ancestors`: pointers of the schemas whose value contains this one's."""
        self._steps += 1
        if isinstance(located.schema, bool):
            return None if located.schema else f"{located.pointer} is `false`"
        if located.pointer in self._satisfiable or self._steps > STEPS_LIMIT:
            return None
        if located.pointer in ancestors:
            return f"{located.pointer or 'the root'} requires itself without end"
        node = SchemaNode(located.schema, located.pointer, self._references.draft)
        reason = self._node_contradiction(node, ancestors | {located.pointer})
        if reason is None:
            self._satisfiable.add(located.pointer)
        return reason

    def _node_contradiction(self, node: SchemaNode, ancestors: frozenset[str]) -> str | None:
        keywords = node.keywords
        if keywords.get("enum") == [] or keywords.get("type") == []:
            return f"{node.pointer_to('enum' if keywords.get('enum') == [] else 'type')} lists nothing"
        if isinstance(reference := keywords.get("$ref"), str):
            target = self._references.resolve(reference, node.pointer_to("$ref"))
            if target and (reason := self._contradiction(target, ancestors)):
                return reason
        for each in node.subschemas("allOf"):
            if reason := self._contradiction(each, ancestors):
                return reason
        for keyword in ("anyOf", "oneOf"):
            branches = node.subschemas(keyword)
            reasons = [reason for branch in branches if (reason := self._contradiction(branch, ancestors))]
            if branches and len(reasons) == len(branches):
                return reasons[0]
        # A value may have any of the types, so each type must be impossible.
        by_type = [self._type_contradiction(node, name, ancestors) for name in sorted(node.types)]
        return by_type[0] if by_type and all(by_type) else None

    def _type_contradiction(self, node: SchemaNode, name: str, ancestors: frozenset[str]) -> str | None:
        low, high = BOUNDS_BY_TYPE.get(name, ("", ""))
        if node.keywords.get(low, -math.inf) > node.keywords.get(high, math.inf):
            return f"{node.pointer_to(low)} is above {node.pointer_to(high)}"
        if name == "object":
            return self._object_contradiction(node, ancestors)
        if name == "array" and node.keywords.get("minItems", 0) > len(node.subschemas("prefixItems")):
            return self._contradiction(node.subschema("items"), ancestors)
        return None

    def _object_contradiction(self, node: SchemaNode, ancestors: frozenset[str]) -> str | None:
        declared = node.subschema_map("properties")
        closed = node.keywords.get("additionalProperties") is False and not node.keywords.get("patternProperties")
        for required in node.keywords.get("required", ()):
            if closed and required not in declared:
                return f"{node.pointer_to('required')} asks for a property that `additionalProperties` forbids"
            inner = declared.get(required)
            if inner and (reason := self._contradiction(inner, ancestors)):
                return f"{node.pointer_to('required')} asks for a property that cannot be: {reason}"
        least = int(node.keywords.get("minProperties", 0))
        if closed and least and sum(not self._contradiction(each, ancestors) for each in declared.values()) < least:
            return f"{node.pointer_to('minProperties')} asks for more properties than can be"
        return None
