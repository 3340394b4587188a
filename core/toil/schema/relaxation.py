"""Widens a plan that an engine refuses: drops the keywords that the reason names, and last the deepest parts.

Only the enforcement while writing is relaxed. The validator still checks the value against the original schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from core.contract import Json
from core.toil.schema.drafts import LIST_KEYWORDS, MAP_KEYWORDS, walk

RELAXATIONS_LIMIT = 6  # of one plan
DEPTHS = (6, 4, 2, 1)
KEYWORDS_BY_REASON: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"patternProperty|patternProperties", ("patternProperties",)),
    (r"min/maxProperties|minProperties|maxProperties", ("minProperties", "maxProperties")),
    (r"[Ff]ormat", ("format",)),
    (r"[Rr]egex|lookaround|pattern", ("pattern",)),
    (r"multipleOf", ("multipleOf",)),
    (r"range|minimum|maximum", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")),
)


def relax(schema: Json, reason: str) -> Json:
    """A wider schema than this one; True when nothing is left to drop."""
    if not isinstance(schema, dict):
        return True
    less: Json
    unimplemented = re.search(r"Unimplemented keys: \[(.*?)\]", reason)
    keywords = tuple(re.findall(r'"([^"]+)"', unimplemented[1])) if unimplemented else ()
    for pattern, dropped in KEYWORDS_BY_REASON:
        if not keywords and re.search(pattern, reason):
            keywords = dropped
    if "circular references" in reason:
        less = drop_keywords(schema, lambda keyword, siblings: keyword == "$ref" and len(siblings) > 1)
    else:
        less = drop_keywords(schema, lambda keyword, _siblings: keyword in keywords)
    return less if less != schema else reduce_depth(schema)


def drop_keywords(schema: Any, drops: Callable[[str, Any], bool]) -> Any:
    if not isinstance(schema, dict):
        return schema
    return {
        keyword: map_subschemas(keyword, value, lambda each: drop_keywords(each, drops))
        for keyword, value in schema.items()
        if not drops(keyword, schema)
    }


def map_subschemas(keyword: str, value: Any, change: Callable[[Any], Any]) -> Any:
    """The keyword's value with `change` applied to each schema in it."""
    if keyword in MAP_KEYWORDS and isinstance(value, dict):
        return {name: change(each) for name, each in value.items()}
    if isinstance(value, list) and keyword in LIST_KEYWORDS:
        return [change(each) for each in value]
    return change(value) if isinstance(value, dict) and keyword not in ("const", "default") else value


def reduce_depth(schema: dict[str, Any]) -> Json:
    """Cuts at the largest depth that removes something. At the end, only types remain."""
    for depth in DEPTHS:
        less = cut_below(schema, depth)
        if sum(1 for _ in walk(less)) < sum(1 for _ in walk(schema)):
            return less  # type: ignore[no-any-return]
    kind = schema.get("type")
    return {"type": kind} if kind is not None and schema != {"type": kind} else True


def cut_below(schema: Any, depth: int) -> Any:
    if not isinstance(schema, dict):
        return schema
    if depth == 0:
        return {"type": schema["type"]} if "type" in schema else True
    return {
        keyword: map_subschemas(keyword, value, lambda each: cut_below(each, depth - 1))
        for keyword, value in schema.items()
    }
