"""Files of suspended conversations: what is read is what was written, and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.model.worker.suspended.state_key import KEY_FILE
from tests.core.model.worker.suspended.support_states import (
    SECRET,
    open_folder,
    part,
    read,
    state_files,
    store,
    tokens,
    written,
)

BOTH = written((0, 100), (100, 150))


def test_a_later_process_reads_what_was_written(tmp_path: Path) -> None:
    """Tokens and states return, segment by segment, also only as many as are wanted."""
    store(open_folder(tmp_path), "ann")
    folder = open_folder(tmp_path)

    assert folder.holds("ann")
    assert read(folder, "ann") == BOTH
    assert read(folder, "ann", 100) == written((0, 100))
    assert read(folder, "ann", 101) == BOTH
    assert not folder.holds("bob")
    assert read(folder, "bob") is None


def test_a_later_turn_appends(tmp_path: Path) -> None:
    """The bytes that are on disk stay as they are."""
    folder = open_folder(tmp_path)
    extent = store(folder, "ann")
    (file,) = state_files(tmp_path)
    before = file.read_bytes()
    folder.write("ann", part(150, 180), extent)

    assert file.read_bytes()[: len(before)] == before
    assert read(folder, "ann") == written((0, 100), (100, 150), (150, 180))


def test_another_continuation_replaces_what_came_after(tmp_path: Path) -> None:
    """A regenerated answer: the segments up to the question stay, the old answer goes."""
    folder = open_folder(tmp_path)
    extent = store(folder, "ann")
    folder.write("ann", part(100, 130), extent)

    assert read(folder, "ann") == written((0, 100), (100, 130))


def test_nothing_is_readable_in_the_files(tmp_path: Path) -> None:
    """Neither the state, nor the tokens, nor the key of the conversation; also not in the names."""
    store(open_folder(tmp_path), "planted-conversation")
    data = b"".join(path.read_bytes() + path.name.encode() for path in state_files(tmp_path))

    assert SECRET[:12] not in data
    assert tokens(100).tobytes()[40:80] not in data
    assert b"planted" not in data
    for path in state_files(tmp_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_equal_states_have_different_bytes(tmp_path: Path) -> None:
    """Two equal conversations cannot be recognised as equal."""
    folder = open_folder(tmp_path)
    store(folder, "ann")
    store(folder, "bob")
    first, second = (path.read_bytes() for path in state_files(tmp_path))

    assert sum(a == b for a, b in zip(first[64:4096], second[64:4096], strict=True)) < 200


def test_another_model_or_setting_finds_nothing(tmp_path: Path) -> None:
    """Its folder has another name."""
    store(open_folder(tmp_path), "ann")

    assert not open_folder(tmp_path, "a model with another KV type").holds("ann")
    assert open_folder(tmp_path).holds("ann")


@given(st.integers(0, 10**9), st.integers(1, 255))
def test_a_changed_byte_never_passes(tmp_path_factory: pytest.TempPathFactory, position: int, change: int) -> None:
    """Wherever it is, the state behind it is not used; what comes before it may be."""
    root = tmp_path_factory.mktemp("states")
    folder = open_folder(root)
    store(folder, "ann")
    (file,) = state_files(root)
    data = bytearray(file.read_bytes())
    data[position % len(data)] ^= change
    file.write_bytes(data)

    assert read(open_folder(root), "ann") in (None, written((0, 100)))


@pytest.mark.parametrize("size", [0, 1, 51, 52, 200, 10_000])
def test_a_file_cut_in_its_first_segment_is_deleted(tmp_path: Path, size: int) -> None:
    """One log line names it, without the conversation."""
    store(open_folder(tmp_path), "ann")
    (file,) = state_files(tmp_path)
    os.truncate(file, size)
    folder = open_folder(tmp_path)
    with capture_logs() as logs:
        assert read(folder, "ann") is None

    assert [entry["event"] for entry in logs] == ["suspended_state_damaged"]
    assert not file.exists()
    assert not folder.holds("ann")


def test_a_write_that_a_kill_interrupted_loses_only_itself(tmp_path: Path) -> None:
    """The segments before it are used; the rest is cut off, and the next turn appends there."""
    store(open_folder(tmp_path), "ann")
    (file,) = state_files(tmp_path)
    os.truncate(file, file.stat().st_size - 1)
    folder = open_folder(tmp_path)
    with capture_logs() as logs:
        extent = folder.read_extent("ann")

    assert [entry["event"] for entry in logs] == ["suspended_state_cut"]
    assert extent is not None
    folder.write("ann", part(100, 170), extent)
    assert read(open_folder(tmp_path), "ann") == written((0, 100), (100, 170))


def swap(root: Path) -> None:
    first, second = state_files(root)
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)


def move_to_another_model(root: Path) -> None:
    open_folder(root, "another model")
    (file,) = {path.parent for path in root.iterdir() if path.is_dir() for path in path.iterdir()}
    (other,) = (path for path in root.iterdir() if path.is_dir() and path != file)
    for path in list(file.iterdir()):
        path.rename(other / path.name)


def prolong_with_another(root: Path) -> None:
    first, second = state_files(root)
    data = second.read_bytes()
    for path in (first, second):
        path.write_bytes(path.read_bytes() + data)


@pytest.mark.parametrize("tamper", [swap, prolong_with_another])
def test_files_and_segments_cannot_be_exchanged(tmp_path: Path, tamper: Callable[[Path], None]) -> None:
    """Each is bound to its conversation and to the segments before it. Such a file is deleted."""
    folder = open_folder(tmp_path)
    store(folder, "ann")
    store(folder, "bob", fill=7)
    tamper(tmp_path)
    folder = open_folder(tmp_path)

    assert read(folder, "ann") is None
    assert read(folder, "bob") is None
    assert state_files(tmp_path) == []


def test_a_file_of_another_model_is_deleted(tmp_path: Path) -> None:
    """It was moved here by hand, and has the right name."""
    store(open_folder(tmp_path), "ann")
    move_to_another_model(tmp_path)

    assert read(open_folder(tmp_path, "another model"), "ann") is None
    assert state_files(tmp_path) == []


def test_an_earlier_version_of_a_segment_does_not_pass(tmp_path: Path) -> None:
    """A backup's second segment behind a first one that was written anew."""
    folder = open_folder(tmp_path)
    store(folder, "ann")
    (file,) = state_files(tmp_path)
    old = file.read_bytes()
    store(folder, "ann")
    new = file.read_bytes()
    half = len(new) // 2
    assert len(old) == len(new)
    file.write_bytes(new[:half] + old[half:])

    assert read(open_folder(tmp_path), "ann") in (None, written((0, 100)))


