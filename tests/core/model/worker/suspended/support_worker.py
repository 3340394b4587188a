"""A worker over a fake model whose idle conversations go to disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.model.worker.conversation import CachedConversation, Conversations
from core.model.worker.sequence import Sequence
from core.model.worker.suspended import state_store
from core.model.worker.suspended.state_store import SuspendedStore
from tests.core.model.worker.support_fake_model import FakeClock, InferenceHarness, finished, greets
from tests.core.model.worker.suspended.support_states import open_folder

DEADLINE_S = 20


LONG = "x" * 600 + " I am Bo"  # three segments


NEXT = f"{LONG}\x01{greets('Bo')} I am Al"


class Worker:
    """A harness with a store, whose clock stands still until a test moves it."""

    def __init__(self, root: Path, **options: int) -> None:
        self.clock = FakeClock()
        self.store = SuspendedStore(lambda: open_folder(root), self.clock)
        self.harness = InferenceHarness(
            greets, cells=4000, clock=self.clock, suspended=self.store, **{"suspend_bytes": 100_000, **options}
        )
        self.woken = threading.Condition()
        wake = self.store.wake

        def wake_both() -> None:
            wake()
            with self.woken:
                self.woken.notify_all()

        self.store.wake = wake_both

    def ask(self, prompt: str, conversation: CachedConversation | None) -> int:
        """Runs a request; returns its number of cached tokens, and checks its text."""
        sequence = self.harness.ask(prompt, conversation=conversation)
        cached = finished(self.harness, sequence).usage.cached_tokens
        assert self.harness.text(sequence) == greets(prompt.split()[-1])
        return cached

    def pass_time(self, seconds: float) -> None:
        self.clock.now_s += seconds
        self.harness.settle()

    def wait_until_stored(self, conversation: CachedConversation, tokens: int) -> None:
        with self.woken:
            assert self.woken.wait_for(
                lambda: conversation.stored is not None and len(conversation.stored.tokens) >= tokens, DEADLINE_S
            )


@contextmanager
def worker(root: Path, flush_s: float = 0.0, **options: int) -> Iterator[Worker]:
    """Without `flush_s` its end is that of a killed process: nothing more is written."""
    running = Worker(root, **options)
    running.harness.inference.start()
    try:
        yield running
    finally:
        running.harness.inference.stop(flush_s)


def hold(go: threading.Event) -> None:
    assert go.wait(DEADLINE_S)


def talk(key: str = "ann") -> CachedConversation:
    return Conversations().get(key)


def forget(running: Worker, conversations: Conversations, *keys: str) -> None:
    conversations.forget(keys)
    running.harness.inference.run(running.harness.cache.drop_forgotten).result(DEADLINE_S)
    running.store.forget(keys).result(DEADLINE_S)


def cancel_while_reading(running: Worker) -> Sequence:
    """Asks the next question of a suspended conversation, cancels it while the state is being read, and returns it."""
    go = threading.Event()
    running.store._put(state_store.READ, lambda: hold(go))
    waiting = running.harness.ask(NEXT, conversation=talk())
    running.harness.inference.cancel(waiting)
    running.harness.settle()
    go.set()
    return waiting
