"""An operator's own kinds of personal information: regular expressions that cannot take long.

Python's engine tries the ways in which an expression can match one after another, and an expression such as `(a+)+`
has more of them than there is time. So only expressions are accepted whose repeats are bounded, and whose ways at one
place are at most WAYS_LIMIT. A search then takes time in proportion to the text, whatever the text is.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.contract import Language
from core.privacy.digits import BEGINS, ENDS
from core.privacy.findings import Finding

WAYS_LIMIT = 100
LENGTH_LIMIT_CHARS = 200
# The standard library's parser. Its module has no public name, and its tree is the one that the engine runs.
PARSER: Any = importlib.import_module("re._parser")
REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


class PatternRefused(ValueError):
    """The message says why, and what to write in its place."""


@dataclass(frozen=True, slots=True)
class OwnPattern:
    """`title`: its name in both languages, as people read it."""

    name: str
    expression: re.Pattern[str]
    title: Mapping[Language, str]

    def find(self, plain: str) -> Iterator[Finding]:
        return (Finding(self.name, *match.span()) for match in self.expression.finditer(plain))


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The expression, which matches whole words alone. Raises PatternRefused."""
    try:
        tree = PARSER.parse(pattern)
        compiled = re.compile(f"{BEGINS}(?:{pattern}){ENDS}")
    except re.error as exc:
        raise PatternRefused(f"not a regular expression: {exc}") from exc
    shortest, longest = tree.getwidth()
    ways = count_ways(tree)
    if shortest == 0:
        raise PatternRefused("it must not match an empty text")
    if longest > LENGTH_LIMIT_CHARS:
        raise PatternRefused(f"it may match at most {LENGTH_LIMIT_CHARS} characters")
    if ways > WAYS_LIMIT:
        raise PatternRefused(
            f"it can match in more than {WAYS_LIMIT} ways at one place, which could take long: narrow its repeats and "
            "alternatives"
        )
    return compiled


def count_ways(tree: Any) -> int:
    """An upper bound of the ways in which the expression can match at one place, up to WAYS_LIMIT + 1."""
    ways = 1
    for operator, value in tree:
        ways = min(WAYS_LIMIT + 1, ways * ways_of(str(operator), value))
    return ways


def ways_of(operator: str, value: Any) -> int:
    match operator:
        case "BRANCH":
            return sum(count_ways(each) for each in value[1])
        case "SUBPATTERN":
            return count_ways(value[3])
        case "ATOMIC_GROUP":
            return count_ways(value)
        case "ASSERT" | "ASSERT_NOT":
            return count_ways(value[1])
        case "GROUPREF" | "GROUPREF_EXISTS":
            raise PatternRefused("it may not refer back to a group")
    return ways_of_repeat(*value) if operator in REPEATS else 1


def ways_of_repeat(least: int, most: int, repeated: Any) -> int:
    if most == PARSER.MAXREPEAT:
        raise PatternRefused("each repeat needs an upper bound: write {1,20} in place of + and {0,20} in place of *")
    ways, total = count_ways(repeated), 0
    for times in range(int(least), int(most) + 1):
        total += min(WAYS_LIMIT + 1, ways ** min(times, 10))
        if total > WAYS_LIMIT:
            break
    return total
