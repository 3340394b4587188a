"""A model writes declared properties only, unless the schema asks for more."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema_rs
import pytest

from core.contract import Json
from core.errors import SchemaRefused
from core.model.worker.constrained.json_tracker import JsonTracker
from core.toil.schema.plan import plan
from tests.core.toil.schema.support_starter import Starter

TEXT = {"type": "string"}
A, B, C = ({"properties": {name: TEXT}} for name in "abc")

# (name, schema, values that can be written, values that cannot, though all but the last conform)
CLOSED: list[tuple[str, Any, list[Json], list[Json]]] = [
    ("declared names, in their order", {"properties": {"b": TEXT, "a": TEXT}}, [{"b": "", "a": ""}], [{"z": ""}]),
    ("a required name without a schema", {**A, "required": ["z"]}, [{"a": "", "z": 1}], [{"z": 1, "y": 1}]),
    ("no names", {"properties": {"p": {"properties": {}}}}, [{"p": {}}], [{"p": {"z": 1}}]),
    ("required names beside none", {"properties": {}, "required": ["a"]}, [{"a": 1}], [{"a": 1, "z": 1}]),
    ("a reference", {"$defs": {"a": A}, "$ref": "#/$defs/a"}, [{"a": ""}], [{"z": ""}]),
    ("a reference with siblings", {"$defs": {"a": A}, "$ref": "#/$defs/a", **B}, [{"a": "", "b": ""}], [{"z": ""}]),
    ("allOf of one", {"allOf": [A], "description": "d"}, [{"a": ""}], [{"z": ""}]),
    ("allOf", {**C, "allOf": [A, B]}, [{"c": "", "a": "", "b": ""}], [{"z": ""}]),
    ("anyOf", {"anyOf": [{**A, "required": ["a"]}, B]}, [{"a": ""}, {"b": ""}], [{"a": "", "b": ""}, {"z": ""}]),
    (
        "anyOf beside properties",
        {**C, "anyOf": [{**A, "required": ["a"]}, {**B, "required": ["b"]}]},
        [{"c": "", "a": ""}, {"c": "", "b": ""}],
        [{"c": "", "a": "", "b": ""}, {"a": "", "z": ""}],
    ),
    (
        "oneOf by a constant",
        {
            "oneOf": [
                {"properties": {"is": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["is"]},
                {"properties": {"is": {"const": "dog"}, "barks": {"type": "boolean"}}, "required": ["is"]},
            ]
        },
        [{"is": "cat", "lives": 9}, {"is": "dog", "barks": True}],
        [{"is": "cat", "barks": True}],
    ),
    (
        "oneOf inside allOf",
        {
            "$defs": {
                "cat": {"properties": {"is": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["is"]},
                "dog": {"properties": {"is": {"const": "dog"}, "barks": {"type": "boolean"}}, "required": ["is"]},
                "pet": {"oneOf": [{"$ref": "#/$defs/cat"}, {"$ref": "#/$defs/dog"}]},
            },
            "allOf": [A, {"$ref": "#/$defs/pet"}],
        },
        [{"a": "", "is": "cat", "lives": 9}, {"is": "dog", "barks": True}],
        [{"is": "dog", "lives": 9}, {"a": "", "is": "cat", "z": 1}],
    ),
    (
        "anyOf beside oneOf",
        {
            "anyOf": [{**A, "required": ["a"]}, {**B, "required": ["b"]}],
            "oneOf": [{**C, "required": ["c"]}, {"properties": {"d": TEXT}, "required": ["d"]}],
        },
        [{"a": "", "c": ""}, {"b": "", "d": ""}],
        [{"a": "", "b": "", "c": ""}, {"a": ""}],
    ),
    (
        "anyOf inside anyOf",
        {**C, "anyOf": [{**A, "anyOf": [{**B, "required": ["b"]}, {"required": ["a"]}]}, {"type": "null"}]},
        [{"c": "", "a": "", "b": ""}, {"c": "", "a": ""}, None],
        [{"a": "", "z": ""}, {"c": ""}],
    ),
    ("if, then", {**A, "if": {"required": ["a"]}, "then": B}, [{"a": "", "b": ""}], [{"z": ""}]),
    ("dependents", {**A, "dependentRequired": {"a": ["b"]}}, [{"a": "", "b": 1}], [{"z": 1}]),
    ("dependent schemas", {**A, "dependentSchemas": {"a": B}}, [{"a": "", "b": ""}], [{"z": ""}]),
    (
        "dependencies",
        {"$schema": "http://json-schema.org/draft-07/schema#", **A, "dependencies": {"a": B}},
        [{}],
        [{"z": 1}],
    ),
    ("not", {**A, "not": {"required": ["b"]}}, [{"a": ""}], [{"z": ""}, {"b": ""}]),
    ("unevaluatedProperties", {"allOf": [A], "unevaluatedProperties": False}, [{"a": ""}], [{"z": ""}]),
    ("objects in arrays", {"items": {"items": A}}, [[[{"a": ""}]]], [[[{"z": ""}]]]),
    ("objects in tuples", {"prefixItems": [A], "items": B}, [[{"a": ""}, {"b": ""}]], [[{"b": ""}]]),
    ("objects in maps", {"additionalProperties": A}, [{"any": {"a": ""}}], [{"any": {"z": ""}}]),
    ("recursive", {"properties": {"in": {"$ref": "#"}}}, [{"in": {"in": {}}}], [{"in": {"z": 1}}]),
    (
        "a part that two schemas describe",
        {"allOf": [{"properties": {"p": A}}, {"properties": {"p": B}}]},
        [{"p": {"a": "", "b": ""}}],
        [{"p": {"z": ""}}],
    ),
    (
        "items that two schemas describe",
        {"allOf": [{"items": A}, {"items": {**B, "required": ["b"]}}]},
        [[{"a": "", "b": ""}]],
        [[{"b": "", "z": ""}]],
    ),
    (
        "a part in a condition",
        {"properties": {"p": A}, "if": {"properties": {"p": {**B, "required": ["b"]}}, "required": ["p"]}, "then": C},
        [{"p": {"a": ""}}, {"p": {"a": "", "b": ""}, "c": ""}],
        [{"p": {"z": ""}}],
    ),
    ("minProperties", {**A, "properties": {"a": TEXT, "b": TEXT}, "minProperties": 1}, [{"b": ""}], [{"z": ""}, {}]),
    (
        "minProperties, as choices",
        {"properties": {"a": TEXT, "b": TEXT, "c": TEXT}, "minProperties": 2},
        [{"a": "", "c": ""}, {"a": "", "b": "", "c": ""}],
        [{"b": "", "z": ""}, {"b": ""}],
    ),
    (
        "maxProperties, as choices",
        {"properties": {"a": TEXT, "b": TEXT, "c": TEXT}, "required": ["a"], "maxProperties": 2},
        [{"a": ""}, {"a": "", "c": ""}],
        [{"a": "", "z": ""}, {"a": "", "b": "", "c": ""}],
    ),
    ("names by a pattern", {**A, "patternProperties": {"^x-": TEXT}}, [{"a": "", "x-1": ""}], [{"z": ""}, {"x-1": 1}]),
    (
        "names by a pattern elsewhere",
        {**A, "allOf": [{"patternProperties": {"^x-": TEXT}}]},
        [{"a": "", "x-1": ""}],
        [{"z": ""}, {"x-1": 1}],
    ),
]

OPEN: list[tuple[str, Any, Json]] = [
    ("no properties", {"type": "object"}, {"z": 1}),
    ("only required names", {"type": "object", "required": ["a"]}, {"a": 1, "z": 1}),
    ("minProperties without names", {"properties": {}, "minProperties": 1}, {"z": 1}),
    ("a map", {"type": "object", "additionalProperties": {"type": "number"}}, {"z": 1}),
    ("a map beside properties", {**A, "additionalProperties": {"type": "number"}}, {"a": "", "z": 1}),
    ("any further name", {**A, "additionalProperties": True}, {"a": "", "z": 1}),
    ("a map in another branch", {"allOf": [A, {"additionalProperties": TEXT}]}, {"a": "", "z": ""}),
    ("unevaluatedProperties with a schema", {**A, "unevaluatedProperties": {"type": "number"}}, {"a": "", "z": 1}),
    ("names with a rule", {**A, "propertyNames": {"maxLength": 2}}, {"a": "", "z": 1}),
    ("minProperties beyond the declared", {**A, "minProperties": 2}, {"a": "", "z": 1}),
    (
        "minProperties with a forbidden name",
        {"properties": {"a": TEXT, "b": False}, "minProperties": 2},
        {"a": "", "z": 1},
    ),
    ("minProperties without end", {"type": "object", "properties": {"a": {"$ref": "#"}}, "minProperties": 1}, {"z": 1}),
    ("a listed object", {**A, "enum": [{"a": "", "z": 1}]}, {"a": "", "z": 1}),
    ("an additional property is needed", {**A, "not": {**A, "additionalProperties": False}}, {"a": "", "z": 1}),
    (
        "one is needed inside",
        {"properties": {"p": A}, "required": ["p"], "not": {"properties": {"p": {**A, "additionalProperties": False}}}},
        {"p": {"z": 1}},
    ),
    (
        "one decides between branches",
        {
            "oneOf": [{"properties": {"p": {**A, "additionalProperties": False}}}, {"properties": {"p": A}}],
            "required": ["p"],
        },
        {"p": {"z": 1}},
    ),
]


@pytest.mark.parametrize(("name", "schema", "good", "bad"), CLOSED, ids=[row[0] for row in CLOSED])
def test_only_declared_properties_are_written(
    name: str, schema: Any, good: list[Json], bad: list[Json], starter: Starter
) -> None:
    """Names of all schemas that apply to a value count as declared."""
    validator = jsonschema_rs.validator_for(schema)
    for allowed in (plan(schema).enforced, plan(schema).narrowed):
        constraint = starter.constrain(allowed)

        assert [value for value in good if not starter.can_write(constraint, value)] == []
        assert [value for value in bad if starter.can_write(constraint, value)] == []
    assert [value for value in good if not validator.is_valid(value)] == []


@pytest.mark.parametrize(("name", "schema", "value"), OPEN, ids=[row[0] for row in OPEN])
def test_schema_that_asks_for_more_gets_it(name: str, schema: Any, value: Json, starter: Starter) -> None:
    """So does one that only a further property can satisfy."""
    assert jsonschema_rs.validator_for(schema).is_valid(value)
    assert starter.can_write(starter.constrain(plan(schema).enforced), value)


def test_last_attempt_closes_objects_that_allow_any_name(starter: Starter) -> None:
    """A weak model would go on inventing names."""
    constraint = starter.constrain(plan({**A, "additionalProperties": True}).narrowed)

    assert starter.can_write(constraint, {"a": ""})
    assert not starter.can_write(constraint, {"a": "", "z": 1})


class RandomSchemas:
    """Small schemas in which keywords for objects meet in every way."""

    NAMES = "abcd"

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def document(self) -> dict[str, Any]:
        definitions = {"m": self._object(1, refer=False), "n": self._object(2, refer=False)}
        return {"type": "object", **self._object(3), "$defs": definitions}

    def _maybe(self, depth: int, refer: bool) -> Any:
        scalars: list[Any] = [{"type": "integer"}, {"const": 1}, {"type": "string"}, {"enum": [1, "x"]}, True]
        return self._random.choice(scalars) if depth == 0 else self._object(depth, refer)

    def _object(self, depth: int, refer: bool = True) -> dict[str, Any]:
        pick, names = self._random, self.NAMES

        def inner() -> Any:
            return self._maybe(depth - 1, refer)

        keywords: list[tuple[float, str, Any]] = [
            (0.5, "type", lambda: "object"),
            (0.75, "properties", lambda: {name: inner() for name in pick.sample(names, pick.randint(0, 3))}),
            (0.35, "required", lambda: pick.sample(names, pick.randint(1, 2))),
            (0.12, "additionalProperties", lambda: pick.choice([False, False, True, inner()])),
            (0.05, "patternProperties", lambda: {"^a": inner()}),
            (0.1, "minProperties", lambda: pick.randint(1, 4)),
            (0.06, "maxProperties", lambda: pick.randint(1, 3)),
            (0.06, "propertyNames", lambda: {"maxLength": 1}),
            (0.08, "dependentRequired", lambda: {pick.choice(names): [pick.choice(names)]}),
            (0.05, "dependentSchemas", lambda: {pick.choice(names): inner()}),
            (0.05, "unevaluatedProperties", lambda: False),
            (0.2, "allOf", lambda: [inner() for _ in range(pick.randint(1, 3))]),
            (0.2, "anyOf", lambda: [inner() for _ in range(pick.randint(1, 3))]),
            (0.15, "oneOf", lambda: [inner() for _ in range(pick.randint(1, 3))]),
            (0.08, "not", inner),
            (0.1, "if", inner),
            (0.1, "then", inner),
            (0.06 * refer, "$ref", lambda: "#/$defs/" + pick.choice("mn")),
        ]
        return {keyword: build() for chance, keyword, build in keywords if pick.random() < chance}

    def value(self, depth: int = 3) -> Json:
        if depth == 0 or self._random.random() < 0.3:
            return self._random.choice([1, 2, "x", None])
        return {name: self.value(depth - 1) for name in self._random.sample("abcdxz", self._random.randint(0, 5))}


def find_conforming_value(schemas: RandomSchemas, validator: jsonschema_rs.Validator) -> Json:
    return next((value for value in (schemas.value() for _ in range(300)) if validator.is_valid(value)), None)


@pytest.mark.parametrize("seed", range(150))
def test_satisfiable_schema_stays_satisfiable(seed: int, starter: Starter) -> None:
    """If some value conforms, the model can write one; an exact plan lets it write conforming values only."""
    schemas = RandomSchemas(seed)
    schema = schemas.document()
    validator = jsonschema_rs.validator_for(schema)
    conforming = find_conforming_value(schemas, validator)
    try:
        planned = plan(schema)
        constraint = starter.constrain(planned.enforced)
    except SchemaRefused as exc:
        reason = exc.message
    else:
        reason = ""
    if reason:
        # An engine that refuses a keyword gets a relaxed schema. No other refusal is right where a value conforms.
        assert conforming is None or "not disjoint" in reason
        return
    written = starter.grammars.closing.find_completion(constraint, JsonTracker(), 300)

    assert written is not None or conforming is None
    if written is not None and planned.exact:
        value = json.loads(b"".join(starter.vocabulary.pieces[token] for token in written))
        assert validator.is_valid(value)
