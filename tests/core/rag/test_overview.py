"""Questions about a whole document, and questions about a subject in it."""

from __future__ import annotations

import pytest

from core.rag.overview import asks_for_overview

NAMES = ("Leave policy 2026.pdf", "https://www.canada.ca/en/leave.html")


@pytest.mark.parametrize(
    "question",
    [
        "Summarize this document.",
        "Please summarise the attached report in five bullet points for my manager.",
        "What is this about?",
        "What's this file about?",
        "Give me the key points",
        "tl;dr",
        "Can you give me a short overview of the whole text?",
        "Summarize Leave policy 2026.pdf",
        "https://www.canada.ca/en/leave.html Summarise this page.",
        "Say briefly what this is about.",
        "What are the main takeaways of this presentation?",
        "Résume ce document",
        "Résumez cette page.",
        "Pouvez-vous me faire un résumé du fichier ci-joint en trois phrases?",
        "De quoi s’agit-il?",
        "De quoi parle ce texte?",
        "Quels sont les points saillants du rapport?",
        "Dites brièvement de quoi il s’agit.",
        "Donne-moi les grandes lignes en langage clair",
    ],
)
def test_questions_about_the_whole(question: str) -> None:
    """They name the document, the form of the answer and its readers, and no subject."""
    assert asks_for_overview(question, NAMES)


@pytest.mark.parametrize(
    "question",
    [
        "Summarize the rules on parental leave.",
        "What does it say about telework?",
        "How many weeks of leave are there?",
        "What is the key date?",
        "Which page is about parking?",
        "Résume la section sur le congé parental.",
        "Que dit le document sur le télétravail?",
        "Combien de semaines de congé y a-t-il?",
        "Who wrote this document?",
        "Thank you!",
        "",
    ],
)
def test_questions_about_a_subject(question: str) -> None:
    """Passages about that subject answer them better."""
    assert not asks_for_overview(question, NAMES)
