"""The key of suspended conversations, and the names made with it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from core.model.worker.suspended.state_key import KEY_BYTES, KEY_FILE, StateKey, load_key

LOAD = """
import pathlib, sys
from core.model.worker.suspended.state_key import load_key
print(load_key(pathlib.Path(sys.argv[1])).id)
"""


def test_the_key_is_made_once_for_this_account_alone(tmp_path: Path) -> None:
    """A second process reads the same key; nothing else is left in the folder."""
    root = tmp_path / "suspended"
    first = load_key(root)

    assert load_key(root) == first
    assert [path.name for path in root.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((root / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    """Whoever comes second takes the key of the first."""
    started = [
        subprocess.Popen([sys.executable, "-c", LOAD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ids = {process.communicate()[0] for process in started}

    assert ids == {f"{load_key(tmp_path).id}\n"}
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * (KEY_BYTES + 1)])
def test_a_damaged_key_is_replaced(tmp_path: Path, content: bytes) -> None:
    """The states of the old key are lost, and nothing fails."""
    (tmp_path / KEY_FILE).write_bytes(content)
    (tmp_path / KEY_FILE).chmod(0o600)
    with capture_logs() as logs:
        key = load_key(tmp_path)

    assert load_key(tmp_path) == key
    assert [entry["event"] for entry in logs] == ["suspended_key_damaged"]


def test_a_symbolic_link_is_no_key(tmp_path: Path) -> None:
    """It is replaced; the file that it names is neither read nor changed."""
    other = tmp_path / "other"
    other.write_bytes(b"k" * KEY_BYTES)
    root = tmp_path / "suspended"
    root.mkdir()
    (root / KEY_FILE).symlink_to(other)

    assert load_key(root).secret != b"k" * KEY_BYTES
    assert not (root / KEY_FILE).is_symlink()
    assert other.read_bytes() == b"k" * KEY_BYTES


def test_an_empty_folder_is_no_key(tmp_path: Path) -> None:
    """Containers make one where a file to mount is missing."""
    (tmp_path / KEY_FILE).mkdir()

    assert load_key(tmp_path) == load_key(tmp_path)
    assert (tmp_path / KEY_FILE).is_file()


def test_a_pipe_is_no_key(tmp_path: Path) -> None:
    """Opening it does not wait for a writer."""
    os.mkfifo(tmp_path / KEY_FILE)

    assert load_key(tmp_path) == load_key(tmp_path)


def test_a_key_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    """The key stays, because the states are still worth having; the log names the mode."""
    key = load_key(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with capture_logs() as logs:
        assert load_key(tmp_path) == key

    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert logs[0]["event"] == "suspended_key_was_readable"


def test_names_reveal_nothing() -> None:
    """They depend on the key, the purpose and the whole text, and the key is in no representation."""
    key, other = StateKey(b"a" * KEY_BYTES), StateKey(b"b" * KEY_BYTES)
    names = {key.file_name("x"), key.file_name("y"), other.file_name("x"), key.folder_name("x"), other.folder_name("x")}

    assert len(names) == 5
    assert key.file_name("x") not in key.folder_name("x")
    assert "aaaa" not in repr(key)
    assert key.segment_key(b"x") != key.segment_key(b"y")
