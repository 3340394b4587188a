"""Violations say where a value fails, what was expected and what was written, each once."""

from __future__ import annotations

from typing import Any

import pytest

from core.contract import Json
from core.toil.validator_process import ValidatorProcess
from core.toil.violation import QUOTED_CHARS, Violation, explain_violations

CAT = {"properties": {"is": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["is", "lives"]}
DOG = {"properties": {"is": {"const": "dog"}, "barks": {"type": "boolean"}}, "required": ["is", "barks"]}


def explain(schema: Any, value: Json, language: Any = "en") -> list[str]:
    answer = ValidatorProcess().answer({"ask": "validate", "key": "k", "schema": schema, "value": value})
    return explain_violations([Violation(*fields) for fields in answer["violations"]], language)


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"type": "integer"}, "a", 'The value: the type integer was expected. This was written: string "a"'),
        (
            {"type": ["null", "array"]},
            1.5,
            "The value: the type null | array was expected. This was written: number 1.5",
        ),
        ({"items": {"enum": ["a", 1]}}, [None], '/0: one of ["a", 1] was expected. This was written: null'),
        (
            {"properties": {"a/b": {"minimum": 2**60}}},
            {"a/b": 1},
            f"/a~1b: at least {2**60} was expected. This was written: number 1",
        ),
        ({"required": ["a"]}, {}, 'The value: the property "a" is missing.'),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"x": 1},
            'The value: the properties x are not allowed. This was written: object {"x": 1}',
        ),
        (
            {"format": "date"},
            "soon",
            'The value: a text of the format date was expected. This was written: string "soon"',
        ),
        (
            {"not": {"const": 1}},
            1,
            'The value: a value that does not match {"const": 1} was expected. This was written: number 1',
        ),
        (
            {"contains": {"const": 1}, "minContains": 2},
            [1],
            "The value: as many items as the keyword minContains asks for were expected. This was written: array [1]",
        ),
        (
            {"propertyNames": {"maxLength": 1}},
            {"a": 1, "bc": 2},
            'The value: the property name "bc" is not allowed. This was written: object {"a": 1, "bc": 2}',
        ),
        (
            {"prefixItems": [{}], "unevaluatedItems": False},
            [1, 2],
            "The value: the items 2 are not allowed. This was written: array [1, 2]",
        ),
        (
            {"items": {"anyOf": [{"type": "string"}, {"type": ["null", "string"]}, {"type": "object"}]}},
            [5],
            "/0: the type string | null | object was expected. This was written: number 5",
        ),
        (
            {"oneOf": [CAT, {"properties": {"is": {"enum": ["dog", "cow"]}}}]},
            {"is": "bee"},
            '/is: one of ["cat", "dog", "cow"] was expected. This was written: string "bee"',
        ),
        ({"anyOf": [CAT, DOG]}, {"is": "dog"}, 'The value: the property "barks" is missing.'),
        (
            {"oneOf": [{"type": "string"}, {"anyOf": [CAT, DOG]}]},
            {"is": "cat", "lives": "9"},
            '/lives: the type integer was expected. This was written: string "9"',
        ),
        (
            {"oneOf": [{"minimum": 1}, {"minimum": 2}]},
            3,
            "The value: exactly one of the forms was expected, and several match. This was written: number 3",
        ),
    ],
)
def test_sentence_has_place_expectation_and_writing(schema: Any, value: Json, sentence: str) -> None:
    """The nearest branch of an `anyOf` or `oneOf` is explained; what equally near ones expect is listed."""
    assert [sentence] == explain(schema, value)


def test_equal_sentences_appear_once() -> None:
    """Several parts of a schema can ask for the same."""
    assert len(explain({"allOf": [{"type": "string"}, {"type": "string"}, {"anyOf": [{"type": "string"}]}]}, 1)) == 1


def test_french_sentences() -> None:
    """People and the model read them in the language of the conversation."""
    assert ["La valeur\u00a0: le type string était attendu. Ce qui a été écrit\u00a0: number 1"] == explain(
        {"type": "string"}, 1, "fr"
    )


def test_quotations_are_bounded() -> None:
    """A long answer and a large schema are cut."""
    (sentence,) = explain({"enum": [str(n) for n in range(1000)]}, "y" * 10_000)

    assert len(sentence) < 200 + QUOTED_CHARS + 100
