"""All values that a grammar allows at a place, over the starter's real vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.model.worker.constrained.finite_values import FiniteValue
from core.model.worker.constrained.grammar import GrammarCompiler, JsonMatcher
from core.model.worker.llama.loading import RunnerConfig, load


@pytest.fixture(scope="module")
def grammars(starter_file: Path) -> Iterator[GrammarCompiler]:
    runner = load(starter_file, RunnerConfig(window=256, cache_tokens=256, sequences=1, threads=1))
    yield GrammarCompiler(runner.vocabulary)
    runner.close()


def find(grammars: GrammarCompiler, schema: dict[str, Any], before: bytes = b"") -> list[FiniteValue] | None:
    """The values after these bytes of a document."""
    matcher: JsonMatcher = grammars.matcher(schema)
    assert matcher.consume(grammars.tokenize(before))
    values = grammars.drawing.values
    return values.find(matcher, before.endswith(b'"'), lambda allowed: range(256))


@pytest.mark.parametrize(
    ("schema", "before", "texts"),
    [
        ({"enum": ["red", "green"]}, b'"', [b"green", b"red"]),
        ({"enum": ["red", "green"]}, b"", [b'"green', b'"red']),
        ({"enum": ["SK-12", "SK-13"]}, b'"', [b"SK-12", b"SK-13"]),
        ({"const": "élevée"}, b'"', ["élevée".encode()]),
        ({"enum": ['a"b', "a\\b"]}, b'"', [b'a\\"b', b"a\\\\b"]),
        ({"type": "boolean"}, b"", [b"false", b"true"]),
        ({"enum": ["no", None, 5, 5.5]}, b"", [b'"no', b"5", b"5.5", b"null"]),
        ({"type": "integer", "minimum": 1, "maximum": 3}, b"", [b"1", b"2", b"3"]),
        ({"type": "string", "pattern": "^(yes|no)$"}, b'"', [b"no", b"yes"]),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1}, b"[", [b'"a', b'"b']),
        ({"properties": {"v": {"enum": ["a", "b"]}}, "required": ["v"], "type": "object"}, b'{"v":', [b' "a', b' "b']),
    ],
)
def test_few_values_are_found(grammars: GrammarCompiler, schema: Any, before: bytes, texts: list[bytes]) -> None:
    """Strings without their closing quote; with the blank before them, where one must stand."""
    found = find(grammars, schema, before)

    assert found is not None
    assert sorted(texts) == [value.text for value in found]


def test_values_that_begin_another_are_open(grammars: GrammarCompiler) -> None:
    """The grammar does not force them to end."""
    strings = find(grammars, {"enum": ["urgent", "urgently", "not urgent"]}, b'"')
    numbers = find(grammars, {"type": "integer", "minimum": 1, "maximum": 10})

    assert strings is not None
    assert [b"urgent"] == [value.text for value in strings if value.open]
    assert numbers is not None
    assert [b"1"] == [value.text for value in numbers if value.open]


@pytest.mark.parametrize(
    ("schema", "before"),
    [
        ({"type": "string"}, b'"'),
        ({"type": "string", "maxLength": 3}, b'"'),
        ({"type": ["string", "null"]}, b""),
        ({"type": "number"}, b""),
        ({"type": "integer", "minimum": 1, "maximum": 1000}, b""),
        ({"type": "string", "format": "date"}, b'"'),
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, b'"'),
        ({"enum": [{"a": 1}, "b"]}, b""),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, b"["),
        ({"enum": [f"value {n}" for n in range(100)]}, b'"'),
        ({"enum": ["a" * 300, "b"]}, b'"'),
    ],
)
def test_many_or_large_values_are_not_listed(grammars: GrammarCompiler, schema: Any, before: bytes) -> None:
    """Nor a place where the array may end instead."""
    assert find(grammars, schema, before) is None


def test_unlikely_beginnings_are_left_out(grammars: GrammarCompiler) -> None:
    """So that a long list costs no more than the part of it that the model might choose."""
    matcher = grammars.matcher({"enum": [f"{letter} {n}" for letter in "abcdef" for n in range(20)]})
    matcher.accept(grammars.tokenize(b'"')[0])
    found = grammars.drawing.values.find(matcher, True, lambda allowed: [ord("c")])

    assert found is not None
    assert len(found) == 20
