"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.runtime.atomic_files import write_atomically


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_whole(tmp_path: Path, durable: bool) -> None:
    """The new content takes the place of the old; file and folder are private; nothing else stays."""
    path = tmp_path / "run" / "state.json"
    write_atomically(path, b"a longer first version", durable=durable)
    write_atomically(path, b"second", durable=durable)

    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The part that was written is removed."""
    path = tmp_path / "state.json"
    write_atomically(path, b"first")

    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"second", durable=True)

    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_mode_and_suffix_are_the_callers_choice(tmp_path: Path) -> None:
    """The umask applies to the mode, and the part carries the suffix."""
    path = tmp_path / "shared.json"
    umask = os.umask(0o022)
    try:
        write_atomically(path, b"{}", mode=0o666, part_suffix=".1.part")
    finally:
        os.umask(umask)

    assert stat.S_IMODE(path.stat().st_mode) == 0o644
