"""Questions about a whole document, and questions about a subject in it."""

from __future__ import annotations

import pytest

from core.rag.overview import asks_for_overview, named_documents

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
        "https://www.canada.ca/en/leave.html Summarize this page.",
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
        "key points?",
        "Fais un résumé du document joint",
        "What's in this file?",
        "What does this document say?",
        "Explain this document to me",
        "Summarize both documents",
        "Compare these two files.",
        "What are the differences between the two documents?",
        "Summarize the second attachment I sent earlier in plain language for my director general",
        "Explain Leave policy 2026",
        "De quoi ça parle?",
        "Peux-tu me résumer ça?",
        "Fais-moi un sommaire du premier fichier pour le grand public",
        "Quelles sont les différences entre les deux rapports?",
        "Quel est le contenu de la pièce jointe?",
        "Que dois-je retenir de ce document?",
        "Rédige une note de breffage sur ce document",
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
        "When was this document published?",
        "Explain the rules on telework in this document.",
        "Compare the fees in 2023 and 2024",
        "Translate the second paragraph",
        "How many pages does this document have?",
        "C’est quoi le télétravail?",
        "Thank you!",
        "",
    ],
)
def test_questions_about_a_subject(question: str) -> None:
    """Passages about that subject answer them better."""
    assert not asks_for_overview(question, NAMES)


def test_a_question_names_documents_with_or_without_their_suffix() -> None:
    """Addresses are no names, nor are very short ones."""
    names = ("Leave policy 2026.pdf", "budget.xlsx", "Ab.md", "https://www.canada.ca/en/leave.html")

    assert named_documents("Summarize leave policy 2026 and BUDGET.XLSX, ab.", names) == names[:2]
    assert named_documents("Summarize https://www.canada.ca/en/leave.html", names) == ()
