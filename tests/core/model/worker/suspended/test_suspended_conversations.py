"""Conversations that move from the inference thread to disk and back, over a fake model."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.model.worker.conversation import CachedConversation, Conversations
from core.model.worker.prefix_cache import MIN_PREFIX_TOKENS
from core.model.worker.suspended import state_folder, state_store, write_behind
from core.model.worker.suspended.state_store import SuspendedStore
from core.model.worker.suspended.write_behind import IDLE_S, SEGMENT_TOKENS, WriteBehind
from tests.core.model.worker.support_fake_model import FakeClock, InferenceHarness, finished, greets
from tests.core.model.worker.suspended.support_states import open_folder, read, state_files

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


def test_a_conversation_outlives_its_process(tmp_path: Path) -> None:
    """After some idle seconds it is on disk, and the next process computes only what is new."""
    with worker(tmp_path) as first:
        conversation = talk()
        first.ask(LONG, conversation)
        first.pass_time(IDLE_S + 1)
        first.wait_until_stored(conversation, 600)
    with worker(tmp_path) as second:
        before = second.harness.model.computed_tokens
        cached = second.ask(NEXT, talk())
        computed = second.harness.model.computed_tokens - before

        assert cached > 600
        assert computed < 100
        assert second.harness.metric("csps_model_conversations_resumed_total") == 1


def test_an_active_conversation_is_not_written(tmp_path: Path) -> None:
    """It is written once it is idle, and its next turn begins the seconds again."""
    with worker(tmp_path) as running:
        conversation = talk()
        for prompt in (LONG, NEXT):
            running.ask(prompt, conversation)
            running.pass_time(IDLE_S - 0.5)

    assert state_files(tmp_path) == []


def test_a_later_turn_writes_only_what_is_new(tmp_path: Path) -> None:
    """The segments of the first turn stay as they are."""
    with worker(tmp_path) as running:
        conversation = talk()
        running.ask(LONG, conversation)
        running.pass_time(IDLE_S + 1)
        running.wait_until_stored(conversation, 620)
        assert conversation.stored is not None
        before = conversation.stored
        running.ask(NEXT, conversation)
        running.pass_time(IDLE_S + 1)
        running.wait_until_stored(conversation, len(before.tokens) + 1)

        assert conversation.stored.segments[: len(before.segments)] == before.segments
        assert [s.end_token for s in before.segments][:2] == [256, 512]


def test_a_graceful_stop_writes_all_idle_conversations(tmp_path: Path) -> None:
    """Those in the KV cache and those in host memory, however short their idle time was."""
    with worker(tmp_path, flush_s=30, idle_cells=700) as running:
        for name in ("ann", "bob", "cid"):
            running.ask(f"{name} {LONG}", talk(name))
    with worker(tmp_path) as second:
        cached = [second.ask(f"{name} {LONG}\x01{greets('Bo')} I am Al", talk(name)) for name in ("ann", "bob", "cid")]

    assert all(count > 600 for count in cached)


def test_a_request_without_a_conversation_leaves_nothing(tmp_path: Path) -> None:
    """Not even at a graceful stop."""
    with worker(tmp_path, flush_s=30) as running:
        running.ask(LONG, None)
        running.pass_time(IDLE_S + 1)

    assert state_files(tmp_path) == []


def test_other_requests_run_while_a_state_is_read(tmp_path: Path) -> None:
    """The one that waits for the disk takes no slot."""
    with worker(tmp_path, flush_s=30) as first:
        first.ask(LONG, talk())
    with worker(tmp_path) as second:
        go, reached = threading.Event(), threading.Event()
        second.store._put(state_store.READ, lambda: reached.set() or hold(go))
        assert reached.wait(DEADLINE_S)
        waiting = second.harness.ask(NEXT, conversation=talk())
        assert second.ask("y" * 50 + " I am Di", None) == 0
        assert second.harness.ends_of(waiting) == []
        go.set()

        assert finished(second.harness, waiting).usage.cached_tokens > 600


def test_a_cancelled_request_does_not_keep_its_state(tmp_path: Path) -> None:
    """It left while its state was being read."""
    with worker(tmp_path, flush_s=30) as first:
        first.ask(LONG, talk())
    with worker(tmp_path) as second:
        go = threading.Event()
        second.store._put(state_store.READ, lambda: hold(go))
        waiting = second.harness.ask(NEXT, conversation=talk())
        second.harness.inference.cancel(waiting)
        second.harness.settle()
        go.set()

        assert second.ask(NEXT, talk()) > 600
        assert waiting.fetched is None
        second.harness.assert_nothing_left()


def test_computing_is_preferred_where_it_is_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow disk, or a fast GPU."""
    with worker(tmp_path, flush_s=30) as first:
        first.ask(LONG, talk())
    monkeypatch.setattr(state_store, "ASSUMED_READ_RATE", 1.0)
    with worker(tmp_path) as second:
        assert second.ask(NEXT, talk()) == 0


