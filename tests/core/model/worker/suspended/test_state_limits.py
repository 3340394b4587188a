"""Files of suspended conversations: their budget, their age, full disks and leftovers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.model.worker.suspended import state_folder
from tests.core.model.worker.suspended.support_states import (
    BUDGET_BYTES,
    DAY_S,
    Clock,
    open_folder,
    part,
    read,
    state_files,
    store,
    written,
)

BOTH = written((0, 100), (100, 150))


def test_the_conversation_used_least_recently_makes_room(tmp_path: Path) -> None:
    """Reading counts as use, and the budget holds at every moment."""
    clock = Clock()
    one = len_of_one(tmp_path / "one")
    folder = open_folder(tmp_path / "many", budget=3 * one + 1000, clock=clock)
    for name in ("ann", "bob", "cid"):
        clock.now_s += 60
        store(folder, name, (100,))
    clock.now_s += 60
    assert read(folder, "ann")
    store(folder, "dan", (100,))

    assert {name for name in ("ann", "bob", "cid", "dan") if read(folder, name)} == {"ann", "cid", "dan"}
    assert sum(path.stat().st_size for path in state_files(tmp_path)) - one <= 3 * one + 1000


def test_the_budget_is_common_to_all_models(tmp_path: Path) -> None:
    """A worker deletes older files of another model; that worker then finds nothing, and goes on."""
    clock = Clock()
    one = len_of_one(tmp_path / "one")
    ours = open_folder(tmp_path / "both", "ours", budget=one + 1000, clock=clock)
    extent = store(ours, "ann", (100,))
    clock.now_s += 60
    theirs = open_folder(tmp_path / "both", "theirs", budget=one + 1000, clock=clock)
    store(theirs, "bob", (100,))

    assert ours.holds("ann"), "it does not know yet"
    assert ours.write("ann", part(100, 120, state_bytes=100), extent) is None
    assert read(ours, "ann") is None
    assert not ours.holds("ann")
    assert read(theirs, "bob") == written((0, 100))


def test_a_conversation_larger_than_the_budget_is_not_written(tmp_path: Path) -> None:
    """It does not displace the others for nothing."""
    folder = open_folder(tmp_path, budget=2 * 1024 * 1024)
    store(folder, "ann", (100,))
    huge = part(0, 100, state_bytes=3 * 1024 * 1024)

    assert folder.write("bob", huge, None) is None
    assert not folder.holds("bob")
    assert [path for path in state_files(tmp_path) if path.suffix] == []


def test_a_smaller_budget_holds_from_the_next_start_on(tmp_path: Path) -> None:
    """The files that no longer fit are deleted, the oldest first."""
    clock = Clock()
    folder = open_folder(tmp_path, clock=clock)
    for name in ("ann", "bob"):
        clock.now_s += 60
        store(folder, name, (100,))
    size = state_files(tmp_path)[0].stat().st_size
    folder = open_folder(tmp_path, budget=size + 1000, clock=clock)

    assert (read(folder, "ann"), read(folder, "bob")) == (None, written((0, 100)))


def test_what_nobody_used_for_the_limit_is_deleted(tmp_path: Path) -> None:
    """At start and hourly, also in the folders of models that are no longer loaded."""
    clock = Clock()
    store(open_folder(tmp_path, "an old model", clock=clock), "ann")
    folder = open_folder(tmp_path, clock=clock)
    store(folder, "bob")
    clock.now_s += 29 * DAY_S
    folder.delete_expired()
    assert len(state_files(tmp_path)) == 2
    clock.now_s += 2 * DAY_S
    open_folder(tmp_path, "a third model", clock=clock)

    assert state_files(tmp_path) == []


def test_forgetting_deletes_the_states_of_every_model(tmp_path: Path) -> None:
    """One worker does it for all, also for models that are not loaded; other conversations stay."""
    for model in ("one", "two"):
        folder = open_folder(tmp_path, model)
        for name in ("ann", "bob"):
            store(folder, name, (100,))
    folder = open_folder(tmp_path, "three")
    folder.forget(["ann", "unknown"])

    for model in ("one", "two"):
        folder = open_folder(tmp_path, model)
        assert (read(folder, "ann"), read(folder, "bob")) == (None, written((0, 100)))


def test_a_full_disk_raises_and_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk's last gigabyte belongs to others."""
    folder = open_folder(tmp_path)
    extent = store(folder, "ann")
    monkeypatch.setattr(state_folder, "RESERVE_BYTES", 2**62)
    with pytest.raises(OSError, match="No space left"):
        folder.write("ann", part(150, 180), extent)

    assert read(folder, "ann") == BOTH


