"""Ways to tell a model the schema of its answer, for benchmarks.toil_quality --forms. "now" is what toil does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.contract import Json, Language
from core.conversation.draft import AnswerRequest, join_paragraphs
from core.texts import text
from core.toil.instructions import add_instructions, surround_with_instructions
from core.toil.schema_outline import FORMATS, outline
from core.toil.toiler import Instruct

LIMIT_CHARS = 2000
EXAMPLE = {"en": "For example:", "fr": "Par exemple :"}
FIELDS = {"en": "Give:", "fr": "Donnez :"}


def tell(system: Callable[[Json, Language], str], question: Callable[[Json, Language], str] | None = None) -> Instruct:
    """Adds a text to the system message, and another to the end of the question."""

    def instruct(request: AnswerRequest, schema: Json, language: Language) -> AnswerRequest:
        bare = add_instructions(request, None, language)
        draft = bare.draft
        told = join_paragraphs([draft.system, system(schema, language)])
        asked = join_paragraphs([draft.question, question(schema, language) if question else ""])
        return replace(bare, draft=replace(draft, system=told, question=asked))

    return instruct


def nothing(_schema: Json, _language: Language) -> str:
    return ""


def as_schema(schema: Json, language: Language) -> str:
    return join_paragraphs([text("prompt-json-schema", language), json.dumps(schema, ensure_ascii=False)])


def as_skeleton(schema: Json, language: Language) -> str:
    return join_paragraphs([text("prompt-json-form", language), outline(schema, LIMIT_CHARS)])


def as_example(schema: Json, language: Language) -> str:
    return join_paragraphs([EXAMPLE[language], json.dumps(fill(schema, schema), ensure_ascii=False)])


def as_lines(schema: Json, language: Language) -> str:
    """One line for each property, without the outer braces."""
    lines = outline(schema, LIMIT_CHARS).split("\n")
    return join_paragraphs([FIELDS[language], "\n".join(f"- {line.strip()}" for line in lines[1:-1])])


def field_names(schema: Json, language: Language) -> str:
    names = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return f"{FIELDS[language]} {', '.join(names)}." if isinstance(names, dict) and names else ""


def fill(schema: Any, root: Any) -> Any:
    """An example value of the benchmark's own schemas."""
    if "$ref" in schema:
        return fill(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        return fill(schema["anyOf"][0], root)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"]
    if kind == "object":
        return {name: fill(inner, root) for name, inner in schema["properties"].items()}
    if kind == "array":
        return [fill(schema["items"], root)] * 2
    if kind == "string":
        return json.loads(FORMATS["date"]) if schema.get("format") == "date" else "…"
    return {"integer": 0, "number": 0.0, "boolean": True}[kind]


FORMS: dict[str, Instruct] = {
    "now": surround_with_instructions,
    "nothing": tell(nothing),
    "schema": tell(as_schema),
    "skeleton": tell(as_skeleton),
    "example": tell(as_example),
    "lines": tell(as_lines),
    "skeleton last": tell(nothing, as_skeleton),
    "schema+names": tell(as_schema, field_names),
    "skeleton+names": tell(as_skeleton, field_names),
}