def test_a_live_conversation_is_not_read_from_disk(tmp_path: Path) -> None:
    """It continues in its own cells."""
    with worker(tmp_path) as running:
        conversation = talk()
        running.ask(LONG, conversation)
        running.pass_time(IDLE_S + 1)
        running.wait_until_stored(conversation, 600)

        assert running.ask(NEXT, conversation) > 600
        assert running.harness.metric("csps_model_conversations_resumed_total") == 0


@pytest.mark.parametrize("damage", ["cut", "changed", "refused"])
def test_a_damaged_state_costs_one_computation(tmp_path: Path, damage: str) -> None:
    """The answer is the same, and the conversation is written again."""
    with worker(tmp_path, flush_s=30) as first:
        first.ask(LONG, talk())
    (file,) = state_files(tmp_path)
    data = file.read_bytes()
    file.write_bytes({"cut": data[:60], "changed": data[:-1] + b"!", "refused": data}[damage])
    with worker(tmp_path, flush_s=30) as second:
        second.harness.model.refuse_restore = damage == "refused"
        assert second.ask(NEXT, talk()) == 0
        second.harness.model.refuse_restore = False
    with worker(tmp_path) as third:
        assert third.ask(f"{NEXT}\x01{greets('Al')} I am Cy", talk()) > 600


def test_a_full_disk_is_logged_once_and_answers_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing is tried again later, and then works."""
    monkeypatch.setattr(state_folder, "RESERVE_BYTES", 2**62)
    with worker(tmp_path) as running, capture_logs() as logs:
        conversation = talk()
        for number in range(3):
            running.ask(f"{number} {LONG}", conversation)
            running.pass_time(IDLE_S + 1)
            running.store.wait_for_room(DEADLINE_S)
            running.pass_time(state_store.RETRY_S + 1)
        monkeypatch.setattr(state_folder, "RESERVE_BYTES", 0)
        running.pass_time(state_store.RETRY_S + 1)
        running.wait_until_stored(conversation, 600)

    events = [entry["event"] for entry in logs if entry["event"].startswith("suspended")]
    assert events == ["suspended_disk_full", "suspended_writes_resumed"]


def test_a_folder_that_cannot_be_used_only_logs_a_warning(tmp_path: Path) -> None:
    """Answers do not need it."""
    (tmp_path / "file").write_text("")
    with capture_logs() as logs, worker(tmp_path / "file", flush_s=5) as running:
        assert running.ask(LONG, talk()) == 0
        running.pass_time(IDLE_S + 1)

    assert [entry["event"] for entry in logs] == ["suspended_folder_unusable"]


def test_expired_states_are_deleted_hourly_however_many_others_are_written(tmp_path: Path) -> None:
    """A busy store has no idle hour."""
    with worker(tmp_path) as running:
        conversation = talk()
        running.ask(LONG, conversation)
        running.pass_time(IDLE_S + 1)
        running.wait_until_stored(conversation, 600)
        (file,) = state_files(tmp_path)
        os.utime(file, (1.0, 1.0))
        running.clock.now_s += state_store.EXPIRY_INTERVAL_S
        for _ in range(2):  # the second begins after the deletion
            done = threading.Event()
            running.store._put(state_store.READ, done.set)
            assert done.wait(DEADLINE_S)

    assert not file.exists()


def test_a_folder_that_somebody_deletes_is_made_again(tmp_path: Path) -> None:
    """Operators may delete it at any time. Forgetting works, and later states have a new key."""
    known = Conversations()
    with worker(tmp_path / "suspended", flush_s=30) as running:
        running.ask(LONG, known.get("ann"))
        running.pass_time(IDLE_S + 1)
        running.wait_until_stored(known.get("ann"), 600)
        shutil.rmtree(tmp_path / "suspended")
        forget(running, known, "ann")
        running.ask(f"bob {LONG}", known.get("bob"))
    with worker(tmp_path / "suspended") as second:
        assert second.ask(f"bob {NEXT}", talk("bob")) > 600


def test_a_state_that_kills_the_process_is_tried_once(tmp_path: Path) -> None:
    """The mark stands on disk while llama.cpp restores and computes; the next process computes the prompt."""
    with worker(tmp_path, flush_s=30) as first:
        first.ask(LONG, talk())
    with worker(tmp_path) as second:
        marks: list[list[Path]] = []
        second.harness.model.on_decode = lambda: marks.append(list(tmp_path.glob("*/*.restoring")))
        assert second.ask(NEXT, talk()) > 600
    (mark,) = marks[0]
    assert not mark.exists()
    mark.touch()
    with worker(tmp_path) as third:
        assert third.ask(NEXT, talk()) == 0


def test_a_state_that_fails_the_computation_is_tried_once(tmp_path: Path) -> None:
    """All requests of the failed step fail, and the state goes."""
    with worker(tmp_path, flush_s=30) as first:
        first.ask(LONG, talk())
    with worker(tmp_path) as second:

        def fail() -> None:
            second.harness.model.on_decode = lambda: None
            raise RuntimeError("llama_decode failed")

        second.harness.model.on_decode = fail
        sequence = second.harness.ask(NEXT, conversation=talk())
        second.harness.settle()
        second.harness.wait_for_end(sequence)

        assert second.ask(NEXT, talk()) == 0


def test_a_request_cancelled_before_its_state_was_used_leaves_no_mark(tmp_path: Path) -> None:
    """The state is as good as before, also at the next start."""
    with worker(tmp_path, flush_s=30) as first:
        first.ask(LONG, talk())
    with worker(tmp_path) as second:
        go = threading.Event()
        second.store._put(state_store.READ, lambda: hold(go))
        waiting = second.harness.ask(NEXT, conversation=talk())
        second.harness.inference.cancel(waiting)
        second.harness.settle()
        go.set()
    with worker(tmp_path) as third:
        assert third.ask(NEXT, talk()) > 600


def test_copies_beside_running_answers_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers wait for each copy, and a token of a large model takes much; without answers none waits."""
    monkeypatch.setattr(write_behind, "BUSY_COPY_BYTES", 1.0)
    with worker(tmp_path) as running:
        conversation = talk()
        running.ask(LONG, conversation)
        writer = WriteBehind(running.harness.cache, running.store, running.clock)
        writer.end(conversation)

        def copy() -> None:
            running.clock.now_s += IDLE_S + 1
            writer.copy_next(busy=True, prefill_rate=200.0)

        running.harness.inference.run(copy).result(DEADLINE_S)
        running.wait_until_stored(conversation, 1)
        assert conversation.stored is not None
        assert conversation.stored.segments[0].end_token == MIN_PREFIX_TOKENS


