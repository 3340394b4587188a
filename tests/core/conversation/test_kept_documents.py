"""Questions that name documents of the last answer by their numbers."""

from __future__ import annotations

import pytest

from core.conversation.kept_documents import named_numbers


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("What else does [2] say?", {2}),
        ("Sources 1 and 2: which is newer?", {1, 2}),
        ("Comparez les documents 1, 2 et 3", {1, 2, 3}),
        ("Que dit le document no 2?", {2}),
        ("la source n° 2", {2}),
        ("Résume la pièce jointe 3", {3}),
        ("Is #4 still valid?", {4}),
        ("What about the second one?", {2}),
        ("et le deuxième document?", {2}),
        ("la 1re source", {1}),
        ("the 3rd file", {3}),
        ("Référence 12, please", {12}),
    ],
)
def test_numbers_of_documents(question: str, numbers: set[int]) -> None:
    """They are written in many ways, in both languages."""
    assert named_numbers(question) == numbers


@pytest.mark.parametrize(
    "question",
    [
        "Who is on committee 2?",
        "the document of 12 May",
        "In document 2024",
        "the first day of leave",
        "second language courses",
        "le premier ministre",
        "How many files?",
        "There are 2 people",
    ],
)
def test_other_numbers(question: str) -> None:
    """They name no document."""
    assert named_numbers(question) == set()
