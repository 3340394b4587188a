"""Conversations that move from the inference thread to disk and back, over a fake model."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.model.worker.conversation import Conversations
from core.model.worker.prefix_cache import MIN_PREFIX_TOKENS
from core.model.worker.suspended import state_store, write_behind
from core.model.worker.suspended.write_behind import IDLE_S, SEGMENT_TOKENS, WriteBehind
from tests.core.model.worker.support_fake_model import finished, greets
from tests.core.model.worker.suspended.support_states import open_folder, read, state_files
from tests.core.model.worker.suspended.support_worker import (
    DEADLINE_S,
    LONG,
    NEXT,
    cancel_while_reading,
    forget,
    hold,
    talk,
    worker,
)


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
        waiting = cancel_while_reading(second)

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
