"""The prefix cache's counts always match the contents of llama.cpp's cache."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.model.worker.prefix_cache import Tokens
from tests.core.model.worker.support_kv_cache import BYTES, FakeKvCache, make_cache, state_of, tokens_of

RUNS = st.lists(st.tuples(st.integers(1, 3), st.sampled_from([1, 5, 20, 40])), min_size=1, max_size=4)
PROMPTS = RUNS.map(lambda runs: tokens_of(*runs))
CELLS = 200


class CacheMachine(RuleBasedStateMachine):
    """Sequences start, grow, end, are suspended and pinned in any order; the counts must always be right."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = FakeKvCache(CELLS)
        self.busy: dict[int, tuple[Tokens, int]] = {}  # slot → all its tokens, number of computed ones

    @initialize(slots=st.integers(2, 8), idle=st.sampled_from([0, 60, CELLS]), suspend=st.sampled_from([0, 90, 10_000]))
    def begin(self, slots: int, idle: int, suspend: int) -> None:
        self.slots = slots
        self.cache = make_cache(self.memory, slots=slots, idle_cells=idle, suspend=suspend)
        self.suspend_bytes = suspend * BYTES

    def pending(self) -> int:
        return sum(len(tokens) - computed for tokens, computed in self.busy.values())

    def any_busy(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.busy)))

    @rule(tokens=PROMPTS)
    def serve(self, tokens: Tokens) -> None:
        """Runs one request from start to end while others run."""
        before = set(self.busy)
        self.start(tokens)
        for slot in set(self.busy) - before:
            _, computed = self.busy.pop(slot)
            self.memory.compute(slot, computed, tokens[computed:])
            self.cache.extend(slot, tokens[computed:])
            self.cache.release(slot)

    @rule(tokens=PROMPTS)
    def start(self, tokens: Tokens) -> None:
        """Starts a sequence only if it fits, as the scheduler does; then all pending tokens must have room."""
        known = self.cache.longest(tokens)
        if not self.cache.fits(tokens, reserved=self.pending()):
            return
        place = self.cache.acquire(tokens)
        assert (place is None) == (len(self.busy) == self.slots)
        if place is None:
            return
        slot, computed = place
        assert slot not in self.busy
        assert computed < len(tokens)
        assert computed == 0 or known
        self.busy[slot] = (tokens, computed)
        assert self.cache.make_room(self.pending()), "fits() returned True"

    @rule(tokens=PROMPTS)
    def start_without_checking_room(self, tokens: Tokens) -> None:
        """The counts must be right even then."""
        place = self.cache.acquire(tokens)
        if place is not None:
            self.busy[place[0]] = (tokens, place[1])

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), count=st.sampled_from([1, 7, 40]))
    def compute(self, data: st.DataObject, count: int) -> None:
        slot = self.any_busy(data)
        tokens, computed = self.busy[slot]
        if computed == len(tokens):  # it decodes
            tokens = np.concatenate([tokens, tokens_of((data.draw(st.integers(1, 3)), 1))])
        part = tokens[computed : computed + count]
        if not self.cache.make_room(len(part)):
            return
        self.memory.compute(slot, computed, part)
        self.cache.extend(slot, part)
        self.busy[slot] = (tokens, computed + len(part))

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        slot = self.any_busy(data)
        del self.busy[slot]
        self.cache.release(slot)

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def suspend(self, data: st.DataObject) -> None:
        slot = self.any_busy(data)
        del self.busy[slot]
        self.cache.suspend(slot)

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), limit=st.integers(1, 3))
    def pin(self, data: st.DataObject, limit: int) -> None:
        slot = self.any_busy(data)
        computed = self.busy[slot][1]
        if computed:
            length = data.draw(st.integers(1, computed))
            pinned = self.cache.pin(slot, length, limit)
            assert pinned is None or self.memory.of(pinned) == self.busy[slot][0][:length].tolist()

    @rule(tokens=PROMPTS)
    def pin_saved(self, tokens: Tokens) -> None:
        self.cache.pin_saved(tokens, state_of(tokens))

    @rule(cells=st.integers(0, CELLS + 1))
    def make_room(self, cells: int) -> None:
        assert self.cache.make_room(cells) == (self.memory.free >= cells)

    @rule(tokens=PROMPTS)
    def serve_while_states_are_refused(self, tokens: Tokens) -> None:
        self.memory.refuse_restore = True
        self.serve(tokens)
        self.memory.refuse_restore = False

    @rule(data=st.data(), tokens=st.integers(1, 60))
    def lose_a_window(self, data: st.DataObject, tokens: int) -> None:
        """Prefixes within these tokens can no longer be shared; the fake fails if they are."""
        self.memory.unshareable[data.draw(st.integers(0, self.slots - 1))] = tokens

    @rule(really=st.integers(0, 9))
    def fail(self, really: int) -> None:
        if really == 9:
            self.busy.clear()
            self.cache.forget_all()

    @invariant()
    def cells_match_the_cache(self) -> None:
        for slot in range(self.slots):
            resident = self.cache._residents.get(slot)
            assert self.memory.of(slot) == ([] if resident is None else resident.tokens.tolist())

    @invariant()
    def busy_slots_hold_their_computed_tokens(self) -> None:
        for slot, (tokens, computed) in self.busy.items():
            assert self.memory.of(slot) == tokens[:computed].tolist()

    @invariant()
    def cell_counts_are_right(self) -> None:
        assert self.cache.free_cells == self.memory.free
        assert self.cache._cells_in_use(None, 0) == self.memory.count_cells(self.busy)

    @invariant()
    def no_slot_is_lost(self) -> None:
        assert sorted([*self.cache._free_slots, *self.cache._residents]) == list(range(self.slots))

    @invariant()
    def host_memory_is_bounded(self) -> None:
        assert self.cache.suspended_bytes <= self.suspend_bytes


CacheMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAnyOrder = CacheMachine.TestCase
