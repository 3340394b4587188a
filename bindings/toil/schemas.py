"""Finds the JSON Schema in what a person sent: a code block of the message, or an attached file. Pure.

A sample of data is no schema. What looks like one is taken for one; whether it can be held is for the engine to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bindings.files import ReadFile
from core import strict_json
from core.contract import Json
from core.errors import BadRequest

# Possessive: no blank is tried twice, however many a stranger sends.
BLOCK = re.compile(r"```[ \t]*+(?:(json|jsonc|jsonschema|json-schema)\b)?\s*+(\{.*?)```", re.DOTALL | re.IGNORECASE)
TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")  # values: schemas by name
ONE = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else", "additionalItems")
SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems")
STRUCTURE = {*BY_NAME, *ONE, *SEVERAL, "$ref"}
SAYING = "title description default examples deprecated readOnly writeOnly format nullable"
BOUNDING = (
    "type enum const pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf required "
    "minItems maxItems uniqueItems minContains maxContains minProperties maxProperties dependentRequired dependencies "
    "unevaluatedItems unevaluatedProperties contentEncoding contentMediaType contentSchema"
)
WORDS = frozenset(f"{SAYING} {BOUNDING}".split())


@dataclass(frozen=True, slots=True)
class Found:
    """A schema, the message without it, and the files without it."""

    schema: dict[str, Json]
    prompt: str
    files: tuple[ReadFile, ...]


def find(text: str, files: Sequence[ReadFile]) -> Found | None:
    """The first schema, those in the message before those in files. What is not JSON, or no schema, is passed over."""
    for block in BLOCK.finditer(text):
        if (schema := schema_in(block[2])) is not None:
            return Found(schema, without(text, block), tuple(files))
    for file in files:
        if file.shape in ("json", "text") and (schema := schema_in(file.text)) is not None:
            return Found(schema, text.strip(), tuple(other for other in files if other is not file))
    return None


def demand(text: str, files: Sequence[ReadFile]) -> Found | None:
    """As `find`, where a schema was promised: the first JSON is it. Raises BadRequest with the place of what is wrong.

    None: there is nothing that could be one.
    """
    if found := find(text, files):
        return found
    if block := BLOCK.search(text):
        return Found(object_in(block[2]), without(text, block), tuple(files))
    for file in files:
        if file.shape == "json":
            return Found(object_in(file.text), text.strip(), tuple(other for other in files if other is not file))
    return None


def schema_in(text: str) -> dict[str, Json] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = object_in(text)
    except BadRequest:
        return None
    return value if is_schema(value) else None


def object_in(text: str) -> dict[str, Json]:
    """Raises BadRequest, for JSON that is wrong with its line and column."""
    value = strict_json.parse(text.strip())
    if not isinstance(value, dict):
        raise BadRequest("a JSON Schema must be an object here")
    return value


def is_schema(value: dict[str, Json]) -> bool:
    if isinstance(value.get("$schema"), str):
        return True
    typed = is_type(value.get("type"))
    if "type" in value and not typed:
        return False
    structured = any(is_structure(word, value[word]) for word in STRUCTURE if word in value)
    if typed and structured:
        return True
    plain = all(word in WORDS or word in STRUCTURE or word.startswith(("$", "x-")) for word in value)
    return plain and (typed or structured or isinstance(value.get("enum"), list))


def is_type(value: Json) -> bool:
    names = value if isinstance(value, list) and value else [value]
    return all(isinstance(name, str) and name in TYPES for name in names)


def is_structure(word: str, value: Json) -> bool:
    """Whether a keyword that holds schemas holds some."""
    if word == "$ref":
        return isinstance(value, str)
    if word in BY_NAME:
        return isinstance(value, dict) and all_schemas(value.values())
    if isinstance(value, list):
        return (word in SEVERAL or word == "items") and bool(value) and all_schemas(value)
    return word in ONE and isinstance(value, dict | bool)


def all_schemas(values: Iterable[Json]) -> bool:
    return all(isinstance(value, dict | bool) for value in values)


def without(text: str, block: re.Match[str]) -> str:
    """What is left of a message, with one blank line where the block was."""
    parts = (text[: block.start()].strip(), text[block.end() :].strip())
    return "\n\n".join(part for part in parts if part)
