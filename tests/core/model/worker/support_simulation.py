"""The inference thread under load, without a thread: a model of costs moves a fake clock, and every event has its time.

A prompt's tokens are its request's number, and an answer has the length that its request wants. The costs are those of
the starter on one core (AVX-512): a step of 16 decoding sequences takes about 0.3 s.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.contract import Priority, Sampling
from core.model.worker.inference import InferenceThread
from core.model.worker.llama.runner import BatchRow, KvCacheFull
from core.model.worker.metrics import ModelMetrics
from core.model.worker.prefix_cache import PrefixCache, SequenceState
from core.model.worker.scheduler import Scheduler
from core.model.worker.sequence import (
    FailedOutput,
    FinishedOutput,
    QueuedOutput,
    Sequence,
    SequenceOutput,
    TextOutput,
)
from tests.core.model.worker.support_fake_model import VOCABULARY as FAKE_VOCABULARY
from tests.core.model.worker.support_fake_model import FakeClock, FakeSampler

WORD, END = 0, 1
IDLE_S = 0.01  # a simulated thread without work looks again after this
VOCABULARY = replace(
    FAKE_VOCABULARY, size=2, pieces=(b"x", b""), control={END: b"<end>"}, end=frozenset({END}), eos=END
)


@dataclass(frozen=True)
class CallCost:
    """Seconds of a call: `call_s`, `token_s` for each token, `deep_s` for each token and each token before it."""

    call_s: float
    token_s: float
    deep_s: float

    def of(self, rows: SequenceOf[BatchRow]) -> float:
        deep = sum(len(row.tokens) * (row.start + len(row.tokens) / 2) for row in rows)
        return self.call_s + self.token_s * sum(len(row.tokens) for row in rows) + self.deep_s * deep


DECODE = CallCost(0.006, 0.008, 6e-6)
PREFILL = CallCost(0.020, 0.0023, 1.3e-6)
SHARED_S = 0.006  # of the weights, which one call for replies and prompts reads once


@dataclass(eq=False)
class SimulatedRequest:
    """A request and the moments of its outputs, in seconds of the fake clock."""

    number: int
    arrives_s: float
    prompt: int
    answer: int
    user: str = ""
    priority: Priority = "interactive"
    limit: int = 100_000  # tokens
    sequence: Sequence | None = None
    texts_s: list[float] = field(default_factory=list)
    told: list[tuple[float, QueuedOutput]] = field(default_factory=list)
    end: FinishedOutput | FailedOutput | None = None
    ended_s: float = 0.0

    @property
    def first_words_s(self) -> float:
        """The seconds from its arrival to its first text."""
        return self.texts_s[0] - self.arrives_s

    @property
    def gaps_s(self) -> list[float]:
        """The seconds between its tokens."""
        return [b - a for a, b in zip(self.texts_s, self.texts_s[1:], strict=False)]


class CostedModel:
    """Knows of each sequence only its request and its length; a call moves the clock by its cost."""

    shares_prefixes = True

    def __init__(self, clock: FakeClock, cells: int, noise: float, seed: int) -> None:
        self.vocabulary = VOCABULARY
        self.batch_tokens = 512
        self.cells = cells
        self.requests: list[SimulatedRequest] = []
        self.held: dict[int, tuple[int, int]] = {}  # slot → its request's number and its length
        self.steps_s: list[tuple[float, int, int]] = []  # of each call: its duration, its rows, its tokens
        self.refusals = 0
        self._clock = clock
        self._noise = noise
        self._random = random.Random(seed)
        self._logits: dict[int, int] = {}

    def decode(self, rows: SequenceOf[BatchRow]) -> list[int]:
        count = sum(len(row.tokens) for row in rows)
        assert 0 < count <= self.batch_tokens
        if count + sum(length for _, length in self.held.values()) > self.cells:
            self.refusals += 1
            raise KvCacheFull("no room")
        indices = []
        for index, row in enumerate(rows):
            number, length = self.held.get(row.sequence, (int(row.tokens[0]), 0))
            assert length == row.start
            self.held[row.sequence] = (number, row.start + len(row.tokens))
            self._logits[index] = row.sequence
            indices.append(index)
        answers = [row for row in rows if row.start >= self.requests[self.held[row.sequence][0]].prompt]
        prompts = [row for row in rows if row not in answers]
        took_s = sum(cost.of(kind) for cost, kind in ((DECODE, answers), (PREFILL, prompts)) if kind)
        if answers and prompts:
            took_s -= SHARED_S
        took_s *= self._random.lognormvariate(0, self._noise)
        self.steps_s.append((took_s, len(rows), count))
        self._clock.now_s += took_s
        return indices

    def logits(self, index: int) -> NDArray[np.float32]:
        number, length = self.held[self._logits[index]]
        request = self.requests[number]
        done = length - request.prompt >= request.answer
        return np.asarray([0, 1] if done else [1, 0], np.float32)

    def sampler(self, sampling: Sampling, seed: int) -> FakeSampler:
        return FakeSampler(seed)

    # --- the KV cache ------------------------------------------------------------------------------------------------

    def fork(self, source: int, target: int, length: int) -> None:
        self.held[target] = (self.held[source][0], length)

    def drop(self, sequence: int, start: int = 0) -> None:
        if start:
            self.held[sequence] = (self.held[sequence][0], start)
        else:
            self.held.pop(sequence, None)

    def clear(self) -> None:
        self.held.clear()

    def can_share(self, sequence: int, length: int) -> bool:
        return True

    def save(self, sequence: int, start: int = 0, end: int | None = None) -> SequenceState:
        number, length = self.held[sequence]
        return np.frombuffer(np.asarray([number, length], np.int64).tobytes(), np.uint8)

    def restore(self, sequence: int, states: Iterable[SequenceState]) -> bool:
        number, length = np.frombuffer(next(iter(states)).tobytes(), np.int64)
        self.held[sequence] = (int(number), int(length))
        return True


class Simulation:
    """Requests arrive at their times, and are served until all have ended."""

    def __init__(
        self,
        *,
        slots: int = 16,
        queue_limit: int = 256,
        cells: int = 200_000,
        noise: float = 0.1,
        seed: int = 1,
    ) -> None:
        self.clock = FakeClock()
        self.model = CostedModel(self.clock, cells, noise, seed)
        self.scheduler = Scheduler(slots, queue_limit)
        cache = PrefixCache(
            self.model, cells=cells, slots=4 * slots + 17, idle_cells=cells // 4, suspend_bytes=1_000_000
        )
        self.metrics = ModelMetrics(self.scheduler)
        self.inference = InferenceThread(
            self.model, self.scheduler, cache, self._deliver, self.metrics, clock=self.clock
        )
        self.began_s = self.clock.now_s
        self._of: dict[Sequence, SimulatedRequest] = {}
        self._actions: list[tuple[float, Callable[[], Any]]] = []

    @property
    def requests(self) -> list[SimulatedRequest]:
        return self.model.requests

    def ask(self, arrives_s: float, prompt: int, answer: int, **fields: Any) -> SimulatedRequest:
        """Plans a request of `prompt` tokens whose answer has `answer` tokens."""
        request = SimulatedRequest(len(self.requests), self.began_s + arrives_s, prompt, answer, **fields)
        self.requests.append(request)
        self.at(arrives_s, lambda: self._submit(request))
        return request

    def at(self, when_s: float, act: Callable[[], Any]) -> None:
        """Plans a call of `act`, between two steps."""
        self._actions.append((self.began_s + when_s, act))

    def _submit(self, request: SimulatedRequest) -> None:
        tokens = np.full(request.prompt, request.number, np.int32)
        request.sequence = sequence = Sequence(
            tokens, request.limit, Sampling(), lambda _: None, request.user or f"user {request.number}"
        )
        sequence.priority = request.priority
        self._of[sequence] = request
        self.inference.submit(sequence)

    def run(self, until: Callable[[], bool] | None = None, limit_s: float = 20_000) -> None:
        """Runs steps until `until`, or until every request has ended."""
        actions = sorted(self._actions, key=lambda planned: planned[0])
        self._actions = []
        while not (until or self._all_ended)():
            assert self.clock.now_s - self.began_s < limit_s, "no end"
            while actions and actions[0][0] <= self.clock.now_s:
                actions.pop(0)[1]()
            self.inference._run_commands(wait=False)
            if not self.inference.step():
                self.clock.now_s += IDLE_S
            self.inference._flush()
        self._actions = actions

    def _all_ended(self) -> bool:
        return all(request.end for request in self.requests)

    def _deliver(self, outputs: list[tuple[Sequence, SequenceOutput]]) -> None:
        now = self.clock.now_s
        for sequence, output in outputs:
            request = self._of[sequence]
            if isinstance(output, TextOutput):
                request.texts_s.append(now)
            elif isinstance(output, QueuedOutput):
                request.told.append((now, output))
            else:
                request.end, request.ended_s = output, now
