"""Writes the answers of running sequences: samples tokens, turns them into text, and ends complete answers.

Only the inference thread may call it. Knows no batches and no slots: `end` frees what an ended sequence had.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as SequenceOf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import CspsError
from core.model.worker.continuation_scoring import ContinuationScorer, ModelRunner
from core.model.worker.metrics import ModelMetrics
from core.model.worker.sequence import FailedOutput, FinishedOutput, Sequence, SequenceOutput, TextOutput

Emit = Callable[[Sequence, SequenceOutput], None]
EndSequence = Callable[[Sequence, FinishedOutput | FailedOutput], None]


class AnswerWriter:
    """`emit` passes text on; `end` passes the last output on and removes the sequence."""

    def __init__(
        self,
        model: ModelRunner,
        scorer: ContinuationScorer,
        metrics: ModelMetrics,
        emit: Emit,
        end: EndSequence,
    ) -> None:
        self._model = model
        self._scorer = scorer
        self._metrics = metrics
        self._emit = emit
        self._end = end
        self._undecided: list[Sequence] = []  # their logits are computed, and their next tokens need more

    def write(self, sequence: Sequence, index: int) -> None:
        """Samples the next tokens from the logits of the last batch, and emits the resulting text.

        `index`: of the logits after the sequence's draft. Those after its earlier tokens precede them: they serve as
        long as the answer becomes what was drafted.
        """
        start, draft = sequence.length, sequence.draft
        written = 0
        while self._write_next(sequence, index - len(draft) + written):
            written = sequence.length - start
            if sequence.generated[-written:] != draft[:written]:
                return

    def _write_next(self, sequence: Sequence, index: int) -> bool:
        """Samples from the logits at `index`. False: the answer has ended, or its next tokens need more."""
        try:
            tokens = self._choose(sequence, self._model.logits(index))
        except CspsError as exc:
            self.fail(sequence, exc)
            return False
        if not tokens:
            self._undecided.append(sequence)
        return bool(tokens) and self._append(sequence, tokens)

    def settle_choices(self) -> None:
        """Lets sequences choose among whole values, whose likelihoods take one more batch."""
        undecided, self._undecided = self._undecided, []
        wanted = [(s, s.constraint.continuations) for s in undecided if s.constraint]
        for sequence, logits in self._scorer.score(wanted).items():
            assert sequence.constraint is not None
            assert sequence.sampler is not None
            try:
                self._append(sequence, sequence.constraint.settle(sequence.sampler.pick, sequence.budget, logits))
            except CspsError as exc:
                self.fail(sequence, exc)

    def finish(self, sequence: Sequence, reason: Literal["stop", "length"]) -> None:
        """Ends an answer with the text that was held back."""
        if rest := sequence.text.finish():
            self._emit(sequence, TextOutput(rest))
        self._end(sequence, FinishedOutput(reason, sequence.usage))

    def fail(self, sequence: Sequence, error: CspsError) -> None:
        self._end(sequence, FailedOutput(error))

    def _choose(self, sequence: Sequence, logits: NDArray[np.float32]) -> list[int]:
        assert sequence.sampler is not None
        if sequence.constraint is None:
            return [sequence.sampler.pick(logits)]
        with self._metrics.constrained.time():
            return sequence.constraint.choose(sequence.sampler.pick, logits, sequence.budget)

    def _append(self, sequence: Sequence, tokens: SequenceOf[int]) -> bool:
        """Adds chosen tokens to the answer, as far as the budget allows. False: that has ended it."""
        assert sequence.sampler is not None
        cut = len(tokens) > sequence.budget
        pieces, ended = [], False
        for token in tokens[: sequence.budget]:
            sequence.sampler.accept(token)
            if ended := token in self._model.vocabulary.end:
                break
            sequence.generated.append(token)
            pieces.append(self._model.vocabulary.pieces[token])
        if text := sequence.text.feed(b"".join(pieces)):
            self._emit(sequence, TextOutput(text))
        if ended or sequence.text.stopped or (sequence.constraint and sequence.constraint.complete and not cut):
            self.finish(sequence, "stop")
        elif sequence.budget <= 0:
            self.finish(sequence, "length")
        else:
            return True
        return False
