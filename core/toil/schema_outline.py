"""Describes a JSON Schema to a model: a skeleton of the value with types, limits and the schema's descriptions.

    {
      "name": string, // The person's full name.
      "born"?: "YYYY-MM-DD" | null,
      "tags": [string (max. 30), …] (3–5)
    }

It stands for a schema that is too long for a prompt, has a third of its characters, and has no words of a language. It
says less than the schema: the engine or the validator knows the rest. Pure. Its work and its length are bounded for
schemas of any size and shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

DEPTHS = (6, 2, 1)  # the deepest skeleton within the limit is taken
REFERENCES_LIMIT = 16  # that follow one another
PARTS_LIMIT = 200  # properties of an object, values of an enum, alternatives
TEXT_LIMIT_CHARS = 200  # of one description, pattern or value
ANY, MORE = "any", "…"
TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "true | false", "null": "null"}
FORMATS = {
    "date": '"YYYY-MM-DD"',
    "time": '"HH:MM:SSZ"',
    "date-time": '"YYYY-MM-DDTHH:MM:SSZ"',
    "email": "string (e-mail)",
    "uri": "string (URL)",
    "uuid": "string (UUID)",
}


def outline(schema: Any, limit_chars: int) -> str:
    """The skeleton, in about `limit_chars` at most; empty if the schema says nothing or is too wide at its surface."""
    for depth in DEPTHS:
        skeleton = SkeletonWriter(schema, depth, limit_chars)
        note, written = describe(schema), skeleton.write(schema)
        if skeleton.left_chars >= 0 and len(note) + len(written) <= limit_chars:
            return "\n".join([f"// {note}"] * bool(note) + [written] * (written != ANY))
    return ""


class SkeletonWriter:
    """Writes one skeleton. `left_chars` falls below zero when it grows too long; the rest is then left out."""

    def __init__(self, root: Any, depth_limit: int, limit_chars: int) -> None:
        self._root = root
        self._depth_limit = depth_limit
        self.left_chars = limit_chars

    def write(self, schema: Any, depth: int = 0) -> str:
        """`depth`: the number of objects and arrays around this value."""
        self.left_chars -= 1  # also where nothing is written: references can branch without end
        schema = self._resolve(schema)
        if not schema:
            return ANY
        if depth > self._depth_limit or self.left_chars < 0:
            return MORE
        if "const" in schema:
            return self._count(dump(schema["const"]))
        if isinstance(schema.get("enum"), list):
            return self._count(join_alternatives(map(dump, schema["enum"][:PARTS_LIMIT])))
        for keyword in ("anyOf", "oneOf"):
            if isinstance(schema.get(keyword), list):
                # One level deeper, so that alternatives which refer to themselves come to an end.
                return join_alternatives(self.write(each, depth + 1) for each in schema[keyword][:PARTS_LIMIT])
        kinds = schema.get("type", "object" if "properties" in schema else "array" if "items" in schema else "")
        named = kinds if isinstance(kinds, list) else [kinds]
        return join_alternatives(self._write_type(kind, schema, depth) for kind in named[: len(TYPES) + 2])

    def _write_type(self, kind: Any, schema: Mapping[str, Any], depth: int) -> str:
        match kind:
            case "object":
                return self._write_object(schema, depth)
            case "array":
                items = self.write(schema.get("items", True), depth + 1)
                return f"[{items}, …]{write_range(schema, 'minItems', 'maxItems')}"
            case "string":
                return self._count(write_string(schema))
            case "integer" | "number":
                return self._count(f"{kind}{write_range(schema, 'minimum', 'maximum')}")
            case _:
                return self._count(TYPES.get(kind, ANY) if isinstance(kind, str) else ANY)

    def _write_object(self, schema: Mapping[str, Any], depth: int) -> str:
        properties = schema.get("properties")
        if not isinstance(properties, dict) or not properties:
            return "{…}"
        if depth == self._depth_limit:
            return MORE
        indent = "  " * (depth + 1)
        lines = self._property_lines(schema, properties, depth)
        return "\n".join(["{", *(f"{indent}{line}" for line in lines), f"{indent[2:]}}}"])

    def _property_lines(self, schema: Mapping[str, Any], properties: Mapping[str, Any], depth: int) -> Iterator[str]:
        required = schema.get("required")
        for number, (name, inner) in enumerate(properties.items(), 1):
            if self.left_chars < 0 or number > PARTS_LIMIT:
                yield MORE
                return
            key = dump(name) + ("" if isinstance(required, list) and name in required else "?")
            comma = "," if number < len(properties) else ""
            note = describe(inner) or describe(self._resolve(inner))
            value = self.write(inner, depth + 1)
            yield f"{self._count(key)}: {value}{comma}{self._count(f' // {note}') if note else ''}"

    def _resolve(self, schema: Any) -> dict[str, Any]:
        """The schema behind references within the document and behind an allOf of one part; {} for any other."""
        for _ in range(REFERENCES_LIMIT):
            if not isinstance(schema, dict):
                return {}
            if isinstance(schema.get("$ref"), str):
                schema = self._find(schema["$ref"])
            elif isinstance(schema.get("allOf"), list) and len(schema["allOf"]) == 1 and "properties" not in schema:
                schema = schema["allOf"][0]
            else:
                return schema
        return {}

    def _find(self, reference: str) -> Any:
        """Follows a JSON pointer (RFC 6901)."""
        path, found = reference.split("/"), self._root
        if path[0] != "#":
            return None
        for step in path[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def _count(self, written: str) -> str:
        self.left_chars -= len(written)
        return written


def join_alternatives(written: Iterator[str] | map[str]) -> str:
    return " | ".join(dict.fromkeys(written))


def write_string(schema: Mapping[str, Any]) -> str:
    named = FORMATS.get(schema["format"]) if isinstance(schema.get("format"), str) else None
    pattern = schema.get("pattern")
    if named is None and isinstance(pattern, str) and len(pattern) <= TEXT_LIMIT_CHARS:
        named = f"string (/{pattern}/)"
    return named or f"string{write_range(schema, 'minLength', 'maxLength')}"


def write_range(schema: Mapping[str, Any], least: str, most: str) -> str:
    """The limits as " (1–5)", " (min. 1)", " (max. 5)", or " (3)" for an exact number."""
    low, high = (shorten(str(bound)) if is_number(bound := schema.get(name)) else "" for name in (least, most))
    if low and high:
        return f" ({low})" if low == high else f" ({low}–{high})"
    return f" (min. {low})" if low else f" (max. {high})" if high else ""


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def describe(schema: Any) -> str:
    """The schema's description and its first example, on one line."""
    if not isinstance(schema, dict):
        return ""
    description, examples = schema.get("description"), schema.get("examples")
    words = " ".join(description[: 2 * TEXT_LIMIT_CHARS].split()) if isinstance(description, str) else ""
    example = f"({dump(examples[0])})" if isinstance(examples, list) and examples else ""
    return " ".join(part for part in (shorten(words), example) if part)


def shorten(written: str) -> str:
    return written if len(written) <= TEXT_LIMIT_CHARS else f"{written[:TEXT_LIMIT_CHARS]}…"


def dump(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False))
