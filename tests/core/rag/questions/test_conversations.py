"""Lookups in the labelled conversations, with the shipped sources, the labelled facts and the bundled encoder."""

from __future__ import annotations

import pytest

from benchmarks.follow_ups import (
    NONE,
    FactLookups,
    SourceLookups,
    fact_lookups,
    labelled_conversations,
    measure_typing_errors,
)
from core.rag.embeddings import LocalEmbedder


async def share_right(lookups: SourceLookups | FactLookups, part: str, kind: str) -> float:
    """Returns the share of right lookups; fails for a lookup in vain."""
    outcomes = [await lookups.judge(each, each.question) for each in labelled_conversations(part, kind)]
    needless = [each for each in outcomes if each.conversation.expected.needs == NONE]
    assert sum(each.is_false_fetch for each in needless) <= 0.05 * len(needless), part
    return sum(each.is_right for each in outcomes) / len(outcomes)


@pytest.mark.slow  # embeds hundreds of questions
async def test_follow_ups_get_what_their_conversation_is_about(encoder: LocalEmbedder) -> None:
    """At least 85 % get the right source and place, or the right fact; at most 5 % fetch in vain."""
    sources = SourceLookups(encoder)
    async with fact_lookups(encoder) as facts:
        for part in ("tuning", "held-out"):
            assert await share_right(sources, part, "sources") >= 0.85, part
            assert await share_right(facts, part, "facts") >= 0.85, part


@pytest.mark.slow
async def test_questions_with_typing_errors_find_their_source(encoder: LocalEmbedder) -> None:
    """At least 70 % do."""
    right, total = await measure_typing_errors(SourceLookups(encoder))

    assert right >= 0.7 * total
