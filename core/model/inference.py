"""The one thread that owns llama.cpp: takes requests, steps, and hands out text.

Each step decodes one batch that mixes every running sequence's next token with slices of waiting prompts (continuous
batching, chunked prefill), draws a token for each, and delivers what became text. Other threads talk to it through
`submit`, `cancel`, `pause` and `run`, which only put a command into its inbox.
"""

from __future__ import annotations

import os
import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from core.contract import Sampling
from core.errors import CspsError, ModelError, Overloaded
from core.model.llama.batch import BatchRow
from core.model.llama.runner import KvCacheFull
from core.model.metrics import ModelMetrics
from core.model.prefix_cache import KvCache, PrefixCache, common_prefix
from core.model.prefix_store import PrefixStore
from core.model.scheduler import ScheduledTokens, Scheduler
from core.model.sequence import (
    FailedOutput,
    FinishedOutput,
    QueuedOutput,
    Sequence,
    SequenceOutput,
    TextOutput,
    TokenSampler,
)
from core.model.vocabulary import Vocabulary

log = structlog.get_logger()

Result = TypeVar("Result")
Deliver = Callable[[list[tuple[Sequence, SequenceOutput]]], None]

PINNED_PREFIXES = 16
WORTH_WAITING_TOKENS = 32  # a prefix that another request is computing right now, and that is worth waiting for
STEP_TARGET_S = 0.15  # while somebody is written to, a newcomer's prefill may lengthen a step to about this
PREFILL_FLOOR_TOKENS = 32
QUEUE_NEWS_INTERVAL_S = 1.0


class ModelRunner(KvCache, Protocol):
    """What of the runner a step needs."""

    vocabulary: Vocabulary
    batch_tokens: int

    def decode(self, rows: list[BatchRow]) -> list[int]: ...
    def logits(self, index: int) -> NDArray[np.float32]: ...
    def sampler(self, sampling: Sampling, seed: int) -> TokenSampler: ...
    def clear(self) -> None: ...


