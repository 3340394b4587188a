"""Decides which waiting requests get a slot, and which running ones give it back for a while.

Belongs to the inference thread. Knows no batches and no llama.cpp.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from core.contract import Sampling
from core.errors import Overloaded, PromptTooLong
from core.model.worker.metrics import ModelMetrics
from core.model.worker.pinned_prefixes import PinnedPrefixes
from core.model.worker.prefix_cache import MIN_PREFIX_TOKENS, PrefixCache, common_prefix
from core.model.worker.request_queue import BATCH_TURN
from core.model.worker.scheduler import Scheduler
from core.model.worker.sequence import FailedOutput, QueuedOutput, Sequence, SequenceOutput, TokenSampler
from core.model.worker.step_rates import StepRates
from core.model.worker.suspended.disk_tier import DiskTier
from core.model.worker.wait_forecast import WaitForecast

QUEUE_REPORT_INTERVAL_S = 1.0
RETRY_AFTER_S = 10.0  # of a refused request, before waits can be foretold
OVERTAKING_LIMIT = 8  # later requests that get a slot before one that has to wait for room or for a prefix
LOOKAHEAD = 8  # waiting requests that a step looks at in vain: each costs a search for its prefix


class Admission:
    """Moves sequences between the queue and the slots. `emit` passes an output on; `sampler` makes a sampler."""

    def __init__(
        self,
        scheduler: Scheduler,
        cache: PrefixCache,
        disk: DiskTier,
        pinned: PinnedPrefixes,
        sampler: Callable[[Sampling, int], TokenSampler],
        rates: StepRates,
        metrics: ModelMetrics,
        emit: Callable[[Sequence, SequenceOutput], None],
        clock: Callable[[], float],
    ) -> None:
        self._scheduler = scheduler
        self._cache = cache
        self._disk = disk
        self._pinned = pinned
        self._sampler = sampler
        self._rates = rates
        self._metrics = metrics
        self._emit = emit
        self._clock = clock
        self._forecast = WaitForecast(scheduler, rates)
        self._closed = False  # from a preemption until the next sequence leaves
        self._reported_at_s = 0.0
        self._longest_wait_s = RETRY_AFTER_S  # as last reported

    def enqueue(self, sequence: Sequence) -> None:
        """Adds a request to the queue. If that is full, the user who has most waiting loses the latest request."""
        if not self._cache.holds(len(sequence.prompt)):
            too_long = PromptTooLong("the prompt is longer than the model's KV cache", tokens=len(sequence.prompt))
            self._emit(sequence, FailedOutput(too_long))
            return
        if self._scheduler.full:
            crowding = self._scheduler.waiting.crowding_out(sequence)
            error = Overloaded("too many requests are waiting", retry_after_s=self._longest_wait_s)
            if crowding is None:
                self._emit(sequence, FailedOutput(error))
                return
            self._emit(crowding, FailedOutput(error))
            self.leave(crowding)
        sequence.queued_at_s = self._clock()
        self._forecast.enqueue(sequence)
        self._scheduler.add(sequence)

    def admit(self) -> None:
        """Gives slots to waiting requests as far as there is room."""
        passed: list[Sequence] = []
        for sequence in list(self._scheduler.waiting):
            if self._closed and any(not running.paused for running in self._scheduler.running):
                return  # the next one would be preempted at once
            if sequence.paused:
                continue
            if not self._scheduler.has_free_slot and not self._displaceable(sequence):
                return
            if self._can_start(sequence):
                for other in passed:
                    other.overtaken += 1
                continue
            # Later ones may fit, or need no prefix that is being computed: a few of them, or this one would starve.
            passed.append(sequence)
            if sequence.overtaken >= OVERTAKING_LIMIT or len(passed) == LOOKAHEAD:
                return

    def _can_start(self, sequence: Sequence) -> bool:
        """Starts a sequence unless it has to wait for a prefix, its state or room; then False."""
        if sequence.overtaken < OVERTAKING_LIMIT and self._awaits_prefix(sequence):
            return False
        if self._disk.awaits(sequence, self._rates.prefill_rate):
            return False
        if self._scheduler.has_free_slot and self._start(sequence):
            return True
        running = self._displaceable(sequence)
        if running is None:
            return False
        self._preempt(running)
        return self._start(sequence)

    def _displaceable(self, sequence: Sequence) -> Sequence | None:
        """The running sequence whose slot, or room, goes to this waiting one.

        It is one whose client does not read, else, for a person, one of a batch. Some slots are left to batches.
        """
        running = self._scheduler.running
        if paused := [other for other in running if other.paused]:
            return paused[0]
        batch = [other for other in running if other.priority == "batch"]
        left = max(1, self._scheduler.slots // BATCH_TURN)
        if sequence.priority == "batch" or len(batch) <= left or not self._cache.suspends:
            return None
        return max(batch, key=lambda other: other.admitted_at_s)

    def leave(self, sequence: Sequence) -> None:
        """Frees the place of a sequence that has ended, in a slot or in the queue."""
        self._scheduler.remove(sequence)
        self._disk.end_restoring(sequence)
        self._closed = False
        if sequence.slot is not None:
            self._cache.release(sequence.slot)
            sequence.slot = None
            self._disk.end(sequence)

    def finish(self, sequence: Sequence) -> None:
        """Notes that an answer is complete, before it leaves."""
        self._forecast.finish(sequence)

    def make_room(self, cells: int) -> bool:
        """Evicts an idle sequence after llama.cpp found no room, else suspends a running one.

        A running one whose client does not read goes first, then one of a batch, then the one admitted last. False: a
        single sequence is left, and the cache alone is too small for it.
        """
        # llama.cpp's answer outweighs our count of free cells: one idle sequence must go in any case.
        if self._cache.make_room(max(cells, self._cache.free_cells + 1)):
            return True
        running = self._scheduler.running
        if len(running) == 1:
            return self._restart(running[0])
        self._preempt(max(running, key=lambda s: (s.paused, s.priority == "batch", s.admitted_at_s)))
        self._closed = True
        return True

    def _restart(self, sequence: Sequence) -> bool:
        """Suspends the only sequence to restore it into an empty cache; False if that cannot help, or did not."""
        if sequence.restarted_at == sequence.length or not self._cache.holds(sequence.length):
            return False
        sequence.restarted_at = sequence.length
        self._preempt(sequence)
        return True

    def report_queue(self) -> None:
        """Emits position and expected wait to each waiting request, about once a second."""
        now = self._clock()
        if not self._scheduler.waiting or now - self._reported_at_s < QUEUE_REPORT_INTERVAL_S:
            return
        self._reported_at_s = now
        waiting = [sequence for sequence in self._scheduler.waiting if not sequence.paused]
        waits_s = self._forecast.waits_s(waiting)
        self._longest_wait_s = round(max(waits_s, default=0.0), 1) if waits_s else RETRY_AFTER_S
        for index, sequence in enumerate(waiting):
            if not sequence.begun:
                self._emit(sequence, QueuedOutput(index + 1, round(waits_s[index], 1) if waits_s else None))

    def _start(self, sequence: Sequence) -> bool:
        """Gives a sequence a slot with its longest known prefix; False if there is no room now."""
        tokens = sequence.tokens(0, sequence.length)
        # A sequence must fit beside the pending tokens of the running ones, or it would be preempted at once.
        reserved = sum(s.pending for s in self._scheduler.running)
        if not self._cache.fits(tokens, reserved, sequence.fetched):
            return False
        place = self._cache.acquire(tokens, sequence.conversation, sequence.fetched)
        if place is None:
            return False
        sequence.slot, sequence.computed = place
        if sequence.fetched is not None:
            sequence.fetched = None
            self._metrics.resumed.inc()
        self._disk.begin(sequence)
        if sequence.sampler is None:
            sequence.cached = sequence.computed
            seed = sequence.sampling.seed
            sequence.sampler = self._sampler(sequence.sampling, random.getrandbits(31) if seed is None else seed)
        self._scheduler.start(sequence)
        self._cache.make_room(sequence.pending)
        if sequence.pinned_tokens <= sequence.computed:
            self._pinned.pin(sequence)
        sequence.admitted_at_s = self._clock()
        self._metrics.count_admission(sequence, sequence.admitted_at_s - sequence.queued_at_s)
        return True

    def _awaits_prefix(self, sequence: Sequence) -> bool:
        """Tells whether a running sequence is computing a prefix of this one, so that waiting is cheaper."""
        prefix = self._cache.longest(sequence.prompt)
        for other in self._scheduler.running:
            if other.computed < len(other.prompt) and not other.paused:
                target = min(common_prefix(other.prompt, sequence.prompt), len(sequence.prompt) - 1)
                if target > max(other.computed, prefix) and target - prefix >= MIN_PREFIX_TOKENS:
                    if sequence.priority == "interactive":
                        other.priority = "interactive"  # a person waits for it now
                    return True
        return False

    def _preempt(self, sequence: Sequence) -> None:
        """Moves a running sequence to host memory, and to the front of the queue."""
        assert sequence.slot is not None
        self._cache.suspend(sequence.slot)
        sequence.slot = None
        self._scheduler.preempt(sequence)
        self._metrics.preempted.inc()
