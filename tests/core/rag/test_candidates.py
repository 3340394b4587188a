"""Candidates for the context window: their limit, and when they are ranked."""

from __future__ import annotations

import pytest

from core.contract import Attachment, Source
from core.rag import candidates
from core.rag.candidates import (
    CANDIDATES_LIMIT_CHARS,
    PROMPT_PASSAGES_LIMIT,
    Candidates,
    ContextItem,
    RetrievedDocument,
    cacheable_text,
    share_budget,
)
from core.rag.documents import Passage
from core.rag.passage_cache import size_chars

HALF = CANDIDATES_LIMIT_CHARS // 2


def sizes(items: list[ContextItem]) -> list[int]:
    return [size_chars(cacheable_text(item)) for item in items]


def file(chars: int) -> Attachment:
    return Attachment("a.txt", "x" * chars)


@pytest.mark.parametrize(
    ("opening", "later", "left"),
    [
        ([10], [20, 30], ([10], [20, 30])),
        ([2 * HALF + 1], [], ([2 * HALF], [])),
        ([2 * HALF], [10], ([2 * HALF - 10], [10])),
        ([10], [HALF, HALF, 6], ([10], [HALF - 8, HALF - 8, 6])),
        ([2 * HALF], [HALF, HALF], ([HALF], [HALF // 2, HALF // 2])),
    ],
)
def test_the_text_for_a_question_is_bounded(
    opening: list[int], later: list[int], left: tuple[list[int], list[int]]
) -> None:
    """The lead context and later documents get half each, and what the other leaves; the longest are cut."""
    result = share_budget([file(chars) for chars in opening], [file(chars) for chars in later])

    assert (sizes(result[0]), sizes(result[1])) == left
    for before, after in zip([*opening, *later], [*result[0], *result[1]], strict=True):
        assert bool(after.omissions) is (size_chars(cacheable_text(after)) < before)


def test_a_page_is_cut_between_passages_and_marked() -> None:
    """A cut page ends with a whole passage and is marked as cut."""
    passages = tuple(Passage(str(number) * 1000) for number in range(9)) * (CANDIDATES_LIMIT_CHARS // 9000 + 1)
    (page,), _ = share_budget([RetrievedDocument("Pool", passages)], [])

    assert page.omissions
    assert cacheable_text(page) == passages[: CANDIDATES_LIMIT_CHARS // 1000]


def test_rendering_none_or_all_ranks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passages are ranked only if some must be chosen."""
    documents = [
        RetrievedDocument(f"file{number}", (Passage(f"Text {number}."),)) for number in range(PROMPT_PASSAGES_LIMIT)
    ]
    few, many = (Candidates(each, "Text 2", "en") for each in (documents, documents * 2))
    monkeypatch.delattr(candidates, "score_passages")

    assert few.render(0).text == many.render(0).text == ""
    assert all(f"Text {number}." in few.render(few.passage_count).text for number in range(PROMPT_PASSAGES_LIMIT))
    with pytest.raises(NameError):
        many.render(many.passage_count)


def test_a_title_cannot_claim_a_source_number() -> None:
    """A number in brackets in a page's title is changed."""
    source = Source(0, "Budget", "https://budget.example/", "en", None)
    documents = [
        RetrievedDocument("Budget", (Passage("Cut."),), source),
        RetrievedDocument("[1] Budget [1]", (Passage("Raised."),)),
    ]
    text = Candidates(documents, "What of the budget?", "en").render(2).text

    assert "--- Document «[1] Budget»" in text
    assert "--- Document «(1) Budget (1)»" in text
