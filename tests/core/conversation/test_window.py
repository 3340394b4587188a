"""Fitting prompts into the context window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Sampling, Source
from core.conversation.draft import PromptDraft
from core.conversation.window import DROP_STEP, fit_window, tighten
from core.errors import PromptTooLong
from core.openai.chat_protocol import Message
from core.rag.candidates import CandidateQuery, Candidates
from core.rag.documents import Passage
from core.rag.passages import cut_text
from core.rag.retrieved import RetrievedDocument


async def by_words(messages: Sequence[Message]) -> int:
    return sum(len(message.content.split()) for message in messages)


def draft_of(lengths: Sequence[int], question: int = 10) -> PromptDraft:
    exchanges = tuple(
        (Message("user", f"{number} " + "w " * length), Message("assistant", "ok"))
        for number, length in enumerate(lengths)
    )
    return PromptDraft("You are Echo.", exchanges, "q " * question)


def documents(*lengths: int) -> tuple[RetrievedDocument, ...]:
    texts = [f"w{number} " * length for number, length in enumerate(lengths)]
    return tuple(
        RetrievedDocument(f"file{number}", tuple(cut_text(text)), verbatim=text) for number, text in enumerate(texts)
    )


@given(
    lengths=st.lists(st.integers(0, 200), max_size=12),
    window=st.integers(256, 2048),
    max_tokens=st.none() | st.integers(1, 4096),
)
async def test_a_fitted_prompt_fits(lengths: list[int], window: int, max_tokens: int | None) -> None:
    """Prompt and answer share the window; nothing is dropped needlessly, except by the step."""
    draft = draft_of(lengths)
    fitted = await fit_window(draft, Sampling(max_tokens=max_tokens), window, by_words)

    room = window - min(max_tokens or window, window // 4)
    assert await by_words(fitted.messages) <= room
    assert await by_words(fitted.messages) + (fitted.sampling.max_tokens or 0) <= window
    assert fitted.messages == draft.messages(fitted.dropped)
    if fitted.dropped:
        assert await by_words(draft.messages(max(0, fitted.dropped - DROP_STEP))) > room


async def test_a_question_that_cannot_fit_is_an_error_with_numbers() -> None:
    """The error contains the prompt's size and the limit."""
    with pytest.raises(PromptTooLong, match="the prompt is too long") as caught:
        await fit_window(draft_of([1, 2], question=400), Sampling(), 256, by_words)

    assert (caught.value.tokens, caught.value.limit) == (403, 192)


async def test_the_start_of_a_prompt_stays_the_same_for_some_turns() -> None:
    """A growing conversation is not cut anew at each turn, so the model reuses its prefix."""
    cuts = [(await fit_window(draft_of([40] * turns), Sampling(), 512, by_words)).dropped for turns in range(10, 26)]

    assert cuts == sorted(cuts)
    assert len(set(cuts)) <= len(cuts) / 2


@given(
    lengths=st.lists(st.integers(0, 200), max_size=8),
    lead=st.lists(st.integers(1, 1500), max_size=2),
    looked_up=st.lists(st.integers(1, 1500), max_size=3),
    question=st.integers(1, 100),
    window=st.integers(512, 4096),
)
async def test_prompts_fit_the_window_and_keep_the_question(
    lengths: list[int], lead: list[int], looked_up: list[int], question: int, window: int
) -> None:
    """This holds for any amount of documents and history."""
    candidates = Candidates(documents(*looked_up), CandidateQuery("w0"))
    draft = replace(draft_of(lengths, question), lead_context=documents(*lead), candidates=candidates)
    fitted = await fit_window(draft, Sampling(), window, by_words)

    assert await by_words(fitted.messages) <= window - window // 4
    assert fitted.messages[-1].content.endswith("q " * question)
    assert fitted.messages[0].content == "You are Echo."


