"""A search's JSON as a feed, by the operator's paths."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import UnreadableDocument
from core.rag.sources.catalogue import PerLanguage, SearchFields
from core.rag.sources.search_results import to_json_feed

FIELDS = SearchFields(
    entries="result.results",
    title=PerLanguage(en="title.en", fr="title.fr"),
    link="https://data.example.org/set/{id}",
    date="changed",
    summary="notes",
)
WATER = {"id": "w-1", "title": {"en": "Water", "fr": "Eau"}, "changed": "2025-05-01T10:00:00", "notes": "<b>Clean</b>"}


def items(*entries: Any, fields: SearchFields = FIELDS, limit: int = 10) -> list[dict[str, str]]:
    body = json.dumps({"result": {"results": list(entries)}}).encode()
    parsed: list[dict[str, str]] = json.loads(to_json_feed(body, fields, "Data", "fr", limit))["items"]
    return parsed


def test_entries_are_mapped_by_their_paths() -> None:
    """The title is in the language, the link contains the entry's id, date and summary are unchanged."""
    assert items(WATER) == [
        {
            "title": "Eau",
            "summary": "<b>Clean</b>",
            "date_published": "2025-05-01T10:00:00",
            "url": "https://data.example.org/set/w-1",
        }
    ]


def test_missing_fields_are_left_out() -> None:
    """A title is enough; an entry without title and summary is dropped."""
    assert items({"title": {"fr": "Eau"}}, {"id": "x"}, "odd", None) == [{"title": "Eau"}]


@pytest.mark.parametrize("id_", ["../../admin", "a/b", "", {"a": 1}, "x?y", "é"])
def test_an_id_cannot_change_where_a_link_leads(id_: Any) -> None:
    """The entry then has no link."""
    assert "url" not in items({**WATER, "id": id_})[0]


def test_the_number_of_entries_is_limited() -> None:
    """The first entries stay."""
    assert len(items(*[WATER] * 50, limit=7)) == 7


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "not valid JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"result": {"results": {}}}', "no list at result.results"),
        (b"[]", "no list at result.results"),
        (b'{"result": {"results": []}}', "no entries"),
        (b" " * (4 * 1024 * 1024 + 1), "bytes"),
    ],
)
def test_invalid_answers_are_refused(body: bytes, why: str) -> None:
    """Invalid are text that is not JSON, another structure, no entries, and too many bytes."""
    with pytest.raises(UnreadableDocument, match=why):
        to_json_feed(body, FIELDS, "Data", "en", 10)
