"""Bounds the cost of `multipleOf`, the one keyword for which llguidance's own limits do not count.

It builds an automaton with a state for each remainder: half a second and 40 MB for a divisor of five digits, 14 s for
ten alternatives with one of six. Alternatives and intersections need the least common multiple of their divisors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from core.errors import SchemaRefused

STATES_LIMIT = 100_000  # 0.7 s of CPU time
NUMERIC = {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
COMBINING = {"allOf", "anyOf", "oneOf"}


def check_divisors(schema: Any) -> None:
    """Raises SchemaRefused if the divisors of a schema could take too long to compile."""
    objects = list(find_objects(schema))
    divisors = [divisor for each in objects if (divisor := divisor_of(each)) is not None]
    if not divisors:
        return
    states = sum(map(coefficient, divisors))
    if any(COMBINING & each.keys() for each in objects):
        # One number may get all divisors, and each bound or reference may make another number of it.
        decimals = max(0, *(-int(divisor.as_tuple().exponent) for divisor in divisors))
        numbers = sum(len((NUMERIC | {"$ref"}) & each.keys()) for each in objects)
        states = math.lcm(*(int(divisor.scaleb(decimals)) for divisor in divisors)) * numbers
    if states > STATES_LIMIT:
        raise SchemaRefused("multipleOf: the divisors of this schema are too large to enforce while writing")


def divisor_of(schema: dict[str, Any]) -> Decimal | None:
    value = schema.get("multipleOf")
    usable = isinstance(value, int | float) and math.isfinite(value) and value > 0
    return Decimal(repr(value)) if usable else None


def coefficient(divisor: Decimal) -> int:
    """Returns the divisor without its decimal point: 25 for 0.25, 1000 for 1000."""
    return int(divisor.scaleb(max(0, -int(divisor.as_tuple().exponent))))


def find_objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Yields every JSON object inside a schema, without recursion."""
    waiting = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
