"""bindings.toil.schema_reply: which JSON in a message is a schema, and the message without it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bindings.files import TextFile
from bindings.toil.schema_reply import find_schema, is_schema, require_schema
from core.errors import BadRequest

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
WRITTEN = json.dumps(SCHEMA)


def file(name: str, text: str) -> TextFile:
    return TextFile(name, "json" if name.endswith("json") else "text", text)


@pytest.mark.parametrize(
    "value",
    [
        {"$schema": "https://json-schema.org/draft/2020-12/schema"},
        {"type": "object"},
        {"type": ["string", "null"], "maxLength": 5},
        {"properties": {"a": {"type": "string"}, "b": True}},
        {"type": "object", "properties": {}, "name": "answer", "strict": True},
        {"items": {"type": "number"}},
        {"anyOf": [{"type": "string"}, {"type": "number"}]},
        {"$defs": {"x": {"type": "string"}}, "$ref": "#/$defs/x"},
        {"enum": ["a", "b"], "title": "Which"},
    ],
)
def test_a_schema_is_recognised(value: dict[str, Any]) -> None:
    assert is_schema(value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"name": "Ada", "age": 36},
        {"type": "Feature", "geometry": {"type": "Point"}, "properties": {"name": "x"}},
        {"type": "number", "value": 5},
        {"type": "invoice", "items": [{"price": 3}]},
        {"title": "Meeting", "description": "On Monday", "format": "A4"},
        {"items": ["a", "b"]},
        {"anyOf": "these"},
        {"properties": "none", "type": []},
        {"not": "a schema"},
    ],
)
def test_data_is_no_schema(value: dict[str, Any]) -> None:
    """Its keys may be keywords of JSON Schema."""
    assert not is_schema(value)


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        (f"Who is it?\n```json\n{WRITTEN}\n```", "Who is it?"),
        (f"```\n{WRITTEN}\n```\nWho is it?", "Who is it?"),
        (f"```{WRITTEN}``` Who?", "Who?"),
        (f"Before\n```JSON\n{WRITTEN}```\nafter", "Before\n\nafter"),
        (f"```json\n{WRITTEN}\n```", ""),
    ],
)
def test_a_code_block_is_found_and_removed(text: str, prompt: str) -> None:
    """Platforms pass it with or without its language and line breaks."""
    found = find_schema(text, ())

    assert found is not None
    assert SCHEMA == found.schema
    assert prompt == found.prompt


def test_the_first_schema_counts_and_samples_are_skipped() -> None:
    """Sample data in an earlier block stays in the message."""
    found = find_schema(f'Like this: ```{{"name": "Ada"}}``` by ```{WRITTEN}``` please', ())

    assert found is not None
    assert SCHEMA == found.schema
    assert '{"name": "Ada"}' in found.prompt


def test_a_schema_file_is_not_an_attachment() -> None:
    files = (file("note.txt", "Ada"), file("schema.json", WRITTEN))
    found = find_schema(" Who? ", files)

    assert found is not None
    assert (SCHEMA, "Who?", files[:1]) == (found.schema, found.prompt, found.files)


@pytest.mark.parametrize(
    "text", ["Hello", "```python\nprint()\n```", "```{broken```", '```{"a": 1, "a": 2}```', "```" * 99]
)
def test_a_message_without_a_schema_is_not_changed(text: str) -> None:
    assert find_schema(text, (file("data.json", "[1, 2]"), file("broken.json", "{"))) is None


def test_a_required_schema_that_is_broken_is_an_error_with_its_place() -> None:
    with pytest.raises(BadRequest, match="line 2, column 3"):
        require_schema('```json\n{\n  name: "x"\n}\n```', ())
    with pytest.raises(BadRequest, match="line 1"):
        require_schema("Who?", (file("schema.json", "{nothing}"),))
    with pytest.raises(BadRequest, match="object"):
        require_schema("Who?", (file("schema.json", "[]"),))


def test_any_json_counts_as_a_required_schema() -> None:
    found = require_schema('```{"odd": 1}``` Who?', ())

    assert found is not None
    assert {"odd": 1} == found.schema
    assert require_schema("Who?", ()) is None


def test_a_schema_in_code_within_a_line_is_found() -> None:
    """Short schemas are often written so. A column in code is no schema."""
    request = find_schema('`{"type": "object", "properties": {"a": {}}}` from `{text}`: Ada', ())

    assert request is not None
    assert "from `{text}`: Ada" == request.prompt
    assert find_schema("Summarise `{text}`", ()) is None
