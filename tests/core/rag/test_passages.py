"""Passages: cut where sections, blocks and sentences end, and chosen by the words of a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rag.blocks import Block, table
from core.rag.documents import PASSAGE_LIMIT_CHARS, Passage
from core.rag.passages import best, cost_chars, cut

KINDS = st.sampled_from(["heading", "paragraph", "item", "row", "code"])
BLOCKS = st.builds(
    Block, KINDS, st.text(min_size=1, max_size=3000), st.integers(1, 6), st.sampled_from(["", "| a |\n| --- |"])
)

LEAVE = [
    Passage("This directive says who may be away from work, and when.", ""),
    Passage("Parents of a newborn may be away for up to eighteen months.", "Leave › Parental leave"),
    Passage("Les employés malades présentent un certificat médical après trois jours.", "Congés"),
    Passage("Vacation credits are earned each month, by years of service.", "Leave › Vacation"),
]


def sentence(words: int, word: str = "word") -> str:
    return " ".join([word.capitalize(), *[word] * (words - 1)]) + "."


@given(st.lists(BLOCKS, max_size=12))
def test_no_passage_is_too_long_or_empty(blocks: list[Block]) -> None:
    """Whatever the blocks are."""
    for passage in cut(blocks):
        assert 0 < len(passage.text) <= PASSAGE_LIMIT_CHARS


@given(st.lists(st.text(alphabet="ab .\n", min_size=1, max_size=4000).filter(str.strip), max_size=6))
def test_nothing_is_lost_between_passages(texts: list[str]) -> None:
    """But blank space."""
    found = "".join(passage.text for passage in cut(Block("paragraph", text) for text in texts))

    assert "".join(found.split()) == "".join("".join(texts).split())


def test_blocks_of_a_section_share_a_passage() -> None:
    """Items and rows a line, others parted by an empty one."""
    blocks = [Block("paragraph", "One:"), Block("item", "a"), Block("item", "b", 1), *table([["1", "2"]], ["x", "y"])]
    (passage,) = cut(blocks)

    assert passage.text == "One:\n\n- a\n  - b\n\n| x | y |\n| --- | --- |\n| 1 | 2 |"


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    """And between words, if a sentence is too long itself."""
    first, *rest = cut([Block("paragraph", " ".join(sentence(20) for _ in range(30)))])
    assert rest
    assert all(passage.text.endswith(".") for passage in (first, *rest))

    worded = cut([Block("paragraph", sentence(600))])
    assert all(set(passage.text.lower().rstrip(".").split()) == {"word"} for passage in worded)


def test_a_table_repeats_its_header_in_each_passage() -> None:
    """A row that stands alone says nothing."""
    rows = [[f"row {number}", "value " * 10] for number in range(60)]
    found = cut(table(rows, ["Name", "Value"]))

    assert len(found) > 3
    assert all(passage.text.startswith("| Name | Value |\n| --- | --- |\n| row ") for passage in found)


def test_a_heading_with_nothing_under_it_is_text() -> None:
    """Many in a row share a passage."""
    blocks = [
        Block("heading", "News", 2),
        Block("heading", "One", 3),
        Block("heading", "Two", 3),
        Block("heading", "End", 2),
    ]
    first, last = cut(blocks)

    assert first == Passage("One\n\nTwo", "News")
    assert last == Passage("End")


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How long can parents be away?", 1),
        ("newborns", 1),
        ("PARENTAL LEAVE", 1),
        ("certificat medical", 2),
        ("un employé qui est malade", 2),
        ("how do I earn vacations", 3),
    ],
)
def test_the_passage_that_answers_is_chosen(question: str, found: int) -> None:
    """In either language, whatever its accents, endings and case."""
    budget = cost_chars(LEAVE[found])

    assert best(LEAVE, question, budget) == [LEAVE[found]]


@pytest.mark.parametrize("question", ["", "what is this about?", "de quoi s'agit-il?", "zebra"])
def test_without_a_word_in_common_the_beginning_is_chosen(question: str) -> None:
    """As for a summary."""
    assert best(LEAVE, question, cost_chars(LEAVE[0]) + cost_chars(LEAVE[1])) == LEAVE[:2]


def test_the_chosen_stand_in_reading_order() -> None:
    """The best need not come first; what remains of the budget is filled from the beginning."""
    budget = sum(map(cost_chars, (LEAVE[0], LEAVE[1], LEAVE[3])))

    assert best(LEAVE, "vacation credits of parents", budget) == [LEAVE[0], LEAVE[1], LEAVE[3]]
    assert best(LEAVE, "anything", 10_000) == LEAVE


def test_an_abbreviation_is_a_word() -> None:
    """ "AI" is a French verb form too; it is what the question is about all the same."""
    passages = [Passage("About gardens."), Passage("About AI at work.")]

    assert best(passages, "What are the latest articles about AI?", 20) == [passages[1]]


@pytest.mark.parametrize("budget", [0, 1, 30])
def test_the_budget_is_never_exceeded(budget: int) -> None:
    """What fits of the best passage is better than nothing."""
    found = best(LEAVE, "parents", budget)

    assert "".join(passage.text for passage in found) == LEAVE[1].text[:budget]


def test_no_passages_are_chosen_from_none() -> None:
    """Nothing to choose from."""
    assert best([], "parents", 100) == []
