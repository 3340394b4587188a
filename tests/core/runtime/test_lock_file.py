"""The lock between processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.runtime.lock_file import AlreadyLocked, hold_lock


def test_a_held_lock_names_its_process(tmp_path: Path) -> None:
    """A second holder is refused with the first one's pid; a released lock is free again."""
    path = tmp_path / "run" / "web.lock"
    with hold_lock(path), pytest.raises(AlreadyLocked) as refusal, hold_lock(path):
        pass
    assert refusal.value.pid == str(os.getpid())
    with hold_lock(path):
        assert path.read_text(encoding="utf-8") == f"{os.getpid()}\n"
