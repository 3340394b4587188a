"""Suspended conversations in trouble: damaged states, full disks, deleted folders, states that kill."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.model.worker.conversation import Conversations
from core.model.worker.suspended import state_folder, state_store
from core.model.worker.suspended.write_behind import IDLE_S
from tests.core.model.worker.support_fake_model import greets
from tests.core.model.worker.suspended.support_states import state_files
from tests.core.model.worker.suspended.support_worker import (
    DEADLINE_S,
    LONG,
    NEXT,
    cancel_while_reading,
    forget,
    talk,
    worker,
)


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
        cancel_while_reading(second)
    with worker(tmp_path) as third:
        assert third.ask(NEXT, talk()) > 600
