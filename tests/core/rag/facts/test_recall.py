"""Recall on the labelled set, by the bundled encoder, on each database."""

from __future__ import annotations

from statistics import mean

from benchmarks.facts import count_hits, labelled_questions, labelled_store, unrelated_questions
from core.rag.embeddings import LocalEmbedder


async def test_recall_on_the_labelled_set(database_url: str, encoder: LocalEmbedder) -> None:
    """The hybrid finds 90 % in one language and 85 % across, more than either half alone."""
    async with labelled_store(database_url, encoder) as (methods, languages):
        for name in ("questions", "held-out"):
            hits = await count_hits(methods, labelled_questions(name, languages))
            one = {method: mean(by["en→en"] + by["fr→fr"]) for method, by in hits.items()}
            across = {method: mean(by["en→fr"] + by["fr→en"]) for method, by in hits.items()}

            assert min(one["hybrid"], one["shown"]) >= 0.9
            assert min(across["hybrid"], across["shown"]) >= 0.85
            assert one["hybrid"] > max(one["words"], one["meaning"])
            assert across["hybrid"] > max(across["words"], across["meaning"])


async def test_unrelated_questions_find_little(database_url: str, encoder: LocalEmbedder) -> None:
    """Small talk finds nothing, most tasks of the model's own neither; many of those share words with facts."""
    async with labelled_store(database_url, encoder) as (methods, _):
        for text in (
            "Hello",
            "Merci beaucoup, bonne journée !",
            "How are you?",
            "Tell me a joke.",
            "Bye",
        ):
            assert not await methods.finds(text)
        for unrelated in unrelated_questions().values():
            assert mean([not await methods.finds(text) for text in unrelated]) >= 0.6