def test_nothing_is_written_where_computing_is_much_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of a token's state is known from the first copy; a state that nobody would read only wears the disk."""
    monkeypatch.setattr(state_store, "ASSUMED_READ_RATE", 1e-6)
    with worker(tmp_path, flush_s=30) as running:
        running.ask(LONG, talk())
        running.ask(f"bob {LONG}", talk("bob"))

    assert len(state_files(tmp_path)) == 1
    extent = open_folder(tmp_path).read_extent("bob")
    assert extent is not None
    assert len(extent.tokens) == SEGMENT_TOKENS


# --- forgetting ------------------------------------------------------------------------------------------------------


def forget(running: Worker, conversations: Conversations, *keys: str) -> None:
    conversations.forget(keys)
    running.harness.inference.run(running.harness.cache.drop_forgotten).result(DEADLINE_S)
    running.store.forget(keys).result(DEADLINE_S)


def test_forgetting_reaches_memory_and_disk(tmp_path: Path) -> None:
    """The KV cache, host memory and the file; another conversation stays."""
    known = Conversations()
    with worker(tmp_path, flush_s=30, idle_cells=700) as running:
        conversations = [known.get(name) for name in ("ann", "bob", "cid")]
        for conversation in conversations:
            running.ask(f"{conversation.key} {LONG}", conversation)
        running.pass_time(IDLE_S + 1)
        for conversation in conversations:
            running.wait_until_stored(conversation, 600)
        assert running.harness.cache.suspended_bytes > 0
        forget(running, known, "ann", "cid")

        assert running.ask(f"cid {LONG}", None) < 32
        assert running.ask(f"ann {LONG}", None) < 32
        assert running.ask(f"bob {LONG}", None) > 600
    assert len(state_files(tmp_path)) == 1
    assert read(open_folder(tmp_path), "bob")


def test_a_conversation_that_is_forgotten_during_its_answer_leaves_nothing(tmp_path: Path) -> None:
    """The answer ends; then its cells are freed."""
    known = Conversations()
    with worker(tmp_path, flush_s=30) as running:
        conversation = known.get("ann")
        blocked, go = threading.Event(), threading.Event()
        running.harness.model.on_decode = lambda: blocked.set() or hold(go)
        sequence = running.harness.ask(LONG, conversation=conversation)
        assert blocked.wait(DEADLINE_S)
        known.forget(["ann"])
        running.harness.model.on_decode = lambda: None
        go.set()
        finished(running.harness, sequence)
        forget(running, known, "ann")

        assert running.ask(LONG, None) == 0
    assert state_files(tmp_path) == []


def test_a_platforms_conversation_may_begin_again_after_it_was_forgotten(tmp_path: Path) -> None:
    """It has the same key, and is a new one."""
    known = Conversations()
    with worker(tmp_path, flush_s=30) as running:
        running.ask(LONG, known.get("ann"))
        forget(running, known, "ann")
        again = known.get("ann")
        assert not again.forgotten
        running.ask("z" * 400 + " I am Bo", again)
    with worker(tmp_path) as second:
        assert second.ask("z" * 400 + f" I am Bo\x01{greets('Bo')} I am Al", talk()) > 400
