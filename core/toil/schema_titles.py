"""Leaves out the titles of a schema that say nothing: Pydantic gives each property its own name as a title.

A weak model copies such words into its values. Pure.
"""

from __future__ import annotations

from typing import Any

from core.toil.schema.drafts import LIST_KEYWORDS, MAP_KEYWORDS, SCHEMA_KEYWORDS


def without_idle_titles(schema: Any, name: str = "") -> Any:
    """The schema without each title that repeats the name of its property, and without the name of a class.

    `name`: of the property or definition that the schema describes; "" for the whole document.
    """
    if not isinstance(schema, dict):
        return schema
    return {
        keyword: _inside(keyword, value)
        for keyword, value in schema.items()
        if keyword != "title" or not _is_idle(value, name)
    }


def _inside(keyword: str, value: Any) -> Any:
    if keyword in MAP_KEYWORDS and isinstance(value, dict):
        return {name: without_idle_titles(each, name) for name, each in value.items()}
    if isinstance(value, list) and keyword in {*LIST_KEYWORDS, "items"}:
        return [without_idle_titles(each) for each in value]
    return without_idle_titles(value) if keyword in SCHEMA_KEYWORDS else value


def _is_idle(title: Any, name: str) -> bool:
    if not isinstance(title, str):
        return False
    return _letters(title) == _letters(name) if name else title.isidentifier()


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
