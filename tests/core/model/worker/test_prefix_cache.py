"""Prefix lookup, suspension and pinning, over a model of llama.cpp's cache."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.worker.prefix_cache import common_prefix
from tests.core.model.worker.support_kv_cache import BYTES, FakeKvCache, finish, make_cache, run, state_of, tokens_of


def test_the_next_turn_continues_in_the_same_slot() -> None:
    """It uses the same cells: no copy, no second computation."""
    memory = FakeKvCache(400)
    cache = make_cache(memory)
    slot, _ = run(memory, cache, tokens_of((1, 50)))
    cache.release(slot)

    assert cache.acquire(tokens_of((1, 50), (2, 10))) == (slot, 50)


def test_the_last_token_is_always_computed() -> None:
    """The same prompt again needs the logits of its last token."""
    memory = FakeKvCache(400)
    cache = make_cache(memory)
    finish(memory, cache, tokens_of((1, 50)))

    assert finish(memory, cache, tokens_of((1, 50))) == 49


def test_running_sequences_share_their_prefix() -> None:
    """Ten users of one personality use its cells once."""
    memory = FakeKvCache(400)
    cache = make_cache(memory, slots=10)
    for user in range(10):
        run(memory, cache, tokens_of((1, 100), (2 + user, 20)))

    assert memory.free == cache.free_cells == 400 - 100 - 10 * 20


def test_a_short_prefix_is_not_kept() -> None:
    """Computing it again is faster than restoring it."""
    memory = FakeKvCache(400)
    cache = make_cache(memory)
    finish(memory, cache, tokens_of((1, 20)))

    assert memory.free == cache.free_cells == 400


def test_the_longest_idle_sequence_is_suspended_first() -> None:
    """Above `idle_cells`, the conversation that was continued least recently moves to host memory."""
    memory = FakeKvCache(400)
    cache = make_cache(memory, idle_cells=100)
    finish(memory, cache, tokens_of((1, 50)))
    finish(memory, cache, tokens_of((2, 40)))
    finish(memory, cache, tokens_of((1, 50), (9, 1)))
    assert cache.suspended_bytes == 0

    finish(memory, cache, tokens_of((3, 40)))

    assert cache.suspended_bytes == 40 * BYTES
    assert cache.longest(tokens_of((2, 60))) == 40


def test_idle_sequences_that_cost_no_time_stay() -> None:
    """Three quarters of the cells may then be idle."""
    memory = FakeKvCache(400)
    cache = make_cache(memory, idle_cells=100)
    cache.keep_idle()
    for number in range(3):
        finish(memory, cache, tokens_of((number, 90)))
    assert cache.suspended_bytes == 0

    finish(memory, cache, tokens_of((3, 90)))

    assert cache.suspended_bytes == 90 * BYTES


def test_a_suspended_conversation_is_restored() -> None:
    """Its state returns from host memory, also into another slot."""
    memory = FakeKvCache(120)
    cache = make_cache(memory)
    finish(memory, cache, tokens_of((1, 50)))
    finish(memory, cache, tokens_of((2, 100)))
    assert cache.suspended_bytes == 50 * BYTES

    slot, known = run(memory, cache, tokens_of((1, 50), (3, 10)))

    assert known == 50
    assert memory.of(slot) == [1] * 50 + [3] * 10
    assert cache.suspended_bytes == 100 * BYTES, "only the other conversation is suspended now"


def test_sharing_a_suspended_prefix_leaves_the_conversation_suspended() -> None:
    """A newcomer that shares only the beginning copies it; the conversation can still continue."""
    memory = FakeKvCache(160)
    cache = make_cache(memory)
    finish(memory, cache, tokens_of((1, 40), (2, 60)))
    finish(memory, cache, tokens_of((3, 150)))

    assert finish(memory, cache, tokens_of((1, 40), (4, 5))) == 40
    assert finish(memory, cache, tokens_of((1, 40), (2, 60), (5, 5))) == 100


def test_a_state_is_restored_into_its_slot_after_making_room() -> None:
    """Making room frees other slots; the state must not land in one of those. (It did.)"""
    memory = FakeKvCache(200)
    cache = make_cache(memory, slots=4)
    finish(memory, cache, tokens_of((1, 90)))
    finish(memory, cache, tokens_of((2, 90)))
    finish(memory, cache, tokens_of((3, 90)))

    slot, known = run(memory, cache, tokens_of((1, 90), (4, 10)))

    assert (known, memory.of(slot)) == (90, [1] * 90 + [4] * 10)


def test_freeing_a_slot_may_drop_the_wanted_state() -> None:
    """Suspending another sequence may exceed the limit of host memory: no error. (It was one.)"""
    memory = FakeKvCache(400)
    cache = make_cache(memory, slots=2, suspend=100)
    finish(memory, cache, tokens_of((1, 90)))
    finish(memory, cache, tokens_of((2, 60)))
    run(memory, cache, tokens_of((3, 40)))
    assert cache.longest(tokens_of((1, 91))) == 90
    assert cache.suspended_bytes == 90 * BYTES

    slot, _ = run(memory, cache, tokens_of((1, 90), (5, 5)))

    assert memory.of(slot) == [1] * 90 + [5] * 5


def test_a_refused_state_is_forgotten_and_computed_again() -> None:
    """llama.cpp may refuse a state that it saved; the prompt is then computed from the start, once."""
    memory = FakeKvCache(120)
    cache = make_cache(memory)
    finish(memory, cache, tokens_of((1, 50)))
    finish(memory, cache, tokens_of((2, 100)))
    memory.refuse_restore = True

    assert finish(memory, cache, tokens_of((1, 60))) == 0
    assert cache.suspended_bytes == 100 * BYTES


def test_host_memory_is_bounded() -> None:
    """The oldest state is dropped; a state larger than the limit is not stored, and drops no other."""
    memory = FakeKvCache(300)
    cache = make_cache(memory, idle_cells=0, suspend=100)
    finish(memory, cache, tokens_of((1, 40)))
    finish(memory, cache, tokens_of((2, 50)))
    finish(memory, cache, tokens_of((3, 40)))
    assert [cache.longest(tokens_of((n, 60))) for n in (1, 2, 3)] == [0, 50, 40]

    finish(memory, cache, tokens_of((4, 200)))

    assert [cache.longest(tokens_of((n, 60))) for n in (2, 3, 4)] == [50, 40, 0]


def test_without_host_memory_nothing_is_saved() -> None:
    """LLM_SUSPEND_MB=0: an evicted sequence is lost, and its state is not copied."""
    memory = FakeKvCache(300)
    cache = make_cache(memory, idle_cells=0, suspend=0)
    finish(memory, cache, tokens_of((1, 50)))

    assert (memory.saved, cache.longest(tokens_of((1, 50))), memory.free) == (0, 0, 300)


def test_a_pinned_prefix_outlives_its_sequence() -> None:
    """It uses no cells of its own while that sequence lives."""
    memory = FakeKvCache(300)
    cache = make_cache(memory, idle_cells=0)
    slot, _ = run(memory, cache, tokens_of((1, 50), (2, 50)))
    pinned = cache.pin(slot, 50, limit=4)
    assert pinned is not None
    assert cache.free_cells == memory.free == 200

    cache.release(slot)

    assert memory.of(pinned) == [1] * 50
    assert cache.free_cells == memory.free == 250


def test_a_prefix_is_pinned_once() -> None:
    """Pinning it again returns None."""
    memory = FakeKvCache(300)
    cache = make_cache(memory)
    slot, _ = run(memory, cache, tokens_of((1, 60)))

    assert cache.pin(slot, 50, limit=4) is not None
    assert cache.pin(slot, 50, limit=4) is None


def test_above_the_limit_the_least_recently_used_pinned_prefix_is_dropped() -> None:
    """A deleted personality does not stay for ever."""
    memory = FakeKvCache(600)
    cache = make_cache(memory, idle_cells=0, suspend=0)
    for token in (1, 2):
        slot, _ = run(memory, cache, tokens_of((token, 50), (9, 5)))
        cache.pin(slot, 50, limit=2)
        cache.release(slot)
    finish(memory, cache, tokens_of((1, 50), (8, 5)))
    slot, _ = run(memory, cache, tokens_of((3, 50), (9, 5)))
    cache.pin(slot, 50, limit=2)
    cache.release(slot)

    assert [cache.longest(tokens_of((n, 60))) for n in (1, 2, 3)] == [50, 0, 50]


def test_pinned_prefixes_are_evicted_last() -> None:
    """Running sequences evict them only when no other sequence is idle."""
    memory = FakeKvCache(200)
    cache = make_cache(memory)
    slot, _ = run(memory, cache, tokens_of((1, 50), (2, 30)))
    cache.pin(slot, 50, limit=2)
    cache.release(slot)

    assert cache.make_room(150)
    assert cache.longest(tokens_of((1, 60))) == 50
    assert cache.make_room(200)
    assert memory.free == 200


def test_a_prefix_from_disk_is_used() -> None:
    """Pinned at start, it serves the first request."""
    memory = FakeKvCache(200)
    cache = make_cache(memory)
    prefix = tokens_of((1, 50))

    assert cache.pin_saved(prefix, state_of(prefix))
    assert finish(memory, cache, tokens_of((1, 50), (2, 10))) == 50


def test_a_prefix_from_disk_without_room_is_ignored() -> None:
    """A state that llama.cpp refuses is ignored too; neither uses cells."""
    memory = FakeKvCache(60)
    cache = make_cache(memory)

    assert not cache.pin_saved(tokens_of((1, 61)), state_of(tokens_of((1, 61))))
    memory.refuse_restore = True
    assert not cache.pin_saved(tokens_of((1, 50)), state_of(tokens_of((1, 50))))
    assert cache.free_cells == memory.free == 60


def test_without_a_free_slot_acquire_returns_none() -> None:
    """All slots are busy."""
    memory = FakeKvCache(200)
    cache = make_cache(memory, slots=2)
    run(memory, cache, tokens_of((1, 5)))
    run(memory, cache, tokens_of((2, 5)))

    assert cache.acquire(tokens_of((3, 5))) is None


def test_fits_counts_cells_that_busy_sequences_share_with_idle_ones() -> None:
    """Evicting the idle one does not free shared cells. (They were counted as free.)"""
    memory = FakeKvCache(100)
    cache = make_cache(memory)
    finish(memory, cache, tokens_of((1, 60)))
    run(memory, cache, tokens_of((1, 60), (2, 10)))
    run(memory, cache, tokens_of((1, 60), (3, 10)))

    assert cache.fits(tokens_of((1, 60), (4, 20)))
    assert not cache.fits(tokens_of((1, 60), (4, 21)))
    assert not cache.fits(tokens_of((1, 60), (4, 20)), reserved=1)
    assert not cache.fits(tokens_of((5, 21)))


def test_after_a_failure_no_prefix_is_known() -> None:
    """Host memory is cleared too, because its states were copied from the KV cache."""
    memory = FakeKvCache(120)
    cache = make_cache(memory)
    finish(memory, cache, tokens_of((1, 50)))
    finish(memory, cache, tokens_of((2, 100)))
    cache.forget_all()

    assert [cache.longest(tokens_of((n, 60))) for n in (1, 2)] == [0, 0]
    assert cache.free_cells == memory.free == 120


def test_a_recurrent_state_serves_only_prompts_that_continue_it() -> None:
    """A preempted sequence is restored whole; a part of its state is no prefix."""
    memory = FakeKvCache(300)
    cache = make_cache(memory, share=False)
    slot, _ = run(memory, cache, tokens_of((1, 50)))
    cache.suspend(slot)

    assert cache.longest(tokens_of((1, 40), (2, 20))) == 0
    assert cache.longest(tokens_of((1, 50))) == 0, "the last token would have to be removed"
    assert finish(memory, cache, tokens_of((1, 51))) == 50
    assert finish(memory, cache, tokens_of((1, 52))) == 0, "finished sequences are not shared"


@pytest.mark.parametrize(
    ("a", "b", "length"),
    [([], [], 0), ([1], [], 0), ([1, 2], [1, 2], 2), ([1, 2, 3], [1, 2], 2), ([1, 2], [1, 3], 1), ([2], [1], 0)],
)
def test_common_prefix(a: list[int], b: list[int], length: int) -> None:
    """Counts equal tokens from the start, up to the shorter sequence."""
    assert common_prefix(np.asarray(a, np.int32), np.asarray(b, np.int32)) == length


def test_earlier_tokens_of_a_growing_sequence_stay_as_they_were() -> None:
    """Whoever holds them, such as a state that is being written, keeps them while the sequence grows on."""
    memory = FakeKvCache(400)
    cache = make_cache(memory)
    slot, _ = run(memory, cache, tokens_of((1, 40)))
    held = cache._residents[slot].tokens
    for token in range(60):
        cache.extend(slot, tokens_of((token, 1)))

    assert held.tolist() == [1] * 40
    assert cache._residents[slot].tokens.tolist() == [*[1] * 40, *range(60)]
