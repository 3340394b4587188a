"""Answers a message that holds a JSON Schema: finds the schema and shows the checked value.

Finding is pure: a code block, pasted lines or a file that look like a schema count as one, and sample data does not.
The engine decides whether it can enforce the schema; `core.toil.toiler` produces the value.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain

from bindings.delivery.outlet import Upload
from bindings.files import TextFile
from bindings.toil.pasted_json import find_pasted_objects, parse_pasted
from core import strict_json
from core.contract import Done, Engine, Event, Json, Language, Masked, Status, Task, Text, ToilResult
from core.errors import BadRequest, BudgetExhausted, CspsError, NonConforming
from core.texts import text

# Possessive quantifiers try no blank twice, so that a message of blanks takes linear time.
BLOCK = re.compile(r"```[ \t]*+(?:[A-Za-z][\w+#.-]{0,20}+)?\s*+(\{.*?)```", re.DOTALL)
INLINE = re.compile(r"(?<!`)`(\{[^`\n]*\})`(?!`)")  # code within a line
TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
# The keywords of JSON Schema that hold schemas: by name, one, or a list of them.
NAMED_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
ONE_SCHEMA = (
    *("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else", "additionalItems"),
)
SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
STRUCTURE = {*NAMED_SCHEMAS, *ONE_SCHEMA, *SCHEMA_LISTS, "$ref"}
ANNOTATIONS = "title description default examples deprecated readOnly writeOnly format nullable"
ASSERTIONS = (
    "type enum const pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf required "
    "minItems maxItems uniqueItems minContains maxContains minProperties maxProperties dependentRequired dependencies "
    "unevaluatedItems unevaluatedProperties contentEncoding contentMediaType contentSchema"
)
KEYWORDS = frozenset(f"{ANNOTATIONS} {ASSERTIONS}".split())

VALUE_LIMIT_CHARS = 3000  # longer JSON is sent as a file where the platform takes files
DETAIL_LIMIT_CHARS = 500
FILE_NAME = "answer.json"
MEDIA_TYPE = "application/json"

SendFile = Callable[[Upload], Awaitable[bool]]  # False: files cannot be sent here


@dataclass(frozen=True, slots=True)
class SchemaRequest:
    """A schema, and the message and files without it."""

    schema: dict[str, Json]
    prompt: str
    files: tuple[TextFile, ...]


def find_schema(message: str, files: Sequence[TextFile]) -> SchemaRequest | None:
    """The first schema in the message's code, else in its lines, else in a file. Ignores other JSON."""
    for block in chain(BLOCK.finditer(message), INLINE.finditer(message)):
        if (schema := parse_schema(block[1])) is not None:
            return SchemaRequest(schema, remove_span(message, *block.span()), tuple(files))
    for start, end, value in find_pasted_objects(message):
        if is_schema(value):
            return SchemaRequest(value, remove_span(message, start, end), tuple(files))
    for file in files:
        if file.format in ("json", "text") and (schema := parse_schema(file.text)) is not None:
            return SchemaRequest(schema, message.strip(), tuple(other for other in files if other is not file))
    return None


def require_schema(message: str, files: Sequence[TextFile]) -> SchemaRequest | None:
    """Works as `find_schema`, but the first JSON counts as the schema. Returns None without any JSON.

    Raises BadRequest with the line and column of an error.
    """
    if request := find_schema(message, files):
        return request
    if block := BLOCK.search(message):
        return SchemaRequest(parse_object(block[1]), remove_span(message, *block.span()), tuple(files))
    for start, end, value in find_pasted_objects(message):
        return SchemaRequest(value, remove_span(message, start, end), tuple(files))
    for file in files:
        if file.format == "json":
            others = tuple(other for other in files if other is not file)
            return SchemaRequest(parse_object(file.text), message.strip(), others)
    return None


def parse_schema(source: str) -> dict[str, Json] | None:
    if not source.lstrip().startswith("{"):
        return None
    value = parse_pasted(source)
    return value if value is not None and is_schema(value) else None