def test_a_file_larger_than_the_budget_is_deleted_unread(tmp_path: Path) -> None:
    """A sparse file of a terabyte takes neither memory nor time."""
    store(open_folder(tmp_path), "ann")
    (file,) = state_files(tmp_path)
    folder = open_folder(tmp_path)
    os.truncate(file, 2**40)

    assert read(folder, "ann") is None
    assert not file.exists()


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_only_plain_files_are_read(tmp_path: Path, kind: str) -> None:
    """A symbolic link is not followed: the file that it names stays as it is."""
    root, other = tmp_path / "suspended", tmp_path / "other"
    folder = open_folder(root)
    store(folder, "ann")
    (file,) = state_files(root)
    file.rename(other)
    {"link": lambda: file.symlink_to(other), "folder": file.mkdir, "pipe": lambda: os.mkfifo(file)}[kind]()
    before = other.read_bytes()

    assert read(folder, "ann") is None
    assert folder.write("ann", part(150, 180), None) is None
    store(open_folder(root), "ann", (100,))
    assert read(open_folder(root), "ann") == written((0, 100))
    assert other.read_bytes() == before


def test_nothing_is_written_through_a_link_to_another_folder(tmp_path: Path) -> None:
    """Somebody replaced the model's folder while its worker was running."""
    folder = open_folder(tmp_path / "suspended")
    store(folder, "ann", (100,))
    (file,) = state_files(tmp_path / "suspended")
    (tmp_path / "outside").mkdir()
    file.unlink()
    file.parent.rmdir()
    file.parent.symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="symbolic link"):
        folder.write("bob", part(0, 100), None)

    assert list((tmp_path / "outside").iterdir()) == []


def test_foreign_files_are_deleted_at_start(tmp_path: Path) -> None:
    """A link is deleted, not the file behind it. Files beside the models' folders are not ours to delete."""
    store(open_folder(tmp_path / "suspended"), "ann")
    (file,) = state_files(tmp_path / "suspended")
    (tmp_path / "outside").write_text("stays")
    (file.parent / "notes.txt").write_text("foreign")
    (file.parent / ("0" * 32)).symlink_to(tmp_path / "outside")
    (file.parent / "folder").mkdir()
    (tmp_path / "suspended" / "README").write_text("stays")
    with capture_logs() as logs:
        open_folder(tmp_path / "suspended")

    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert {entry["event"] for entry in logs} == {"suspended_file_foreign"}
    assert (tmp_path / "outside").read_text() == (tmp_path / "suspended" / "README").read_text() == "stays"


def test_a_lost_key_makes_the_states_useless_and_they_are_deleted(tmp_path: Path) -> None:
    """One log line, no failure."""
    store(open_folder(tmp_path), "ann")
    (tmp_path / KEY_FILE).unlink()
    with capture_logs() as logs:
        folder = open_folder(tmp_path)

    assert read(folder, "ann") is None
    assert state_files(tmp_path) == []
    assert [entry["event"] for entry in logs] == ["suspended_states_without_key"]
