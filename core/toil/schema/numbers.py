"""Translates the keywords for numbers within the engine's arithmetic, where JSON Schema knows no limits.

llguidance 1.9 reads every number as a float, so 2**53 + 1 becomes 2**53. It enforces ranges of integers between floats
that are 64-bit integers, and it crashes the process at -2**63. A bound that it cannot enforce is moved inwards where
values remain: a subset of what is allowed still conforms. A large listed number is represented by one that the engine
can write. `restore_numbers` puts the listed one in its place before validation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.contract import Json
from core.toil.schema.references import SchemaNode
from core.toil.schema.translation import UNENFORCED, Translation, Translator, union
from core.toil.schema.values import normalize_number

EXACT_LIMIT = 2**53  # beyond it, floats skip integers
SPACING = 2048  # more than between any two floats within 64 bits
INTEGER_LIMIT = 2**63 - 1024  # the last float within 64 bits
FRACTION_LIMIT = 10**17  # for ranges of numbers that may have a fraction
ONE_SIDED_LIMIT = 9 * 10**17  # the engine fails at a larger bound unless there is an opposite one
MULTIPLE_DIGITS = 6  # of a `multipleOf`, before and after the decimal point
LOWER, UPPER = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")


def translate_numbers(translator: Translator, node: SchemaNode) -> Iterator[Translation]:
    bounds = NumberBounds.of(node)
    for keyword in (*LOWER, *UPPER):
        translator.report_if_present(node, keyword, enforced=bounds.exact)
    if bounds.exact or not translator.narrow:
        yield Translation(bounds.keywords() or True, bounds.exact)
    else:
        yield list_number(translator, node, bounds, bounds.edge)
    divisor = node.keywords.get("multipleOf")
    if isinstance(divisor, int | float):
        enforced = has_few_digits(divisor)
        translator.report(node.pointer_to("multipleOf"), enforced)
        if enforced:
            yield Translation({"multipleOf": normalize_number(divisor)})
        elif translator.narrow:
            yield list_number(translator, node, bounds, bounds.multiple(divisor))
        else:
            yield UNENFORCED


def list_number(
    translator: Translator, node: SchemaNode, bounds: NumberBounds, number: int | float | None
) -> Translation:
    """Allows one number only, if it is in the range."""
    if number is None or not bounds.contains(number):
        return UNENFORCED
    listed = Translation({"enum": [make_writable(number, translator.meant_numbers)]})
    others = sorted(node.types - {"number"})
    return union([Translation({"type": others}), listed]) if others else listed


def has_few_digits(divisor: float) -> bool:
    """True if the engine's decimal arithmetic represents the divisor exactly."""
    return 0 < divisor < 10**MULTIPLE_DIGITS and round(divisor, MULTIPLE_DIGITS) == divisor


