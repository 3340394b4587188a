"""Gives way where an engine refuses a plan: what its reason names is dropped, at last the deepest parts.

Whatever is dropped is only no longer held while writing; the check is by the schema as it was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from core.contract import Json
from core.toil.schema.drafts import MAPS, walk

LIMIT = 6  # times that a plan is relaxed
DEPTHS = (6, 4, 2, 1)
BY_REASON: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"patternProperty|patternProperties", ("patternProperties",)),
    (r"min/maxProperties|minProperties|maxProperties", ("minProperties", "maxProperties")),
    (r"[Ff]ormat", ("format",)),
    (r"[Rr]egex|lookaround|pattern", ("pattern",)),
    (r"multipleOf", ("multipleOf",)),
    (r"range|minimum|maximum", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")),
)


def relaxed(schema: Json, reason: str) -> Json:
    """A wider schema than this one, or True when there is nothing left to give up."""
    if not isinstance(schema, dict):
        return True
    less: Json
    named = re.search(r"Unimplemented keys: \[(.*?)\]", reason)
    words = tuple(re.findall(r'"([^"]+)"', named[1])) if named else ()
    for pattern, dropped in BY_REASON:
        if not words and re.search(pattern, reason):
            words = dropped
    if "circular references" in reason:
        less = without(schema, lambda word, beside: word == "$ref" and len(beside) > 1)
    else:
        less = without(schema, lambda word, _beside: word in words)
    if less != schema:
        return less
    return shallower(schema)


def without(schema: Any, drops: Callable[[str, Any], bool]) -> Any:
    if not isinstance(schema, dict):
        return schema
    return {word: inside(word, value, drops) for word, value in schema.items() if not drops(word, schema)}


def inside(word: str, value: Any, drops: Callable[[str, Any], bool]) -> Any:
    if word in MAPS and isinstance(value, dict):
        return {name: without(each, drops) for name, each in value.items()}
    if isinstance(value, list) and word in ("allOf", "anyOf", "oneOf", "prefixItems"):
        return [without(each, drops) for each in value]
    return without(value, drops) if isinstance(value, dict) and word not in ("const", "default") else value


def shallower(schema: dict[str, Any]) -> Json:
    """The next smaller depth that takes something away; below it only types are held."""
    for depth in DEPTHS:
        less = cut(schema, depth)
        if sum(1 for _ in walk(less)) < sum(1 for _ in walk(schema)):
            return less  # type: ignore[no-any-return]
    kind = schema.get("type")
    return {"type": kind} if kind is not None and schema != {"type": kind} else True


def cut(schema: Any, depth: int) -> Any:
    if not isinstance(schema, dict):
        return schema
    if depth == 0:
        return {"type": schema["type"]} if "type" in schema else True
    kept: dict[str, Any] = {}
    for word, value in schema.items():
        if word in MAPS and isinstance(value, dict):
            kept[word] = {name: cut(each, depth - 1) for name, each in value.items()}
        elif isinstance(value, list) and word in ("allOf", "anyOf", "oneOf", "prefixItems"):
            kept[word] = [cut(each, depth - 1) for each in value]
        else:
            kept[word] = cut(value, depth - 1) if isinstance(value, dict) and word != "const" else value
    return kept
