"""Bombs and unsatisfiable schemas are refused quickly, with the place and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import SchemaRefused
from core.toil.schema.plan import plan


def doubling(levels: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(levels)
    }
    return {"$defs": {**definitions, f"d{levels}": {"type": "string"}}, "$ref": "#/$defs/d0"}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


def chain(length: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {f"d{n}": {"items": {"$ref": f"#/$defs/d{n + 1}"}} for n in range(length)}
    return {"$defs": {**definitions, f"d{length}": {}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ([1], "an object, true or false"),
        (False, "allows no value"),
        (nested(5000), "levels deep"),
        ({"description": "x" * 2**18}, "bytes; the limit is"),
        ({"enum": list(range(20_000))}, "/enum: 20000 values"),
        ({"properties": {"a": {"minItems": 10**6}}}, "/properties/a/minItems"),
        ({"minLength": 10**7}, "/minLength"),
        ({"pattern": "a" * 6000}, "/pattern"),
        ({"anyOf": [{}] * 10_001}, "schemas inside"),
        (doubling(40), "takes too long"),
        (chain(2000), "shorten the longest chain"),
        ({"$ref": "#"}, "/$ref: refers to itself without end"),
        ({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}, "/$defs/a/allOf/0/$ref: refers to itself"),
        ({"$ref": "other.json"}, "/$ref: other.json lies outside"),
        ({"$ref": "#/$defs/absent"}, "/$ref: #/$defs/absent refers to nothing"),
        ({"$schema": "https://example.org/mine"}, "/$schema: unknown draft"),
        ({"enum": []}, "/enum lists nothing"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "/minimum is above /maximum"),
        ({"type": "array", "minItems": 2, "maxItems": 1}, "/minItems is above /maxItems"),
        (
            {"type": "object", "required": ["a"], "properties": {"a": False}},
            "/required asks for a property that cannot",
        ),
        ({"type": "object", "required": ["a"], "properties": {"a": {"enum": []}}}, "/properties/a/enum lists nothing"),
        ({"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#"}}}, "requires itself without end"),
        ({"type": "array", "minItems": 1, "items": {"$ref": "#"}}, "requires itself without end"),
        ({"allOf": [{"type": "string"}, False]}, "/allOf/1 is `false`"),
        ({"anyOf": [False, {"enum": []}]}, "/anyOf/0 is `false`"),
    ],
)
def test_unusable_schema_is_refused(schema: Any, words: str) -> None:
    """The reason is one that a developer can act on."""
    with pytest.raises(SchemaRefused) as caught:
        plan(schema)

    assert words in caught.value.message


@pytest.mark.parametrize(
    "schema",
    [
        doubling(8),
        {"oneOf": [{"type": "object", "properties": {"a": {"const": n}}} for n in range(1000)]},
        {"properties": {"a": False}},
        {"type": "array", "items": {"enum": []}},
        {"type": ["string", "integer"], "minimum": 2, "maximum": 1},
        {"type": "object", "required": ["n"], "properties": {"n": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}},
        {"anyOf": [False, {"type": "string"}]},
        {"enum": list(range(5000))},
    ],
)
def test_satisfiable_schema_is_planned(schema: Any) -> None:
    """These schemas resemble refused ones."""
    assert plan(schema).enforced is not False