def test_parts_of_a_killed_process_are_deleted_later(tmp_path: Path) -> None:
    """Another process may be writing a young one."""
    clock = Clock()
    folder = open_folder(tmp_path, clock=clock)
    store(folder, "ann")
    (file,) = state_files(tmp_path)
    old, young = file.with_name(f"{file.name}.0.part"), file.with_name(f"{file.name}.1.part")
    for path, age_s in ((old, 3600), (young, 1)):
        path.write_bytes(b"half")
        os.utime(path, (clock.now_s - age_s, clock.now_s - age_s))
    open_folder(tmp_path, clock=clock)

    assert state_files(tmp_path) == [file, young]


def test_a_disk_that_becomes_full_gets_old_states_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget shrinks to the room that others leave; the conversation used last stays longest."""
    clock = Clock()
    one = len_of_one(tmp_path / "one")
    folder = open_folder(tmp_path / "many", clock=clock)
    for name in ("ann", "bob", "cid"):
        clock.now_s += 60
        store(folder, name, (100,))
    monkeypatch.setattr(folder, "_free_bytes", lambda: -one - 1000)
    folder.delete_expired()

    assert [folder.holds(name) for name in ("ann", "bob", "cid")] == [False, False, True]


def test_a_state_that_a_process_died_of_is_not_tried_again(tmp_path: Path) -> None:
    """Its mark is still there at the next start. A state that was restored without harm stays."""
    folder = open_folder(tmp_path)
    for name in ("ann", "bob"):
        store(folder, name, (100,))
        folder.mark_restoring(name)
    folder.unmark_restoring("bob")
    with capture_logs() as logs:
        folder = open_folder(tmp_path)

    assert [entry["event"] for entry in logs] == ["suspended_state_fatal"]
    assert (read(folder, "ann"), read(folder, "bob")) == (None, written((0, 100)))
    assert len(state_files(tmp_path)) == 1


def test_a_state_from_the_future_ages_from_now_on(tmp_path: Path) -> None:
    """The clock was wrong when it was written; it must not stay for years."""
    clock = Clock()
    now_s = clock.now_s
    folder = open_folder(tmp_path, clock=clock)
    clock.now_s += 10 * 365 * DAY_S
    store(folder, "ann", (100,))
    clock.now_s = now_s
    folder.delete_expired()
    assert folder.holds("ann")
    clock.now_s += 31 * DAY_S
    folder.delete_expired()

    assert state_files(tmp_path) == []


def test_a_thousand_states_open_without_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and sizes are enough at start."""
    folder = open_folder(tmp_path)
    store(folder, "ann", (100,))
    (file,) = state_files(tmp_path)
    for number in range(1000):
        (file.parent / f"{number:032x}").write_bytes(b"x")
    opened: list[Path] = []
    real = state_folder.open_plain
    monkeypatch.setattr(state_folder, "open_plain", lambda path: opened.append(path) or real(path))
    folder = open_folder(tmp_path)

    assert opened == []
    assert read(folder, "ann")
    assert opened == [file, file]


def len_of_one(root: Path) -> int:
    """The size of a conversation's file with one segment."""
    store(open_folder(root), "ann", (100,))
    (file,) = state_files(root)
    assert file.stat().st_size < BUDGET_BYTES
    return file.stat().st_size
