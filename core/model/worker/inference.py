"""The inference thread, which alone calls llama.cpp: accepts requests, runs steps, emits text.

Each step computes the next token of every running sequence, and slices of waiting prompts (continuous batching,
chunked prefill), in one batch or in two. The step samples a token for each sequence and delivers the new text. Other
threads call `submit`, `cancel`, `pause` and `run`, which only put a command into a queue.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence as SequenceOf
from concurrent.futures import Future
from typing import TypeVar

import numpy as np
import structlog

from core.errors import CspsError, ModelError
from core.model.worker.admission import Admission
from core.model.worker.answer_writer import AnswerWriter
from core.model.worker.command_queue import CommandQueue
from core.model.worker.continuation_scoring import ContinuationScorer, ModelRunner
from core.model.worker.llama.runner import BatchRow, KvCacheFull
from core.model.worker.metrics import ModelMetrics
from core.model.worker.pinned_prefixes import PinnedPrefixes
from core.model.worker.prefix_cache import PrefixCache, common_prefix
from core.model.worker.prefix_store import PrefixStore
from core.model.worker.scheduler import ScheduledTokens, Scheduler, split_calls
from core.model.worker.sequence import (
    FailedOutput,
    FinishedOutput,
    Sequence,
    SequenceOutput,
)
from core.model.worker.speculation import Speculation
from core.model.worker.step_rates import Load, StepRates, load_of
from core.model.worker.step_watch import StepWatch
from core.model.worker.suspended.disk_tier import DiskTier
from core.model.worker.suspended.state_store import SuspendedStore

log = structlog.get_logger()

Result = TypeVar("Result")
Deliver = Callable[[list[tuple[Sequence, SequenceOutput]]], None]


class InferenceThread:
    """Runs until `stop`. Calls `deliver` on its own thread, once per step, with all outputs of the step."""

    def __init__(
        self,
        model: ModelRunner,
        scheduler: Scheduler,
        cache: PrefixCache,
        deliver: Deliver,
        metrics: ModelMetrics,
        store: PrefixStore | None = None,
        clock: Callable[[], float] = time.monotonic,
        suspended: SuspendedStore | None = None,
        speculation: Speculation | None = None,
    ) -> None:
        self._model = model
        self._scheduler = scheduler
        self._cache = cache
        self._deliver = deliver
        self._metrics = metrics
        self._clock = clock
        self._speculation = speculation
        self._commands = CommandQueue()
        self._disk = DiskTier(suspended, cache, scheduler.waiting, self._commands.put, clock)
        self._pinned = PinnedPrefixes(model, cache, store, metrics)
        scorer = ContinuationScorer(model, cache)
        self._writer = AnswerWriter(model, scorer, metrics, self._emit, self._end_sequence)
        self._outputs: list[tuple[Sequence, SequenceOutput]] = []
        self._stopping = False
        self._rates = StepRates()
        self._admission = Admission(
            scheduler, cache, self._disk, self._pinned, model.sampler, self._rates, metrics, self._emit, clock
        )
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self.watch = StepWatch(clock)

    def start(self) -> None:
        self._thread.start()

    def stop(self, flush_s: float = 0.0) -> None:
        """Ends the thread after the current step; running sequences get no more outputs.

        Idle conversations are written to disk for at most `flush_s` seconds.
        """
        self._commands.put(lambda: self._end(flush_s))
        self._thread.join()
        self._disk.stop()

    def submit(self, sequence: Sequence) -> None:
        self._commands.put(lambda: self._admission.enqueue(sequence))

    def cancel(self, sequence: Sequence) -> None:
        """Frees the sequence's slot after the current step; it gets no more outputs."""
        self._commands.put(lambda: self._cancel(sequence))

    def pause(self, sequence: Sequence, paused: bool) -> None:
        """Stops or continues decoding a sequence whose client reads too slowly; others that wait get its slot."""
        self._commands.put(lambda: setattr(sequence, "paused", paused))

    def run(self, work: Callable[[], Result]) -> Future[Result]:
        """Calls `work` on the inference thread, between two steps."""
        return self._commands.run(work)

    async def forget(self, keys: SequenceOf[str]) -> None:
        """Drops the states of forgotten conversations from the KV cache, host memory and disk. Raises OSError."""
        await asyncio.wrap_future(self.run(self._cache.drop_forgotten))
        await self._disk.forget(keys)

    # --- the loop, on the inference thread -------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._pinned.restore()
            self._loop()
        except BaseException:
            # After the thread's death all requests would wait for ever; a dead process restarts within a second.
            log.critical("inference_thread_died", exc_info=True)
            os._exit(os.EX_SOFTWARE)

    def _loop(self) -> None:
        progress = False
        while not self._stopping:
            try:
                # Without progress only a command can change anything: a request, a cancel, the end of a pause.
                self._run_commands(wait=not progress)
                progress = self.step()
                self._disk.copy_next(bool(self._scheduler.running), self._rates.prefill_rate)
            except Exception as exc:
                log.exception("inference_failed", running=len(self._scheduler.running))
                self._fail_all(exc)
            self.watch.end()
            self._flush()

    def _run_commands(self, wait: bool) -> None:
        command = self._commands.take(self._disk.wait_s()) if wait else None
        self.watch.begin()
        if command:
            command()
        self._commands.call_all()

    def step(self) -> bool:
        """Admits sequences, and computes a token of each running one and slices of prompts. False: nothing to do."""
        self._admission.admit()
        self._admission.report_queue()
        plan = self._scheduler.plan(self._model.batch_tokens, self._rates)
        for call in self._calls(plan):
            if not self._compute(call):
                break
        self._writer.settle_choices()
        return bool(plan)

    def _calls(self, plan: list[ScheduledTokens]) -> list[list[ScheduledTokens]]:
        """The calls that compute a plan: one, or the replies' and then the prompts'.

        One call needs room for all: where it is short, a prompt must not keep a reply from its next token.
        """
        calls = split_calls(plan)
        has_room = self._cache.free_cells >= sum(part.count for part in plan)
        return [plan] if len(calls) > 1 and has_room and self._rates.joining.choose() else calls

    def _compute(self, call: SequenceOf[ScheduledTokens]) -> bool:
        """Computes a batch and samples the next tokens. False: the cache was full; room was made for the next step."""
        kinds = split_calls(call)
        loads = [load_of(kind) for kind in kinds]
        started = self._clock()
        if self._speculation and call[0].decodes:
            # Drafts evict nothing.
            room = min(self._model.batch_tokens, self._cache.free_cells) - sum(part.count for part in call)
            self._speculation.draft([part.sequence for part in kinds[0] if part.sampled], room)
        self.watch.begin_call(self._rates.call_s(loads, decodes=call[0].decodes))
        try:
            rows, indices = self._decode(call)
        except KvCacheFull as exc:
            self.watch.begin()
            if not self._admission.make_room(sum(part.count for part in call)):
                self._end_for_room(call[0].sequence, exc)
            return False
        self.watch.end_call()
        drafts = [len(part.sequence.draft) for part in kinds[0]]
        self._measure(loads, drafts, self._clock() - started, decodes=call[0].decodes)
        self._metrics.count_step(call)
        for part, row, index in zip(call, rows, indices, strict=True):
            self._record_computed(part, row)
            if row.logits:
                self._writer.write(part.sequence, index)
                self._settle_draft(part.sequence)
        return True

    def _end_for_room(self, sequence: Sequence, exc: KvCacheFull) -> None:
        if sequence.generated:
            self._writer.finish(sequence, "length")
        else:
            self._writer.fail(sequence, exc)

    def _decode(self, call: SequenceOf[ScheduledTokens]) -> tuple[list[BatchRow], list[int]]:
        """Computes a batch, if it does not fit without the drafts; returns its rows and each one's last index."""
        rows = [self._row(part) for part in call]
        try:
            return rows, self._model.decode(rows)
        except KvCacheFull:
            if not any(part.sequence.draft for part in call):
                raise
        for part in call:
            part.sequence.draft = []
        rows = [self._row(part) for part in call]
        return rows, self._model.decode(rows)

    def _measure(self, loads: SequenceOf[Load], drafts: list[int], took_s: float, *, decodes: bool) -> None:
        """`loads`: of the replies, of the prompts, or of both in one call."""
        if len(loads) > 1:
            if not any(drafts):
                self._rates.measure_joined(loads[0], loads[1], took_s)
                if self._rates.joining.pays:  # rows pass the cells of others by
                    self._cache.keep_idle()
            return
        if not any(drafts):
            self._rates.measure(loads[0], took_s, decodes=decodes)
        if decodes and self._speculation:
            self._speculation.measure(drafts, took_s)

    def _row(self, part: ScheduledTokens) -> BatchRow:
        sequence = part.sequence
        assert sequence.slot is not None
        tokens = sequence.tokens(sequence.computed, sequence.computed + part.count)
        if sequence.draft:
            tokens = np.concatenate([tokens, np.asarray(sequence.draft, np.int32)])
        return BatchRow(sequence.slot, sequence.computed, tokens, part.sampled, every=bool(sequence.draft))

    # --- the ends of sequences ---------------------------------------------------------------------------------------

    def _cancel(self, sequence: Sequence) -> None:
        if sequence in self._scheduler.running or sequence in list(self._scheduler.waiting):
            self._remove(sequence)

    def _end_sequence(self, sequence: Sequence, output: FinishedOutput | FailedOutput) -> None:
        if isinstance(output, FinishedOutput):
            self._admission.finish(sequence)
        self._emit(sequence, output)
        self._remove(sequence)

    def _remove(self, sequence: Sequence) -> None:
        """Frees the slot of an ended sequence; its tokens stay in the prefix cache."""
        self._settle_draft(sequence)
        self._admission.leave(sequence)
        if self._speculation:
            self._speculation.forget(sequence)
        if sequence.sampler is not None:
            sequence.sampler.close()
        self._metrics.requests.inc()

    # --- results -----------------------------------------------------------------------------------------------------

    def _record_computed(self, part: ScheduledTokens, row: BatchRow) -> None:
        sequence = part.sequence
        assert sequence.slot is not None
        self._cache.extend(sequence.slot, np.asarray(row.tokens[: part.count], np.int32))
        self._disk.end_restoring(sequence)
        before, sequence.computed = sequence.computed, sequence.computed + part.count
        if before < sequence.pinned_tokens <= sequence.computed:
            self._pinned.pin(sequence)

    def _settle_draft(self, sequence: Sequence) -> None:
        """Keeps the draft's tokens that the answer has got, and drops the others from the KV cache."""
        if not sequence.draft or sequence.slot is None or not self._speculation:
            return
        draft = np.asarray(sequence.draft, np.int32)
        accepted = common_prefix(draft, sequence.tokens(sequence.computed, sequence.length))
        self._speculation.count(sequence, accepted)
        self._metrics.count_draft(len(draft), accepted)
        self._cache.extend(sequence.slot, draft[:accepted])
        sequence.computed += accepted
        if accepted < len(draft):
            self._model.drop(sequence.slot, sequence.computed)
        sequence.draft = []

    def _fail_all(self, exc: Exception) -> None:
        """Fails every request after an internal failure, and empties the KV cache, which may be corrupt."""
        error = exc if isinstance(exc, CspsError) else ModelError("the model process failed inside; see its log")
        self._cache.forget_all()
        self._model.clear()
        for sequence in [*self._scheduler.running, *self._scheduler.waiting]:
            sequence.slot = None  # freed with the cache
            self._disk.end_restoring(sequence, failed=sequence.fetched is None)
            self._writer.fail(sequence, error)

    # --- outputs ------------------------------------------------------------------------------------------------------

    def _emit(self, sequence: Sequence, output: SequenceOutput) -> None:
        self._outputs.append((sequence, output))

    def _flush(self) -> None:
        if self._outputs:
            outputs, self._outputs = self._outputs, []
            self._deliver(outputs)

    def _end(self, flush_s: float) -> None:
        self._stopping = True
        self._disk.finish(flush_s, self._rates.prefill_rate)
