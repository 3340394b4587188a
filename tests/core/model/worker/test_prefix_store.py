"""Computed prefixes on disk."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.model.worker.prefix_store import PrefixStore

TOKENS = np.asarray([1, 2, 300_000], np.int32)
STATE = np.asarray([0, 255, 7, 7], np.uint8)


def entries(store: PrefixStore) -> list[tuple[list[int], list[int]]]:
    return [(tokens.tolist(), state.tolist()) for tokens, state in store.load()]


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def save_at(store: PrefixStore, folder: Path, number: int) -> None:
    """Saves a prefix; its content and the age of its file are `number`."""
    before = set(folder.glob("*")) if folder.exists() else set()
    store.save(np.asarray([number], np.int32), STATE)
    for file in set(folder.glob("*")) - before:
        os.utime(file, (number, number))


def test_a_saved_prefix_is_loaded(tmp_path: Path) -> None:
    """Another process with the same model loads tokens and state."""
    PrefixStore(tmp_path / "prefixes", "model", 4).save(TOKENS, STATE)

    assert entries(PrefixStore(tmp_path / "prefixes", "model", 4)) == [(TOKENS.tolist(), STATE.tolist())]


def test_a_missing_folder_yields_no_prefix(tmp_path: Path) -> None:
    """The first start has no folder."""
    assert entries(PrefixStore(tmp_path / "none", "model", 4)) == []


def test_another_models_file_is_not_loaded_and_not_deleted(tmp_path: Path) -> None:
    """An operator may try another model and return to the first."""
    PrefixStore(tmp_path, "a model", 4).save(TOKENS, STATE)

    assert entries(PrefixStore(tmp_path, "another", 4)) == []
    assert len(entries(PrefixStore(tmp_path, "a model", 4))) == 1


@given(st.data())
def test_a_corrupt_file_is_deleted_and_logged(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """One flipped bit or a cut anywhere: llama.cpp never receives a corrupt state."""
    folder = tmp_path_factory.mktemp("prefixes")
    store = PrefixStore(folder, "model", 4)
    store.save(TOKENS, STATE)
    (file,) = files(folder)
    whole = file.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytes([whole[place] ^ (1 << data.draw(st.integers(0, 7)))])
    file.write_bytes(data.draw(st.sampled_from([whole[:place], whole[:place] + flipped + whole[place + 1 :]])))

    with capture_logs() as logs:
        assert entries(store) == []

    assert files(folder) == []
    assert [entry["event"] for entry in logs] == ["prefix_corrupt"]


def test_files_of_version_1_are_deleted(tmp_path: Path) -> None:
    """They may hold callers' text."""
    store = PrefixStore(tmp_path, "model", 4)
    store.save(TOKENS, STATE)
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"prefix 2", b"prefix 1"))

    assert entries(store) == []
    assert files(tmp_path) == []


def test_only_the_newest_files_stay(tmp_path: Path) -> None:
    """The limit applies to all models together."""
    for number in range(1, 6):
        save_at(PrefixStore(tmp_path, f"model {number % 2}", 3), tmp_path, number)

    assert entries(PrefixStore(tmp_path, "model 1", 3)) == [([5], STATE.tolist()), ([3], STATE.tolist())]
    assert entries(PrefixStore(tmp_path, "model 0", 3)) == [([4], STATE.tolist())]


def test_the_same_prefix_is_one_file(tmp_path: Path) -> None:
    """Saving it again replaces its file."""
    store = PrefixStore(tmp_path, "model", 4)
    store.save(TOKENS, STATE)
    store.save(TOKENS, STATE[::-1].copy())

    assert entries(store) == [(TOKENS.tolist(), STATE[::-1].tolist())]


def test_the_folder_is_closed_to_other_users(tmp_path: Path) -> None:
    """A personality's prompt may be confidential."""
    folder = tmp_path / "prefixes"
    PrefixStore(folder, "model", 4).save(TOKENS, STATE)

    assert folder.stat().st_mode & 0o077 == 0


def test_a_full_disk_only_logs_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No partial file stays, and the earlier files remain."""
    store = PrefixStore(tmp_path, "model", 4)
    store.save(TOKENS, STATE)
    before = files(tmp_path)

    def full(_part: Path, _path: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with capture_logs() as logs:
        store.save(TOKENS[:2], STATE)

    assert files(tmp_path) == before
    assert [(entry["event"], entry["problem"]) for entry in logs] == [("prefix_save_failed", "No space left on device")]


def test_an_impossible_folder_only_logs_a_warning(tmp_path: Path) -> None:
    """A file may be in its place. (It raised on the inference thread.)"""
    (tmp_path / "prefixes").write_text("in the way")
    store = PrefixStore(tmp_path / "prefixes", "model", 4)

    with capture_logs() as logs:
        store.save(TOKENS, STATE)
        assert entries(store) == []

    assert [entry["event"] for entry in logs] == ["prefix_save_failed"]


def test_an_unreadable_file_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's file does not prevent loading the others. (It ended the process at each start.)"""
    store = PrefixStore(tmp_path, "model", 4)
    save_at(store, tmp_path, 1)
    save_at(store, tmp_path, 2)
    newest = max(files(tmp_path), key=lambda file: file.stat().st_mtime)
    read_bytes = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path == newest:
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    with capture_logs() as logs:
        assert entries(store) == [([1], STATE.tolist())]

    assert [(entry["event"], entry["problem"]) for entry in logs] == [("prefix_read_failed", "Permission denied")]
