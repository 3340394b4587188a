"""A fake model in plain Python that answers by a script, over a fake KV cache.

A token is a byte. The next token depends on the sequence's actual cells: a wrong position, another sequence's prefix or
a token computed twice yields a wrong text.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from collections.abc import Sequence as SequenceOf
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from core.contract import Priority, Sampling
from core.model.worker.conversation import CachedConversation
from core.model.worker.inference import InferenceThread
from core.model.worker.llama.runner import BatchRow, KvCacheFull
from core.model.worker.llama.vocabulary import Vocabulary
from core.model.worker.metrics import ModelMetrics
from core.model.worker.prefix_cache import PrefixCache
from core.model.worker.prefix_store import PrefixStore
from core.model.worker.scheduler import Scheduler
from core.model.worker.sequence import (
    FailedOutput,
    FinishedOutput,
    Sequence,
    SequenceOutput,
    TextOutput,
    TokenConstraint,
)
from core.model.worker.speculation import Speculation
from core.model.worker.suspended.state_store import SuspendedStore
from tests.core.model.worker.support_kv_cache import FakeKvCache

END = 256
SIZE = 257
ASK = b"\x01"  # ends a prompt; the answer follows
DEADLINE_S = 20.0

VOCABULARY = Vocabulary(
    handle=None,
    size=SIZE,
    pieces=(*(bytes([byte]) for byte in range(256)), b""),
    control={END: b"<end>"},
    added=frozenset(),
    end=frozenset({END}),
    bos=None,
    eos=END,
    add_bos=False,
    chat_template=None,
    tokenize_pointer=0,
)


class FakeSampler:
    """Picks the most likely token; counts the picks."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.accepted: list[int] = []
        self.picks = 0
        self.closed = 0

    def pick(self, logits: NDArray[np.float32]) -> int:
        assert not self.closed
        self.picks += 1
        return int(logits.argmax())

    def accept(self, token: int) -> None:
        assert not self.closed
        self.accepted.append(token)

    def close(self) -> None:
        self.closed += 1


class FakeModel(FakeKvCache):
    """`script` returns the answer to a prompt's text. The inference thread calls `on_decode` before each step."""

    def __init__(self, script: Callable[[str], str], cells: int = 400, batch_tokens: int = 64) -> None:
        super().__init__(cells)
        self.vocabulary = VOCABULARY
        self.batch_tokens = batch_tokens
        self.script = script
        self.on_decode: Callable[[], None] = lambda: None
        self.batches: list[list[BatchRow]] = []
        self.samplers: list[FakeSampler] = []
        self.refusals = 0
        self._logits: dict[int, NDArray[np.float32]] = {}

    def decode(self, rows: SequenceOf[BatchRow]) -> list[int]:
        self.on_decode()
        count = sum(len(row.tokens) for row in rows)
        assert 0 < count <= self.batch_tokens, "llama.cpp would abort"
        if count > self.free:
            self.refusals += 1
            raise KvCacheFull("no room")
        self.batches.append(list(rows))
        self._logits = {}
        indices = list(np.cumsum([len(row.tokens) for row in rows]) - 1)
        for row, index in zip(rows, indices, strict=True):
            self.compute(row.sequence, row.start, row.tokens)
            if row.logits:
                for back in range(len(row.tokens) if row.every else 1):
                    tokens = self.of(row.sequence)
                    self._logits[index - back] = self.next_of(tokens[: len(tokens) - back], may_differ=row.every)
        return [int(index) for index in indices]

    def logits(self, index: int) -> NDArray[np.float32]:
        return self._logits[index]  # llama.cpp would abort for a row without logits

    def next_of(self, tokens: list[int], may_differ: bool = False) -> NDArray[np.float32]:
        """Returns the logits after these tokens: all 0 if they differ from the script's answer and may."""
        prompt, marker, answer = bytes(tokens).rpartition(ASK)
        assert marker, "sampled in the middle of a prompt"
        whole = self.script(prompt.decode()).encode()
        logits = np.zeros(SIZE, np.float32)
        if may_differ and not whole.startswith(answer):
            return logits
        assert whole.startswith(answer) or len(answer) > len(whole)
        logits[whole[len(answer)] if len(answer) < len(whole) else END] = 1
        return logits

    def sampler(self, sampling: Sampling, seed: int) -> FakeSampler:
        self.samplers.append(FakeSampler(seed))
        return self.samplers[-1]

    @property
    def computed_tokens(self) -> int:
        return sum(len(row.tokens) for batch in self.batches for row in batch)


class FakeClock:
    """A clock in seconds that a test advances; each reading adds `tick_s`."""

    def __init__(self, tick_s: float = 0.0) -> None:
        self.now_s = 1000.0
        self.tick_s = tick_s
        self.readings = 0

    def __call__(self) -> float:
        self.readings += 1
        self.now_s += self.tick_s
        return self.now_s


