"""The titles of a schema that a prompt leaves out."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from core.toil.schema_titles import without_idle_titles


class Address(BaseModel):
    postal_code: str = Field(description="with a blank")


class Visitor(BaseModel):
    fullName: str  # noqa: N815 - names in JSON are often written so
    title: str | None = None
    badge: int = Field(title="Number of the badge, without its letter")
    homes: list[Address] = []


def test_titles_of_pydantic_are_left_out() -> None:
    """A title that its author wrote stays, and so do all other keywords and a property that is called title."""
    told = without_idle_titles(Visitor.model_json_schema())

    assert told == {
        "$defs": {
            "Address": {
                "type": "object",
                "properties": {"postal_code": {"type": "string", "description": "with a blank"}},
                "required": ["postal_code"],
            }
        },
        "type": "object",
        "properties": {
            "fullName": {"type": "string"},
            "title": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "badge": {"type": "integer", "title": "Number of the badge, without its letter"},
            "homes": {"type": "array", "items": {"$ref": "#/$defs/Address"}, "default": []},
        },
        "required": ["fullName", "badge"],
    }


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {"title": "An invoice of a vendor"},
        {"title": 5, "properties": {"a": False}},
        {"enum": [{"title": "Red"}], "default": {"title": "Red"}, "examples": [{"title": "Red"}]},
        {"properties": {"a": {"const": {"title": "A"}}}},
        {"anyOf": [{"title": "By mail, to the office"}]},
    ],
)
def test_what_says_something_stays(schema: Any) -> None:
    """A phrase, and values that happen to have a title."""
    assert without_idle_titles(schema) == schema


def test_titles_are_left_out_of_inner_schemas() -> None:
    """Of alternatives, items, conditions and patterns, with or without a property's name."""
    title = {"title": "Name"}
    schema = {
        "anyOf": [title],
        "items": title,
        "prefixItems": [title],
        "not": title,
        "patternProperties": {"^name$": title},
    }

    assert without_idle_titles(schema) == {
        "anyOf": [{}],
        "items": {},
        "prefixItems": [{}],
        "not": {},
        "patternProperties": {"^name$": {}},
    }
