"""Compares a JSON value with the right one, field by field. Pure; benchmarks/toil_quality_en.toml has the rules."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MISSING = object()  # a property that was left out
TITLES = re.compile(r"^(?:mr|mrs|ms|dr|m|mme|mlle|me|monsieur|madame|docteure?)\.? ")
SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\s]*$")
NON_DIGIT = re.compile(r"\D")

FieldScores = dict[str, float]  # by path; from 0 to 1


def score_value(right: Any, value: Any, schema: Mapping[str, Any]) -> FieldScores:
    """The score of each field that `right` names. `value`: MISSING if there is none."""
    return dict(score_fields(right, value, schema, ""))


def score_fields(right: Any, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, float]]:
    if isinstance(right, dict) and not is_rule(right):
        for name, expected in right.items():
            inner = value.get(name, MISSING) if isinstance(value, dict) else MISSING
            yield from score_fields(expected, inner, property_of(schema, name), f"{path}/{name}")
    else:
        yield path, score_field(right, value, schema)


def property_of(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = schema.get("properties", {}).get(name, {})
    return found if isinstance(found, dict) else {}


def is_rule(right: Mapping[str, Any]) -> bool:
    return len(right) == 1 and next(iter(right)) in RULES


def score_field(right: Any, value: Any, schema: Mapping[str, Any]) -> float:
    if isinstance(right, dict):
        ((rule, operand),) = right.items()
        return RULES[rule](operand, value, schema)
    if isinstance(right, list):
        return score_list(right, value)
    return float(is_equal(right, value))


def is_equal(right: Any, value: Any) -> bool:
    if isinstance(right, bool) or isinstance(value, bool):
        return right is value
    if isinstance(right, int | float):
        number = to_number(value)
        return number is not None and math.isclose(right, number)
    return isinstance(value, str) and normalise(right) == normalise(value)


def to_number(value: Any) -> float | None:
    """Reads a string as Pydantic does: "1234.50" is a number, "$1,234.50" is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def normalise(text: str) -> str:
    """Ignores case, kinds of blanks and apostrophes, punctuation at the ends, and a form of address."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("\u2011", "-").replace("–", "-")
    return TITLES.sub("", " ".join(plain.split()).strip(' .,;:!"«»“”'))


def score_list(right: list[dict[str, Any]], value: Any) -> float:
    """The F1 of the objects whose names match and whose numbers are equal."""
    if not isinstance(value, list):
        return 0.0
    rest = list(right)
    for item in value:
        match = next((each for each in rest if matches(each, item)), None)
        if match is not None:
            rest.remove(match)
    found = len(right) - len(rest)
    return 2 * found / (len(right) + len(value))


def matches(right: Mapping[str, Any], item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    for name, expected in right.items():
        value = item.get(name)
        if isinstance(expected, str):
            if not (isinstance(value, str) and is_similar(normalise(expected), normalise(value))):
                return False
        elif not is_equal(expected, value):
            return False
    return True


def is_similar(one: str, other: str) -> bool:
    """Accepts a singular for a plural, and a name with or without its unit."""
    short, long = sorted((one.removesuffix("s"), other.removesuffix("s")), key=len)
    return len(short) > 1 and short in long


def has_part(value: Any, part: str) -> bool:
    return isinstance(value, str) and normalise(part) in normalise(value)


def score_topics(groups: list[list[str]], value: Any, schema: Mapping[str, Any]) -> float:
    """The share of the groups that the text touches; a text that ends within a sentence loses one share."""
    if not isinstance(value, str) or len(value) > schema.get("maxLength", math.inf):
        return 0.0
    touched = sum(any(has_part(value, word) for word in group) for group in groups)
    return (touched + bool(touched and SENTENCE_END.search(value))) / (len(groups) + 1)


def score_keywords(parts: list[str], value: Any, schema: Mapping[str, Any]) -> float:
    wanted = schema.get("maxItems", 3)
    if not isinstance(value, list) or not value:
        return 0.0
    distinct = {normalise(each) for each in value if isinstance(each, str)}
    good = sum(any(normalise(part) in each for part in parts) and len(each.split()) <= 5 for each in distinct)
    return min(good, wanted) / max(wanted, len(value))


Rule = Callable[[Any, Any, Mapping[str, Any]], float]
RULES: dict[str, Rule] = {
    "one_of": lambda choices, value, _: float(any(is_equal(choice, value) for choice in choices)),
    "contains": lambda parts, value, _: float(all(has_part(value, part) for part in parts)),
    "any_part": lambda parts, value, _: float(any(has_part(value, part) for part in parts)),
    "digits": lambda digits, value, _: float(isinstance(value, str) and NON_DIGIT.sub("", value) == digits),
    "topics": score_topics,
    "distinct": score_keywords,
    "absent": lambda _wanted, value, _: float(value is None or value is MISSING),
}
