"""Where the engine refuses: what it names is dropped, then the deepest parts, then all."""

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
def test_what_is_dropped(schema: Json, reason: str, less: Json) -> None:
    """By the reason; where it names nothing that is there, by depth."""
    assert relax(schema, reason) == less


@pytest.mark.parametrize("schema", [DEEP, {"type": "string"}, {"anyOf": [{"type": "string"}, {"pattern": "a"}]}, True])
def test_it_comes_to_an_end(schema: Json) -> None:
    """Whatever the engine says, nothing is left to refuse within the limit."""
    held = schema
    for _ in range(RELAXATIONS_LIMIT):
        held = relax(held, "no")

    assert held is True
