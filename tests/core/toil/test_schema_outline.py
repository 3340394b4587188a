"""The skeleton that tells a model the form of its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.toil.schema_outline import outline

LIMIT = 2000
PERSON: dict[str, Any] = {
    "$defs": {"Town": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
    "title": "Person",
    "description": "A person\n  in the directory.",
    "type": "object",
    "properties": {
        "name": {"title": "Name", "type": "string", "description": "The full name.", "examples": ["Ana Roy"]},
        "born": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
        "town": {"allOf": [{"$ref": "#/$defs/Town"}], "description": "The birthplace."},
        "level": {"enum": ["A", "B"]},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 30}, "minItems": 3, "maxItems": 5},
    },
    "required": ["name", "town", "level", "tags"],
}
SKELETON = """\
// A person in the directory.
{
  "name": string, // The full name. ("Ana Roy")
  "born"?: "YYYY-MM-DD" | null,
  "town": {
    "name": string
  }, // The birthplace.
  "level": "A" | "B",
  "tags": [string (max. 30), …] (3–5)
}"""


def test_skeleton_has_types_limits_and_descriptions() -> None:
    """References are followed; titles, which repeat the names, are left out."""
    assert outline(PERSON, LIMIT) == SKELETON


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 5}, "integer (1–5)"),
        ({"type": "number", "minimum": 0}, "number (min. 0)"),
        ({"type": "string", "minLength": 2, "maxLength": 2}, "string (2)"),
        ({"type": "string", "pattern": "^[A-Z]$"}, "string (/^[A-Z]$/)"),
        ({"type": "string", "format": "email"}, "string (e-mail)"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"const": "x"}, '"x"'),
        ({"oneOf": [{"type": "boolean"}, {"type": "boolean"}]}, "true | false"),
        ({"properties": {"a": True}}, '{\n  "a"?: any\n}'),
        ({"type": "array"}, "[any, …]"),
        ({"type": "object"}, "{…}"),
        ({}, ""),
        (True, ""),
        (None, ""),
    ],
)
def test_kinds_of_values(schema: Any, written: str) -> None:
    """A schema that says nothing has no skeleton."""
    assert outline(schema, LIMIT) == written


@pytest.mark.parametrize("reference", ["#", "#/$defs/a", "#/$defs/none", "https://x.example/s.json", "#/properties"])
def test_references_come_to_an_end(reference: str) -> None:
    """Schemas that contain themselves, and references that lead nowhere."""
    schema = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"a": {"$ref": reference}}, "required": ["a"]}

    assert outline(schema, LIMIT).startswith('{\n  "a": ')


def test_long_skeleton_keeps_its_surface() -> None:
    """The inner objects are left out first, then the whole skeleton."""
    inner = {"type": "object", "properties": {f"inner {number}": {"type": "string"} for number in range(20)}}
    schema = {"type": "object", "properties": {f"part {number}": inner for number in range(20)}}

    assert outline(schema, LIMIT).count("\n") == 21
    assert '"part 19"?: …' in outline(schema, LIMIT)
    assert outline(schema, 100) == ""


def test_wide_and_deep_schemas_are_bounded() -> None:
    """The work ends with the limit: a doubling schema of 60 levels, 100,000 properties, and long texts."""
    doubling: Any = {"type": "string"}
    definitions = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"type": "array"}]} for n in range(60)}
    many = {"properties": {str(number): {"enum": list(range(1000))} for number in range(100_000)}}
    long = {"type": "string", "description": "long " * 10**6, "pattern": "a" * 10**6}

    branching = {"anyOf": [{"$ref": "#"}] * 200}

    for schema in (many, long, branching, {"$defs": {**definitions, "d60": doubling}, "$ref": "#/$defs/d0"}):
        assert len(outline(schema, LIMIT)) <= LIMIT


KEYWORDS = st.sampled_from(
    [
        *("$ref", "type", "enum", "const", "anyOf", "allOf", "items", "properties", "required"),
        *("minimum", "maxLength", "pattern", "format", "examples"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["object", "array", "#", "date"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.text(max_size=2), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYWORDS, VALUES, max_size=5))
def test_any_json_has_an_outline(schema: dict[str, Any]) -> None:
    """Schemas are hostile until they are checked; none makes the outline fail."""
    assert isinstance(outline(schema, LIMIT), str)
    assert len(outline(schema, LIMIT)) <= LIMIT + len(json.dumps(schema))
