"""Questions that ask for news."""

from __future__ import annotations

import pytest

from core.rag.questions.news import asks_for_news


@pytest.mark.parametrize(
    "question",
    [
        "What's new?",
        "What is new here?",
        "Any news about fees?",
        "What are the latest announcements?",
        "What did they publish recently?",
        "Quoi de neuf ?",
        "Quelles sont les dernières nouvelles ?",
        "Y a-t-il du nouveau ?",
        "Résume les communiqués récents",
    ],
)
def test_both_languages_ask_for_news(question: str) -> None:
    """What was published lately is in a page's feed."""
    assert asks_for_news(question)


@pytest.mark.parametrize("question", ["", "How do I get a new passport?", "Comment obtenir un nouveau passeport ?"])
def test_other_questions_do_not(question: str) -> None:
    """A new thing is no news."""
    assert not asks_for_news(question)
