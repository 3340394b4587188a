"""The running sequences, and the tokens of each step."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Sampling
from core.model.worker.scheduler import FORCED_TOKENS, ScheduledTokens, Scheduler
from core.model.worker.sequence import Sequence

BATCH = 512


class Budget:
    """A policy with one budget for every step, and a second of work for each token."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens

    def prefill_s(self, sequence: Sequence) -> float:
        return float(sequence.pending)

    def prefill_tokens(self, decoding: SequenceOf[ScheduledTokens], prompts: SequenceOf[Sequence]) -> int:
        return self.tokens


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


def test_decode_comes_before_prefill() -> None:
    """A decoding sequence gets its token first, also when the new prompt was admitted earlier."""
    newcomer, first, second = sequence(1000), decoding(), decoding()
    plan = running(newcomer, first, second).plan(BATCH, Budget(100))

    assert plan == [ScheduledTokens(first, 1), ScheduledTokens(second, 1), ScheduledTokens(newcomer, 100)]


def test_the_prompt_that_needs_least_is_computed_first() -> None:
    """A long prompt does not keep a short one from its first words, also if it was admitted earlier."""
    long, short = sequence(600), sequence(60)

    assert running(long, short).plan(BATCH, Budget(100)) == [ScheduledTokens(short, 60), ScheduledTokens(long, 40)]


def test_a_prompt_that_waited_as_long_as_it_needs_goes_first() -> None:
    """A second of waiting counts as a second of work, so that short newcomers cannot hold up a long prompt for ever."""
    long, newcomer = sequence(600), sequence(60)
    newcomer.queued_at_s = 541.0

    assert running(newcomer, long).plan(BATCH, Budget(100)) == [ScheduledTokens(long, 100)]


def test_prompts_of_batches_come_after_others_for_a_while() -> None:
    """Their work counts eight times: they wait longer, and not for ever."""
    batch, person = sequence(60), sequence(100)
    batch.priority = "batch"
    scheduler = running(batch, person)

    assert scheduler.plan(BATCH, Budget(100)) == [ScheduledTokens(person, 100)]
    person.queued_at_s = 8 * 60 - 100 + 1.0
    assert scheduler.plan(BATCH, Budget(60)) == [ScheduledTokens(batch, 60)]


def test_only_a_slice_that_completes_a_prompt_is_sampled() -> None:
    """No token is sampled in the middle of a prompt."""
    whole, part = sequence(60), sequence(60)
    first, second = running(whole, part).plan(BATCH, Budget(100))

    assert (first.sampled, second.sampled) == (True, False)


def test_up_to_32_forced_tokens_count_as_decode() -> None:
    """More forced tokens than FORCED_TOKENS count as prefill and share its budget."""
    few, many = decoding(FORCED_TOKENS), decoding(FORCED_TOKENS + 1)

    assert running(many, few).plan(BATCH, Budget(5)) == [
        ScheduledTokens(few, FORCED_TOKENS),
        ScheduledTokens(many, 5),
    ]


def test_a_paused_sequence_is_not_scheduled() -> None:
    """The plan omits it, and it does not count as decoding."""
    paused, other = decoding(), decoding()
    paused.paused = True
    scheduler = running(paused, other)

    assert scheduler.plan(BATCH, Budget(BATCH)) == [ScheduledTokens(other, 1)]
    other.paused = True
    assert scheduler.plan(BATCH, Budget(BATCH)) == []


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
def test_any_plan_respects_its_budgets(sequences: list[Sequence], batch: int, prefill: int) -> None:
    """A plan fits batch and prefill budget, has no empty or double slice, and is empty only without pending tokens."""
    scheduler = running(*sequences, slots=100)
    plan = scheduler.plan(batch, Budget(prefill))
    prompts = [s for s in plan if not (s.sequence.generated and s.sequence.pending <= FORCED_TOKENS)]

    assert sum(s.count for s in plan) <= batch
    assert sum(s.count for s in prompts) <= prefill
    assert all(0 < s.count <= s.sequence.pending and not s.sequence.paused for s in plan)
    assert len({id(s.sequence) for s in plan}) == len(plan)
    assert bool(plan) == any(s.pending and not s.paused for s in sequences)


def test_a_preempted_sequence_is_first_in_the_queue() -> None:
    """It loses its slot, not its turn."""
    early, late, waiting = sequence(), sequence(), sequence()
    scheduler = running(early, late)
    scheduler.add(waiting)
    scheduler.preempt(late)

    assert scheduler.running == [early]
    assert list(scheduler.waiting) == [late, waiting]


def test_a_sequence_can_be_removed_while_waiting_or_running() -> None:
    """A cancel works in both states."""
    runs, waits = sequence(), sequence()
    scheduler = running(runs)
    scheduler.add(waits)
    scheduler.remove(runs)
    scheduler.remove(waits)

    assert (scheduler.running, list(scheduler.waiting)) == ([], [])


def test_free_slots_do_not_count_towards_the_queue_limit() -> None:
    """A burst on an idle model fills the slots first; the queue limit applies to the rest."""
    scheduler = Scheduler(slots=2, queue_limit=3)
    accepted = 0
    while not scheduler.full:
        scheduler.add(sequence())
        accepted += 1

    assert accepted == 2 + 3
    scheduler.start(next(iter(scheduler.waiting)))
    scheduler.start(next(iter(scheduler.waiting)))
    assert scheduler.full, "three wait behind two running ones"


def test_tokens_of_a_sequence_span_prompt_and_answer() -> None:
    """Positions count through: sampled tokens follow the prompt."""
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
