"""The links of pages and feeds, the language of a question, and the notices of a lookup."""

from __future__ import annotations

import pytest

from core.rag.documents import Document, Passage
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion
from core.rag.retrieval import (
    Lookup,
    LookupNotice,
    attachment_text,
    link_for,
    question_language,
    shortcomings,
)


@pytest.mark.parametrize(
    ("link", "cited"),
    [
        (None, "https://news.example/feed"),
        ("https://news.example/", "https://news.example/"),
        ("https://www.canada.ca/en.html", "https://news.example/feed"),
    ],
)
def test_a_feed_links_only_to_its_own_site(link: str | None, cited: str) -> None:
    """It names the page for readers, but cannot attribute itself to another site."""
    assert cited == link_for(Document("News", (), "feed", url=link), "https://news.example/feed")


@pytest.mark.parametrize(
    ("turns", "language"),
    [
        (("Quel temps fait-il à Québec ?", "Montréal?"), "fr"),
        (("What is the weather in Ottawa?", "Montréal?"), "en"),
        (("What is the weather in Ottawa?", "Quel temps fait-il à Québec ?"), "fr"),
        (("Montréal?",), None),
    ],
)
def test_a_short_question_is_in_the_language_of_the_conversation(turns: tuple[str, ...], language: str | None) -> None:
    """A name alone tells no language."""
    question = LookupQuestion(turns[-1], tuple(EarlierExchange(turn) for turn in turns[:-1]))

    assert language == question_language(question)


def test_the_person_reads_which_place_was_taken() -> None:
    """In both languages; the model hears only of what no source covers."""
    lookup = Lookup(
        notices=(
            LookupNotice("default", "The forecast", "Ottawa (Ontario)"),
            LookupNotice("homonym", "The forecast", "London (Ontario)", "London (United Kingdom)"),
            LookupNotice("uncovered", "The forecast", "Paris (France)"),
        )
    )

    for language in ("en", "fr"):
        for name in ("Ottawa (Ontario)", "London (Ontario)", "London (United Kingdom)", "Paris (France)"):
            assert name in shortcomings(lookup, language)  # type: ignore[arg-type]
    assert ("The forecast (Paris (France))",) == lookup.missing


def test_two_sources_give_the_same_notice_once() -> None:
    """A merged lookup repeats nothing."""
    lookup = Lookup(notices=(LookupNotice("default", "The forecast", "Ottawa (Ontario)"),))

    assert lookup == lookup.merge(lookup)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Parking policy", "# Parking policy\n\n# Fees\n\nThe fee is $25."),
        ("plan", "# Fees\n\nThe fee is $25."),
        ("", "# Fees\n\nThe fee is $25."),
    ],
)
def test_a_files_own_title_stands_above_its_text(title: str, text: str) -> None:
    """A title that only repeats the file's name does not: the attachment has that name."""
    document = Document(title, (Passage("The fee is $25.", "Fees"),), "text")

    assert text == attachment_text("plan.docx", document)
