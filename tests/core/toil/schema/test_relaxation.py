"""A refused schema loses the keywords that the engine names, then its deepest parts, then all."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract import Json
from core.toil.schema.relaxation import RELAXATIONS_LIMIT, relax

DEEP: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "array", "items": {"items": {"type": "null"}}}}}


@pytest.mark.parametrize(
    ("schema", "reason", "less"),
    [
        ({"type": "string", "format": "x"}, "Unknown format: x", {"type": "string"}),
        ({"items": {"pattern": "(", "minLength": 1}}, "regex parse error:", {"items": {"minLength": 1}}),
        ({"not": {}, "type": "string"}, 'Unimplemented keys: ["not"]', {"type": "string"}),
        ({"properties": {"not": {"not": {}}}}, 'Unimplemented keys: ["not"]', {"properties": {"not": {}}}),
        ({"const": {"format": "x"}, "format": "y"}, "Unknown format: y", {"const": {"format": "x"}}),
        (
            {"$defs": {"a": {"$ref": "#/$defs/a", "required": ["x"]}}, "$ref": "#/$defs/a"},
            "circular references with sibling keys are not supported",
            {"$defs": {"a": {"required": ["x"]}}},
        ),
        (DEEP, "schema too large", {"type": "object", "properties": {"a": {"type": "array", "items": True}}}),
    ],
)
def test_relax_drops_the_named_keywords(schema: Json, reason: str, less: Json) -> None:
    """If the reason names no present keyword, the deepest parts go."""
    assert relax(schema, reason) == less


@pytest.mark.parametrize("schema", [DEEP, {"type": "string"}, {"anyOf": [{"type": "string"}, {"pattern": "a"}]}, True])
def test_relaxation_ends_within_the_limit(schema: Json) -> None:
    """Whatever the engine's reason is."""
    held = schema
    for _ in range(RELAXATIONS_LIMIT):
        held = relax(held, "no")

    assert held is True
