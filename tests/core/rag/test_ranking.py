"""Passages ranked by the words of a question."""

from __future__ import annotations

import pytest

from core.rag.documents import Passage
from core.rag.ranking import index_passages, question_stems, score_passages

LEAVE = [
    Passage("This directive says who may be away from work, and when.", ""),
    Passage("Parents of a newborn may be away for up to eighteen months.", "Leave › Parental leave"),
    Passage("Les employés malades présentent un certificat médical après trois jours.", "Congés"),
    Passage("Vacation credits are earned each month, by years of service.", "Leave › Vacation"),
]


def scores(question: str, *documents: list[Passage]) -> list[float]:
    return score_passages([index_passages(each) for each in documents], question_stems(question))


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("How long can parents be away?", 1),
        ("newborns", 1),
        ("PARENTAL LEAVE", 1),
        ("certificat medical", 2),
        ("un employé qui est malade", 2),
        ("how do I earn vacations", 3),
    ],
)
def test_the_answering_passage_ranks_first(question: str, best: int) -> None:
    """Accents, endings and case make no difference, in either language."""
    each = scores(question, LEAVE)

    assert each.index(max(each)) == best


@pytest.mark.parametrize("question", ["", "what is this about?", "de quoi s'agit-il?", "zebra"])
def test_without_a_common_word_all_score_alike(question: str) -> None:
    """This is so for a request to summarise."""
    assert scores(question, LEAVE) == [0.0] * len(LEAVE)


def test_an_abbreviation_is_a_word() -> None:
    """ "AI" is a French verb form too, and still counts as a word of the question."""
    gardens, ai = scores("What are the latest articles about AI?", [Passage("About gardens."), Passage("AI at work.")])

    assert (gardens, ai > 0) == (0.0, True)


def test_a_rare_word_counts_more_than_a_frequent_one() -> None:
    """It counts more in a short passage; a repetition counts less than the first occurrence."""
    pool, green, long, twice = scores(
        "green pools",
        [Passage("The pool."), Passage("It is green."), Passage(f"A pool {'x' * 99}"), Passage("Pool pool")],
    )

    assert green > twice > pool > long > 0
    assert twice < 2 * pool


def test_a_word_with_two_stems_counts_once() -> None:
    """The stem of "policy" differs in English and French, that of "lunch" does not."""
    policy, lunch = scores("policy lunch", [Passage("The policy."), Passage("The lunch..")])

    assert policy == pytest.approx(lunch)


def test_two_forms_of_a_word_count_once() -> None:
    """A question that repeats itself is not about that word alone."""
    once = scores("policy lunch", LEAVE, [Passage("The policy."), Passage("The lunch..")])

    assert once == scores("policies policy lunch", LEAVE, [Passage("The policy."), Passage("The lunch..")])


def test_documents_are_ranked_as_if_they_were_one() -> None:
    """Each passage has one score, document by document."""
    assert scores("parental leave", LEAVE[:1], [], LEAVE[1:]) == scores("parental leave", LEAVE)
    assert scores("parental leave") == scores("parental leave", []) == []


def test_a_passage_without_words_ranks_last() -> None:
    """It comes after all passages with a word of the question."""
    assert scores("pool", [Passage("?!"), Passage("")]) == [0.0, 0.0]
