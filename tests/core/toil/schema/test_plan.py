"""Each keyword of a schema is enforced while writing, left to the validator, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract import Json
from core.errors import SchemaRefused
from core.toil.schema.plan import RELAXATIONS_LIMIT, SchemaPlan, plan, relax, report_refusal
from tests.core.toil.schema.support_starter import Starter

DRAFT4 = "http://json-schema.org/draft-04/schema#"
DRAFT6 = "http://json-schema.org/draft-06/schema#"
DRAFT7 = "http://json-schema.org/draft-07/schema#"
DRAFT2019 = "https://json-schema.org/draft/2019-09/schema"

# (name, schema, values that can be written, values that cannot)
TRANSLATED: list[tuple[str, Any, list[Json], list[Json]]] = [
    ("not a type", {"not": {"type": ["string", "null"]}}, [1, {}], ["a", None]),
    ("not a const", {"type": "string", "not": {"const": "ab"}}, ["a", "abc", "", "x\ny"], ["ab"]),
    ("not in enum", {"not": {"enum": [1, True, "a"]}}, [2, 0.5, False, "b", [], None], [1, True, "a"]),
    ("not required", {"type": "object", "not": {"required": ["a", "b"]}}, [{"a": 1}, {"b": 1}], [{"a": 1, "b": 1}]),
    ("not below", {"type": "number", "not": {"minimum": 3}}, [2], [3, 4]),
    ("not longer", {"type": "string", "not": {"minLength": 2}}, ["a"], ["ab"]),
    ("not any of", {"not": {"anyOf": [{"type": "string"}, {"type": "object"}]}}, [1], ["a", {}]),
    ("not all of", {"not": {"allOf": [{"type": "string"}, {"maxLength": 1}]}}, [1, "ab"], ["a"]),
    ("not not", {"not": {"not": {"type": "string"}}}, ["a"], [1]),
    (
        "not a property",
        {"type": "object", "not": {"properties": {"a": {"type": "string"}}}},
        [{"a": 1}],
        [{"a": "x"}, {}],
    ),
    (
        "if, then, else",
        {
            "type": "object",
            "properties": {"kind": {"enum": ["a", "b"]}, "x": {"type": "integer"}},
            "required": ["kind"],
            "if": {"properties": {"kind": {"const": "a"}}},
            "then": {"required": ["x"]},
            "else": {"properties": {"x": False}},
        },
        [{"kind": "a", "x": 1}, {"kind": "b"}],
        [{"kind": "a"}, {"kind": "b", "x": 1}],
    ),
    ("oneOf, overlapping", {"type": "number", "oneOf": [{"maximum": 3}, {"minimum": 2}]}, [1, 4], [2, 2.5, 3]),
    (
        "oneOf, by what is required",
        {"type": "object", "properties": {"a": {}, "b": {}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        [{"a": 1}, {"b": 1}],
        [{}, {"a": 1, "b": 1}],
    ),
    (
        "oneOf, by what is required and what is forbidden",
        {
            "oneOf": [
                {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False},
                {"type": "object", "properties": {"b": {}}, "required": ["b"], "additionalProperties": False},
            ]
        },
        [{"a": 1}, {"b": 1}],
        [{}, {"a": 1, "b": 1}],
    ),
    (
        "oneOf, by a constant behind a reference",
        {
            "$defs": {"cat": {"type": "object", "properties": {"is": {"const": "cat"}}, "required": ["is"]}},
            "oneOf": [{"$ref": "#/$defs/cat"}, {"type": "object", "properties": {"is": {"enum": ["dog"]}}}],
        },
        [{"is": "cat"}, {"is": "dog"}],
        [{"is": "cow"}],
    ),
    (
        "dependentRequired",
        {"type": "object", "dependentRequired": {"a": ["b"]}},
        [{}, {"b": 1}, {"a": 1, "b": 1}],
        [{"a": 1}],
    ),
    (
        "dependentSchemas",
        {"type": "object", "dependentSchemas": {"a": {"properties": {"b": {"type": "string"}}}}},
        [{"b": 1}, {"a": 1, "b": "x"}],
        [{"a": 1, "b": 1}],
    ),
    ("propertyNames, pattern", {"type": "object", "propertyNames": {"pattern": "^x"}}, [{}, {"xa": 1}], [{"a": 1}]),
    ("propertyNames, enum", {"type": "object", "propertyNames": {"enum": ["a.b"]}}, [{"a.b": 1}], [{"axb": 1}]),
    ("propertyNames, length", {"type": "object", "propertyNames": {"maxLength": 2}}, [{"ab": 1}], [{"abc": 1}]),
    ("uniqueItems, listed", {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True}, [[], [2, 1]], [[1, 1]]),
    (
        "uniqueItems, booleans",
        {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True},
        [[True, False]],
        [[True, True]],
    ),
    ("uniqueItems, one", {"type": "array", "maxItems": 1, "uniqueItems": True}, [["x"]], [[1, 2]]),
    (
        "unevaluatedProperties",
        {"type": "object", "allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False},
        [{"a": 1}],
        [{"b": 1}],
    ),
    (
        "unevaluatedItems",
        {"type": "array", "prefixItems": [{"type": "string"}], "unevaluatedItems": False},
        [["a"]],
        [["a", 1]],
    ),
    (
        "password",
        {"type": "string", "pattern": "^(?=.*[0-9])(?=.*[a-z])[a-z0-9]{4,}$"},
        ["abc1"],
        ["abcd", "1234", "a1"],
    ),
    ("pattern anywhere", {"type": "string", "pattern": "b"}, ["abc"], ["ac"]),
    ("class of ECMA", {"type": "string", "pattern": "^[[a]{2}$"}, ["[a"], ["b["]),
    ("Unicode category", {"type": "string", "pattern": r"^\p{Lu}\p{Letter}{1,300}$"}, ["École"], ["école", "É1"]),
    ("Unicode class in a class", {"type": "string", "pattern": r"^[^\p{L}\P{ASCII}-]+$"}, ["1 !"], ["a1", "1é", "-"]),
    ("Unicode script", {"type": "string", "pattern": r"^\p{Script=Greek}+\p{sc=Han}$"}, ["αβ漢"], ["ab漢", "漢"]),
    ("Unicode property", {"type": "string", "pattern": r"^\p{Alphabetic}+\p{White_Space}$"}, ["é "], ["1 "]),
    (
        "Unicode names of properties",
        {"patternProperties": {r"^\p{Ll}+$": {"type": "integer"}}, "additionalProperties": False},
        [{"é": 1}],
        [{"É": 1}, {"é": "x"}],
    ),
    ("Unicode propertyNames", {"type": "object", "propertyNames": {"pattern": r"^\p{L}+$"}}, [{"é": 1}], [{"1": 1}]),
    ("json-pointer", {"type": "string", "format": "json-pointer"}, ["", "/a~1b"], ["a", "/~"]),
    ("draft 4, exclusive", {"$schema": DRAFT4, "type": "integer", "minimum": 3, "exclusiveMinimum": True}, [4], [3]),
    (
        "draft 4, items",
        {"$schema": DRAFT4, "items": [{"type": "string"}], "additionalItems": False},
        [["a"]],
        [[1], ["a", 1]],
    ),
    (
        "draft 4, dependencies",
        {"$schema": DRAFT4, "type": "object", "dependencies": {"a": ["b"]}},
        [{"b": 1}],
        [{"a": 1}],
    ),
    ("draft 4, const is a word", {"$schema": DRAFT4, "const": 1}, [2], []),
    (
        "draft 4, id",
        {"$schema": DRAFT4, "id": "http://x/y", "definitions": {"s": {"id": "#s", "type": "string"}}, "$ref": "#s"},
        ["a"],
        [1],
    ),
    ("draft 6, const", {"$schema": DRAFT6, "const": 1}, [1], [2]),
    (
        "draft 7, siblings",
        {"$schema": DRAFT7, "definitions": {"s": {"type": "string"}}, "$ref": "#/definitions/s", "maxLength": 1},
        ["ab"],
        [1],
    ),
    (
        "draft 2019, siblings",
        {"$schema": DRAFT2019, "$defs": {"s": {"type": "string"}}, "$ref": "#/$defs/s", "maxLength": 1},
        ["a"],
        ["ab"],
    ),
    ("anchor", {"$defs": {"s": {"$anchor": "here", "type": "string"}}, "$ref": "#here"}, ["a"], [1]),
    ("id", {"$id": "urn:a", "$defs": {"s": {"$id": "urn:b", "type": "string"}}, "$ref": "urn:b"}, ["a"], [1]),
    ("odd pointer", {"words": {"a/b%": {"type": "string"}}, "$ref": "#/words/a~1b%25"}, ["a"], [1]),
    (
        "recursive",
        {"type": "object", "properties": {"n": {"$ref": "#"}}, "additionalProperties": False},
        [{"n": {"n": {}}}],
        [{"n": 1}],
    ),
    ("x-guidance is nobody's", {"x-guidance": {"lenient": True}, "not": {"type": "string"}}, [1], ["a"]),
    (
        "minProperties, settled",
        {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"], "minProperties": 1},
        [{"a": 1}],
        [{}],
    ),
    ("huge maxItems", {"type": "array", "maxItems": 10**9}, [[1]], [1]),
    ("an enum that type forbids", {"type": "string", "enum": ["a", 1]}, ["a"], [1]),
]

UNENFORCED: list[tuple[Any, str]] = [
    ({"type": "array", "uniqueItems": True}, "/uniqueItems"),
    ({"type": "array", "contains": {"type": "string"}}, "/contains"),
    ({"type": "string", "pattern": "^(?!a)b*"}, "/pattern"),
    ({"type": "string", "pattern": r"(a)\1"}, "/pattern"),
    ({"type": "string", "pattern": r"^\P{Cs}$"}, "/pattern"),
    ({"type": "string", "format": "date"}, "/format"),
    ({"type": "string", "not": {"pattern": "^a"}}, "/not"),
    ({"properties": {"a": {"not": {"format": "date"}}}}, "/properties/a/not"),
    ({"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 2}, "/minProperties"),
    ({"type": "object", "properties": dict.fromkeys("abcdefgh", True), "minProperties": 4}, "/minProperties"),
    ({"type": "object", "patternProperties": {"a": {}, "b": {}}}, "/patternProperties"),
    ({"oneOf": [{"pattern": "a"}, {"pattern": "b"}]}, "/oneOf"),
    ({"multipleOf": 1e-12}, "/multipleOf"),
    ({"$schema": DRAFT7, "contentMediaType": "application/json"}, "/contentMediaType"),
    ({"$schema": DRAFT7, "if": {"pattern": "a"}, "then": {"minLength": 3}}, "/if"),
    ({"$schema": DRAFT4, "dependencies": {name: ["x"] for name in "abcdefgh"}}, "/dependencies"),
]


def checked_paths(planned: SchemaPlan) -> list[str]:
    return [report.path for report in planned.reports if report.outcome == "checked"]


@pytest.mark.parametrize(("name", "schema", "good", "bad"), TRANSLATED, ids=[row[0] for row in TRANSLATED])
def test_enforced_schema_allows_the_same_values(
    name: str, schema: Any, good: list[Json], bad: list[Json], starter: Starter
) -> None:
    """The engine accepts the translated schema, which allows and forbids the same values."""
    planned = plan(schema)
    constraint = starter.constrain(planned.enforced)

    assert checked_paths(planned) == []
    assert [value for value in good if not starter.can_write(constraint, value)] == []
    assert [value for value in bad if starter.can_write(constraint, value)] == []


@pytest.mark.parametrize(("schema", "path"), UNENFORCED)
def test_unenforced_keyword_is_reported(schema: Any, path: str, starter: Starter) -> None:
    """The report names its path, and the engine accepts the rest."""
    planned = plan(schema)
    starter.constrain(planned.enforced)
    starter.constrain(planned.narrowed)

    assert path in checked_paths(planned)


@pytest.mark.parametrize(
    ("exact", "schema"),
    [
        (True, {"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}}}),
        (True, {"$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"}),
        (True, True),
        (False, {"type": "string", "format": "date"}),
        (False, {"properties": {"a": {"items": {"pattern": "(a)\\1"}}}}),
        (
            False,
            {
                "$defs": {
                    "a": {"properties": {"b": {"$ref": "#/$defs/b"}, "x": {"uniqueItems": True}}},
                    "b": {"properties": {"a": {"$ref": "#/$defs/a"}}},
                },
                "not": {"not": {"$ref": "#/$defs/a"}},
                "$ref": "#/$defs/b",
            },
        ),
    ],
)
def test_plan_is_exact_if_validation_cannot_fail(exact: bool, schema: Any) -> None:
    """Only an exact answer may be shown before it is validated."""
    assert plan(schema).exact is exact


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "array", "uniqueItems": True}, [[1]], [[1, 1]]),
        ({"type": "array", "contains": {"const": 5}}, [[5, 1]], [[1]]),
        (
            {"type": "object", "properties": {"a": {"not": {"format": "date"}}, "b": {}}},
            [{"b": 1}],
            [{"a": "x"}, {"c": 1}],
        ),
        (
            {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "minProperties": 2},
            [{"a": 1, "b": 1}],
            [{"c": 1}],
        ),
        ({"anyOf": [{"type": "string", "pattern": "^(?!x)"}, {"type": "null"}]}, [None], ["x", "y"]),
        ({"if": {"pattern": "a"}, "then": {"type": "string", "maxLength": 1}}, ["b"], ["bc"]),
        ({"type": "array", "items": {"type": "string", "pattern": "^(?!x)"}}, [[]], [["y"]]),
    ],
)
def test_narrowed_schema_leaves_out_unenforceable_parts(
    schema: Any, good: list[Json], bad: list[Json], starter: Starter
) -> None:
    """The last attempt omits optional parts that cannot be enforced."""
    constraint = starter.constrain(plan(schema).narrowed)

    assert [value for value in good if not starter.can_write(constraint, value)] == []
    assert [value for value in bad if starter.can_write(constraint, value)] == []


def test_schema_without_enforceable_keywords_allows_anything() -> None:
    """It is translated to true or {}."""
    assert plan(True).enforced is True
    assert plan({"format": "of our own", "title": "x"}).enforced in (True, {})
    assert plan({"type": "string"}).enforced not in (True, {})


def test_report_lists_each_asserting_keyword() -> None:
    """Annotations and unknown formats are left out; keywords inside `not` follow `not`."""
    schema = {
        "title": "t",
        "type": "object",
        "properties": {"a": {"type": "string", "format": "int32"}, "b/c": {"type": "array", "uniqueItems": True}},
        "not": {"required": ["z"]},
    }

    assert [(report.path, report.keyword, report.outcome) for report in plan(schema).reports] == [
        ("/not", "not", "enforced"),
        ("/not/required", "required", "enforced"),
        ("/properties", "properties", "enforced"),
        ("/properties/a/type", "type", "enforced"),
        ("/properties/b~1c/type", "type", "enforced"),
        ("/properties/b~1c/uniqueItems", "uniqueItems", "checked"),
        ("/type", "type", "enforced"),
    ]


def test_refusal_is_reported_with_its_place() -> None:
    """It also names the remedy."""
    with pytest.raises(SchemaRefused) as caught:
        plan({"properties": {"a": {"$ref": "https://example.org/a.json"}}})
    report = report_refusal(caught.value.message)

    assert (report.path, report.keyword, report.outcome) == ("/properties/a/$ref", "$ref", "refused")
    assert "under `$defs`" in (report.why or "")


def test_contradictory_schema_is_refused() -> None:
    """No engine receives it."""
    with pytest.raises(SchemaRefused, match="no value can satisfy"):
        plan({"not": {}})


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
    """This holds for any reason of the engine."""
    held = schema
    for _ in range(RELAXATIONS_LIMIT):
        held = relax(held, "no")

    assert held is True