async def test_a_short_lead_context_stays_whole() -> None:
    """A short lead context stays at the start, a long one competes with the other passages."""
    for words, whole in ((300, True), (600, False)):
        draft = replace(draft_of([5]), lead_context=documents(words))
        fitted = await fit_window(draft, Sampling(), 1024, by_words)

        assert bool(fitted.draft.lead_context) is whole
        assert ("w0 w0" in fitted.messages[1].content.split("q q")[0]) is whole


async def test_passages_and_history_share_what_is_left() -> None:
    """Each gets half; one that needs less leaves the rest to the other."""
    much = Candidates(documents(*[190] * 12), CandidateQuery("?"))

    async def words(history: list[int]) -> tuple[int, int]:
        fitted = await fit_window(replace(draft_of(history), candidates=much), Sampling(), 2048, by_words)
        shown = await by_words(fitted.draft.messages(len(history), fitted.passages))
        return shown, await by_words(fitted.messages) - shown

    passages, history = await words([100] * 30)
    assert 500 < passages < 800
    assert 500 < history < 800
    passages, history = await words([20])
    assert passages > 1200
    assert history < 40


async def test_the_best_passages_are_shown() -> None:
    """They are in reading order, with a number for each source."""
    page = RetrievedDocument(
        "Pool", (Passage("It opened in 1967."), Passage("It is green.", "Colour")), Source(0, "Pool", "https://x/")
    )
    other = RetrievedDocument("Rink", (Passage("It is cold."),), Source(0, "Rink", "https://y/"))
    draft = replace(draft_of([]), candidates=Candidates((other, page), CandidateQuery("What colour is the pool?")))

    assert "green" in draft.messages(0, 1)[1].content
    assert [(source.number, source.title) for source in draft.sources(1)] == [(1, "Pool")]
    assert [(source.number, source.title) for source in draft.sources(3)] == [(1, "Rink"), (2, "Pool")]
    assert "[2] Pool" in draft.messages(0, 3)[1].content


async def test_a_question_has_priority_over_the_lead_context() -> None:
    """This holds even if the lead context takes less than half of the room."""
    draft = replace(draft_of([], question=700), lead_context=documents(300))
    fitted = await fit_window(draft, Sampling(max_tokens=24), 1024, by_words)

    assert fitted.messages[-1].content.endswith("q " * 700)
    assert () == fitted.draft.lead_context


async def test_refused_prompts_become_shorter_until_nothing_is_left() -> None:
    """Passages go first, then history, then the lead context; each prompt is shorter."""
    draft = replace(draft_of([20, 20]), lead_context=documents(50))
    draft = replace(draft, candidates=Candidates(documents(900), CandidateQuery(draft.question)))
    fitted, sizes = await fit_window(draft, Sampling(max_tokens=24), 4096, by_words), list[int]()
    while bounds := tighten(fitted):
        sizes.append(await by_words(fitted.messages))
        fitted = await fit_window(draft, Sampling(max_tokens=24), 4096, by_words, bounds)

    assert (2, 0, ()) == (fitted.dropped, fitted.passages, fitted.draft.lead_context)
    assert sizes[-1] < sizes[0]
    assert fitted.messages[-1].content.endswith("q " * 10)


@pytest.mark.parametrize(("window", "shown"), [(2048, range(4, 8)), (8192, range(24, 28)), (131_072, range(300, 437))])
async def test_the_passages_grow_with_the_window(window: int, shown: range) -> None:
    """A long document fills a small window, and most of a large one."""
    many = tuple(Passage("word " * 240, f"Section {number}") for number in range(1000))
    draft = replace(draft_of([]), candidates=Candidates((RetrievedDocument("Rules", many),), CandidateQuery("?")))
    counted: list[int] = []

    async def count(messages: Sequence[Message]) -> int:
        counted.append(await by_words(messages))
        return counted[-1]

    fitted = await fit_window(draft, Sampling(max_tokens=768), window, count)

    assert fitted.passages in shown
    assert len(counted) < 16
