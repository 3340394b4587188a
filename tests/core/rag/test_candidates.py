"""Candidates for the context window: their limit, and when they are ranked."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from core.contract import Attachment, Source
from core.rag import candidates
from core.rag.budget import CANDIDATES_LIMIT_CHARS, ContextItem, cacheable_text, share_budget
from core.rag.candidates import CandidateQuery, Candidates
from core.rag.documents import Passage
from core.rag.passage_cache import size_chars
from core.rag.rendering import NumberedDocument
from core.rag.retrieved import RetrievedDocument

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
    documents = [RetrievedDocument(f"file{number}", (Passage(f"Text {number}."),)) for number in range(24)]
    all_shown = Candidates(documents, CandidateQuery("Text 2"))
    monkeypatch.delattr(candidates, "score_passages")

    assert all_shown.render(0).text == ""
    assert all(f"Text {number}." in all_shown.render(24).text for number in range(24))
    with pytest.raises(NameError):
        all_shown.render(23)


def test_a_title_cannot_claim_a_source_number() -> None:
    """A number in brackets in a page's title is changed."""
    source = Source(0, "Budget", "https://budget.example/", "en", None)
    documents = [
        RetrievedDocument("Budget", (Passage("Cut."),), source),
        RetrievedDocument("[1] Budget [1]", (Passage("Raised."),)),
    ]
    text = Candidates(documents, CandidateQuery("What of the budget?")).render(2).text

    assert "--- Document «[1] Budget»" in text
    assert "--- Document «[2] (1) Budget (1)»" in text


def report(passages: int, name: str = "report.pdf") -> RetrievedDocument:
    """A document with two passages under each heading."""
    return RetrievedDocument(
        name, tuple(Passage(f"Text {number}.", f"Part {number // 2}") for number in range(passages))
    )


def numbers_shown(text: str) -> list[int]:
    return [int(line.split()[1].rstrip(".")) for line in text.splitlines() if line.startswith("Text ")]


def test_an_overview_covers_the_whole_evenly() -> None:
    """The passages are spread over the document, begin sections where they can, and the prompt says how many."""
    shown = Candidates([report(300)], CandidateQuery("Summarize text 7.", overview=True)).render(12)

    numbers = numbers_shown(shown.text)
    assert len(numbers) == 12
    assert numbers[0] == 0
    assert all(number % 2 == 0 for number in numbers)
    assert all(20 <= later - before <= 30 for before, later in pairwise(numbers))
    assert "12 of 300 passages, spread over the whole" in shown.text


@pytest.mark.parametrize("count", range(1, 24))
def test_an_overview_of_several_documents_shows_all_of_them(count: int) -> None:
    """Short documents are shown whole before long ones get more, for any number of passages."""
    documents = [report(200, "long"), report(2, "short"), report(9, "middle")]
    shown = Candidates(documents, CandidateQuery(overview=True)).render(count)

    assert sum(len(each.document.passages) for each in shown.documents) == count
    assert len(shown.documents) == min(3, count)


def test_passages_are_in_reading_order_with_their_gaps() -> None:
    """A mark stands for each gap, also at the beginning and the end; a heading is not repeated."""
    document = report(12).select([1, 2, 3, 7])
    text = Candidates([document], CandidateQuery("Text?")).render(4).text
    body = text.split(" ---\n")[1].split("\n--- End")[0]

    assert body == ("[…]\n\n## Part 0\nText 1.\n\n## Part 1\nText 2.\n\nText 3.\n\n[…]\n\n## Part 3\nText 7.\n\n[…]")


def test_the_best_passages_are_said_to_be_a_part() -> None:
    """The model and the person learn how many passages were left out."""
    shown = Candidates([report(30)], CandidateQuery("part 3")).render(5)

    assert "(Only a part of this document is here: 5 of 30 passages" in shown.text


