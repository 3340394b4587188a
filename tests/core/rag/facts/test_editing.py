"""Who may edit collections, and how documents that people added are found again."""

from __future__ import annotations

import pytest

from core.rag.facts.document_rows import AddedDocument
from core.rag.facts.editing import Editor, find_document
from tests.core.rag.facts.support_fakes import WHEN


@pytest.mark.parametrize(
    ("ids", "named", "may"),
    [
        ({"U1"}, ["slack:U1"], True),
        ({"U1"}, ["discord:U1", "U1"], False),
        ({"U1", "home"}, ["slack:home"], True),
        ({"U1", "external", "home"}, ["slack:home"], False),
        ({"U1", "external"}, ["slack:U1"], True),
        ({"B1", "bots"}, ["slack:B1", "slack:bots"], False),
        ({"U1", "S1"}, ["slack:S1"], True),
        ({"U1"}, [], False),
    ],
)
def test_editors_are_named_by_platform_and_id(ids: set[str], named: list[str], may: bool) -> None:
    """A person of another organisation needs a name of their own, and a bot never edits."""
    assert may == Editor("slack", frozenset(ids), "key").is_named_in(named)


def added(key: str, title: str) -> AddedDocument:
    return AddedDocument(f"added:slack:{key}", title, None, "added:slack", WHEN, 1)


DOCUMENTS = [added("a.pdf", "Congé parental"), added("b.pdf", "Plan"), added("c.pdf", "plan"), added("7.pdf", "2026")]


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        ("1", "a.pdf"),
        ("#1", "a.pdf"),
        ("conge PARENTAL", "a.pdf"),
        ("a.pdf", "a.pdf"),
        ("Plan", "b.pdf"),
        ("plan", "c.pdf"),
    ],
)
def test_a_document_is_found_by_number_title_or_file(wanted: str, key: str) -> None:
    """Of two titles that differ in case alone, the exact one is meant."""
    found = find_document(DOCUMENTS, wanted)
    assert found is not None
    assert f"added:slack:{key}" == found.key


@pytest.mark.parametrize("wanted", ["0", "9", "#9", "PLAN", "parental", "", "…"])
def test_an_unclear_name_finds_nothing(wanted: str) -> None:
    """Removing another document would be worse."""
    assert find_document(DOCUMENTS, wanted) is None
