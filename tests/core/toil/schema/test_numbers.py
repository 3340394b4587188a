"""Numbers beyond the engine's arithmetic: bounds, multiples and listed values."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from core.contract import Json
from core.model.worker.constrained.json_tracker import JsonTracker
from core.toil.schema.numbers import restore_numbers
from core.toil.schema.plan import plan
from tests.core.toil.schema.support_starter import Starter

LARGE: list[int | float] = [
    2**53 + 1,
    123456789012345678,
    10**18,
    2**63 - 1,
    2**63,
    2**64 - 1,
    10**30,
    1e15,
    1e20,
    1e300,
]
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def write_shortest(starter: Starter, schema: Json, meant: dict[int, int | float]) -> Json:
    """The value that the model writes if it closes everything at once."""
    tokens = starter.grammars.closing.find_completion(starter.constrain(schema), JsonTracker(), 400)
    assert tokens is not None
    return restore_numbers(json.loads(b"".join(starter.vocabulary.pieces[token] for token in tokens)), meant)


@pytest.mark.parametrize("number", [*LARGE, *(-number for number in LARGE)])
@pytest.mark.parametrize("kind", ["integer", "number", ["integer", "null"], None])
def test_large_numbers_are_met(number: int | float, kind: str | list[str] | None, starter: Starter) -> None:
    """An exact plan and a narrowed one allow conforming numbers only."""
    typed = {} if kind is None else {"type": kind}
    schemas: list[dict[str, Any]] = [{**typed, keyword: number} for keyword in (*BOUNDS, "const")]
    schemas += [{**typed, "enum": [number, 5]}, {**typed, "multipleOf": abs(number)}]
    for schema in schemas:
        planned, meant = plan(schema), dict(plan(schema).meant_numbers)
        validator = jsonschema_rs.validator_for(schema)

        assert validator.is_valid(write_shortest(starter, planned.narrowed, meant)), schema
        written = write_shortest(starter, planned.enforced, meant)
        assert validator.is_valid(written) or not planned.exact, schema


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer", "minimum": 2**53 + 1}, [2**53 + 2, 10**30], [2**53, 2**53 + 1 - 1]),
        ({"type": "integer", "exclusiveMaximum": 2**53}, [2**53 - 1, -5], [2**53, 2**53 + 1]),
        ({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}, [0, 10**18], [2**63, -(2**63) - 1]),
        ({"type": "integer", "minimum": 0, "maximum": 2**64 - 1}, [0, 2**62], [-1, 2**64]),
        ({"type": "number", "maximum": 1e20}, [1.5, 10**17], [10**21]),
        ({"type": "integer", "minimum": 10**18}, [10**18], [10**18 - 1]),
    ],
)
def test_large_bounds_are_enforced(schema: Any, good: list[Json], bad: list[Json], starter: Starter) -> None:
    """The bound may move inwards, to a number that the engine can compare."""
    planned = plan(schema)
    constraint = starter.constrain(planned.enforced)

    assert planned.exact
    assert [value for value in good if not starter.can_write(constraint, value)] == []
    assert [value for value in bad if starter.can_write(constraint, value)] == []


def test_listed_large_numbers_stay_distinct() -> None:
    """Each is represented by another number, also where the engine's floats are equal."""
    listed = [2**64 - 1, 2**64, 2**64 + 1, 2**53 + 1, -(2**63), 7]
    planned = plan({"enum": [{"id": number} for number in listed]})
    assert isinstance(planned.enforced, dict)
    written = planned.enforced["enum"]

    assert not planned.exact
    assert len({each["id"] for each in written}) == len(listed)
    assert restore_numbers(written, dict(planned.meant_numbers)) == [{"id": number} for number in listed]


def test_range_between_two_floats_is_validated(starter: Starter) -> None:
    """The engine gets the floats around it; the last attempt gets the number itself."""
    schema = {"type": "integer", "minimum": 2**53 + 1, "maximum": 2**53 + 1}
    planned = plan(schema)

    assert [report.outcome for report in planned.reports] == ["checked", "checked", "enforced"]
    assert write_shortest(starter, planned.narrowed, dict(planned.meant_numbers)) == 2**53 + 1