@dataclass(frozen=True, slots=True)
class NumberBounds:
    """A range of numbers. `least` and `greatest`: the caller's, exclusive ones moved inwards if all are integers.

    `low` and `high`: what the engine can enforce, without loss if `exact`. None: no bound.
    """

    least: int | float | None
    greatest: int | float | None
    exclusive: frozenset[str]  # those keywords that exclude `least` or `greatest` itself
    low: int | float | None
    high: int | float | None
    integers: bool
    exact: bool

    @classmethod
    def of(cls, node: SchemaNode) -> NumberBounds:
        types = node.keywords.get("type", ())
        integers = {"integer"} == {"integer", "number"} & ({types} if isinstance(types, str) else set(types))
        least, low_excluded = strictest_bound(node, *LOWER, sign=1, integers=integers)
        negated, high_excluded = strictest_bound(node, *UPPER, sign=-1, integers=integers)
        greatest = None if negated is None else -negated
        excluded = frozenset(
            keyword for keyword, is_so in ((LOWER[1], low_excluded), (UPPER[1], high_excluded)) if is_so
        )
        low, low_exact = enforceable_bound(least, integers=integers)
        negated, high_exact = enforceable_bound(negated, integers=integers)
        high = None if negated is None else -negated
        if least is not None and greatest is not None and low is not None and high is not None and low > high:
            low, high, low_exact = -round_up(-least), round_up(greatest), False  # the floats around the range
        return cls(least, greatest, excluded, low, high, integers, low_exact and high_exact)

    def keywords(self) -> dict[str, Json]:
        low, high = self.low, self.high
        if self.integers and low is not None and high is None and low > ONE_SIDED_LIMIT:
            high = INTEGER_LIMIT
        if self.integers and high is not None and low is None and high < -ONE_SIDED_LIMIT:
            low = -INTEGER_LIMIT
        keywords: dict[str, Json] = {}
        for (inclusive, exclusive), bound, given in ((LOWER, low, self.least), (UPPER, high, self.greatest)):
            if bound is not None:
                stays_open = exclusive in self.exclusive and bound == given
                keywords[exclusive if stays_open else inclusive] = normalize_number(bound)
        return keywords

    def contains(self, number: int | float) -> bool:
        above = self.least is None or number > self.least or (number == self.least and LOWER[1] not in self.exclusive)
        below = (
            self.greatest is None
            or number < self.greatest
            or (number == self.greatest and UPPER[1] not in self.exclusive)
        )
        return above and below

    @property
    def edge(self) -> int | float | None:
        """A number at one end of the range."""
        if self.least is not None:
            return math.nextafter(self.least, math.inf) if LOWER[1] in self.exclusive else self.least
        if self.greatest is not None:
            return math.nextafter(self.greatest, -math.inf) if UPPER[1] in self.exclusive else self.greatest
        return None

    def multiple(self, divisor: int | float) -> int | float | None:
        """The multiple nearest to 0 in the range; None if only a decimal fraction divides it."""
        if self.contains(0):
            return 0
        if not isinstance(divisor, int):
            return None
        if self.least is not None and self.least >= 0:
            first = -(-math.ceil(self.least) // divisor) * divisor
            return first if self.contains(first) else first + divisor
        assert self.greatest is not None, "a range without 0 and without positive numbers ends below 0"
        last = math.floor(self.greatest) // divisor * divisor
        return last if self.contains(last) else last - divisor


def strictest_bound(
    node: SchemaNode, inclusive: str, exclusive: str, *, sign: int, integers: bool
) -> tuple[int | float | None, bool]:
    """The strictest bound times `sign`, and whether it is excluded itself."""
    found: list[tuple[int | float, bool]] = []
    for keyword in (inclusive, exclusive):
        value = node.keywords.get(keyword)
        if isinstance(value, int | float) and not isinstance(value, bool):
            signed, excluded = sign * value, keyword == exclusive
            if integers:
                signed, excluded = (math.floor(signed) + 1 if excluded else math.ceil(signed)), False
            found.append((signed, excluded))
    return max(found, default=(None, False))


def enforceable_bound(least: int | float | None, *, integers: bool) -> tuple[int | float | None, bool]:
    """The lower bound to enforce, and whether only allowed numbers meet it."""
    if least is None:
        return None, True
    limit = INTEGER_LIMIT if integers else FRACTION_LIMIT
    if least > limit:
        return (ONE_SIDED_LIMIT if integers else FRACTION_LIMIT), False
    return round_up(max(least, -limit)), True


def round_up(number: int | float) -> int | float:
    """The least float that is not below the number, as an integer if it is whole."""
    if isinstance(number, float) or abs(number) <= EXACT_LIMIT:
        return normalize_whole(number)
    rounded = float(number)
    return int(rounded if int(rounded) >= number else math.nextafter(rounded, math.inf))


def normalize_whole(number: int | float) -> int | float:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def make_writable(value: Json, meant: dict[int, int | float]) -> Json:
    """The value with numbers that the engine can write. Records in `meant` which number each of them stands for."""
    if isinstance(value, list):
        return [make_writable(each, meant) for each in value]
    if isinstance(value, dict):
        return {key: make_writable(each, meant) for key, each in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) <= EXACT_LIMIT:
        return value
    return stand_in(value, meant)


def stand_in(number: int | float, meant: dict[int, int | float]) -> int:
    """The number that the engine can write for a large one: its first digits, as a float that is a 64-bit integer."""
    sign, size = (-1 if number < 0 else 1), abs(int(number))
    while size > INTEGER_LIMIT:
        size //= 10
    written = sign * int(float(size))
    while meant.get(written, number) != number:  # it stands for another number already
        size -= SPACING
        written = sign * int(float(size))
    if written != number:
        meant[written] = number
    return written


def restore_numbers(value: Json, meant: Mapping[int, int | float]) -> Json:
    """The value with the meant numbers in the place of the written ones."""
    if not meant:
        return value
    if isinstance(value, list):
        return [restore_numbers(each, meant) for each in value]
    if isinstance(value, dict):
        return {key: restore_numbers(each, meant) for key, each in value.items()}
    return meant.get(value, value) if isinstance(value, int) and not isinstance(value, bool) else value
