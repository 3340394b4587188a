"""Which tokens are computed where: single behaviours, held against a model of llama.cpp's cache."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.prefix_cache import common_prefix
from tests.core.model.support_kv_cache import BYTES, FakeMemory, cache_of, finish, run, state_of, tokens_of


def test_a_conversation_goes_on_where_it_stopped() -> None:
    """The next turn continues in the same cells; nothing is copied and nothing computed again."""
    memory = FakeMemory(400)
    cache = cache_of(memory)
    slot, _ = run(memory, cache, tokens_of((1, 50)))
    cache.release(slot)

    assert cache.acquire(tokens_of((1, 50), (2, 10))) == (slot, 50)


def test_one_token_is_always_left_to_compute() -> None:
    """The same prompt again needs the logits of its last token."""
    memory = FakeMemory(400)
    cache = cache_of(memory)
    finish(memory, cache, tokens_of((1, 50)))

    assert finish(memory, cache, tokens_of((1, 50))) == 49


def test_running_sequences_share_their_prefix() -> None:
    """Ten users of one personality take its cells once."""
    memory = FakeMemory(400)
    cache = cache_of(memory, slots=10)
    for user in range(10):
        run(memory, cache, tokens_of((1, 100), (2 + user, 20)))

    assert memory.free == cache.free_cells == 400 - 100 - 10 * 20


def test_a_short_prefix_is_not_kept() -> None:
    """It is computed again sooner than it is found."""
    memory = FakeMemory(400)
    cache = cache_of(memory)
    finish(memory, cache, tokens_of((1, 20)))

    assert memory.free == cache.free_cells == 400


def test_the_longest_idle_leaves_first() -> None:
    """Above the idle share, the conversation that nobody continued for longest goes to host memory."""
    memory = FakeMemory(400)
    cache = cache_of(memory, idle_cells=100)
    finish(memory, cache, tokens_of((1, 50)))
    finish(memory, cache, tokens_of((2, 40)))
    finish(memory, cache, tokens_of((1, 50), (9, 1)))
    assert cache.suspended_bytes == 0

    finish(memory, cache, tokens_of((3, 40)))

    assert cache.suspended_bytes == 40 * BYTES
    assert cache.longest(tokens_of((2, 60))) == 40


def test_a_suspended_conversation_comes_back() -> None:
    """From host memory, wherever its slot went meanwhile."""
    memory = FakeMemory(120)
    cache = cache_of(memory)
    finish(memory, cache, tokens_of((1, 50)))
    finish(memory, cache, tokens_of((2, 100)))
    assert cache.suspended_bytes == 50 * BYTES

    slot, known = run(memory, cache, tokens_of((1, 50), (3, 10)))

    assert known == 50
    assert memory.of(slot) == [1] * 50 + [3] * 10
    assert cache.suspended_bytes == 100 * BYTES, "the other one is suspended now, and this one no more"


def test_a_newcomer_does_not_use_up_what_is_suspended_of_another() -> None:
    """Who shares only the beginning of a suspended conversation copies that; the conversation can still go on."""
    memory = FakeMemory(160)
    cache = cache_of(memory)
    finish(memory, cache, tokens_of((1, 40), (2, 60)))
    finish(memory, cache, tokens_of((3, 150)))

    assert finish(memory, cache, tokens_of((1, 40), (4, 5))) == 40
    assert finish(memory, cache, tokens_of((1, 40), (2, 60), (5, 5))) == 100


def test_the_revived_state_is_where_the_slot_says_when_room_had_to_be_made() -> None:
    """Making room frees slots of others; the state must not end in one of those. (It did.)"""
    memory = FakeMemory(200)
    cache = cache_of(memory, slots=4)
    finish(memory, cache, tokens_of((1, 90)))
    finish(memory, cache, tokens_of((2, 90)))
    finish(memory, cache, tokens_of((3, 90)))

    slot, known = run(memory, cache, tokens_of((1, 90), (4, 10)))

    assert (known, memory.of(slot)) == (90, [1] * 90 + [4] * 10)


def test_what_is_wanted_may_be_pushed_out_while_a_slot_is_freed() -> None:
    """Evicting for a slot can push the wanted state itself over the limit of host memory: no error. (It was one.)"""
    memory = FakeMemory(400)
    cache = cache_of(memory, slots=2, suspend=100)
    finish(memory, cache, tokens_of((1, 90)))
    finish(memory, cache, tokens_of((2, 60)))
    run(memory, cache, tokens_of((3, 40)))
    assert cache.longest(tokens_of((1, 91))) == 90
    assert cache.suspended_bytes == 90 * BYTES

    slot, _ = run(memory, cache, tokens_of((1, 90), (5, 5)))

    assert memory.of(slot) == [1] * 90 + [5] * 5


def test_a_refused_state_is_forgotten_and_computed_again() -> None:
    """llama.cpp may refuse what it saved; the prompt is then computed from the start, once."""
    memory = FakeMemory(120)
    cache = cache_of(memory)
    finish(memory, cache, tokens_of((1, 50)))
    finish(memory, cache, tokens_of((2, 100)))
    memory.refuse_restore = True

    assert finish(memory, cache, tokens_of((1, 60))) == 0
    assert cache.suspended_bytes == 100 * BYTES


def test_host_memory_is_bounded() -> None:
    """The longest unused state goes; one that alone is too big is not kept, and pushes nobody out."""
    memory = FakeMemory(300)
    cache = cache_of(memory, idle_cells=0, suspend=100)
    finish(memory, cache, tokens_of((1, 40)))
    finish(memory, cache, tokens_of((2, 50)))
    finish(memory, cache, tokens_of((3, 40)))
    assert [cache.longest(tokens_of((n, 60))) for n in (1, 2, 3)] == [0, 50, 40]

    finish(memory, cache, tokens_of((4, 200)))

    assert [cache.longest(tokens_of((n, 60))) for n in (2, 3, 4)] == [50, 40, 0]


def test_no_host_memory_means_none() -> None:
    """LLM_SUSPEND_MB=0: what leaves the KV cache is gone, and nothing is copied for it."""
    memory = FakeMemory(300)
    cache = cache_of(memory, idle_cells=0, suspend=0)
    finish(memory, cache, tokens_of((1, 50)))

    assert (memory.saved, cache.longest(tokens_of((1, 50))), memory.free) == (0, 0, 300)


def test_a_pinned_prefix_outlives_the_sequence_it_came_from() -> None:
    """And costs no cells while that one lives."""
    memory = FakeMemory(300)
    cache = cache_of(memory, idle_cells=0)
    slot, _ = run(memory, cache, tokens_of((1, 50), (2, 50)))
    pinned = cache.pin(slot, 50, limit=4)
    assert pinned is not None
    assert cache.free_cells == memory.free == 200

    cache.release(slot)

    assert memory.of(pinned) == [1] * 50
    assert cache.free_cells == memory.free == 250


def test_a_prefix_is_pinned_once() -> None:
    """The second time there is nothing new to keep."""
    memory = FakeMemory(300)
    cache = cache_of(memory)
    slot, _ = run(memory, cache, tokens_of((1, 60)))

    assert cache.pin(slot, 50, limit=4) is not None
    assert cache.pin(slot, 50, limit=4) is None


def test_of_too_many_pinned_prefixes_the_longest_unused_goes() -> None:
    """A personality that was deleted does not stay for ever."""
    memory = FakeMemory(600)
    cache = cache_of(memory, idle_cells=0, suspend=0)
    for token in (1, 2):
        slot, _ = run(memory, cache, tokens_of((token, 50), (9, 5)))
        cache.pin(slot, 50, limit=2)
        cache.release(slot)
    finish(memory, cache, tokens_of((1, 50), (8, 5)))
    slot, _ = run(memory, cache, tokens_of((3, 50), (9, 5)))
    cache.pin(slot, 50, limit=2)
    cache.release(slot)

    assert [cache.longest(tokens_of((n, 60))) for n in (1, 2, 3)] == [50, 0, 50]


def test_pinned_prefixes_give_way_last() -> None:
    """To what runs, when nothing else is idle."""
    memory = FakeMemory(200)
    cache = cache_of(memory)
    slot, _ = run(memory, cache, tokens_of((1, 50), (2, 30)))
    cache.pin(slot, 50, limit=2)
    cache.release(slot)

    assert cache.make_room(150)
    assert cache.longest(tokens_of((1, 60))) == 50
    assert cache.make_room(200)
    assert memory.free == 200


def test_a_prefix_from_disk_is_used() -> None:
    """Adopted at start, it serves the first request."""
    memory = FakeMemory(200)
    cache = cache_of(memory)
    prefix = tokens_of((1, 50))

    assert cache.pin_saved(prefix, state_of(prefix))
    assert finish(memory, cache, tokens_of((1, 50), (2, 10))) == 50


def test_a_prefix_from_disk_that_does_not_fit_is_left_out() -> None:
    """Or that llama.cpp refuses; the ledger knows nothing of it."""
    memory = FakeMemory(60)
    cache = cache_of(memory)

    assert not cache.pin_saved(tokens_of((1, 61)), state_of(tokens_of((1, 61))))
    memory.refuse_restore = True
    assert not cache.pin_saved(tokens_of((1, 50)), state_of(tokens_of((1, 50))))
    assert cache.free_cells == memory.free == 60


def test_without_a_free_id_nobody_starts() -> None:
    """All ids are busy."""
    memory = FakeMemory(200)
    cache = cache_of(memory, slots=2)
    run(memory, cache, tokens_of((1, 5)))
    run(memory, cache, tokens_of((2, 5)))

    assert cache.acquire(tokens_of((3, 5))) is None


def test_what_fits_counts_the_cells_that_an_idle_conversation_lends() -> None:
    """Cells that a busy sequence shares with an idle one cannot be had by evicting that. (They were counted.)"""
    memory = FakeMemory(100)
    cache = cache_of(memory)
    finish(memory, cache, tokens_of((1, 60)))
    run(memory, cache, tokens_of((1, 60), (2, 10)))
    run(memory, cache, tokens_of((1, 60), (3, 10)))

    assert cache.fits(tokens_of((1, 60), (4, 20)))
    assert not cache.fits(tokens_of((1, 60), (4, 21)))
    assert not cache.fits(tokens_of((1, 60), (4, 20)), reserved=1)
    assert not cache.fits(tokens_of((5, 21)))


def test_after_a_failure_nothing_is_known() -> None:
    """Neither in the KV cache nor in host memory, which was copied from it."""
    memory = FakeMemory(120)
    cache = cache_of(memory)
    finish(memory, cache, tokens_of((1, 50)))
    finish(memory, cache, tokens_of((2, 100)))
    cache.forget_all()

    assert [cache.longest(tokens_of((n, 60))) for n in (1, 2)] == [0, 0]
    assert cache.free_cells == memory.free == 120


def test_a_state_that_cannot_be_cut_serves_only_what_goes_on_from_its_end() -> None:
    """Recurrent models: a preempted sequence comes back whole, but half of its state is nobody's prefix."""
    memory = FakeMemory(300)
    cache = cache_of(memory, share=False)
    slot, _ = run(memory, cache, tokens_of((1, 50)))
    cache.suspend(slot)

    assert cache.longest(tokens_of((1, 40), (2, 20))) == 0
    assert cache.longest(tokens_of((1, 50))) == 0, "its last token would have to be cut off"
    assert finish(memory, cache, tokens_of((1, 51))) == 50
    assert finish(memory, cache, tokens_of((1, 52))) == 0, "and what has finished is not shared"


@pytest.mark.parametrize(
    ("a", "b", "length"),
    [([], [], 0), ([1], [], 0), ([1, 2], [1, 2], 2), ([1, 2, 3], [1, 2], 2), ([1, 2], [1, 3], 1), ([2], [1], 0)],
)
def test_common_prefix(a: list[int], b: list[int], length: int) -> None:
    """Counted from the start, up to the shorter."""
    assert common_prefix(np.asarray(a, np.int32), np.asarray(b, np.int32)) == length