def parse_object(source: str) -> dict[str, Json]:
    """Raises BadRequest, with line and column for invalid JSON."""
    value = strict_json.parse(source.strip())
    if not isinstance(value, dict):
        raise BadRequest("a JSON Schema must be an object here")
    return value


def is_schema(value: dict[str, Json]) -> bool:
    if isinstance(value.get("$schema"), str):
        return True
    typed = is_type(value.get("type"))
    if "type" in value and not typed:
        return False
    structured = any(holds_schemas(word, value[word]) for word in STRUCTURE if word in value)
    if typed and structured:
        return True
    only_keywords = all(word in KEYWORDS or word in STRUCTURE or word.startswith(("$", "x-")) for word in value)
    return only_keywords and (typed or structured or isinstance(value.get("enum"), list))


def is_type(value: Json) -> bool:
    names = value if isinstance(value, list) and value else [value]
    return all(isinstance(name, str) and name in TYPES for name in names)


def holds_schemas(keyword: str, value: Json) -> bool:
    """True if the value of a keyword from STRUCTURE has the right form."""
    if keyword == "$ref":
        return isinstance(value, str)
    if keyword in NAMED_SCHEMAS:
        return isinstance(value, dict) and are_schemas(value.values())
    if isinstance(value, list):
        return (keyword in SCHEMA_LISTS or keyword == "items") and bool(value) and are_schemas(value)
    return keyword in ONE_SCHEMA and isinstance(value, dict | bool)


def are_schemas(values: Iterable[Json]) -> bool:
    return all(isinstance(value, dict | bool) for value in values)


def remove_span(message: str, start: int, end: int) -> str:
    """The message without a part, with one blank line in its place."""
    parts = (message[:start].strip(), message[end:].strip())
    return "\n\n".join(part for part in parts if part)


async def answer_with_json(
    engine: Engine, task: Task, send: SendFile, language: Language
) -> AsyncGenerator[Event, None]:
    """Yields the value as a code block, or sends it as a file if it is long. Raises the engine's errors."""
    toiled: ToilResult | None = None
    async with aclosing(engine.toil_events(task)) as events:
        async for event in events:
            if isinstance(event, Status | Masked):
                yield event
            elif isinstance(event, ToilResult):
                toiled = event
    assert toiled is not None, "toil ends by ToilResult or an exception"
    yield Text(await show_value(toiled.value, send, language))
    yield Done("stop", toiled.model, toiled.usage, receipt=toiled.receipt)


async def show_value(value: Json, send: SendFile, language: Language) -> str:
    json_value = format_json(value)
    if len(json_value) > VALUE_LIMIT_CHARS and await send(Upload(FILE_NAME, MEDIA_TYPE, json_value.encode())):
        return text("bot-schema-file", language, name=FILE_NAME)
    return code_block(json_value, "json")


async def with_error_detail(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """Adds the technical message before the error for everyone, so that the schema's author can correct it."""
    try:
        async with aclosing(events):
            async for event in events:
                yield event
    except (BadRequest, BudgetExhausted, NonConforming) as exc:
        yield Text(error_detail(exc))
        raise


async def error_events(error: CspsError) -> AsyncGenerator[Event, None]:
    """The events of a request that failed before it began."""
    yield Text(error_detail(error))
    raise error


def error_detail(error: CspsError) -> str:
    plain = " ".join(error.message.replace("`", "'").split())
    return f"`{plain[:DETAIL_LIMIT_CHARS]}`"


def format_json(value: Json) -> str:
    """Indented JSON, with escapes only if it contains lone surrogates, which UTF-8 cannot encode."""
    json_value = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        json_value.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=2)
    return json_value


def code_block(json_text: str, language: str) -> str:
    """A code block that its JSON cannot end: backticks occur only in strings, where they can be escaped."""
    escaped = json_text.replace("```", r"\u0060\u0060\u0060")
    return f"```{language}\n{escaped}\n```"
