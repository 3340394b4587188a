"""What is cut to fit the window: by rule, never more than said."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.budget import DROP_STEP, fit
from core.contract import Sampling
from core.dialogue import Draft
from core.errors import PromptTooLong
from core.model.wire import Message


async def by_words(messages: Sequence[Message]) -> int:
    return sum(len(message.content.split()) for message in messages)


def draft_of(lengths: Sequence[int], question: int = 10) -> Draft:
    groups = tuple(
        (Message("user", f"{number} " + "w " * length), Message("assistant", "ok"))
        for number, length in enumerate(lengths)
    )
    return Draft("You are Echo.", "", groups, "q " * question)


@given(
    lengths=st.lists(st.integers(0, 200), max_size=12),
    window=st.integers(256, 2048),
    max_tokens=st.none() | st.integers(1, 4096),
)
async def test_what_is_asked_fits(lengths: list[int], window: int, max_tokens: int | None) -> None:
    """Prompt and answer share the window, and nothing goes that could have stayed, but for the step."""
    draft = draft_of(lengths)
    fitted = await fit(draft, Sampling(max_tokens=max_tokens), window, by_words)

    room = window - min(max_tokens or window, window // 4)
    assert await by_words(fitted.messages) <= room
    assert await by_words(fitted.messages) + (fitted.sampling.max_tokens or 0) <= window
    assert fitted.messages == draft.messages(fitted.dropped)
    if fitted.dropped:
        assert await by_words(draft.messages(max(0, fitted.dropped - DROP_STEP))) > room


async def test_what_must_stay_and_does_not_fit_is_told() -> None:
    """With what it takes and what there is."""
    with pytest.raises(PromptTooLong) as caught:
        await fit(draft_of([1, 2], question=400), Sampling(), 256, by_words)

    assert (caught.value.tokens, caught.value.limit) == (403, 192)


async def test_the_beginning_stays_the_same_for_some_turns() -> None:
    """A conversation that grows turn by turn is not cut anew each time: what was computed is used again."""
    cuts = [(await fit(draft_of([40] * turns), Sampling(), 512, by_words)).dropped for turns in range(10, 26)]

    assert cuts == sorted(cuts)
    assert len(set(cuts)) <= len(cuts) / 2
