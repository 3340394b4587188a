"""Who runs, and what each step computes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Sampling
from core.model.scheduler import FORCED_TOKENS, ScheduledTokens, Scheduler
from core.model.sequence import Sequence

BATCH = 512


def sequence(prompt: int = 10, computed: int = 0, generated: int = 0, *, paused: bool = False) -> Sequence:
    made = Sequence(np.arange(prompt, dtype=np.int32), 1000, Sampling(), lambda _: None)
    made.generated = list(range(generated))
    made.computed = computed
    made.paused = paused
    return made


def decoding(pending: int = 1) -> Sequence:
    return sequence(10, 10, pending)


def running(*sequences: Sequence, slots: int = 16) -> Scheduler:
    scheduler = Scheduler(slots, queue_limit=4)
    for one in sequences:
        scheduler.add(one)
        scheduler.start(one)
    return scheduler


def test_everybody_who_writes_gets_a_token_before_prompts_are_read() -> None:
    """Also when the newcomer came first: a running reply does not stall for it."""
    newcomer, first, second = sequence(1000), decoding(), decoding()
    plan = running(newcomer, first, second).plan(BATCH, prefill_tokens=100)

    assert plan == [ScheduledTokens(first, 1), ScheduledTokens(second, 1), ScheduledTokens(newcomer, 100)]


def test_prompts_are_read_in_the_order_of_their_admission() -> None:
    """The budget goes to the first until it is done, so that at least one begins soon."""
    first, second = sequence(60), sequence(60)

    assert running(first, second).plan(BATCH, prefill_tokens=100) == [
        ScheduledTokens(first, 60),
        ScheduledTokens(second, 40),
    ]


def test_only_a_slice_that_completes_a_prompt_is_sampled() -> None:
    """In the middle of a prompt there is nothing to draw."""
    whole, part = sequence(60), sequence(60)
    first, second = running(whole, part).plan(BATCH, prefill_tokens=100)

    assert (first.sampled, second.sampled) == (True, False)


def test_forced_tokens_ride_with_decoding() -> None:
    """What a grammar forced is few tokens and nobody's prompt; more than that is prefill and shares its budget."""
    few, many = decoding(FORCED_TOKENS), decoding(FORCED_TOKENS + 1)

    assert running(many, few).plan(BATCH, prefill_tokens=5) == [
        ScheduledTokens(few, FORCED_TOKENS),
        ScheduledTokens(many, 5),
    ]


def test_a_paused_sequence_is_left_out() -> None:
    """Its reader is behind; nobody waits for it."""
    paused, other = decoding(), decoding()
    paused.paused = True
    scheduler = running(paused, other)

    assert scheduler.plan(BATCH, BATCH) == [ScheduledTokens(other, 1)]
    other.paused = True
    assert scheduler.plan(BATCH, BATCH) == []
    assert not scheduler.decodes, "nobody is kept waiting by a long prefill"


@given(
    st.lists(
        st.builds(
            lambda prompt, read, generated, paused: sequence(
                prompt, min(prompt, read) if not generated else prompt, generated, paused=paused
            ),
            st.integers(1, 300),
            st.integers(0, 300),
            st.integers(0, 60),
            st.booleans(),
        ),
        max_size=40,
    ),
    st.integers(1, 512),
    st.integers(1, 512),
)
def test_no_plan_breaks_its_budgets(sequences: list[Sequence], batch: int, prefill: int) -> None:
    """Never more than the batch holds (llama.cpp would abort), never more prefill than asked, no empty slice, nobody
    twice, and always something if anybody has something to compute."""
    scheduler = running(*sequences, slots=100)
    plan = scheduler.plan(batch, prefill)
    prompts = [s for s in plan if not (s.sequence.generated and s.sequence.pending <= FORCED_TOKENS)]

    assert sum(s.count for s in plan) <= batch
    assert sum(s.count for s in prompts) <= prefill
    assert all(0 < s.count <= s.sequence.pending and not s.sequence.paused for s in plan)
    assert len({id(s.sequence) for s in plan}) == len(plan)
    assert bool(plan) == any(s.pending and not s.paused for s in sequences)


def test_who_steps_back_is_first_in_line() -> None:
    """It gives its slot up for now, not its turn."""
    early, late, waiting = sequence(), sequence(), sequence()
    scheduler = running(early, late)
    scheduler.add(waiting)
    scheduler.preempt(late)

    assert scheduler.running == [early]
    assert list(scheduler.waiting) == [late, waiting]


def test_a_sequence_can_leave_from_anywhere() -> None:
    """Cancelled while it waits or while it runs."""
    runs, waits = sequence(), sequence()
    scheduler = running(runs)
    scheduler.add(waits)
    scheduler.remove(runs)
    scheduler.remove(waits)

    assert (scheduler.running, list(scheduler.waiting)) == ([], [])


def test_the_queue_counts_those_who_must_wait() -> None:
    """A burst on an idle model fills the slots first; only who comes after `queue_limit` more is turned away."""
    scheduler = Scheduler(slots=2, queue_limit=3)
    accepted = 0
    while not scheduler.full:
        scheduler.add(sequence())
        accepted += 1

    assert accepted == 2 + 3
    scheduler.start(next(iter(scheduler.waiting)))
    scheduler.start(next(iter(scheduler.waiting)))
    assert scheduler.full, "three wait behind two that run"


def test_tokens_of_a_sequence_span_prompt_and_answer() -> None:
    """Positions count through; what was drawn follows the prompt."""
    one = sequence(prompt=3)
    one.generated = [7, 8]

    assert [one.tokens(a, b).tolist() for a, b in [(0, 3), (1, 4), (3, 5), (2, 5), (4, 5), (0, 5)]] == [
        [0, 1, 2],
        [1, 2, 7],
        [7, 8],
        [2, 7, 8],
        [8],
        [0, 1, 2, 7, 8],
    ]
    assert (one.length, one.pending, one.budget) == (5, 5, 998)