class InferenceHarness:
    """An inference thread over a fake model, with the outputs of each sequence."""

    def __init__(
        self,
        script: Callable[[str], str],
        *,
        slots: int = 4,
        queue_limit: int = 100,
        cells: int = 400,
        ids: int | None = None,
        idle_cells: int | None = None,
        suspend_bytes: int = 100_000,
        batch_tokens: int = 64,
        store: PrefixStore | None = None,
        clock: Callable[[], float] | None = None,
        suspended: SuspendedStore | None = None,
        speculation: Speculation | None = None,
    ) -> None:
        self.model = FakeModel(script, cells, batch_tokens)
        self.scheduler = Scheduler(slots, queue_limit)
        self.cache = PrefixCache(
            self.model,
            cells=cells,
            slots=ids or 2 * slots + 2,
            idle_cells=cells // 2 if idle_cells is None else idle_cells,
            suspend_bytes=suspend_bytes,
        )
        self.metrics = ModelMetrics(self.scheduler)
        self.inference = InferenceThread(
            self.model,
            self.scheduler,
            self.cache,
            self._deliver,
            self.metrics,
            store,
            clock or FakeClock(),
            suspended,
            speculation,
        )
        self.outputs: dict[Sequence, list[SequenceOutput]] = {}
        self.ended: list[Sequence] = []  # in order
        self._arrived = threading.Condition()

    def __enter__(self) -> InferenceHarness:
        self.inference.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.inference.stop()

    def ask(
        self,
        prompt: str,
        *,
        user: str | None = None,
        max_tokens: int = 300,
        pinned_tokens: int = 0,
        constraint: TokenConstraint | None = None,
        sampling: Sampling | None = None,
        conversation: CachedConversation | None = None,
        priority: Priority = "interactive",
    ) -> Sequence:
        """Submits a request."""
        tokens = np.frombuffer(prompt.encode() + ASK, np.uint8).astype(np.int32)
        sequence = Sequence(
            tokens,
            max_tokens,
            sampling or Sampling(),
            lambda _: None,
            user,
            pinned_tokens,
            constraint=constraint,
            conversation=conversation,
            priority=priority,
        )
        self.outputs[sequence] = []
        self.inference.submit(sequence)
        return sequence

    def wait_for_end(self, sequence: Sequence) -> FinishedOutput | FailedOutput:
        """Waits for the last output and returns it."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: bool(self.ends_of(sequence)), DEADLINE_S), "no end"
        self.settle()
        (end,) = self.ends_of(sequence)
        return end

    def answer(self, prompt: str) -> str:
        """Submits a prompt, waits, and returns the text."""
        sequence = self.ask(prompt)
        self.wait_for_end(sequence)
        return self.text(sequence)

    def ends_of(self, sequence: Sequence) -> list[FinishedOutput | FailedOutput]:
        return [output for output in self.outputs[sequence] if isinstance(output, FinishedOutput | FailedOutput)]

    def text(self, sequence: Sequence) -> str:
        return "".join(output.text for output in self.outputs[sequence] if isinstance(output, TextOutput))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the inference thread between two steps, so that all requests made within start together."""
        go = threading.Event()
        self.inference.run(lambda: go.wait(DEADLINE_S))
        try:
            yield
        finally:
            go.set()

    def settle(self) -> None:
        """Returns once all earlier commands and one further step are done."""
        self.inference.run(lambda: None).result(DEADLINE_S)
        self.inference.run(lambda: None).result(DEADLINE_S)

    def metric(self, name: str, **labels: str) -> float:
        value = self.metrics.registry.get_sample_value(name, labels)
        assert value is not None
        return value

    def assert_nothing_left(self) -> None:
        """Checks that no ended sequence still has a slot, a sampler or cells."""
        self.settle()
        assert self.scheduler.running == []
        assert list(self.scheduler.waiting) == []
        assert all(sampler.closed == 1 for sampler in self.model.samplers)
        assert all(sequence.slot is None for sequence in self.outputs)
        assert self.cache.fits(np.arange(self.model.capacity, dtype=np.int32) + 1000), "cells are still in use"
        assert self.cache.free_cells == self.model.free

    def _deliver(self, outputs: list[tuple[Sequence, SequenceOutput]]) -> None:
        with self._arrived:
            for sequence, output in outputs:
                self.outputs[sequence].append(output)
                if isinstance(output, FinishedOutput | FailedOutput):
                    self.ended.append(sequence)
            self._arrived.notify_all()


PERSONALITY = "You are kind. " * 5


def greets(prompt: str) -> str:
    """Answers with the prompt's last word."""
    return f"Bonjour {prompt.split()[-1]} ! Ça va ? 😀"


def rambles(prompt: str) -> str:
    """Answers with a hundred characters that depend on the prompt."""
    return (f"{prompt[-9:]}, " * 100)[:100]


def finished(harness: InferenceHarness, sequence: Sequence) -> FinishedOutput:
    end = harness.wait_for_end(sequence)
    assert isinstance(end, FinishedOutput), end
    return end


def error(harness: InferenceHarness, sequence: Sequence) -> Exception:
    end = harness.wait_for_end(sequence)
    assert isinstance(end, FailedOutput), end
    return end.error


class CallAtStep:
    """Calls a function on the inference thread before the n-th batch."""

    def __init__(self, harness: InferenceHarness, number: int, act: Callable[[], None]) -> None:
        self.left, self.act = number, act
        harness.model.on_decode = self

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.act()


class BlockBeforeBatch:
    """Blocks the inference thread before a batch until `go` is set."""

    def __init__(self, harness: InferenceHarness) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        harness.model.on_decode = self

    def __call__(self) -> None:
        self.reached.set()
        assert self.go.wait(20)
