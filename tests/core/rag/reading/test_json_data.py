"""JSON: records become tables, and other values keep their form."""

from __future__ import annotations

import json
from functools import partialmethod
from typing import Any

import pytest

from core.contract import Omission
from core.rag.documents import Document
from core.rag.reading.formats import read_document
from core.rag.reading.tables.sheets import RowBudget

NEWLINE = "\n"


def read(value: Any) -> Document:
    return read_document(json.dumps(value).encode(), "application/json", name="d.json")


def text_of(document: Document) -> str:
    return "\n\n".join(passage.text for passage in document.passages)


def test_a_list_of_records_is_a_table() -> None:
    """A record may lack columns."""
    document = read([{"a": 1, "b": "x"}, {"a": None, "c": True}])

    assert "table" == document.kind
    assert "| a | b | c |\n| --- | --- | --- |\n| 1 | x |  |\n|  |  | true |" == text_of(document)


def test_objects_in_records_become_columns() -> None:
    """Their names are paths. A list of simple values is one cell."""
    people = [{"name": "Ana", "address": {"city": "Laval", "geo": {"lat": 45.5}}, "tags": ["a", "b"], "none": []}]

    assert (
        "| name | address.city | address.geo.lat | tags | none |\n| --- | --- | --- | --- | --- |\n"
        "| Ana | Laval | 45.5 | a, b |  |"
    ) == text_of(read(people))


def test_the_only_list_of_an_object_is_its_table() -> None:
    """Services wrap their records so. The values beside it stand above."""
    document = read({"count": 2, "updated": "2026-04-01", "results": [{"id": 1}, {"id": 2}]})

    assert "count: 2\n\nupdated: 2026-04-01\n\n| id |\n| --- |\n| 1 |\n| 2 |" == text_of(document)


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"b": ["été"]}},
        [1, 2, 3],
        "text",
        {"a": [1], "b": [2]},
        [{f"k{number}": number} for number in range(40)],
        [{}],
    ],
)
def test_other_json_keeps_its_form(value: Any) -> None:
    """Trees, lists of values, and objects without common names are no tables."""
    (passage,) = read(value).passages

    assert passage.text.startswith("```\n")
    assert value == json.loads(passage.text.strip("`"))


def test_records_above_the_limit_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are read."""
    monkeypatch.setattr(RowBudget, "__init__", partialmethod(RowBudget.__init__, rows=3))
    document = read([{"n": number} for number in range(5)])

    assert (Omission("rows", 2, 5),) == document.omissions
    assert "| n |\n| --- |\n| 0 |\n| 1 |" == text_of(document)


def test_json_lines_are_a_table() -> None:
    """Each line is a row."""
    document = read_document(b'{"a": 1, "b": {"c": "x"}}\n\n{"a": 2}\n', "application/x-ndjson", name="r.jsonl")

    assert ("table", "| a | b.c |\n| --- | --- |\n| 1 | x |\n| 2 |  |") == (document.kind, text_of(document))


@pytest.mark.parametrize("source", ['{"a": 1}\n{"a": ', "1\n2\n", "[1]\n[2]"])
def test_other_json_lines_keep_their_form(source: str) -> None:
    """Nothing of them is lost."""
    document = read_document(source.encode(), "application/x-ndjson", name="r.jsonl")

    assert f"```\n{source.rstrip(NEWLINE)}\n```" == text_of(document)
