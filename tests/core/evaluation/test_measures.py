"""Questions of a file, and the measures of one answer that need no model."""

from __future__ import annotations

import pytest

from core.contract import Json
from core.errors import BadRequest
from core.evaluation.measures import CitedSource, SubjectAnswer, measure, normalize
from core.evaluation.questions import Question, parse_question
from core.evaluation.subjects import Subject, parse_subject, split_source_list
from core.toil.batch.rows import Row

POOL = CitedSource(1, "Pool hours", "https://x.example/pool")


@pytest.mark.parametrize(
    ("fields", "question"),
    [
        ({"question": " How long? ", "expected": "18 months"}, Question("How long?", "18 months")),
        ({"question": "Q", "answer": "A"}, Question("Q", "A")),
        ({"question": "Q", "expected": "E", "answer": "A"}, Question("Q", "E")),
        ({"question": "Q", "contains": "a | b|"}, Question("Q", None, ("a", "b"))),
        ({"question": "Q", "contains": ["a"], "source": "canada.ca"}, Question("Q", None, ("a",), "canada.ca")),
        ({"question": "Q", "expected": None, "contains": None}, Question("Q")),
    ],
)
def test_questions(fields: dict[str, Json], question: Question) -> None:
    """Experts' files name the answer `expected` or `answer`."""
    assert parse_question(Row(1, fields)) == question


@pytest.mark.parametrize("fields", [{}, {"question": " "}, {"question": 3}, {"question": "Q", "contains": [1]}])
def test_rows_that_are_no_questions(fields: dict[str, Json]) -> None:
    """They are refused, with the column."""
    with pytest.raises(BadRequest, match=r"question|contains"):
        parse_question(Row(1, fields))


@pytest.mark.parametrize(
    ("question", "answer", "scores"),
    [
        (Question("Q", "18 months"), "**18 months** [1].", {"exact": 1, "contains": 1}),
        (Question("Q", "18 months"), "It is 18 months long.", {"exact": 0, "contains": 1}),
        (Question("Q", "18 months"), "It is 118 months.", {"exact": 0, "contains": 0}),
        (Question("Q", None, ("leave", "18 MONTHS")), "A leave of 18 months", {"contains": 1}),
        (Question("Q", None, ("leave", "week")), "A leave of 18 weeks", {"contains": 0}),
        (Question("Q", None, (), "x.example"), "Open [1].", {"citation": 1}),
        (Question("Q", None, (), "pool HOURS"), "Open [1].", {"citation": 1}),
        (Question("Q", None, (), "x.example"), "Open.", {"citation": 0}),
        (Question("Q", None, (), "y.example"), "Open [1].", {"citation": 0}),
        (Question("Q"), "Open [1].", {}),
        (Question("Q", "1.5 %"), "1.5%", {"exact": 0, "contains": 0}),
    ],
)
def test_measures(question: Question, answer: str, scores: dict[str, float]) -> None:
    """Letter case, Markdown, punctuation and citations do not count; whole words do."""
    assert measure(question, SubjectAnswer(answer, "m", (POOL,))) == scores


def test_numbers_keep_their_points() -> None:
    """1.5 is not 15, and a sentence's end is no part of its last word."""
    assert normalize("It is 1.5, not 15 (really).") == "it is 1.5 not 15 really"


@pytest.mark.parametrize(
    ("words", "subject"),
    [
        ("chuchotte", Subject("chuchotte", "m1")),
        ("other-model", Subject("whisper", "other-model")),
        ("owner/name?file=a:b", Subject("whisper", "owner/name?file=a:b")),
        ("chuchotte:m2", Subject("chuchotte", "m2")),
        ("chuchotte:", Subject("chuchotte")),
    ],
)
def test_subjects(words: str, subject: Subject) -> None:
    """A personality keeps the model, a model keeps the personality."""
    assert parse_subject(words, Subject("whisper", "m1"), {"whisper", "chuchotte"}) == subject


def test_the_source_list_of_v1_is_read() -> None:
    """It ends the text; other brackets stay in the answer."""
    content = "Open [1].\n\nSources\n[1] Pool – https://x.example/pool\n[2] Notes"

    assert split_source_list(content) == (
        "Open [1].",
        (CitedSource(1, "Pool – https://x.example/pool", "https://x.example/pool"), CitedSource(2, "Notes")),
    )
    assert split_source_list("No list [1].") == ("No list [1].", ())
    assert split_source_list("A\n\nSources\nare rare.") == ("A\n\nSources\nare rare.", ())