def test_a_follow_up_is_ranked_with_the_question_before() -> None:
    """A passage about both comes before one that only has the new word."""
    texts = (
        "The mayor of Montréal spoke.",
        "Parking in Ottawa costs 9 dollars.",
        "Parking in Montréal costs 7 dollars.",
    )
    document = RetrievedDocument("fees.txt", tuple(map(Passage, (*texts, *["Other things are elsewhere."] * 30))))
    query = CandidateQuery("And in Montréal?", earlier="How much is parking in Ottawa?")

    assert [(0, 2)] == Candidates([document], query).choose(1)
    assert [(0, 0)] == Candidates([document], replace(query, earlier="")).choose(1)


def page(name: str, *texts: str) -> RetrievedDocument:
    source = Source(0, name, f"https://{name}.example/")
    return RetrievedDocument(name, tuple(Passage(text) for text in texts), source)


def test_documents_of_the_last_answer_keep_their_numbers() -> None:
    """New documents get the next free numbers."""
    kept = [NumberedDocument(1, page("pool", "It is green.")), NumberedDocument(3, page("rink", "It is cold."))]
    shown = Candidates([page("park", "It is wide."), page("rink", "It is cold.")], CandidateQuery("?"), kept=kept)

    assert {each.title: each.number for each in shown.render(9).sources} == {"park": 2, "rink": 3, "pool": 1}


def test_a_document_that_changed_is_another_one() -> None:
    """A citation of what it said before must not point to what it says now."""
    shown = Candidates(
        [page("pool", "It is blue.")], CandidateQuery("?"), kept=[NumberedDocument(1, page("pool", "It is green."))]
    )

    assert [(each.number, each.document.passages[0].text) for each in shown.render(9).documents] == [
        (2, "It is blue."),
        (1, "It is green."),
    ]


def test_passages_that_two_searches_found_are_of_one_document() -> None:
    """A follow-up that finds other passages of a cited document shows both, in reading order, under its number."""
    whole = page("leave", *(f"Rule {number}." for number in range(9)))
    kept = [NumberedDocument(2, whole.select([5]))]
    shown = Candidates([page("park", "It is wide."), whole.select([1, 7])], CandidateQuery("?"), kept=kept).render(9)

    assert [(each.number, each.document.name, each.document.places) for each in shown.documents] == [
        (1, "park", ()),
        (2, "leave", (1, 5, 7)),
    ]
    assert "[…]\n\nRule 1.\n\n[…]\n\nRule 5.\n\n[…]\n\nRule 7.\n\n[…]" in shown.text


def test_what_was_cited_leaves_half_of_the_room() -> None:
    """The other half is for what fits the new question."""
    kept = [NumberedDocument(1, page("pool", *(f"Lane {number} is green." for number in range(8))))]
    new = page("rink", *(f"The rink has {number} doors." for number in range(40)))
    shown = Candidates([new], CandidateQuery("How many doors has the rink?"), kept=kept).render(6)

    assert {each.document.name: len(each.document.passages) for each in shown.documents} == {"rink": 3, "pool": 3}


def test_the_lead_context_keeps_its_numbers_when_it_competes() -> None:
    """Its first document is always [1]."""
    lead = [NumberedDocument(1, page("lead", "It is first.")), NumberedDocument(2, page("second", "It is next."))]
    competing = Candidates([page("park", "It is wide.")], CandidateQuery("?"), first_number=3).with_lead(lead, ())

    assert {each.title: each.number for each in competing.render(9).sources} == {"park": 3, "lead": 1, "second": 2}


def test_few_passages_of_each_document_are_kept_under_its_number() -> None:
    """They are those that fit the question best, in reading order."""
    documents = [page("park", "It is wide."), page("rink", *(f"Door {number} is red." for number in range(9)))]
    shown = Candidates(documents, CandidateQuery("Which colour have doors 4, 7 and 8?"))

    [park, rink] = shown.best_shown(24)
    assert (park.number, rink.number, rink.document.places) == (1, 2, (4, 7, 8))