class InferenceThread:
    """Runs until `stop`; `deliver` is called on its thread, once a step, with everything that came of it."""

    def __init__(
        self,
        model: ModelRunner,
        scheduler: Scheduler,
        cache: PrefixCache,
        deliver: Deliver,
        metrics: ModelMetrics,
        store: PrefixStore | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._scheduler = scheduler
        self._cache = cache
        self._deliver = deliver
        self._metrics = metrics
        self._store = store
        self._clock = clock
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._outputs: list[tuple[Sequence, SequenceOutput]] = []
        self._stopping = False
        self._crowded = False  # somebody had to step back, and nobody left since
        self._prefill_rate = 200.0  # tokens a second, learnt
        self._service_s: float | None = None  # how long a request holds its slot, learnt
        self._news_at_s = 0.0
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._step_began_s: float | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the step under way; what still runs gets no more outputs."""
        self._inbox.put(self._end)
        self._thread.join()

    def submit(self, sequence: Sequence) -> None:
        self._inbox.put(lambda: self._add(sequence))

    def cancel(self, sequence: Sequence) -> None:
        """Its slot is free after the step under way; the reader hears nothing more."""
        self._inbox.put(lambda: self._cancel(sequence))

    def pause(self, sequence: Sequence, paused: bool) -> None:
        """A paused sequence keeps its place but is not written to: its reader is behind."""
        self._inbox.put(lambda: setattr(sequence, "paused", paused))

    def run(self, work: Callable[[], Result]) -> Future[Result]:
        """Do some work on the inference thread, between two steps."""
        future: Future[Result] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except Exception as exc:  # noqa: BLE001 - it is the caller's, and reaches the caller
                future.set_exception(exc)

        self._inbox.put(do)
        return future

    @property
    def step_took_s(self) -> float:
        """Seconds since the step under way began; 0 while there is nothing to compute."""
        began_s = self._step_began_s
        return 0.0 if began_s is None else self._clock() - began_s

    # --- the loop, on the inference thread -------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._restore_prefixes()
            self._loop()
        except BaseException:
            # A dead thread would leave everybody waiting for ever; a dead process is restarted within a second.
            log.critical("inference_thread_died", exc_info=True)
            os._exit(os.EX_SOFTWARE)

    def _loop(self) -> None:
        progress = False
        while not self._stopping:
            try:
                # Without progress only a command can change anything: a request, a cancel, a reader that caught up.
                self._take_commands(wait=not progress)
                progress = self.step()
            except Exception as exc:
                log.exception("inference_failed", running=len(self._scheduler.running))
                self._fail_all(exc)
            self._step_began_s = None
            self._flush()

    def _take_commands(self, wait: bool) -> None:
        command = self._inbox.get() if wait else None
        self._step_began_s = self._clock()
        if command:
            command()
        while not self._inbox.empty():
            self._inbox.get()()

    def step(self) -> bool:
        """Admit who may run, compute one batch, draw a token for each sequence that is up to date.

        False if there was nothing to compute.
        """
        self._admit()
        self._tell_queue()
        slices = self._scheduler.plan(self._model.batch_tokens, self._prefill_tokens())
        if not slices:
            return False
        rows = [self._row(s) for s in slices]
        started = self._clock()
        try:
            indices = self._model.decode(rows)
        except KvCacheFull:
            self._make_room(sum(s.count for s in slices))
            return True
        self._metrics.stepped(slices)
        for part, row, index in zip(slices, rows, indices, strict=True):
            self._computed(part, row)
            if row.logits:
                self._draw(part.sequence, index)
        self._learn_prefill_rate(slices, self._clock() - started)
        return True

    def _row(self, part: ScheduledTokens) -> BatchRow:
        sequence = part.sequence
        assert sequence.slot is not None
        tokens = sequence.tokens(sequence.computed, sequence.computed + part.count)
        return BatchRow(sequence.slot, sequence.computed, tokens, part.sampled)

    # --- who runs ---------------------------------------------------------------------------------------------------

    def _add(self, sequence: Sequence) -> None:
        if self._scheduler.full:
            wait_s = self._expected_wait_s(len(self._scheduler.waiting))
            self._say(sequence, FailedOutput(Overloaded("too many requests are waiting", retry_after_s=wait_s or 10.0)))
            return
        sequence.queued_at_s = self._clock()
        self._scheduler.add(sequence)

    def _admit(self) -> None:
        if self._crowded:  # who stepped back would be thrown out again, and nobody else could get on meanwhile
            return
        for sequence in self._scheduler.waiting:
            if not self._scheduler.has_free_slot:
                return
            if self._awaits_prefix(sequence):
                continue
            if not self._start(sequence):
                return

    def _start(self, sequence: Sequence) -> bool:
        """Give a sequence its slot, with whatever of its tokens is known; False if there is no room now."""
        tokens = sequence.tokens(0, sequence.length)
        # Whoever starts must fit beside what the others are about to compute, or it would step back at once.
        if not self._cache.fits(tokens, reserved=sum(s.pending for s in self._scheduler.running)):
            return False
        place = self._cache.acquire(tokens)
        if place is None:
            return False
        sequence.slot, sequence.computed = place
        if sequence.sampler is None:
            sequence.cached = sequence.computed
            seed = sequence.sampling.seed
            sequence.sampler = self._model.sampler(sequence.sampling, random.getrandbits(31) if seed is None else seed)
        self._scheduler.start(sequence)
        self._cache.make_room(sequence.pending)
        if sequence.kept_prefix <= sequence.computed:
            self._keep_prefix(sequence)
        sequence.admitted_at_s = self._clock()
        self._metrics.admitted(sequence, sequence.admitted_at_s - sequence.queued_at_s)
        return True

    def _awaits_prefix(self, sequence: Sequence) -> bool:
        """Whether another request is computing a prefix of this one right now, so that waiting is cheaper."""
        known = self._cache.longest(sequence.prompt)
        for other in self._scheduler.running:
            if other.computed < len(other.prompt) and not other.paused:
                target = min(common_prefix(other.prompt, sequence.prompt), len(sequence.prompt) - 1)
                if target > max(other.computed, known) and target - known >= WORTH_WAITING_TOKENS:
                    return True
        return False

    def _cancel(self, sequence: Sequence) -> None:
        if sequence in self._scheduler.running or sequence in list(self._scheduler.waiting):
            self._leave(sequence)

    def _leave(self, sequence: Sequence) -> None:
        """A sequence is over: its slot is free, and its tokens stay for whoever continues it."""
        self._scheduler.remove(sequence)
        self._crowded = False
        if sequence.slot is not None:
            self._cache.release(sequence.slot)
            sequence.slot = None
        if sequence.sampler is not None:
            sequence.sampler.close()
        self._metrics.left(sequence)

    def _make_room(self, cells: int) -> None:
        """After a batch found no room: evict what is idle, else let the sequence admitted last step back."""
        # Where the books say that there was room, llama.cpp is right all the same: somebody idle has to go.
        if self._cache.make_room(max(cells, self._cache.free_cells + 1)):
            return
        victim = max(self._scheduler.running, key=lambda s: s.admitted_at_s)
        if len(self._scheduler.running) == 1:
            self._finish(victim, "length")
            return
        assert victim.slot is not None
        self._cache.suspend(victim.slot)
        victim.slot = None
        self._scheduler.step_back(victim)
        self._crowded = True
        self._metrics.preempted()

    # --- one sequence's progress -----------------------------------------------------------------------------------

    def _computed(self, part: ScheduledTokens, row: BatchRow) -> None:
        sequence = part.sequence
        assert sequence.slot is not None
        self._cache.extend(sequence.slot, np.asarray(row.tokens, np.int32))
        before, sequence.computed = sequence.computed, sequence.computed + part.count
        if before < sequence.kept_prefix <= sequence.computed:
            self._keep_prefix(sequence)

    def _draw(self, sequence: Sequence, index: int) -> None:
        """Draw the next token from the logits at `index`, and tell the reader what came of it."""
        try:
            tokens = self._choose(sequence, self._model.logits(index))
        except CspsError as exc:
            self._fail(sequence, exc)
            return
        cut = len(tokens) > sequence.budget
        for drawn in tokens[: sequence.budget]:
            if sequence.sampler is not None:
                sequence.sampler.accept(drawn)
            if drawn in self._model.vocabulary.end:
                self._finish(sequence, "stop")
                return
            sequence.generated.append(drawn)
            self._write(sequence, self._model.vocabulary.pieces[drawn])
        if sequence.text.stopped or (sequence.constraint and sequence.constraint.complete and not cut):
            self._finish(sequence, "stop")
        elif sequence.budget <= 0:
            self._finish(sequence, "length")

    def _choose(self, sequence: Sequence, logits: NDArray[np.float32]) -> list[int]:
        assert sequence.sampler is not None
        if sequence.constraint is None:
            return [sequence.sampler.pick(logits)]
        with self._metrics.constrained():
            return sequence.constraint.choose(sequence.sampler.pick, logits, sequence.budget)

    def _write(self, sequence: Sequence, data: bytes) -> None:
        text = sequence.text.feed(data)
        if text:
            self._say(sequence, TextOutput(text))

    def _finish(self, sequence: Sequence, reason: str) -> None:
        rest = sequence.text.finish()
        if rest:
            self._say(sequence, TextOutput(rest))
        self._learn_service_time(self._clock() - sequence.admitted_at_s)
        self._say(sequence, FinishedOutput("length" if reason == "length" else "stop", sequence.usage))
        self._leave(sequence)

    def _fail(self, sequence: Sequence, error: CspsError) -> None:
        self._say(sequence, FailedOutput(error))
        self._leave(sequence)

    def _fail_all(self, exc: Exception) -> None:
        """After an unexpected failure the KV cache is in doubt: everybody hears of it, nothing cached is trusted."""
        error = exc if isinstance(exc, CspsError) else ModelError("the model process failed inside; see its log")
        self._cache.forget_all()
        self._model.clear()
        for sequence in [*self._scheduler.running, *self._scheduler.waiting]:
            sequence.slot = None  # it went with the cache
            self._fail(sequence, error)

    # --- prefixes that are shared by many --------------------------------------------------------------------------

    def _restore_prefixes(self) -> None:
        for tokens, state in self._store.load() if self._store else ():
            if self._cache.adopt(tokens, state):
                self._metrics.prefix_restored()

    def _keep_prefix(self, sequence: Sequence) -> None:
        """Pin a personality's prefix. Whose words may be kept only its sender knows, and says: most are a caller's."""
        if sequence.kept_prefix < WORTH_WAITING_TOKENS or sequence.slot is None:
            return
        pinned = self._cache.pin(sequence.slot, sequence.kept_prefix, PINNED_PREFIXES)
        if pinned is not None and self._store:
            self._store.save(sequence.prompt[: sequence.kept_prefix], self._model.save(pinned))

    # --- what is learnt and told ------------------------------------------------------------------------------------

    def _prefill_tokens(self) -> int:
        if not self._scheduler.decodes:
            return self._model.batch_tokens
        return max(PREFILL_FLOOR_TOKENS, int(self._prefill_rate * STEP_TARGET_S))

    def _learn_prefill_rate(self, slices: list[ScheduledTokens], took_s: float) -> None:
        tokens = sum(s.count for s in slices)
        if tokens >= PREFILL_FLOOR_TOKENS and took_s > 0:
            self._prefill_rate += 0.3 * (tokens / took_s - self._prefill_rate)

    def _learn_service_time(self, took_s: float) -> None:
        self._service_s = took_s if self._service_s is None else self._service_s + 0.2 * (took_s - self._service_s)

    def _expected_wait_s(self, position: int) -> float | None:
        return None if self._service_s is None else round(self._service_s * position / self._scheduler.slots, 1)

    def _tell_queue(self) -> None:
        now = self._clock()
        if not self._scheduler.waiting or now - self._news_at_s < QUEUE_NEWS_INTERVAL_S:
            return
        self._news_at_s = now
        for position, sequence in enumerate(self._scheduler.waiting, 1):
            self._say(sequence, QueuedOutput(position, self._expected_wait_s(position)))

    def _say(self, sequence: Sequence, output: SequenceOutput) -> None:
        self._outputs.append((sequence, output))

    def _flush(self) -> None:
        if self._outputs:
            outputs, self._outputs = self._outputs, []
            self._deliver(outputs)

    def _end(self) -> None:
        self._stopping = True
